"""Which Python runs the worker, and what is said of one that cannot."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from Testing.unit.worker.odd_workers import is_gone

from HNTargetSegLib import __version__
from HNTargetSegLib.errors import BadInputError, ErrorCode, MissingDependencyError
from HNTargetSegLib.worker import examination
from HNTargetSegLib.worker.bootstrap import own_library
from HNTargetSegLib.worker.client import WorkerClient
from HNTargetSegLib.worker.interpreter import (
    InterpreterReport,
    check_interpreter,
    default_interpreter,
    find_interpreter,
)
from HNTargetSegLib.worker.messages import ErrorEvent, ResultEvent, SegmentRequest

posix = pytest.mark.skipif(sys.platform == "win32", reason="programs and shells of POSIX")


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with nothing installed."""
    folder = tmp_path_factory.mktemp("bare python")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    return folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


@pytest.fixture(scope="module")
def own_report() -> InterpreterReport:
    """The report on the Python that runs here."""
    return check_interpreter(Path(sys.executable))


def script(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


def nowhere(program: str) -> None:
    return None


def test_this_python_can_run_the_worker(own_report: InterpreterReport) -> None:
    report = own_report
    assert report.usable, report.problems
    assert report.library == __version__
    assert report.python == ".".join(map(str, sys.version_info[:3]))
    assert report.missing == ()
    assert bool(report.gpus) != bool(report.why_no_gpu)


def test_an_examination_of_this_process_says_the_same(
    own_report: InterpreterReport, capsys: pytest.CaptureFixture[str]
) -> None:
    assert examination.main([]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith(examination.MARK)]
    found = json.loads(line.removeprefix(examination.MARK))
    assert found["packages"] == own_report.packages
    assert (found["python"], tuple(found["gpus"])) == (own_report.python, own_report.gpus)


def test_what_a_bare_python_lacks_is_named(bare_python: Path) -> None:
    report = check_interpreter(bare_python)
    assert not report.usable
    assert {"torch", "nnunetv2", "numpy", "SimpleITK"} <= set(report.missing)
    assert "pip install" in report.problems[0]
    assert "torch" in report.problems[0]
    assert report.installed is None
    assert report.packages["psutil"] is None


def test_a_worker_in_a_bare_python_answers_and_says_what_is_missing(
    bare_python: Path,
    make_client: Callable[..., WorkerClient],
    wait_for: Callable[..., Any],
    blob_request: Callable[..., SegmentRequest],
) -> None:
    client = make_client(bare_python)
    error = wait_for(client, client.segment(blob_request()))[-1]
    assert isinstance(error, ErrorEvent)
    assert error.code is ErrorCode.MISSING_DEPENDENCY
    assert "cannot be imported" in error.message
    assert isinstance(wait_for(client, client.ping())[-1], ResultEvent)
    doctor = wait_for(client, client.doctor())[-1]
    assert isinstance(doctor, ResultEvent), doctor
    assert any("torch" in problem for problem in doctor.content["problems"])


def test_another_version_that_is_installed_there_is_noted_and_not_used(bare_python: Path) -> None:
    site = next((bare_python.parent.parent).rglob("site-packages"))
    (site / "hntargetseg-0.0.9.dist-info").mkdir()
    (site / "hntargetseg-0.0.9.dist-info" / "METADATA").write_text("Name: hntargetseg\nVersion: 0.0.9\n")
    (site / "HNTargetSegLib").mkdir()
    (site / "HNTargetSegLib" / "__init__.py").write_text("raise RuntimeError('the installed one')")
    report = check_interpreter(bare_python)
    assert (report.installed, report.library) == ("0.0.9", __version__)
    assert any("0.0.9 is installed there" in note for note in report.notes)


@posix
def test_a_text_file_a_program_and_a_folder_are_no_python(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("PyTorch is in the other room")
    with pytest.raises(BadInputError, match=r"notes\.txt.*cannot be started.*Name the program file"):
        check_interpreter(tmp_path / "notes.txt")
    with pytest.raises(BadInputError, match=r"cannot be started \(Exec format error\)"):
        check_interpreter(script(tmp_path / "text", "PyTorch is in the other room"))
    with pytest.raises(BadInputError, match=r"/bin/ls: This program is no Python"):
        check_interpreter(Path("/bin/ls"))
    with pytest.raises(BadInputError, match="is a folder"):
        check_interpreter(tmp_path)
    with pytest.raises(BadInputError, match="does not exist"):
        check_interpreter(tmp_path / "none")


@posix
def test_a_program_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    hanging = script(tmp_path / "python", f"#!/bin/sh\nsleep 613 &\necho $! > {tmp_path}/child\nwait\n")
    begin = time.monotonic()
    with pytest.raises(BadInputError, match="does not answer within 1 s"):
        check_interpreter(hanging, timeout=1.0)
    assert time.monotonic() - begin < 4
    child = int((tmp_path / "child").read_text())
    assert is_gone(child)


@posix
def test_a_program_that_prints_without_end_is_ended(tmp_path: Path) -> None:
    endless = script(tmp_path / "python", "#!/bin/sh\nexec yes\n")
    begin = time.monotonic()
    with pytest.raises(BadInputError, match=r"no Python|does not answer"):
        check_interpreter(endless, timeout=3.0)
    assert time.monotonic() - begin < 6


@posix
def test_a_python_that_is_too_old_is_said(tmp_path: Path) -> None:
    # The real one, which says that it is older.
    code = (
        "import sys; sys.version_info = (3, 8, 1); sys.version = '3.8.1 (old)'; del sys.argv[1]; exec(sys.argv.pop(1))"
    )
    old = script(tmp_path / "python", f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -c {shlex.quote(code)} "$@"\n')
    with pytest.raises(BadInputError, match=r"needs Python 3\.10 or newer; this is Python 3\.8\.1"):
        check_interpreter(old)


@posix
def test_what_packages_print_on_import_does_not_spoil_the_report(tmp_path: Path, bare_python: Path) -> None:
    noisy = script(tmp_path / "python", f'#!/bin/sh\necho noise\nexec {shlex.quote(str(bare_python))} "$@"\n')
    assert check_interpreter(noisy).python == ".".join(map(str, sys.version_info[:3]))


def test_a_library_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="HNTargetSeg cannot be loaded"):
        check_interpreter(Path(sys.executable), tmp_path)


def test_the_environment_can_be_chosen(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise RuntimeError('a broken build')")
    report = check_interpreter(Path(sys.executable), environment={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert not report.usable
    assert "PyTorch cannot be imported (RuntimeError: a broken build)" in report.problems[0]


@pytest.mark.parametrize("name", ["PythonSlicer", "PythonSlicer.exe"])
def test_slicers_own_python_is_found_by_its_tree(tmp_path: Path, name: str) -> None:
    tree = tmp_path / "Slicer 5.12.0"
    (tree / "bin").mkdir(parents=True)
    (tree / "bin" / name).touch()
    for executable in (str(tree / "bin" / "SlicerApp-real"), str(tree / "bin" / "python-real"), ""):
        assert find_interpreter(executable, str(tree / "lib" / "Python"), nowhere) == tree / "bin" / name


def test_outside_slicer_it_is_the_python_that_runs() -> None:
    assert default_interpreter() == Path(sys.executable)
    on_path = {"PythonSlicer": "/opt/Slicer/bin/PythonSlicer"}.get
    assert find_interpreter("/venv/bin/python3", "/venv", on_path) == Path("/venv/bin/python3")


def test_a_program_with_python_inside_takes_the_one_on_the_path() -> None:
    on_path = {"PythonSlicer": "/opt/Slicer/bin/PythonSlicer"}.get
    assert find_interpreter("/usr/bin/viewer", "/usr", on_path) == Path("/opt/Slicer/bin/PythonSlicer")
    with pytest.raises(MissingDependencyError, match="No Python was found"):
        find_interpreter("/usr/bin/viewer", "/usr", nowhere)


def test_the_library_is_the_folder_of_the_package(repository: Path) -> None:
    assert own_library() == repository / "HNTargetSeg"
