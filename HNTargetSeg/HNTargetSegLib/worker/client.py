"""The client's side of the worker: starts it when it is needed, asks it, and never waits for it.

Standard library only. A face calls :meth:`WorkerClient.poll` every now and then, Slicer from a QTimer, the review app
from asyncio; all methods are for one thread.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from HNTargetSegLib import __version__
from HNTargetSegLib.errors import ErrorCode
from HNTargetSegLib.worker.bootstrap import library_command, own_library
from HNTargetSegLib.worker.calls import Call, segment_call
from HNTargetSegLib.worker.connection import Connection
from HNTargetSegLib.worker.interpreter import default_interpreter
from HNTargetSegLib.worker.log_file import new_log_file
from HNTargetSegLib.worker.messages import ErrorEvent, Event, LogEvent, ReadyEvent, ResultEvent, SegmentRequest
from HNTargetSegLib.worker.private_folder import PrivateFolder

if TYPE_CHECKING:
    from HNTargetSegLib.worker.prompt_messages import PromptRequest
    from HNTargetSegLib.worker.register_messages import RegisterRequest

PATIENCE_SECONDS = 2.0
"""How long a worker may take to cancel or to quit before it is killed."""
_LAST_WORDS_SECONDS = 0.2


class WorkerClient:
    """A worker process and its jobs.

    Parameters
    ----------
    interpreter
        Python that has PyTorch and nnU-Net; :func:`~HNTargetSegLib.worker.interpreter.default_interpreter` by default.
    library
        The folder that holds the HNTargetSegLib to run, this one by default; it must be of the same version.
    environment
        Environment variables of the process; those of this one by default. An interpreter that is not Slicer's wants
        ``slicer.util.startupEnvironment()``, as Slicer's own variables mislead other Pythons.
    command
        What to start in place of the worker; the private folder is added as the last argument.

    Attributes
    ----------
    log_file
        What the worker said on standard error; None before the first start.
    """

    def __init__(
        self,
        interpreter: Path | None = None,
        library: Path | None = None,
        environment: Mapping[str, str] | None = None,
        *,
        command: Sequence[str] | None = None,
    ) -> None:
        self.log_file: Path | None = None
        self._interpreter = interpreter
        self._library = library
        self._environment = environment
        self._command = command
        self._folder: PrivateFolder | None = None
        self._connection: Connection | None = None
        self._ready = False
        self._starts = 0
        self._numbers = 0
        # Each job that runs or waits, and until when its cancellation may take.
        self._jobs: dict[str, float | None] = {}
        self._news: list[Event] = []

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._connection is not None and self._connection.alive

    @property
    def busy(self) -> bool:
        """Whether a job has no result yet."""
        return bool(self._jobs)

    @property
    def pid(self) -> int | None:
        """Process id, None where none runs."""
        return self._connection.pid if self._connection is not None and self.running else None

    def start(self) -> None:
        """Start the process unless it runs; a request does so by itself.

        Raises
        ------
        MissingDependencyError
            If there is no such interpreter.
        OutputError
            If no temporary folder can be made.
        """
        if self._connection is not None and not self._connection.alive:
            # What it said last is on its way; a request would only be lost.
            self._connection.hang_up(_LAST_WORDS_SECONDS)
            self._settle(ended=True)
        if self._connection is not None:
            return
        if self._folder is None:
            self._folder = PrivateFolder()
        if self.log_file is None:
            self.log_file = new_log_file(self._folder.path)
        environment = {**(os.environ if self._environment is None else self._environment), "PYTHONIOENCODING": "utf-8"}
        self._connection = Connection(self._full_command(), environment, self._folder.path, self.log_file)
        self._ready = False
        self._starts += 1
        if self._starts > 1:
            self._news.append(LogEvent("info", "The worker was started anew; the model is loaded again"))

    def segment(self, request: SegmentRequest) -> str:
        """Ask for a segmentation; returns the id of the job.

        Raises
        ------
        OutputError
            If the images cannot be written into the temporary folder, as on a full disk.
        MissingDependencyError
            As :meth:`start`.
        """
        return self._hand_over(segment_call, request)

    def register(self, request: RegisterRequest) -> str:
        """Ask for a registration; returns the id of the job. Errors as :meth:`segment`."""
        from HNTargetSegLib.worker.register_calls import register_call

        return self._hand_over(register_call, request)

    def prompt(self, request: PromptRequest) -> str:
        """Ask what a box shows; returns the id of the job. Errors as :meth:`segment`."""
        from HNTargetSegLib.worker.prompt_calls import prompt_call

        return self._hand_over(prompt_call, request)

    def models(self) -> str:
        """Ask for the models of the worker's machine; errors as :meth:`start`."""
        return self._ask("models")

    def doctor(self) -> str:
        """Ask what the worker's interpreter has and lacks; errors as :meth:`start`."""
        return self._ask("doctor")

    def ping(self) -> str:
        """Ask for a sign of life; errors as :meth:`start`."""
        return self._ask("ping")

    def cancel(self, job: str) -> None:
        """Stop a job; it ends with an error event of code 4, or with its result where that was on its way already.

        A worker that has not stopped after 2 s is killed by the next :meth:`poll`.
        """
        if self._connection is None or self._jobs.get(job, 0.0) is not None:
            return
        self._jobs[job] = time.monotonic() + PATIENCE_SECONDS
        self._connection.send(Call("cancel", job))

    def poll(self) -> list[Event]:
        """Events since the last call, in order; waits for nothing."""
        self._settle()
        news, self._news = self._news, []
        return news

    def close(self) -> None:
        """End the worker, at the latest after some seconds, and remove the temporary folder with its images.

        Jobs that run are forgotten. A later request starts all of it again.
        """
        if self._connection is not None:
            self._connection.close(PATIENCE_SECONDS)
        if self._folder is not None:
            self._folder.remove()
        self._connection = self._folder = None
        self._jobs.clear()
        self._news.clear()

    @property
    def _private(self) -> Path:
        assert self._folder is not None, "the worker was started"
        return self._folder.path

    def _full_command(self) -> list[str]:
        if self._command is not None:
            return [*self._command, str(self._private)]
        # The process begins in the private folder, where a path that is not given in full leads nowhere.
        interpreter = Path(os.path.expanduser(self._interpreter or default_interpreter())).absolute()
        return library_command(interpreter, self._library or own_library(), "worker.__main__", str(self._private))

    def _new_job(self) -> str:
        self._numbers += 1
        return f"job-{self._numbers}"

    def _hand_over(self, to_call: Callable[[str, Any, Path], Call], request: Any) -> str:
        """Send a request whose arrays travel as files."""
        self.start()
        job = self._new_job()
        folder = self._private
        try:
            call = to_call(job, request, folder)
        except BaseException:
            shutil.rmtree(folder / job, ignore_errors=True)
            raise
        return self._send(call)

    def _ask(self, request: str) -> str:
        self.start()
        return self._send(Call(request, self._new_job()))

    def _send(self, call: Call) -> str:
        assert self._connection is not None, "the worker was started"
        self._jobs[call.job] = None
        self._connection.send(call)
        return call.job

    def _settle(self, ended: bool = False) -> None:
        """Take what has come in, and notice a worker that is gone or does not stop."""
        if self._connection is None:
            return
        ended = ended or self._connection.ended
        for event in self._connection.events():
            self._take(event)
        if self._connection is None:
            return
        if ended:
            self._report_end()
        elif any(limit is not None and time.monotonic() > limit for limit in self._jobs.values()):
            self._kill_unresponsive()

    def _take(self, event: Event) -> None:
        if isinstance(event, ReadyEvent):
            self._ready = True
            if event.version != __version__:
                self._refuse(event)
                return
        elif (job := event.job) is not None and job not in self._jobs:
            # The last of a job whose end was told already.
            return
        elif job is not None and isinstance(event, (ResultEvent, ErrorEvent)):
            del self._jobs[job]
            self._clear(job, event)
        self._news.append(event)

    def _clear(self, job: str, event: Event | None = None) -> None:
        """Delete the arrays of a job, but for probabilities that were asked for."""
        visits = event.visits if isinstance(event, ResultEvent) else ()
        kept = {path for visit in visits for path in visit.probability_files.values()}
        folder = self._private / job
        if not kept:
            shutil.rmtree(folder, ignore_errors=True)
            return
        for file in folder.iterdir():
            if file not in kept:
                file.unlink(missing_ok=True)

    def _report_end(self) -> None:
        assert self._connection is not None, "it has ended"
        how = self._connection.how_it_ended()
        if not self._ready:
            remedy = "Choose a Python that has what the worker needs; its settings can check one"
            error = ErrorEvent(None, ErrorCode.MISSING_DEPENDENCY, f"The worker could not start ({how})", remedy)
        else:
            remedy = f"Try again, the worker is started anew; its log is {self.log_file}"
            if self._connection.ended_by_sigkill:
                remedy = f"If the computer ran out of memory, close other programs. {remedy}"
            error = ErrorEvent(None, ErrorCode.INTERNAL, f"The worker process ended unexpectedly ({how})", remedy)
        if not self._jobs:
            self._news.append(error)
        self._let_go(error)

    def _kill_unresponsive(self) -> None:
        assert self._connection is not None, "it runs"
        self._connection.kill()
        for job in [job for job, limit in self._jobs.items() if limit is not None]:
            what = f"Cancelled; the worker did not stop within {PATIENCE_SECONDS:.0f} s and was ended"
            remedy = "The next request starts it anew, and the model must be loaded again"
            self._end(ErrorEvent(job, ErrorCode.CANCELLED, what, remedy))
        what = "The worker was ended, because it did not cancel another job"
        self._let_go(ErrorEvent(None, ErrorCode.INTERNAL, what, "Try again"))

    def _refuse(self, ready: ReadyEvent) -> None:
        assert self._connection is not None, "it runs"
        self._connection.kill()
        what = f"The worker runs HNTargetSeg {ready.version} and this program is {__version__}"
        remedy = "Start this program again, or install HNTargetSeg again"
        error = ErrorEvent(None, ErrorCode.MISSING_DEPENDENCY, what, remedy)
        if not self._jobs:
            self._news.append(error)
        self._let_go(error)

    def _let_go(self, error: ErrorEvent) -> None:
        """Forget the process, which has ended; each job that was left ends with the error."""
        for job in list(self._jobs):
            self._end(replace(error, job=job))
        if self._connection is not None:
            self._connection.hang_up()
        self._connection = None

    def _end(self, event: ErrorEvent) -> None:
        assert event.job is not None, "it is a job's"
        del self._jobs[event.job]
        self._clear(event.job)
        self._news.append(event)
