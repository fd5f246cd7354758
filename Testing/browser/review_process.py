"""The command `hntargetseg review` in a process of its own, with settings and caches that no other run sees."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

REPOSITORY = Path(__file__).resolve().parents[2]
_START_SECONDS = 120.0
_STOP_SECONDS, _CHILD_SECONDS = 20.0, 5.0
_WORKER = "worker.__main__"


class ServedPage:
    """A program that serves a page and prints one JSON line with its ``url`` when it is ready.

    Parameters
    ----------
    command
        Program and arguments.
    folder
        For its log, settings and caches.
    environment
        Variables beyond those of this process.

    Attributes
    ----------
    url
        The link.
    port
        Where it listens.
    process
        The running program.
    log
        All that it printed.
    ready_after
        Seconds from its start until it was ready.
    left_over
        Processes that :meth:`stop` had to kill.
    """

    def __init__(self, command: Sequence[str], folder: Path, environment: dict[str, str] | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / "server.log"
        self.left_over: list[str] = []
        self._lines: list[str] = []
        self._ready = threading.Event()
        begin = time.perf_counter()
        self._log_stream = self.log.open("w", encoding="utf-8")
        self.process = subprocess.Popen(
            list(command),
            stdout=subprocess.PIPE,
            stderr=self._log_stream,
            env={**os.environ, **private_environment(folder), **(environment or {})},
            cwd=REPOSITORY,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._announced: dict[str, Any] = {}
        if not self._ready.wait(_START_SECONDS) or "url" not in self._announced:
            self.stop()
            raise RuntimeError(f"The page was not served:\n{self.text()[-4000:]}")
        self.ready_after = time.perf_counter() - begin
        self.url = str(self._announced["url"])
        self.port = int(self._announced["port"])

    def text(self) -> str:
        """What the program has printed, both streams."""
        return "".join(self._lines) + self.log.read_text(encoding="utf-8", errors="replace")

    def workers(self) -> list[psutil.Process]:
        """Processes that own a model."""
        try:
            children = psutil.Process(self.process.pid).children(recursive=True)
            return [child for child in children if _WORKER in " ".join(child.cmdline())]
        except psutil.Error:
            return []

    def memory(self) -> int:
        """Resident bytes of the program itself."""
        return int(psutil.Process(self.process.pid).memory_info().rss)

    def stop(self) -> int:
        """End it as Ctrl-C does; its exit status. What is left of its processes is killed."""
        family = self._family()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            status = self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            status = -1
        _, alive = psutil.wait_procs(family, timeout=_CHILD_SECONDS)
        self.left_over = [" ".join(process.cmdline()[-3:]) for process in alive]
        for process in alive:
            process.kill()
        self._reader.join(_STOP_SECONDS)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self._log_stream.close()
        return status

    def _family(self) -> list[psutil.Process]:
        try:
            head = psutil.Process(self.process.pid)
            return [*head.children(recursive=True), head]
        except psutil.Error:
            return []

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.append(line)
            if not self._ready.is_set() and line.lstrip().startswith("{"):
                try:
                    self._announced = json.loads(line)
                except ValueError:
                    continue
                self._ready.set()
        self._ready.set()


def start_review(folder: Path, *arguments: str | Path, environment: dict[str, str] | None = None) -> ServedPage:
    """Start the review with these arguments; it opens no browser and takes a free port."""
    console = [sys.executable, "-m", "HNTargetSegLib.cli.console", "review"]
    return ServedPage([*console, *map(str, arguments), "--no-browser", "--port", "0", "--json"], folder, environment)


def private_environment(folder: Path) -> dict[str, str]:
    """Variables that keep settings, models' caches and temporary files in ``folder``."""
    temporary = folder / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    return {
        "HNTARGETSEG_SETTINGS": str(folder / "settings"),
        "HNTARGETSEG_CACHE": str(folder / "cache"),
        "TMPDIR": str(temporary),
        "VTK_DEFAULT_OPENGL_WINDOW": "vtkEGLRenderWindow",
        "PYTHONUNBUFFERED": "1",
    }
