"""A DICOM node on the network: its address, the titles of both ends, how long to wait, and TLS."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, replace
from pathlib import Path

from HNTargetSegLib.errors import BadInputError

CALLING_TITLE = "HNTARGETSEG"
_LONGEST_TITLE = 16


@dataclass(frozen=True)
class Tls:
    """What an encrypted connection is checked with (PS3.15 B.9 to B.12).

    Attributes
    ----------
    authority
        PEM file of the authorities that the node's certificate is checked against; None for those of the system.
    certificate, key
        PEM files with which this end proves itself, where the node asks for it; ``key`` may lie in ``certificate``.
    """

    authority: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def context(self) -> ssl.SSLContext:
        """What Python's ssl needs: at least TLS 1.2, the node's certificate and name are checked.

        Raises
        ------
        BadInputError
            If a file is not there or is no such PEM file.
        """
        files = [path for path in (self.authority, self.certificate, self.key) if path is not None]
        for path in files:
            if not path.is_file():
                raise BadInputError("There is no such file", path=path, remedy="Give a PEM file")
        if self.key is not None and self.certificate is None:
            raise BadInputError("There is a key but no certificate", path=self.key, remedy="Give the certificate too")
        try:
            context = ssl.create_default_context(cafile=self.authority)
            if self.certificate is not None:
                context.load_cert_chain(self.certificate, self.key, password="")
        except (ssl.SSLError, OSError, ValueError) as error:
            raise BadInputError(
                f"The certificates cannot be used ({getattr(error, 'reason', None) or error})",
                path=", ".join(map(str, files)) or None,
                remedy="Give PEM files: of the authority, and of the certificate with its key that has no password",
            ) from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context


@dataclass(frozen=True)
class Node:
    """Where objects are sent.

    Attributes
    ----------
    host, port
        Its address.
    called, calling
        Application entity titles of the node and of this end, 1 to 16 characters (PS3.5 6.2, AE).
    connect_s, answer_s
        Seconds to wait for the connection, and for each answer.
    tls
        None for a connection that is not encrypted.

    Raises
    ------
    BadInputError
        If one of them is impossible.
    """

    host: str
    port: int
    called: str
    calling: str = CALLING_TITLE
    connect_s: float = 10.0
    answer_s: float = 60.0
    tls: Tls | None = None

    def __post_init__(self) -> None:
        if not self.host or any(letter.isspace() for letter in self.host):
            raise BadInputError(f"'{self.host}' is no address of a node", remedy="Give a host name or an IP address")
        if not 1 <= self.port <= 65535:
            raise BadInputError(f"A port of {self.port} is impossible", remedy="Give a port from 1 to 65535")
        for title in (self.called, self.calling):
            if not title.strip() or len(title) > _LONGEST_TITLE or not _printable(title):
                raise BadInputError(
                    f"'{title}' is no title of an application entity",
                    remedy=f"Give 1 to {_LONGEST_TITLE} letters, digits or signs without a backslash",
                )
        for name, seconds in (("the connection", self.connect_s), ("an answer", self.answer_s)):
            if not 0 < seconds < 86_400:
                raise BadInputError(f"Waiting {seconds:g} s for {name} is impossible", remedy="Give 1 to 86400 seconds")

    def __str__(self) -> str:
        return f"{self.called} at {self.host}:{self.port}"

    @classmethod
    def from_text(cls, text: str, *, calling: str = CALLING_TITLE) -> Node:
        """The node of ``HOST:PORT:TITLE``; an IPv6 address stands in brackets.

        Raises
        ------
        BadInputError
            If it is not of that form.
        """
        head, _, called = text.rpartition(":")
        host, _, port = head.rpartition(":")
        in_brackets = host.startswith("[") and host.endswith("]")
        if not (port.isascii() and port.isdigit()) or (":" in host and not in_brackets):
            raise BadInputError(
                f"'{text}' names no DICOM node", remedy="Give HOST:PORT:TITLE, such as pacs:104:ARCHIVE"
            )
        return cls(host[1:-1] if in_brackets else host, int(port), called, calling)

    def with_timeout(self, seconds: float) -> Node:
        """The same node, with that many seconds for the connection and for each answer."""
        return replace(self, connect_s=seconds, answer_s=seconds)


def _printable(title: str) -> bool:
    return title.isascii() and title.isprintable() and "\\" not in title
