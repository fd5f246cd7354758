"""One running worker process: requests go in, events come out, and what it says on standard error is kept."""

from __future__ import annotations

import os
import queue
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from HNTargetSegLib.worker.answers import event_from_json
from HNTargetSegLib.worker.calls import Call, read_object
from HNTargetSegLib.worker.messages import ErrorEvent, Event
from HNTargetSegLib.worker.plain_errors import plain_error
from HNTargetSegLib.worker.process_tree import exit_words, kill_tree, pipes, start_process

KEPT_LINES = 200
_SHOWN_LINES = 3
_LINGER_SECONDS = 1.0


class Connection:
    """A worker process and the threads that listen to it; none of its methods waits, but for :meth:`close`.

    Parameters
    ----------
    command, environment
        What to start.
    folder
        The private folder, which is the process's working folder too: nothing of the user's shadows a module.
    log
        File that gets what the process says on standard error.

    Raises
    ------
    MissingDependencyError
        If the process cannot be started.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], folder: Path, log: Path) -> None:
        self._folder = folder
        self._log = log
        self._process = start_process(command, folder, environment)
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._outgoing: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._said: deque[str] = deque(maxlen=KEPT_LINES)
        self._gone_since: float | None = None
        work = (self._write, self._read, self._listen)
        self._threads = [self._thread(*pair) for pair in zip(work, pipes(self._process), strict=True)]

    @staticmethod
    def _thread(work: Callable[[IO[bytes]], None], stream: IO[bytes]) -> threading.Thread:
        thread = threading.Thread(target=work, args=(stream,), name="hntargetseg-worker", daemon=True)
        thread.start()
        return thread

    @property
    def pid(self) -> int:
        """Process id of what was started, which may be a launcher of the worker."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    @property
    def ended(self) -> bool:
        """Whether the process has ended and its last events are here."""
        if self.alive:
            return False
        if self._gone_since is None:
            self._gone_since = time.monotonic()
        # A process that it left behind may hold the pipe open for ever.
        reading = any(thread.is_alive() for thread in self._threads[1:])
        return not reading or time.monotonic() - self._gone_since > _LINGER_SECONDS

    @property
    def last_words(self) -> tuple[str, ...]:
        """Last lines of standard error, at most 200."""
        return tuple(self._said)

    def how_it_ended(self) -> str:
        """Exit status or signal, and the last lines that the process said."""
        status = self._process.poll()
        words = "it is still there" if status is None else exit_words(status)
        lines = [line for line in self.last_words if line.strip()][-_SHOWN_LINES:]
        return f"{words}; its last words: {' | '.join(lines)}" if lines else words

    @property
    def ended_by_sigkill(self) -> bool:
        """Whether the process was killed, as a system that runs out of memory does."""
        return self._process.poll() == -9

    def send(self, call: Call) -> None:
        """Send a request; a process that does not read it blocks nobody."""
        self._outgoing.put(call.to_line())

    def events(self) -> list[Event]:
        """Events that have come in since the last call."""
        found = []
        with suppress(queue.Empty):
            while True:
                found.append(self._events.get_nowait())
        return found

    def kill(self) -> None:
        """End the process and all below it."""
        kill_tree(self._process)

    def hang_up(self, seconds: float = 0.0) -> None:
        """Let the threads end, waiting for each of them at most so long."""
        self._outgoing.put(None)
        for thread in self._threads:
            thread.join(seconds)

    def close(self, seconds: float) -> None:
        """Ask the process to quit, end it when it does not within some seconds."""
        self.send(Call("quit", ""))
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        kill_tree(self._process)
        self.hang_up(_LINGER_SECONDS)

    def _write(self, stream: IO[bytes]) -> None:
        # A process that has ended says so by itself.
        with suppress(OSError, ValueError):
            while (line := self._outgoing.get()) is not None:
                stream.write(line)
                stream.flush()
        with suppress(OSError, ValueError):
            stream.close()

    def _read(self, stream: IO[bytes]) -> None:
        with suppress(OSError, ValueError), stream:
            for line in stream:
                self._take(line)

    def _take(self, line: bytes) -> None:
        job: str | None = None
        try:
            content = read_object(line)
            job = content["job"] if isinstance(content.get("job"), str) else None
            self._events.put(event_from_json(content, self._folder))
        except Exception as error:
            self._note(line.decode("utf-8", "replace").rstrip())
            if job is not None and content.get("event") in ("result", "error"):
                # The job has ended, and its user waits for that.
                problem = plain_error(error)
                what = f"The worker's answer cannot be read: {problem.what}"
                self._events.put(ErrorEvent(job, problem.code, what, problem.remedy, problem.path))

    def _listen(self, stream: IO[bytes]) -> None:
        with suppress(OSError, ValueError), stream:
            for line in stream:
                self._note(line.decode("utf-8", "replace").rstrip())

    def _note(self, text: str) -> None:
        self._said.append(text)
        # A log that cannot be written is no reason to stop.
        with suppress(OSError):
            handle = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with open(handle, "a", encoding="utf-8") as stream:
                stream.write(text + "\n")
