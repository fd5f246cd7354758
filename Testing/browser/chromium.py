"""Chromium as a user has it: a fresh profile, real events, and a record of what the page asks the network for."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SMALL, LARGE = (1366, 768), (1920, 1080)
_LOCAL_SCHEMES = ("data", "blob", "about")


@dataclass
class Watched:
    """What a page did.

    Attributes
    ----------
    requests
        Addresses that it asked for, websockets included.
    errors
        Errors of its console and exceptions in its scripts.
    """

    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def foreign(self, port: int) -> list[str]:
        """Requests that went anywhere but to 127.0.0.1 at ``port``."""
        parts = [(address, urlsplit(address)) for address in self.requests]
        return [
            address for address, at in parts if at.scheme not in _LOCAL_SCHEMES and at.netloc != f"127.0.0.1:{port}"
        ]


@contextmanager
def chromium() -> Iterator[Any]:
    """A running Chromium (Playwright's ``Browser``)."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), headless=True, args=list(FLAGS), timeout=60_000
        )
        try:
            yield browser
        finally:
            browser.close()


def new_page(browser: Any, size: tuple[int, int] = SMALL, script: str = "") -> tuple[Any, Watched]:
    """A page in a fresh profile, and what it does.

    Parameters
    ----------
    script
        Runs before the scripts of every page.
    """
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, accept_downloads=True)
    if script:
        context.add_init_script(script)
    page = context.new_page()
    return page, watch(page)


def watch(page: Any) -> Watched:
    """Begin to record what a page does."""
    watched = Watched()
    page.on("request", lambda request: watched.requests.append(request.url))
    page.on("websocket", lambda socket: watched.requests.append(socket.url))
    page.on("pageerror", lambda error: watched.errors.append(str(error)))
    page.on("console", lambda line: watched.errors.append(line.text) if line.type == "error" else None)
    return watched
