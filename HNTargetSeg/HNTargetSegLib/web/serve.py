"""Serve the review until it ends: by Ctrl-C, by the system, or because nobody uses it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from HNTargetSegLib.errors import BadInputError, TargetSegError
from HNTargetSegLib.review.session import ReviewSession
from HNTargetSegLib.review.settings import load_settings
from HNTargetSegLib.web.access import AccessOptions, protect
from HNTargetSegLib.web.access_folders import AllowedFolders
from HNTargetSegLib.web.app import ReviewApp


@dataclass(frozen=True)
class ServeOptions:
    """What to serve.

    Attributes
    ----------
    folder
        A patient to open; None for the first screen.
    begin
        Fills the session before the page can be opened, in place of ``folder``.
    roots
        Folders that the page may look into.
    access
        Where the page is to be had.
    browser
        Whether to open the system's browser.
    """

    folder: Path | None = None
    begin: Callable[[ReviewSession], None] | None = None
    roots: tuple[Path, ...] = ()
    access: AccessOptions = field(default_factory=AccessOptions)
    browser: bool = False


def serve(options: ServeOptions, announce: Callable[[str, int], None]) -> None:
    """Serve until the end; the review is on disk then, and the worker process gone.

    Parameters
    ----------
    announce
        Called with link and port once the page can be opened.

    Raises
    ------
    MissingDependencyError
        If trame-slicer is not installed.
    BadInputError
        If certificate or key cannot be used, or the port is taken.
    OutputError
        If the review could not be kept when it ended.
    """
    prepare_environment()
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(options, announce))


async def _serve(options: ServeOptions, announce: Callable[[str, int], None]) -> None:
    from HNTargetSegLib.worker.client import WorkerClient

    interpreter = load_settings().interpreter
    worker = WorkerClient(Path(interpreter) if interpreter else None)
    allowed = AllowedFolders.of(options.roots)
    app = ReviewApp(worker, allowed)
    if options.begin is not None:
        options.begin(app.session)
    access = protect(
        app.server,
        options.access,
        received=app.received,
        busy=lambda: app.segmenting.busy,
        before_end=partial(_save, app),
    )

    def ready(**_: Any) -> None:
        announce(access.link(app.server.port), app.server.port)
        if options.browser:
            import webbrowser

            webbrowser.open(access.one_use_link(app.server.port))
        if options.folder is not None:
            tasks.append(asyncio.ensure_future(app.open_folder(options.folder)))

    tasks: list[asyncio.Future[Any]] = [asyncio.ensure_future(app.follow())]
    app.server.controller.on_server_ready.add(ready)
    _end_on_signals(app.server)
    try:
        await app.server.start(exec_mode="coroutine", thread=True, **access.start_arguments)
    except OSError as error:
        port = options.access.port
        raise BadInputError(
            f"The page cannot be served on port {port} ({error.strerror or error})",
            remedy="Choose another --port, or leave it out for a free one",
        ) from error
    finally:
        for task in tasks:
            task.cancel()
        unsaved = _save(app)
        app.close()
    if unsaved is not None:
        raise unsaved


def _save(app: ReviewApp) -> TargetSegError | None:
    """Keep the review; the error if that fails, because the program ends all the same."""
    try:
        app.saving.save()
    except TargetSegError as error:
        return error
    return None


def _end_on_signals(server: Any) -> None:
    """End the server at Ctrl-C; one that comes before it listens is heeded once it does.

    Stopped while it starts, it would fail: it has no port then, or nothing yet that could be stopped.
    """
    loop = asyncio.get_running_loop()
    is_ready, is_wanted = asyncio.Event(), asyncio.Event()

    def stop() -> None:
        if is_ready.is_set() and not is_wanted.is_set():
            _stopping.add(asyncio.ensure_future(server.stop()))
        is_wanted.set()

    def ready(**_: Any) -> None:
        is_ready.set()
        if is_wanted.is_set():
            _stopping.add(asyncio.ensure_future(server.stop()))

    server.controller.on_server_ready.add(ready)
    for number in (signal.SIGINT, signal.SIGTERM):
        # Windows has no such handlers: there KeyboardInterrupt ends the loop.
        with suppress(NotImplementedError):
            loop.add_signal_handler(number, stop)


_stopping: set[asyncio.Future[None]] = set()
"""Nobody else holds on to them, and a loop alone does not."""


def prepare_environment() -> None:
    """Keep wslink and trame off this program's output and arguments, and VTK off a screen that is not there."""
    # wslink writes this line to the standard output, which is the caller's.
    os.environ["WSLINK_READY_MSG"] = ""
    # trame would read this program's own arguments.
    os.environ["TRAME_ARGS"] = "--server"
    if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
        os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")
