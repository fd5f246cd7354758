"""Which Python runs the worker, and whether one that the user names can."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from HNTargetSegLib import __version__
from HNTargetSegLib.errors import BadInputError, MissingDependencyError
from HNTargetSegLib.worker.bootstrap import MINIMUM_PYTHON, library_command, own_library
from HNTargetSegLib.worker.examination import MARK, PACKAGES
from HNTargetSegLib.worker.process_tree import kill_tree, pipes, start_process

_LONGEST_OUTPUT = 1 << 20
_ADVICE = "Name the program file of a Python that has PyTorch and nnU-Net, such as bin/python of a virtual environment"


@dataclass(frozen=True)
class InterpreterReport:
    """What an interpreter has; ``usable`` says whether the worker can run in it.

    Attributes
    ----------
    path
        As the user named it.
    python
        Its version.
    packages
        Version by package, None where it is missing.
    gpus, why_no_gpu
        Names of its GPUs, or why PyTorch uses none.
    library
        Version of the HNTargetSeg that the worker runs there.
    installed
        Version of a HNTargetSeg that is installed in it, which the worker does not use; None where there is none.
    problems
        Why the worker cannot run, and what to do, in sentences.
    notes
        What a user may want to know besides.
    """

    path: Path
    python: str
    packages: Mapping[str, str | None]
    gpus: tuple[str, ...]
    why_no_gpu: str
    library: str
    installed: str | None
    problems: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def usable(self) -> bool:
        """Whether nothing that is needed is missing."""
        return not self.problems

    @property
    def missing(self) -> tuple[str, ...]:
        """Needed packages that are not installed."""
        return tuple(name for name in PACKAGES if self.packages.get(name) is None)


def default_interpreter() -> Path:
    """The Python that runs the worker when the user names none.

    In this order: Slicer's own (PythonSlicer) where this process is Slicer or its Python, which the place of the
    standard library in Slicer's tree tells; else the Python that runs this process; else, where this process is a
    program with Python inside, a PythonSlicer on the PATH.

    Raises
    ------
    MissingDependencyError
        If there is none.
    """
    return find_interpreter(sys.executable, sys.prefix, shutil.which)


def find_interpreter(executable: str | None, prefix: str, which: Callable[[str], str | None]) -> Path:
    """The rule of :func:`default_interpreter` for any process.

    Parameters
    ----------
    executable, prefix
        Its ``sys.executable`` and ``sys.prefix``. Slicer's tree holds ``bin/PythonSlicer`` beside ``lib/Python``, the
        prefix, on Linux and Windows at its top and on macOS in ``Slicer.app/Contents``.
    which
        Looks a program up on the PATH.
    """
    for suffix in ("", ".exe"):
        own = Path(prefix).parent.parent / "bin" / f"PythonSlicer{suffix}"
        if Path(prefix).name.lower() == "python" and own.is_file():
            return own
    if executable and Path(executable).name.lower().startswith("python"):
        return Path(executable)
    found = which("PythonSlicer")
    if found is None:
        raise MissingDependencyError(
            "No Python was found that could run the worker", path=executable or None, remedy=_ADVICE
        )
    return Path(found)


def check_interpreter(
    path: Path,
    library: Path | None = None,
    timeout: float = 60.0,
    environment: Mapping[str, str] | None = None,
) -> InterpreterReport:
    """Start an interpreter and ask it what it has.

    Parameters
    ----------
    library
        The folder that holds the HNTargetSegLib to run there; this one by default.
    timeout
        Seconds after which it is ended.
    environment
        As of :class:`~HNTargetSegLib.worker.client.WorkerClient`.

    Raises
    ------
    BadInputError
        If it is no Python, too old, or does not answer in time. What is merely missing is said by the report.
    """
    path = Path(path)
    if not path.is_file():
        there = "is a folder" if path.is_dir() else "does not exist"
        raise BadInputError(f"The Python for the worker {there}", path=path, remedy=_ADVICE)
    command = library_command(path.absolute(), library or own_library(), "worker.examination")
    answered, said, status = _run(command, os.environ if environment is None else environment, timeout)
    lines = [line for line in answered.splitlines() if line.startswith(MARK)]
    if lines:
        return _report(path, json.loads(lines[-1][len(MARK) :]))
    words = said.strip().splitlines()[-1:] or ["it said nothing"]
    if status is None:
        raise BadInputError(f"The program does not answer within {timeout:.0f} s", path=path, remedy=_ADVICE)
    if "needs Python" in words[0]:
        raise BadInputError(words[0], path=path, remedy=f"Name a Python from {'.'.join(map(str, MINIMUM_PYTHON))} on")
    if "Traceback (most recent call last)" in said:
        raise BadInputError(f"HNTargetSeg cannot be loaded in this Python ({words[0]})", path=path, remedy=_ADVICE)
    raise BadInputError(f"This program is no Python ({words[0][:200]})", path=path, remedy=_ADVICE)


def _run(command: list[str], environment: Mapping[str, str], timeout: float) -> tuple[str, str, int | None]:
    """Standard output, standard error and exit status, which is None where the time was up."""
    with tempfile.TemporaryDirectory(prefix="hntargetseg-check-", ignore_cleanup_errors=True) as folder:
        try:
            process = start_process(command, Path(folder), {**environment, "PYTHONIOENCODING": "utf-8"})
        except MissingDependencyError as error:
            raise BadInputError(error.what, path=error.path, remedy=error.remedy) from error
        limit = time.monotonic() + timeout
        try:
            requests, *streams = pipes(process)
            with suppress(OSError):
                requests.close()
            readers = [_Reader(stream) for stream in streams]
            for reader in readers:
                reader.thread.join(max(0.0, limit - time.monotonic()))
            status = None
            if not any(reader.thread.is_alive() for reader in readers):
                with suppress(subprocess.TimeoutExpired):
                    status = process.wait(max(0.1, limit - time.monotonic()))
        finally:
            kill_tree(process)
        return readers[0].text, readers[1].text, status


class _Reader:
    """Reads a stream in a thread, to its end or to as much as an answer may have."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.text = ""
        self._stream = stream
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        with suppress(OSError, ValueError), self._stream as stream:
            self.text = stream.read(_LONGEST_OUTPUT).decode("utf-8", "replace")


def _report(path: Path, found: dict[str, Any]) -> InterpreterReport:
    packages = found["packages"]
    missing = [name for name in PACKAGES if packages.get(name) is None]
    problems = [f"Missing: {', '.join(missing)}. Install with: {path} -m pip install {' '.join(missing)}"] * bool(
        missing
    )
    if found["broken"] and packages.get("torch") is not None:
        problems.append(f"{found['broken']}; install a build of PyTorch that fits this machine")
    notes = []
    if found["installed"] not in (None, __version__):
        notes.append(
            f"HNTargetSeg {found['installed']} is installed there; the worker runs {found['library']} from this program"
        )
    if found["why_no_gpu"] and packages.get("torch") is not None:
        notes.append(f"No GPU is used: {found['why_no_gpu']}")
    return InterpreterReport(
        path=path,
        python=found["python"],
        packages=packages,
        gpus=tuple(found["gpus"]),
        why_no_gpu=found["why_no_gpu"],
        library=found["library"],
        installed=found["installed"],
        problems=tuple(problems),
        notes=tuple(notes),
    )
