"""An export takes the place of the one before, of which nothing out of date is left, and touches nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from HNTargetSegLib.export.folder import hashed_files, replacing_export


def export(folder: Path, *names: str, places: tuple[str, ...] = ("",), shared: tuple[str, ...] = ()) -> None:
    with replacing_export(folder, places, shared) as new:
        for name in names:
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            (new / name).write_text(name, encoding="utf-8")
        for place in places:
            files = {**hashed_files(new / place), **{f"../{name}": "" for name in shared if (new / name).exists()}}
            (new / place).mkdir(exist_ok=True)
            (new / place / "manifest.json").write_text(json.dumps({"files": files}), encoding="utf-8")


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_files_of_the_export_before_go_and_others_stay(tmp_path: Path) -> None:
    export(tmp_path, "a.csv", "stl/GTVn1.stl", "stl/GTVn2.stl")
    (tmp_path / "mine.txt").write_text("x", encoding="utf-8")
    export(tmp_path, "a.csv", "stl/GTVn1.stl")
    assert names(tmp_path) == {"a.csv", "stl/GTVn1.stl", "mine.txt", "manifest.json"}
    export(tmp_path, "a.csv")
    assert not (tmp_path / "stl").exists()


def fail_half_way(folder: Path) -> None:
    with replacing_export(folder) as new:
        (new / "a.csv").write_text("half", encoding="utf-8")
        raise RuntimeError("stop")


def test_a_failed_export_removes_nothing(tmp_path: Path) -> None:
    export(tmp_path, "a.csv", "b.csv")
    with pytest.raises(RuntimeError, match="stop"):
        fail_half_way(tmp_path)
    assert names(tmp_path) == {"a.csv", "b.csv", "manifest.json"}
    assert (tmp_path / "a.csv").read_text(encoding="utf-8") == "a.csv"


@pytest.mark.parametrize("listed", ["../outside.txt", "/etc/hostname", "a/../../outside.txt", "\0"])
def test_a_manifest_that_names_files_elsewhere_removes_none_of_them(tmp_path: Path, listed: str) -> None:
    home = tmp_path / "out"
    home.mkdir()
    (tmp_path / "outside.txt").write_text("x", encoding="utf-8")
    (home / "manifest.json").write_text(json.dumps({"files": {listed: ""}}), encoding="utf-8")
    export(home, "a.csv")
    assert (tmp_path / "outside.txt").exists()


def test_a_file_that_several_places_share_goes_when_it_is_not_written_anew(tmp_path: Path) -> None:
    places, shared = ("preRT", "midRT"), ("report.html",)
    export(tmp_path, "preRT/a.csv", "midRT/a.csv", "report.html", places=places, shared=shared)
    assert "report.html" in names(tmp_path)
    export(tmp_path, "preRT/a.csv", "midRT/a.csv", places=places, shared=shared)
    assert "report.html" not in names(tmp_path)


def test_a_report_of_somebody_else_beside_the_places_stays(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("mine", encoding="utf-8")
    export(tmp_path, "preRT/a.csv", places=("preRT",), shared=("report.html",))
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == "mine"
