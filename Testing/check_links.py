"""Whether the project's addresses lead somewhere: ``python Testing/check_links.py``; needs a network."""

from __future__ import annotations

import sys
import urllib.error
import urllib.request
from collections.abc import Mapping

from HNTargetSegLib import links

ADDRESSES = {
    "homepage": links.HOMEPAGE,
    "repository": links.REPOSITORY,
    "documentation": links.DOCUMENTATION,
    "issues": links.ISSUES,
    "icon": links.ICON,
    **{f"screenshot {number}": address for number, address in enumerate(links.SCREENSHOTS, 1)},
}
IMAGE_TYPES = ("image/png", "image/jpeg", "image/gif")
SECONDS = 10


def complaint(name: str, address: str) -> str | None:
    """What is wrong with an address, or None; pictures must come as pictures, as the Extensions Index asks."""
    try:
        with urllib.request.urlopen(address, timeout=SECONDS) as answer:
            kind = answer.headers.get_content_type()
    except (urllib.error.URLError, OSError, ValueError) as error:
        return f"{name}: {address}: {error}"
    if name.startswith(("icon", "screenshot")) and kind not in IMAGE_TYPES:
        return f"{name}: {address}: is {kind}, not a picture"
    return None


def check(addresses: Mapping[str, str]) -> int:
    """Print a line an address; returns the exit status."""
    complaints = []
    for name, address in addresses.items():
        if links.is_example(address):
            print(f"{name}: not run: {address} is an example")
            continue
        wrong = complaint(name, address)
        print(wrong or f"{name}: {address} is there")
        complaints += [wrong] if wrong else []
    if all(links.is_example(address) for address in addresses.values()):
        print("not run: the addresses are examples")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(check(ADDRESSES))
