"""Access to the review page: the link with its token, and what every request has to show before it is answered."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from HNTargetSegLib.web.access_idle import IdleClock
from HNTargetSegLib.web.access_options import AccessOptions, access_options, add_access_arguments, tls_context
from HNTargetSegLib.web.access_pages import ENTRY, refused
from HNTargetSegLib.web.access_rules import from_own_page, host_allowed, same_origin, same_secret
from HNTargetSegLib.web.access_tabs import one_tab_at_a_time
from HNTargetSegLib.web.access_uploads import Uploads

__all__ = ["Access", "AccessOptions", "access_options", "add_access_arguments", "protect"]

# Where trame's page asks for its websocket before it tries the usual place.
_LAUNCHER = "/paraview/"
_READ_METHODS = frozenset({"GET", "HEAD"})
# Vue compiles its templates in the page (unsafe-eval) and Vuetify writes styles into it; nothing comes from elsewhere.
_CONTENT_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": _CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_KEPT_BY_BROWSERS = ("text/javascript", "application/javascript", "text/css", "font/")


class Access:
    """The token of one run, and the checks of its requests; made by :func:`protect`.

    Parameters
    ----------
    options
        Where the page is to be had.
    idle
        Told of each request.

    Attributes
    ----------
    options
        As given.
    token
        Whoever has it may use the page.
    greeting
        What the page says first on its websocket.
    """

    def __init__(self, options: AccessOptions, idle: IdleClock) -> None:
        self.options = options
        self.token = secrets.token_urlsafe(32)
        self._idle = idle
        # The cookie is no copy of the token: a stolen cookie does not give a link that can be passed on.
        self._cookie = secrets.token_urlsafe(32)
        self.greeting = secrets.token_urlsafe(32)
        self._tickets: set[str] = set()
        self._names = _own_names(options)

    def link(self, port: int) -> str:
        """The link to pass on; it holds until the program ends.

        Parameters
        ----------
        port
            Where the server listens (``server.port`` once it is ready).
        """
        return self._link(port, self.token)

    def one_use_link(self, port: int) -> str:
        """A link that opens the page once: other users of the machine can read a browser's command line."""
        ticket = secrets.token_urlsafe(32)
        self._tickets.add(ticket)
        return self._link(port, ticket)

    @property
    def start_arguments(self) -> dict[str, Any]:
        """Arguments for ``server.start``: trame opens no browser, prints nothing and does not end by itself."""
        return {
            "host": self.options.host,
            "port": self.options.port,
            "timeout": 0,
            "open_browser": False,
            "show_connection_info": False,
            "disable_logging": True,
        }

    async def admit(self, request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
        """Middleware of aiohttp: let a request through, open the door to a token, or refuse.

        Pages, files, uploads and the handshake of the websocket all come by here.
        """
        from aiohttp import web

        headers = request.headers
        host = headers.get("Host")
        if not host_allowed(host, self._names, any_address=self.options.on_network):
            return _refusal("The address in the browser is not one of this machine.")
        changes = request.method not in _READ_METHODS or headers.get("Upgrade", "").casefold() == "websocket"
        if changes and not same_origin(headers.get("Origin"), host):
            return _refusal("The request comes from another page.")
        if "token" in request.query and not changes:
            if not self._opens(request.query["token"]):
                return _refusal("The token in the link is wrong, was used before, or belongs to an earlier start.")
            self._idle.used()
            entry = web.Response(text=ENTRY, content_type="text/html")
            secure = self.options.certificate is not None
            entry.set_cookie(
                _cookie_name(request), self._cookie, path="/", httponly=True, samesite="Strict", secure=secure
            )
            return entry
        if not from_own_page(headers.get("Sec-Fetch-Site")):
            return _refusal("The request comes from another page.")
        if not same_secret(request.cookies.get(_cookie_name(request)), self._cookie):
            return _refusal("The link lacks its token, or it is one of an earlier start.")
        self._idle.used()
        return await handler(request)

    def _opens(self, given: str) -> bool:
        ticket = next((ticket for ticket in self._tickets if same_secret(given, ticket)), None)
        if ticket is not None:
            self._tickets.discard(ticket)
            return True
        return same_secret(given, self.token)

    def _link(self, port: int, token: str) -> str:
        host = self.options.host
        if host in ("0.0.0.0", "::", ""):
            host = socket.gethostname()
        return f"{self.options.scheme}://{f'[{host}]' if ':' in host else host}:{port}/?token={token}"


def protect(
    server: Any,
    options: AccessOptions,
    *,
    received: Callable[[Path], None],
    busy: Callable[[], bool] = lambda: False,
    before_end: Callable[[], object] = lambda: None,
) -> Access:
    """Let only the holder of the link use a trame server, one tab at a time, and end it when nobody does.

    Call it once, after the page is built and before ``server.start(**access.start_arguments)``; the link is
    ``access.link(server.port)`` when the server is ready.

    Parameters
    ----------
    server
        The trame server.
    options
        Where the page is to be had.
    received
        Called with the folder of an upload (see ``UPLOAD_SCRIPT`` of ``access_uploads``), on the server's thread.
    busy
        Whether work goes on that keeps an unwatched review alive.
    before_end
        Called before an unused review ends, so that it can be saved.

    Raises
    ------
    BadInputError
        If certificate or key cannot be used.
    """
    clock = IdleClock(options.idle_minutes * 60, busy=busy)
    access = Access(options, clock)
    uploads = Uploads(options.upload, received)
    context = tls_context(options)

    def bind(web_server: Any) -> None:
        from aiohttp import web

        @web.middleware
        async def admit(request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
            return await access.admit(request, handler)

        web_server.app.middlewares.append(admit)
        web_server.app.on_response_prepare.append(_add_headers)
        uploads.add_route(web_server.app)
        web_server.app.router.add_post(_LAUNCHER, launch)
        # Without it, the greeting of wslink is the same for all programs in the world.
        server.protocol.updateSecret(access.greeting)
        web_server.app.on_cleanup.append(clean_up)
        if context is not None:
            web_server.config["ssl"] = context

    async def launch(_: Any) -> Any:
        from aiohttp import web

        return web.json_response({"sessionURL": "ws://USE_HOST/ws", "secret": access.greeting})

    async def clean_up(_: Any) -> None:
        uploads.remove()

    async def end_when_idle() -> None:
        await clock.run_out()
        before_end()
        await server.stop()

    def ready(**_: Any) -> None:
        from trame_server.utils.asynchronous import create_task

        monitor = server.protocol.network_monitor
        monitor.add_listener(clock.used, clock.used)
        create_task(end_when_idle())

    one_tab_at_a_time(server)
    server.controller.on_server_bind.add(bind)
    server.controller.on_server_ready.add(ready)
    return access


async def _add_headers(request: Any, response: Any) -> None:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if not str(response.headers.get("Content-Type", "")).startswith(_KEPT_BY_BROWSERS):
        response.headers.setdefault("Cache-Control", "no-store")


def _refusal(reason: str) -> Any:
    from aiohttp import web

    return web.Response(text=refused(reason), content_type="text/html", status=403)


def _cookie_name(request: Any) -> str:
    # A browser sends a machine's cookies to all its ports, and two reviews must not throw each other out.
    address = request.transport.get_extra_info("sockname") if request.transport is not None else None
    return f"hntargetseg-{address[1] if address else 0}"


def _own_names(options: AccessOptions) -> tuple[str, ...]:
    if not options.on_network:
        return options.names
    own = () if options.host in ("0.0.0.0", "::", "") else (options.host,)
    return (*options.names, *own, socket.gethostname(), socket.getfqdn())
