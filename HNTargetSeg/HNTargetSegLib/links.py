"""Addresses of the project; those on example.org do not exist yet."""

from __future__ import annotations

from urllib.parse import urlsplit

HOMEPAGE = "https://example.org/hntargetseg"
REPOSITORY = f"{HOMEPAGE}/SlicerHNTargetSeg.git"
DOCUMENTATION = f"{HOMEPAGE}#readme"
ISSUES = f"{HOMEPAGE}/issues"

# As in the repository, and so below the address of its raw files.
ICON_FILE = "HNTargetSeg/Resources/Icons/HNTargetSeg.png"
SCREENSHOT_FILES = ("Resources/screenshots/module.png", "Resources/screenshots/review-compare.png")
ICON = f"{HOMEPAGE}/raw/main/{ICON_FILE}"
SCREENSHOTS = tuple(f"{HOMEPAGE}/raw/main/{file}" for file in SCREENSHOT_FILES)

_EXAMPLE_DOMAINS = ("example.org", "example.com", "example.net")
_EXAMPLE_ENDINGS = ("example", "invalid", "test")


def is_example(address: str) -> bool:
    """Whether an address is in a domain that is reserved for examples and leads nowhere.

    References
    ----------
    RFC 2606, sections 2 and 3.
    """
    labels = (urlsplit(address).hostname or "").split(".")
    return ".".join(labels[-2:]) in _EXAMPLE_DOMAINS or labels[-1] in _EXAMPLE_ENDINGS
