"""Where the review page is to be had, as options of a command."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.web.access_rules import is_loopback
from HNTargetSegLib.web.access_uploads import UploadLimits

if TYPE_CHECKING:
    from ssl import SSLContext


@dataclass(frozen=True)
class AccessOptions:
    """Where the page is to be had, and for how long.

    Attributes
    ----------
    host
        Address to listen on.
    port
        0 takes a free one.
    names
        Names beyond its own by which browsers reach this machine, such as that of a proxy.
    certificate, key
        Files in PEM format for TLS; both or none.
    idle_minutes
        Time without use after which the review ends; 0 for never.
    upload
        How much a browser may send at once.
    """

    host: str = "127.0.0.1"
    port: int = 0
    names: tuple[str, ...] = ()
    certificate: Path | None = None
    key: Path | None = None
    idle_minutes: float = 480.0
    upload: UploadLimits = field(default_factory=UploadLimits)

    @property
    def scheme(self) -> str:
        """Of the link."""
        return "http" if self.certificate is None else "https"

    @property
    def on_network(self) -> bool:
        """Whether other machines can reach the page."""
        return not is_loopback(self.host)

    def warnings(self) -> tuple[str, ...]:
        """What a user should be told before the page opens to the network."""
        if not self.on_network:
            return ()
        reach = "Other machines on the network can reach this page; whoever has the link sees and changes the patient."
        if self.certificate is not None:
            return (reach,)
        return (
            reach,
            "The connection is not encrypted: link and images can be read on the way. "
            "Add --tls-cert and --tls-key, or use an SSH tunnel to 127.0.0.1.",
        )


def add_access_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of a command that serves the page."""
    group = parser.add_argument_group("access")
    group.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    group.add_argument("--port", type=_port, default=0, help="port (default: a free one)")
    group.add_argument(
        "--public-name",
        action="append",
        default=[],
        metavar="NAME",
        help="further name by which browsers reach this machine",
    )
    group.add_argument("--tls-cert", type=Path, metavar="FILE", help="certificate (PEM) for https")
    group.add_argument("--tls-key", type=Path, metavar="FILE", help="its private key (PEM)")
    group.add_argument(
        "--idle-minutes",
        type=_minutes,
        default=480.0,
        metavar="N",
        help="end after this time without use; 0: never (default 480)",
    )


def access_options(options: argparse.Namespace) -> AccessOptions:
    """From the options of :func:`add_access_arguments`.

    Raises
    ------
    BadInputError
        If only one of certificate and key is there, or they cannot be used.
    """
    if (options.tls_cert is None) != (options.tls_key is None):
        raise BadInputError("TLS needs a certificate and its key", remedy="Give both --tls-cert and --tls-key")
    chosen = AccessOptions(
        host=options.host,
        port=options.port,
        names=tuple(options.public_name),
        certificate=options.tls_cert,
        key=options.tls_key,
        idle_minutes=options.idle_minutes,
    )
    # A wrong file is said before anything is loaded.
    tls_context(chosen)
    return chosen


def tls_context(options: AccessOptions) -> SSLContext | None:
    """Certificate and key, ready for use; None without.

    Raises
    ------
    BadInputError
        If they cannot be used.
    """
    if options.certificate is None or options.key is None:
        return None
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(options.certificate, options.key)
    except (OSError, ValueError) as error:
        raise BadInputError(
            f"Certificate and key cannot be used ({error})",
            path=options.certificate,
            remedy="Name a certificate and its key, both in PEM format and without a password",
        ) from error
    return context


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return int(text)


def _minutes(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError("a time in minutes, or 0")
    return value
