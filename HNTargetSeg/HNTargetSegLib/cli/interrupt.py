"""Ctrl-C: the first ends the command, an impatient second one does not leave things half-written."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from HNTargetSegLib.errors import ErrorCode

_SECOND = b"\nStopping; Ctrl-C once more ends at once and may leave temporary files\n"


@contextmanager
def interruptible() -> Iterator[None]:
    """Run a block that Ctrl-C interrupts once: what it clears away then is not interrupted again.

    The second Ctrl-C is answered with a line, the third ends the process with the status of a cancelled command. Where
    the process ignores Ctrl-C or handles it in its own way, and in other threads, nothing changes.
    """
    main_thread = threading.current_thread() is threading.main_thread()
    if not main_thread or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    times = 0

    def on_interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal times
        times += 1
        if times == 1:
            raise KeyboardInterrupt
        if times > 2:
            os._exit(ErrorCode.CANCELLED)
        # A handler may run in the middle of a print: only the system call is safe.
        os.write(2, _SECOND)

    signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
