"""Who may talk to the review page: rules on the headers of a request, with no server in them."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
# What a browser says of a request that its own page or its address bar makes.
_OWN_SITES = frozenset({"same-origin", "none"})


def is_loopback(host: str) -> bool:
    """Whether only programs of this machine reach a server that listens on ``host``."""
    if host.casefold() == "localhost":
        return True
    address = _address(host)
    return address is not None and address.is_loopback


def host_allowed(header: str | None, names: Collection[str], *, any_address: bool) -> bool:
    """Whether a ``Host`` header names this machine.

    A page of a stranger whose name was pointed at this machine (DNS rebinding) sends the stranger's name; a numeric
    address cannot be pointed anywhere else.

    Parameters
    ----------
    header
        The header; None where the request has none.
    names
        Names of this machine beyond the loopback ones.
    any_address
        Whether every numeric address is fine, as it is when the server listens on the network.
    """
    name = _host_name(header)
    if name is None:
        return False
    if name in _LOOPBACK_NAMES or name in {own.casefold() for own in names}:
        return True
    return any_address and _address(name) is not None


def same_origin(origin: str | None, host: str | None) -> bool:
    """Whether an ``Origin`` header is the address that the request itself went to.

    The scheme is left out: behind a proxy that ends TLS the server cannot know it.
    """
    if not origin or not host:
        return False
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.netloc.casefold() == host.casefold()


def from_own_page(fetch_site: str | None) -> bool:
    """Whether ``Sec-Fetch-Site`` lets a request through; a browser that does not send it is let through."""
    return fetch_site is None or fetch_site in _OWN_SITES


def same_secret(given: str | None, secret: str) -> bool:
    """Compare in a time that does not tell how much of it is right."""
    return given is not None and hmac.compare_digest(given.encode("utf-8", "replace"), secret.encode())


def _host_name(header: str | None) -> str | None:
    if not header:
        return None
    try:
        name = urlsplit(f"//{header}").hostname
    except ValueError:
        return None
    return name.casefold() if name else None


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None
