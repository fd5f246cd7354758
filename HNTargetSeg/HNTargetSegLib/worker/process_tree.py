"""Start a process apart from this one's terminal, and end it with everything that it started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, cast

from HNTargetSegLib.errors import MissingDependencyError

_KILL_SECONDS = 5.0


def start_process(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a process with pipes, in a session of its own: Ctrl-C in this terminal does not reach it.

    Parameters
    ----------
    folder
        Its working folder.

    Raises
    ------
    MissingDependencyError
        If the program cannot be started.
    """
    apart: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    try:
        return subprocess.Popen(list(command), cwd=folder, env=dict(environment), close_fds=True, **pipes, **apart)
    except (OSError, ValueError) as error:
        raise MissingDependencyError(
            f"The Python for the worker cannot be started ({getattr(error, 'strerror', None) or error})",
            path=command[0],
            remedy="Name the program file of a Python that has PyTorch and nnU-Net",
        ) from error


def pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes], IO[bytes]]:
    """Standard input, output and error of a process that :func:`start_process` started."""
    streams = process.stdin, process.stdout, process.stderr
    assert all(stream is not None for stream in streams), "they were asked for"
    return cast("tuple[IO[bytes], IO[bytes], IO[bytes]]", streams)


def kill_tree(process: subprocess.Popen[bytes]) -> None:
    """End a process that :func:`start_process` started, and all processes under it; returns when it is gone."""
    if process.poll() is not None:
        return
    children = _children(process.pid)
    if sys.platform == "win32":
        command = ["taskkill", "/F", "/T", "/PID", str(process.pid)]
        with suppress(OSError):
            subprocess.run(command, capture_output=True, check=False, creationflags=subprocess.CREATE_NO_WINDOW)
    else:
        with suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
    for child in children:
        # Those that have left the group.
        with suppress(Exception):
            child.kill()
    with suppress(OSError):
        process.kill()
    with suppress(subprocess.TimeoutExpired):
        process.wait(_KILL_SECONDS)


def exit_words(status: int) -> str:
    """An exit status in words, such as ``signal SIGKILL`` or ``exit status 1``."""
    if status < 0:
        try:
            return f"signal {signal.Signals(-status).name}"
        except ValueError:
            return f"signal {-status}"
    return f"exit status {status}" if status < 1 << 16 else f"exit status 0x{status:08X}"


def _children(pid: int) -> list[Any]:
    """Processes below one; empty where psutil is not installed."""
    try:
        import psutil

        return list(psutil.Process(pid).children(recursive=True))
    except Exception:  # not installed, or the process has just ended
        return []
