"""A real trame server behind its access, and a client that speaks to it as a browser does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from HNTargetSegLib.web.access import Access, protect
from HNTargetSegLib.web.access_options import AccessOptions


@dataclass
class Page:
    """A page that is served.

    Attributes
    ----------
    server
        The trame server.
    access
        Its access.
    client
        An aiohttp session without cookies of other tests.
    received, ended
        What the callbacks were called with.
    """

    server: Any
    access: Access
    client: Any
    received: list[list[str]] = field(default_factory=list)
    ended: list[bool] = field(default_factory=list)

    @property
    def address(self) -> str:
        """Scheme, host and port."""
        return f"{self.access.options.scheme}://127.0.0.1:{self.server.port}"

    async def enter(self) -> None:
        """Visit the link: the client has the cookie from then on."""
        async with self.client.get(self.access.link(self.server.port)) as answer:
            assert answer.status == 200

    async def status(self, path: str, method: str = "GET", **arguments: Any) -> int:
        """Status of one request; redirects are not followed."""
        async with self.client.request(method, self.address + path, allow_redirects=False, **arguments) as answer:
            return answer.status

    async def connect(self, origin: str | None = "") -> Any:
        """Open the websocket and greet; an empty origin is the page's own."""
        headers = {} if origin is None else {"Origin": origin or self.address}
        socket = await self.client.ws_connect(self.address + "/ws", headers=headers, ssl=False)
        return socket


@pytest.fixture
def serve(tmp_path) -> Callable[..., None]:
    """``serve(play, options)``: run the coroutine ``play(page)`` against a server with these options."""

    def run(play: Callable[[Page], Awaitable[None]], options: AccessOptions | None = None, busy=lambda: False) -> None:
        asyncio.run(asyncio.wait_for(_played(play, options or AccessOptions(), busy), timeout=60))

    return run


async def _played(play: Callable[[Page], Awaitable[None]], options: AccessOptions, busy: Callable[[], bool]) -> None:
    import aiohttp
    from trame_client.ui.core import AbstractLayout
    from trame_server.core import Server

    server = Server(f"access-{id(options)}")
    received: list[list[str]] = []
    ended: list[bool] = []

    def note(folder: Path) -> None:
        received.append(sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()))

    AbstractLayout(server, _root_elem=None)
    access = protect(server, options, received=note, busy=busy, before_end=lambda: ended.append(True))
    task = server.start(exec_mode="task", thread=True, **access.start_arguments)
    await server.ready
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
        try:
            await play(Page(server, access, client, received, ended))
        finally:
            if server.running:
                await server.stop()
    await asyncio.wait_for(task, 10)
