"""Several files take their places together or not at all."""

from __future__ import annotations

import pytest

from HNTargetSegLib.errors import OutputError
from HNTargetSegLib.files import replacing_files


def content(folder):
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}


def write_to(folder, *names):
    for name in names:
        (folder / name).write_text("new")


def write_visits(folder, *names):
    for name in names:
        (folder / name).mkdir()
        write_to(folder / name, "a")


def test_new_files_replace_old_ones_and_others_stay(tmp_path):
    for name in ("a", "mine"):
        (tmp_path / name).write_text("old")
    with replacing_files(tmp_path) as new:
        (new / "a").write_text("new")
        (new / "b").write_text("new")
        assert content(tmp_path) == {"a": "old", "mine": "old"}
    assert content(tmp_path) == {"a": "new", "b": "new", "mine": "old"}
    assert len(list(tmp_path.iterdir())) == 3


def test_an_error_inside_leaves_everything_as_it_was(tmp_path):
    (tmp_path / "a").write_text("old")
    with pytest.raises(OutputError, match="directory"), replacing_files(tmp_path) as new:
        write_to(new, "a", tmp_path)
    assert content(tmp_path) == {"a": "old"}
    assert len(list(tmp_path.iterdir())) == 1


def test_files_that_had_moved_go_back_when_a_later_one_cannot(tmp_path):
    (tmp_path / "b").write_text("old")
    (tmp_path / "c").mkdir()
    with pytest.raises(OutputError, match="folder called c"), replacing_files(tmp_path) as new:
        write_to(new, "a", "b", "c")
    assert content(tmp_path) == {"b": "old"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "c"]


def test_a_missing_folder_is_made(tmp_path):
    with replacing_files(tmp_path / "deep" / "er") as new:
        (new / "a").write_text("new")
    assert content(tmp_path / "deep" / "er") == {"a": "new"}


def test_files_in_folders_below_move_together_too(tmp_path):
    (tmp_path / "mid").mkdir()
    write_to(tmp_path / "mid", "mine")
    with replacing_files(tmp_path) as new:
        write_visits(new, "pre", "mid")
    assert content(tmp_path / "mid") == {"a": "new", "mine": "new"}
    assert content(tmp_path / "pre") == {"a": "new"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mid", "pre"]


def test_folders_that_were_made_go_again_when_a_later_file_cannot_move(tmp_path):
    (tmp_path / "pre").mkdir()
    (tmp_path / "pre" / "a").mkdir()
    with pytest.raises(OutputError, match=r"folder called pre.a"), replacing_files(tmp_path) as new:
        write_visits(new, "mid", "pre")
    assert [path.relative_to(tmp_path).as_posix() for path in sorted(tmp_path.rglob("*"))] == ["pre", "pre/a"]


def refuse(path):
    raise OutputError("disk full", path=path)


def test_an_error_of_a_file_inside_names_the_place_that_was_meant_for_it(tmp_path):
    with pytest.raises(OutputError, match="disk full") as caught, replacing_files(tmp_path / "result") as new:
        refuse(new / "mid" / "a")
    assert caught.value.path == str(tmp_path / "result" / "mid" / "a")
