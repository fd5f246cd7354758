"""Ctrl-C, once and more often."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading

import pytest

from HNTargetSegLib.cli.interrupt import interruptible
from HNTargetSegLib.errors import ErrorCode

# The process sends the signals itself: each arrives before the next line runs.
PROGRAM = """
import os, signal, sys
from HNTargetSegLib.cli.interrupt import interruptible
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    with interruptible():
        try:
            os.kill(os.getpid(), signal.SIGINT)
            print("went on")
        finally:
            for _ in range({more}):
                os.kill(os.getpid(), signal.SIGINT)
            print("cleared")
except KeyboardInterrupt:
    print("interrupted", signal.getsignal(signal.SIGINT) is signal.default_int_handler)
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


def run(more: int) -> subprocess.CompletedProcess[str]:
    code = PROGRAM.format(more=more)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)


def test_a_second_ctrl_c_does_not_disturb_what_is_being_cleared_away() -> None:
    done = run(1)
    assert (done.returncode, done.stdout.split("\n")) == (0, ["cleared", "interrupted True", ""])
    assert "once more ends at once" in done.stderr


def test_a_third_ctrl_c_ends_the_process() -> None:
    done = run(2)
    assert done.returncode == ErrorCode.CANCELLED
    assert "cleared" not in done.stdout


def test_a_process_that_ignores_ctrl_c_goes_on_ignoring_it() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with interruptible():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_another_thread_leaves_signals_alone() -> None:
    found: list[object] = []

    def work() -> None:
        with interruptible():
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [signal.getsignal(signal.SIGINT)]
