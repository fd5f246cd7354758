"""How much the cache holds, and its end."""

from __future__ import annotations

from pathlib import Path

import pytest

from HNTargetSegLib.desktop.storage import as_text, delete_cache, folder_bytes


def test_bytes_of_all_folders_below_are_counted(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "one").write_bytes(bytes(10))
    (tmp_path / "a" / "b" / "two").write_bytes(bytes(32))
    assert folder_bytes(tmp_path) == 42


def test_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert folder_bytes(tmp_path / "none") == 0


@pytest.mark.parametrize(("size", "text"), [(0, "0.0 MB"), (8_300_000, "8.3 MB"), (2_500_000_000, "2.5 GB")])
def test_size_is_written_in_mb_or_gb(size: int, text: str) -> None:
    assert as_text(size) == text


def test_deleted_cache_is_empty_and_what_a_link_names_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache, precious = tmp_path / "cache", tmp_path / "precious"
    (cache / "networks").mkdir(parents=True)
    (cache / "networks" / "x.bin").write_bytes(b"x")
    precious.mkdir()
    (precious / "data").write_bytes(b"y")
    (cache / "link").symlink_to(precious, target_is_directory=True)
    monkeypatch.setenv("HNTARGETSEG_CACHE", str(cache))
    delete_cache()
    assert list(cache.iterdir()) == []
    assert (precious / "data").is_file()


def test_cache_that_was_never_made_can_be_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HNTARGETSEG_CACHE", str(tmp_path / "none"))
    delete_cache()
    assert not (tmp_path / "none").exists()
