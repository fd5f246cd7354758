"""Asking a Python what it has, without keeping the panel waiting."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

from HNTargetSegLib.errors import TargetSegError
from HNTargetSegLib.worker.interpreter import InterpreterReport, check_interpreter, default_interpreter
from HNTargetSegLib.worker.plain_errors import plain_error


class InterpreterCheck:
    """One check, in a thread of its own; ask :attr:`result` from a timer.

    Parameters
    ----------
    interpreter
        Program file; empty takes the default one.
    environment
        As of :func:`~HNTargetSegLib.worker.interpreter.check_interpreter`.
    """

    def __init__(self, interpreter: str, environment: Mapping[str, str] | None = None) -> None:
        self._result: InterpreterReport | TargetSegError | None = None
        self._interpreter = interpreter
        self._environment = environment
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def result(self) -> InterpreterReport | TargetSegError | None:
        """What was found or went wrong; None while it is at work."""
        return None if self._thread.is_alive() else self._result

    def _run(self) -> None:
        try:
            path = Path(self._interpreter).expanduser() if self._interpreter else default_interpreter()
            self._result = check_interpreter(path, environment=self._environment)
        except Exception as error:  # the panel waits for an answer, whatever it is
            self._result = plain_error(error)


def report_text(report: InterpreterReport) -> str:
    """A report in lines."""
    versions = ", ".join(f"{name} {version}" for name, version in report.packages.items() if version)
    gpus = ", ".join(report.gpus)
    verdict = "It can run the models." if report.usable else "It cannot run the models."
    lines = [f"Python {report.python}. {verdict}", versions, f"GPU: {gpus}" if gpus else ""]
    return "\n".join(line for line in (*lines, *report.problems, *report.notes) if line)
