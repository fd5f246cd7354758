"""Ctrl-C ends the page whenever it comes."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import pytest

from HNTargetSegLib.web.serve import _end_on_signals, prepare_environment

pytest.importorskip("trame")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signal handlers of a loop")
@pytest.mark.parametrize("turns", [0, 1, 2, 3, 5, 20, 100])
def test_ctrl_c_while_the_server_starts_ends_it_without_an_error(turns, monkeypatch):
    from trame.app import get_server

    monkeypatch.setattr(sys, "argv", ["review"])
    monkeypatch.setenv("WSLINK_READY_MSG", "")
    monkeypatch.setenv("TRAME_ARGS", "--server")
    prepare_environment()

    async def serve():
        server = get_server(f"ctrl-c-{turns}", client_type="vue3")
        _end_on_signals(server)
        started = asyncio.ensure_future(
            server.start(
                exec_mode="coroutine",
                thread=True,
                host="127.0.0.1",
                port=0,
                timeout=0,
                open_browser=False,
                show_connection_info=False,
                disable_logging=True,
            )
        )
        for _ in range(turns):
            await asyncio.sleep(0)
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.wait_for(started, 20)
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().remove_signal_handler(number)

    asyncio.run(serve())
