"""The installed command starts again once with the allocator settings, and nobody outside notices."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from HNTargetSegLib.cli.console import ALLOCATOR_VARIABLE, restart_environment, runs_pytorch
from HNTargetSegLib.models.options import allocator_environment

SETTINGS = allocator_environment()
SCRIPT = """
import os, sys
from HNTargetSegLib.cli.console import console
print("process", os.getpid(), *(os.environ.get(name, "-") for name in {names}))
sys.stdout.flush()
sys.exit(console())
"""
# Where the tests run in the background, Ctrl-C is ignored, and children inherit that.
LONG = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from HNTargetSegLib.cli.console import ALLOCATOR_VARIABLE, restart_with_allocator
from HNTargetSegLib.cli.main import main
restart_with_allocator()
assert os.environ[ALLOCATOR_VARIABLE] == "tuned"
sys.exit(main(["phantom", "--cases", "50", "--output", {output!r}]))
"""
LIBRARY = os.pathsep.join(path for path in sys.path if path)
only_glibc = pytest.mark.skipif(not SETTINGS, reason="the settings are those of glibc")


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A program as pip makes it of the entry point, which also says with what settings it begins."""
    path = tmp_path / "the command.py"
    path.write_text(SCRIPT.format(names=list(SETTINGS)))
    return path


def environment(**more: str) -> dict[str, str]:
    dropped = {*SETTINGS, ALLOCATOR_VARIABLE}
    return {**{name: value for name, value in os.environ.items() if name not in dropped}, **more}


def run(script: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(script), *arguments]
    return subprocess.run(
        command, env=environment(PYTHONPATH=LIBRARY, **more), capture_output=True, text=True, check=False, timeout=60
    )


def starts(result: subprocess.CompletedProcess[str]) -> list[list[str]]:
    return [line.split()[1:] for line in result.stdout.splitlines() if line.startswith("process")]


@only_glibc
def test_segment_starts_again_once_in_the_same_process(script: Path, tmp_path: Path) -> None:
    result = run(script, "segment", "--backend", "torch", "--output", str(tmp_path / "out put"))
    first, second = starts(result)
    assert first == [second[0], *["-"] * len(SETTINGS)]
    assert second[1:] == list(SETTINGS.values())


@only_glibc
def test_exit_status_and_message_come_from_the_second_start(script: Path, tmp_path: Path) -> None:
    result = run(script, "segment", "--backend", "torch", "--output", str(tmp_path / "out"))
    assert result.returncode == 2
    assert "No image was given" in result.stderr


@only_glibc
def test_interrupt_ends_a_command_that_started_again_as_cancelled(tmp_path: Path) -> None:
    made = tmp_path / "made"
    script = tmp_path / "long.py"
    script.write_text(LONG.format(output=str(made)))
    process = subprocess.Popen(
        [sys.executable, str(script)], env=environment(PYTHONPATH=LIBRARY), stderr=subprocess.PIPE, text=True
    )
    while not made.exists():
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 4, errors


def test_a_command_without_network_starts_once(script: Path) -> None:
    result = run(script, "--version")
    assert len(starts(result)) == 1
    assert result.returncode == 0


def test_the_variable_switches_it_off(script: Path, tmp_path: Path) -> None:
    result = run(
        script, "segment", "--backend", "torch", "--output", str(tmp_path / "out"), **{ALLOCATOR_VARIABLE: "system"}
    )
    assert len(starts(result)) == 1
    assert result.returncode == 2


@only_glibc
def test_settings_of_the_user_stay() -> None:
    name = next(iter(SETTINGS))
    restarted = restart_environment({name: "7", "HOME": "here"})
    assert restarted == {**SETTINGS, name: "7", "HOME": "here", ALLOCATOR_VARIABLE: "tuned"}


def test_nothing_is_restarted_where_all_is_set() -> None:
    assert restart_environment(dict.fromkeys(SETTINGS, "1")) is None


def test_help_and_other_commands_run_no_network() -> None:
    assert runs_pytorch(["segment", "--mid", "a.nii.gz", "--backend", "torch"])
    assert not any(
        map(runs_pytorch, ([], ["--version"], ["segment", "--backend=torch", "--help"], ["doctor"], ["train"]))
    )


def test_openvino_keeps_the_systems_allocator() -> None:
    pytest.importorskip("openvino")
    assert not runs_pytorch(["segment", "--mid", "a.nii.gz"])


def test_a_command_seldom_searches_for_cycles_and_not_at_its_end(tmp_path: Path) -> None:
    """With PyTorch loaded the searches cost a second of a short command."""
    script = tmp_path / "command.py"
    script.write_text(
        "import gc, sys\nfrom HNTargetSegLib.cli.console import console\nbefore = gc.get_threshold()[0]\n"
        "try:\n    console()\nfinally:\n    print(gc.get_threshold()[0] > 10 * before, gc.get_freeze_count() > 1000)\n"
    )
    for arguments in (["models", "list"], ["--help"], ["models", "card", "none such"]):
        assert run(script, *arguments).stdout.endswith("True True\n")
