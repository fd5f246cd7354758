"""The command line, in this process and in one of its own, on a model store with one quick model."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from HNTargetSegLib.cli.main import main
from HNTargetSegLib.errors import ErrorCode


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, which must be one JSON document."""
        return json.loads(self.out)


Run = Callable[..., Outcome]


@pytest.fixture
def environment(blob_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model store and the cache of the tests in place of the user's."""
    monkeypatch.setenv("HNTARGETSEG_MODELS", str(blob_model))
    monkeypatch.setenv("HNTARGETSEG_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("HNTARGETSEG_DEBUG", raising=False)


@pytest.fixture
def hntargetseg(environment: None, capfd: pytest.CaptureFixture[str]) -> Run:
    """``hntargetseg(...)`` in this process, with all that reaches the file descriptors."""

    def call(*arguments: str | Path) -> Outcome:
        capfd.readouterr()
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as stop:
            status = int(stop.code or 0)
        return Outcome(status, *capfd.readouterr())

    return call


@pytest.fixture
def segment(hntargetseg: Run) -> Run:
    """``hntargetseg segment`` with the quick model; later options win over its own."""

    def call(*arguments: str | Path) -> Outcome:
        return hntargetseg("segment", "--model", "blobs", "--device", "cpu", "--backend", "torch", *arguments)

    return call


@pytest.fixture
def command_line(repository: Path, environment: None) -> tuple[list[str], dict[str, str]]:
    """Arguments and environment that start the command line in a process of its own."""
    variables = {**os.environ, "PYTHONPATH": str(repository / "HNTargetSeg")}
    return [sys.executable, "-m", "HNTargetSegLib.cli.main"], variables


@pytest.fixture
def process(command_line: tuple[list[str], dict[str, str]]) -> Run:
    """Run ``hntargetseg(...)`` in a process of its own."""
    command, variables = command_line

    def call(*arguments: str | Path, env: dict[str, str] | None = None, **options: Any) -> Outcome:
        ended = subprocess.run(
            [*command, *map(str, arguments)],
            env={**variables, **(env or {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            **options,
        )
        return Outcome(ended.returncode, ended.stdout, ended.stderr)

    return call


@pytest.fixture
def refuses() -> Callable[..., None]:
    """Check of a refusal: status, one line on standard error that names the file, says what is wrong and what to do."""

    def check(outcome: Outcome, path: Path | str, what: str, code: ErrorCode = ErrorCode.BAD_INPUT) -> None:
        assert outcome.status == code, outcome
        assert outcome.out == ""
        line = outcome.err
        assert line.startswith(f"hntargetseg: {path}: " if path else "hntargetseg: "), line
        assert re.search(what, line), line
        assert "Traceback" not in line
        assert line.count("\n") == 1, "one line and no more"
        said = line.removeprefix(f"hntargetseg: {path}: ")
        assert re.search(r"[\w)]\. [A-Z].+\.\n$", said), f"no remedy in {line}"

    return check


@pytest.fixture
def tree() -> Callable[[Path], dict[str, bytes | None]]:
    """Everything under a folder, with its content."""

    def look(folder: Path) -> dict[str, bytes | None]:
        return {
            path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
            for path in sorted(folder.rglob("*"))
        }

    return look
