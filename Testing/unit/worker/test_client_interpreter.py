"""The client and the Python that runs its worker: how it is named, and what it may not mislead."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from Testing.unit.worker.odd_workers import DEAF, Make, Request, Wait, last_of, python

from HNTargetSegLib import __version__
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.errors import ErrorCode, MissingDependencyError
from HNTargetSegLib.worker.messages import (
    ErrorEvent,
    ResultEvent,
)

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and shells of POSIX")


def shell_interpreter(path: Path, before: str) -> Path:
    """A Python that runs a shell command first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\n{before}\nexec {shlex.quote(sys.executable)} "$@"\n')
    path.chmod(0o755)
    return path


@posix
def test_blanks_and_letters_of_all_languages_may_be_in_every_path(
    make_client: Make,
    wait_for: Wait,
    blob_model: Path,
    blob_request: Request,
    repository: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    head_with_blobs: Callable[..., Volume],
) -> None:
    import shutil
    import tempfile

    place = tmp_path / "Größe 大小 & 'x' \"y\""
    place.mkdir()
    (place / "library").symlink_to(repository / "HNTargetSeg")
    (place / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(place / "temporary"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    model = shutil.copytree(blob_model / "blobs", place / "my model")
    client = make_client(shell_interpreter(place / "my python", ""), place / "library")
    image = head_with_blobs().with_array(head_with_blobs().array, str(place / "T2 ü.nii"))
    result = last_of(wait_for(client, client.segment(blob_request(image, model=model))), ResultEvent)
    assert result.visits[0].lesions.ids.name == image.name
    assert len(result.visits[0].lesions) == 2


def test_neither_the_working_folder_nor_pythonpath_decides_which_library_runs(
    make_client: Make, wait_for: Wait, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "HNTargetSegLib").mkdir()
    (tmp_path / "HNTargetSegLib" / "__init__.py").write_text("raise SystemExit('the wrong library')")
    (tmp_path / "json.py").write_text("raise SystemExit('the wrong json')")
    monkeypatch.chdir(tmp_path)
    client = make_client(environment={**os.environ, "PYTHONPATH": str(tmp_path / "nothing")})
    assert isinstance(wait_for(client, client.ping())[-1], ResultEvent)
    shadowed = make_client(environment={**os.environ, "PYTHONPATH": str(_only(tmp_path, "HNTargetSegLib"))})
    assert isinstance(wait_for(shadowed, shadowed.ping())[-1], ResultEvent)


def _only(folder: Path, name: str) -> Path:
    place = folder / "path"
    place.mkdir()
    (folder / name).rename(place / name)
    return place


def test_another_version_of_the_library_is_refused(make_client: Make, wait_for: Wait) -> None:
    client = make_client(command=python(DEAF.replace("VERSION", "'9.9.9'")))
    job = client.ping()
    error = last_of(wait_for(client, job), ErrorEvent)
    assert (error.job, error.code) == (job, ErrorCode.MISSING_DEPENDENCY)
    assert f"HNTargetSeg 9.9.9 and this program is {__version__}" in error.message
    assert not client.running


@posix
@pytest.mark.parametrize("named", ["~/my python", "my python"])
def test_an_interpreter_may_be_named_from_the_home_or_the_working_folder(
    make_client: Make, wait_for: Wait, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    shell_interpreter(tmp_path / "my python", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    client = make_client(Path(named))
    assert isinstance(wait_for(client, client.ping())[-1], ResultEvent)


def test_an_interpreter_that_is_not_there_is_said_at_once(make_client: Make, tmp_path: Path) -> None:
    client = make_client(tmp_path / "python")
    with pytest.raises(MissingDependencyError, match=r"cannot be started.*PyTorch and nnU-Net"):
        client.ping()
    assert not client.busy


@posix
def test_a_program_that_is_no_python_is_said_with_its_last_words(make_client: Make, wait_for: Wait) -> None:
    client = make_client(Path("/bin/ls"))
    job = client.ping()
    error = last_of(wait_for(client, job), ErrorEvent)
    assert (error.job, error.code) == (job, ErrorCode.MISSING_DEPENDENCY)
    assert "could not start (exit status" in error.message


def test_what_a_library_prints_goes_to_the_log_and_not_on_the_line(
    make_client: Make, wait_for: Wait, blob_model: Path, blob_request: Request
) -> None:
    code = (
        "import os, sys; from pathlib import Path; from HNTargetSegLib.worker.server import serve\n"
        "from HNTargetSegLib.pipeline import LoadedModel\n"
        "def load(stored, options):\n"
        "    print('printed ü'); os.system('echo from a child'); os.write(1, b'written\\n'); print(sys.stdin.read())\n"
        "    return LoadedModel.load(stored, options)\n"
        "serve(Path(sys.argv[1]), load)"
    )
    client = make_client(command=python(code), environment={**os.environ, "HNTARGETSEG_MODELS": str(blob_model)})
    assert isinstance(wait_for(client, client.segment(blob_request()))[-1], ResultEvent)
    assert client.log_file is not None
    assert client.log_file.read_text(encoding="utf-8").splitlines()[:3] == ["printed ü", "from a child", "written"]
