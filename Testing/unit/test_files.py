"""Whole files or none."""

import os
import sys
from pathlib import Path

import pytest

from HNTargetSegLib.errors import OutputError
from HNTargetSegLib.files import replacing, replacing_folder, sha256, user_folder, write_text


def write_half(target):
    with replacing(target) as temporary:
        temporary.write_text("new")
        raise RuntimeError("half-way")


def test_a_failed_write_leaves_the_earlier_file_and_nothing_else(tmp_path):
    target = tmp_path / "table.csv"
    write_text(target, "old")
    with pytest.raises(RuntimeError, match="half-way"):
        write_half(target)
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]


def test_the_temporary_name_keeps_the_format(tmp_path):
    with replacing(tmp_path / "map.nii.gz") as temporary:
        assert temporary.name.endswith(".nii.gz")
        temporary.write_bytes(b"x")


def test_a_folder_takes_the_place_of_the_earlier_one(tmp_path):
    target = tmp_path / "model"
    target.mkdir()
    (target / "old").touch()
    with replacing_folder(target, marker="old") as temporary:
        (temporary / "new").touch()
    assert [path.name for path in target.iterdir()] == ["new"]
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def make_model(target, marker=None):
    with replacing_folder(target, marker=marker) as temporary:
        (temporary / "card.json").write_text("new")


@pytest.mark.parametrize("marker", [None, "card.json"])
def test_a_folder_of_something_else_is_never_replaced(tmp_path, marker):
    target = tmp_path / "thesis"
    write_text(target / "chapter 1.txt", "years of work")
    with pytest.raises(OutputError, match=r"thesis: This folder holds other files.* Name a new folder"):
        make_model(target, marker)
    assert (target / "chapter 1.txt").read_text() == "years of work"
    assert list(tmp_path.rglob("*")) == [target, target / "chapter 1.txt"]


def test_other_files_that_appear_while_the_new_folder_is_made_stay(tmp_path):
    target = tmp_path / "thesis"
    with pytest.raises(OutputError, match="other files"), replacing_folder(target, marker="card.json"):
        write_text(target / "chapter 1.txt", "years of work")
    assert list(tmp_path.rglob("*")) == [target, target / "chapter 1.txt"]


def test_an_empty_folder_is_taken_and_a_file_is_not(tmp_path):
    (tmp_path / "empty").mkdir()
    make_model(tmp_path / "empty")
    assert (tmp_path / "empty" / "card.json").read_text() == "new"
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError, match="a file of that name"):
        make_model(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"


def test_the_earlier_folder_comes_back_when_the_new_one_cannot_take_its_place(tmp_path, monkeypatch):
    target = tmp_path / "model"
    write_text(target / "card.json", "old")
    replace = os.replace

    def blocked(source, place):
        # As Windows does while a virus scanner holds a file of the new folder; nothing does it on demand on Linux.
        if (Path(source) / "card.json").is_file() and (Path(source) / "card.json").read_text() == "new":
            raise PermissionError(13, "in use")
        replace(source, place)

    monkeypatch.setattr(os, "replace", blocked)
    with pytest.raises(OutputError, match="in use"):
        make_model(target, "card.json")
    assert (target / "card.json").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_the_users_folders_follow_environment_and_platform(tmp_path, monkeypatch):
    monkeypatch.setenv("HNTARGETSEG_CACHE", str(tmp_path / "mine"))
    assert user_folder("cache") == tmp_path / "mine"
    for name in ("HNTARGETSEG_CACHE", "HNTARGETSEG_MODELS", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    expected = {
        "linux": (".local/share/HNTargetSeg/models", ".cache/HNTargetSeg"),
        "darwin": ("Library/Application Support/HNTargetSeg/models", "Library/Caches/HNTargetSeg"),
        "win32": ("local/HNTargetSeg/models", "local/HNTargetSeg/cache"),
    }
    for platform, folders in expected.items():
        monkeypatch.setattr(sys, "platform", platform)
        assert (user_folder("models"), user_folder("cache")) == tuple(tmp_path / folder for folder in folders)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"file.*Choose a folder"):
        write_text(tmp_path / "file" / "below.txt", "x")


def test_sha256_is_the_standard_one(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    assert sha256(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
