"""The worker's side of the protocol: requests come in on standard input, events go out on the original standard output.

The main thread does the jobs and owns the model; a reader thread takes the requests, so that a cancellation gets
through while a job runs.
"""

from __future__ import annotations

import contextlib
import os
import platform
import signal
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING

from HNTargetSegLib import __version__
from HNTargetSegLib.errors import CancelledError, ErrorCode
from HNTargetSegLib.worker.answers import error_event, event_to_json
from HNTargetSegLib.worker.calls import LONGEST_LINE, Call, read_call, read_object, segment_request, to_line
from HNTargetSegLib.worker.listing import models_listing
from HNTargetSegLib.worker.messages import Event, ReadyEvent, ResultEvent
from HNTargetSegLib.worker.plain_errors import plain_error
from HNTargetSegLib.worker.private_folder import remove_abandoned

if TYPE_CHECKING:
    from HNTargetSegLib.worker.job import Load, Segmenter


class Server:
    """Answers requests until standard input ends or ``quit`` comes.

    Parameters
    ----------
    requests, events
        Binary streams of the protocol.
    folder
        The private folder of the arrays.
    leave
        Ends the process at once, whatever the main thread does; asked with whether the client seems to be gone.
    load
        Makes a model ready; that of the pipeline by default.
    """

    def __init__(
        self,
        requests: IO[bytes],
        events: IO[bytes],
        folder: Path,
        leave: Callable[[bool], None],
        load: Load | None = None,
    ) -> None:
        self._requests = requests
        self._events = events
        self._folder = folder
        self._leave = leave
        self._load = load
        self._segmenter: Segmenter | None = None
        self._waiting: deque[Call] = deque()
        self._changed = threading.Condition()
        self._writing = threading.Lock()
        self._running: str | None = None
        self._stopped: set[str] = set()
        self._ended = False

    def run(self) -> None:
        """Say that it is ready and do jobs until the end."""
        self.emit(ReadyEvent(__version__, platform.python_version(), os.getpid()))
        threading.Thread(target=self._read, name="requests", daemon=True).start()
        while (call := self._next()) is not None:
            self._do(call)
            with self._changed:
                self._running = None
                self._stopped.discard(call.job)

    def emit(self, event: Event) -> None:
        """Send an event; one that cannot be written down any more ends the process, as nobody listens."""
        line = to_line(event_to_json(event, self._folder))
        try:
            with self._writing:
                self._events.write(line)
                self._events.flush()
        except (OSError, ValueError):
            self._leave(True)

    def _next(self) -> Call | None:
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._waiting)
            if self._ended:
                return None
            call = self._waiting.popleft()
            self._running = call.job
            return call

    def _do(self, call: Call) -> None:
        try:
            self.emit(self._answer(call))
        except Exception as error:
            problem = plain_error(error)
            if problem.code not in (ErrorCode.BAD_INPUT, ErrorCode.CANCELLED):
                traceback.print_exc()
            self.emit(error_event(call.job, problem))

    def _answer(self, call: Call) -> ResultEvent:
        if call.request == "ping":
            return ResultEvent(call.job, "ping")
        if call.request == "models":
            return ResultEvent(call.job, "models", content=models_listing())
        if call.request == "doctor":
            from HNTargetSegLib.environment import examine

            return ResultEvent(call.job, "doctor", content=examine(self._folder).to_dict())
        if call.request == "register":
            return self._register(call)
        if call.request == "prompt":
            return self._ready_segmenter().prompt(call, lambda: call.job in self._stopped)
        request = segment_request(call, self._folder)
        return self._ready_segmenter().segment(call.job, request, lambda: call.job in self._stopped)

    def _register(self, call: Call) -> ResultEvent:
        from HNTargetSegLib.worker.register_calls import register_request
        from HNTargetSegLib.worker.registering import register_visits

        request = register_request(call, self._folder)
        return register_visits(call.job, request, self.emit, lambda: call.job in self._stopped)

    def _ready_segmenter(self) -> Segmenter:
        if self._segmenter is None:
            # Here, because a Python without the packages can still answer everything else.
            from HNTargetSegLib.pipeline import LoadedModel
            from HNTargetSegLib.worker.job import Segmenter

            self._segmenter = Segmenter(self._folder, self.emit, self._load or LoadedModel.load)
        return self._segmenter

    def _read(self) -> None:
        try:
            while line := self._requests.readline(LONGEST_LINE):
                if not line.isspace():
                    self._take(line)
        except OSError:
            traceback.print_exc()
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        self._leave(True)

    def _take(self, line: bytes) -> None:
        job: str | None = None
        try:
            content = read_object(line)
            job = content["job"] if isinstance(content.get("job"), str) else None
            call = read_call(content)
        except Exception as error:  # too little memory for a long line is no reason to stop listening
            self.emit(error_event(job, plain_error(error)))
            return
        if call.request == "quit":
            self._leave(False)
        elif call.request == "cancel":
            self._cancel(call.job)
        else:
            with self._changed:
                self._waiting.append(call)
                self._changed.notify_all()

    def _cancel(self, job: str) -> None:
        """Stop the job that runs, or take out one that waits; one that has ended needs nothing."""
        with self._changed:
            waiting = [call for call in self._waiting if call.job == job]
            for call in waiting:
                self._waiting.remove(call)
            if job == self._running:
                self._stopped.add(job)
        for call in waiting:
            self.emit(error_event(call.job, CancelledError()))


def serve(folder: Path, load: Load | None = None) -> None:
    """Serve this process's standard streams; whatever prints to standard output is sent to standard error."""
    if threading.current_thread() is threading.main_thread():
        # The terminal's Ctrl-C is meant for the client, which asks for an end when it wants one.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    requests, events = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)  # type: ignore[union-attr]
    Server(requests, events, folder, lambda gone: _leave(folder, gone), load).run()


def _leave(folder: Path, gone: bool) -> None:
    """End this process now, in the middle of whatever it computes; a client that is gone cannot clear its folder."""
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.flush()
    if gone:
        remove_abandoned(folder)
    os._exit(0)
