"""The command itself: help, version, exit statuses, and what a surprise looks like."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from HNTargetSegLib import __version__

COMMANDS = [
    *("demo", "segment", "register", "export", "import", "send"),
    *("evaluate", "phantom", "models", "train", "doctor"),
]


def test_help_lists_every_command(hntargetseg: Any) -> None:
    outcome = hntargetseg("--help")
    assert outcome.status == 0
    assert "Research use only" in outcome.out
    for command in COMMANDS:
        assert f"\n    {command} " in outcome.out


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_each_command_has_an_example(hntargetseg: Any, command: str) -> None:
    outcome = hntargetseg(command, "--help")
    assert (outcome.status, outcome.err) == (0, "")
    _, _, example = outcome.out.partition("example")
    assert f"\n  hntargetseg {command} " in example or f"\n  hntargetseg {command}\n" in example


def test_every_command_but_the_group_has_json(hntargetseg: Any) -> None:
    for command in set(COMMANDS) - {"models"}:
        assert "--json" in hntargetseg(command, "--help").out, command


def test_the_version_is_that_of_the_package(hntargetseg: Any) -> None:
    assert hntargetseg("--version").out == f"hntargetseg {__version__}\n"


@pytest.mark.parametrize("arguments", [(), ("segmnet",), ("segment",), ("segment", "--output", "x", "--mode", "slow")])
def test_a_slip_in_the_command_is_bad_input_with_its_usage(hntargetseg: Any, arguments: tuple[str, ...]) -> None:
    outcome = hntargetseg(*arguments)
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err.startswith("usage: hntargetseg")
    assert "error: " in outcome.err


@pytest.fixture
def broken_package(tmp_path: Path, repository: Path) -> dict[str, str]:
    """Environment in which PyTorch is missing and psutil fails in a way that nobody thought of."""
    for name, line in {
        "psutil": "raise ValueError('odd machine')",
        "torch": "raise ImportError('no libcudart')",
    }.items():
        (tmp_path / "packages" / name).mkdir(parents=True)
        (tmp_path / "packages" / name / "__init__.py").write_text(line)
    return {"PYTHONPATH": os.pathsep.join([str(tmp_path / "packages"), str(repository / "HNTargetSeg")])}


def test_a_surprise_is_a_sentence_and_status_1(process: Any, broken_package: dict[str, str]) -> None:
    outcome = process("doctor", env=broken_package)
    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err.startswith(
        "hntargetseg: An unexpected error of kind ValueError: odd machine. Set HNTARGETSEG_DEBUG"
    )
    assert outcome.err.count("\n") == 1


def test_a_surprise_is_traced_on_request(process: Any, broken_package: dict[str, str]) -> None:
    outcome = process("doctor", "--json", env={**broken_package, "HNTARGETSEG_DEBUG": "1"})
    assert outcome.status == 1
    assert "Traceback" in outcome.err
    assert "environment.py" in outcome.err
    assert outcome.json["error"]["code"] == "INTERNAL"


def test_a_reader_who_leaves_is_no_error(command_line: tuple[list[str], dict[str, str]]) -> None:
    command, variables = command_line
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as stdout:
        ended = subprocess.run(
            [*command, "models", "list"], env=variables, stdout=stdout, stderr=subprocess.PIPE, check=False, timeout=60
        )
    assert (ended.returncode, ended.stderr) == (0, b"")
