"""The export dialog."""

from __future__ import annotations

import asyncio
import io
import zipfile

import pytest
from Testing.unit.export.mr_series import write_mr_series
from Testing.unit.web.conftest import GEOMETRY, said

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.errors import GeometryError
from HNTargetSegLib.web.access_folders import AllowedFolders
from HNTargetSegLib.web.exporting import Exporting

FILES = {"lesions.csv", "lesions.nii.gz", "manifest.json", "overlay.png", "segmentation.nii.gz"}


@pytest.fixture
def exporting(open_desk, tmp_path):
    (tmp_path / "allowed").mkdir()
    return Exporting(open_desk, AllowedFolders.of([tmp_path / "allowed"]))


def test_the_dialog_lists_what_is_undecided_and_what_is_rejected(exporting, open_desk):
    open_desk.session.accept(Visit.MID, 1)
    open_desk.session.reject(Visit.MID, 2)
    exporting.open()
    state = open_desk.state
    assert (state.dialog, state.export_visits) == ("export", ["mid"])
    assert [item["title"] for item in state.leaving["undecided"]] == ["mid-RT: GTVn2"]
    assert state.leaving["rejected"] == ["mid-RT: GTVn1"]


def test_an_undecided_lesion_stops_the_export_until_it_is_confirmed(exporting, open_desk, tmp_path):
    open_desk.session.accept(Visit.MID, 1, 2)
    exporting.open()
    target = tmp_path / "allowed" / "out"
    open_desk.state.export_folder = str(target)
    asyncio.run(exporting.write())
    assert not target.exists()
    assert "Nobody has decided about mid-RT: GTVn2" in said(open_desk)[-1]
    open_desk.state.confirmed = ["mid:GTVn2"]
    asyncio.run(exporting.write())
    assert {path.name for path in target.iterdir()} == FILES
    assert len(open_desk.state.export_files) == len(FILES)


def test_nothing_is_written_outside_the_allowed_folders(exporting, open_desk, tmp_path):
    open_desk.session.accept(Visit.MID, 1, 2, 3)
    exporting.open()
    open_desk.state.export_folder = str(tmp_path / "elsewhere" / "out")
    asyncio.run(exporting.write())
    assert not (tmp_path / "elsewhere").exists()
    assert "among those that this page may open" in said(open_desk)[-1]


def test_a_way_out_of_the_allowed_folders_is_none(exporting, open_desk, tmp_path):
    open_desk.session.accept(Visit.MID, 1, 2, 3)
    exporting.open()
    open_desk.state.export_folder = str(tmp_path / "allowed" / "new" / ".." / ".." / "elsewhere")
    asyncio.run(exporting.write())
    assert not (tmp_path / "elsewhere").exists()


def test_the_download_holds_the_same_files(exporting, open_desk):
    open_desk.session.accept(Visit.MID, 1, 2, 3)
    exporting.open()
    content = asyncio.run(exporting.download())
    assert set(zipfile.ZipFile(io.BytesIO(content)).namelist()) == FILES


def test_a_refused_download_gives_nothing_and_says_why(exporting, open_desk):
    exporting.open()
    assert asyncio.run(exporting.download()) is None
    assert "Nobody has decided" in said(open_desk)[-1]


def test_formats_are_those_that_are_ticked(exporting, open_desk, tmp_path):
    open_desk.session.accept(Visit.MID, 1, 2, 3)
    exporting.open()
    open_desk.state.export_folder = str(tmp_path / "allowed" / "out")
    open_desk.state.export_formats = ["stl", "report"]
    asyncio.run(exporting.write())
    assert {path.name for path in (tmp_path / "allowed" / "out").iterdir()} == {
        *("stl", "report.html", "report.pdf", "manifest.json"),
    }
    assert any(path.endswith("GTVn1.stl") for path in open_desk.state.export_files)


def test_dicom_needs_a_series_that_the_page_may_open(exporting, open_desk, tmp_path):
    open_desk.session.accept(Visit.MID, 1, 2, 3)
    exporting.open()
    state = open_desk.state
    assert [(item["value"], item["named"]) for item in state.leaving["series"]] == [("mid", False)]
    assert "came from the scene" in state.leaving["series"][0]["reason"]
    series = write_mr_series(tmp_path / "allowed" / "series", GEOMETRY)
    state.export_folder, state.export_formats = str(tmp_path / "allowed" / "out"), ["rtstruct"]
    state.export_series_mid = str(tmp_path)
    asyncio.run(exporting.write())
    assert "among those that this page may open" in said(open_desk)[-1]
    state.export_series_mid = str(series)
    asyncio.run(exporting.write())
    assert (tmp_path / "allowed" / "out" / "rtstruct.dcm").is_file()


def test_a_finding_closes_the_dialog_selects_its_lesion_and_moves_the_views(exporting, open_desk):
    exporting.open()
    asyncio.run(exporting.check_export())
    state = open_desk.state
    assert [item["text"] for item in state.findings] == [
        "mid-RT GTVp: nobody has decided about it",
        "mid-RT GTVn1: nobody has decided about it",
        "mid-RT GTVn2: nobody has decided about it",
    ]
    exporting.show_finding(1)
    assert (state.dialog, open_desk.session.selected) == ("", (Visit.MID, 2))
    assert open_desk.scene.looked_at == [open_desk.session.place_of(Visit.MID, 2)]


def test_without_lesions_the_dialog_stays_closed(desk, tmp_path):
    Exporting(desk, AllowedFolders.of([tmp_path])).open()
    assert desk.state.dialog == ""
    assert said(desk) == ["There are no lesions to export. Segment a visit first."]


def test_segments_that_cannot_be_read_stop_the_export(exporting, open_desk, tmp_path):
    def unreadable(visit):
        raise GeometryError("The segmentation of mid-RT lies under a transform", remedy="Remove the transform")

    open_desk.scene.follow_edits = unreadable
    open_desk.session.accept(Visit.MID, 1, 2, 3)
    exporting.open()
    open_desk.state.export_folder = str(tmp_path / "allowed" / "out")
    asyncio.run(exporting.write())
    assert not (tmp_path / "allowed" / "out").exists()
    assert "under a transform" in " ".join(said(open_desk))
