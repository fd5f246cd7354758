"""The folder of the arrays is private while it is used and does not outlive its process for long."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from HNTargetSegLib.errors import OutputError
from HNTargetSegLib.worker.private_folder import PrivateFolder, remove_abandoned, remove_private, remove_stale

HOLD = """
import sys
from HNTargetSegLib.worker.private_folder import PrivateFolder
folder = PrivateFolder()
(folder.path / "image.npy").write_text("a patient")
print(folder.path, flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the user's temporary folder is private on Windows")
def test_only_its_owner_can_look_into_it() -> None:
    folder = PrivateFolder()
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    folder.remove()
    assert not folder.path.exists()
    folder.remove()


def test_what_a_killed_process_left_goes_with_the_next_start_and_what_is_in_use_stays(repository: Path) -> None:
    pipe = subprocess.PIPE
    held = []
    for _ in range(2):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD], stdin=pipe, stdout=pipe, text=True, cwd=repository / "HNTargetSeg"
        )
        assert process.stdout is not None
        held.append((process, Path(process.stdout.readline().strip())))
    (first, killed), (second, alive) = held
    first.kill()
    first.communicate()
    assert killed.is_dir()
    own = PrivateFolder()
    assert not killed.exists()
    assert alive.is_dir()
    assert own.path.is_dir()
    remove_abandoned(alive)
    assert alive.is_dir()
    second.communicate("")
    remove_abandoned(alive)
    assert not alive.exists()
    own.remove()


def test_a_folder_of_this_process_is_not_stale() -> None:
    first = PrivateFolder()
    remove_stale()
    assert first.path.is_dir()
    first.remove()


def test_other_folders_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "in-use").touch()
    remove_private(tmp_path)
    remove_abandoned(tmp_path)
    assert tmp_path.is_dir()


def test_no_place_for_temporary_files_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(OutputError, match=r"No temporary folder can be made.*TMPDIR"):
        PrivateFolder()
