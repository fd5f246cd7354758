"""The worker's log lies where the user finds it, and logs do not pile up."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from HNTargetSegLib.worker.log_file import new_log_file


def test_each_start_has_a_log_of_its_own_that_only_the_user_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HNTARGETSEG_CACHE", str(tmp_path / "cache"))
    first, second = new_log_file(tmp_path), new_log_file(tmp_path)
    assert first != second
    assert first.parent == tmp_path / "cache" / "logs"
    assert sys.platform == "win32" or stat.S_IMODE(first.stat().st_mode) == 0o600


def test_the_oldest_logs_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HNTARGETSEG_CACHE", str(tmp_path))
    (tmp_path / "logs").mkdir()
    for year in range(2001, 2010):
        (tmp_path / "logs" / f"worker-{year}0101-000000-x.log").touch()
    (tmp_path / "logs" / "other.txt").touch()
    new = new_log_file(tmp_path)
    names = sorted(file.name for file in (tmp_path / "logs").iterdir())
    assert len(names) == 6
    assert {"other.txt", "worker-20090101-000000-x.log", new.name} <= set(names)


def test_without_a_cache_folder_the_log_goes_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("HNTARGETSEG_CACHE", str(tmp_path / "file"))
    assert new_log_file(tmp_path).parent == tmp_path
