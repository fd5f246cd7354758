"""Processes in the place of a worker, and what tests of the client ask of their events."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from HNTargetSegLib import __version__
from HNTargetSegLib.worker.client import WorkerClient
from HNTargetSegLib.worker.messages import Event, SegmentRequest

Make = Callable[..., WorkerClient]
Request = Callable[..., SegmentRequest]
Wait = Callable[..., list[Event]]

# A worker that says it is ready and then neither listens nor ends, with a child that does the same.
DEAF = """
import json, os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, file=sys.stderr, flush=True)
print(json.dumps({"event": "ready", "version": VERSION, "python": "3", "pid": os.getpid()}), flush=True)
time.sleep(600)
"""


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code.replace("VERSION", repr(__version__))]


def last_of(events: list[Event], kind: type[Any]) -> Any:
    return [event for event in events if isinstance(event, kind)][-1]


def is_gone(pid: int, seconds: float = 10.0) -> bool:
    """Whether a process ends within some seconds; one that was killed lives until it is next given a core."""
    import psutil

    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False
