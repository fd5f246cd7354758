"""A process is ended with all that it started, with psutil or without it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from Testing.unit.worker.odd_workers import is_gone

from HNTargetSegLib.errors import MissingDependencyError
from HNTargetSegLib.worker.process_tree import exit_words, kill_tree, pipes, start_process

FAMILY = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=APART)
print(child.pid, flush=True)
time.sleep(600)
"""


def family(folder: Path, apart: bool) -> tuple[subprocess.Popen[bytes], int]:
    process = start_process([sys.executable, "-c", FAMILY.replace("APART", str(apart))], folder, os.environ)
    return process, int(pipes(process)[1].readline())


def close(process: subprocess.Popen[bytes]) -> None:
    for stream in pipes(process):
        stream.close()


@pytest.mark.parametrize("apart", [False, True])
def test_children_end_with_their_parent_even_in_another_session(tmp_path: Path, apart: bool) -> None:
    process, child = family(tmp_path, apart)
    kill_tree(process)
    assert process.poll() is not None
    assert is_gone(child)
    kill_tree(process)
    close(process)


def test_children_of_the_same_group_end_without_psutil(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process, child = family(tmp_path, apart=False)
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "psutil", None)
        kill_tree(process)
    assert is_gone(child)
    close(process)


def test_a_program_that_is_not_there_is_a_missing_dependency(tmp_path: Path) -> None:
    with pytest.raises(MissingDependencyError, match=r"none: .*No such file"):
        start_process([str(tmp_path / "none")], tmp_path, os.environ)


def test_an_exit_is_told_in_words() -> None:
    assert exit_words(3) == "exit status 3"
    assert exit_words(-signal.SIGTERM) == "signal SIGTERM"
    assert exit_words(-250) == "signal 250"
    assert exit_words(0xC0000005) == "exit status 0xC0000005"
