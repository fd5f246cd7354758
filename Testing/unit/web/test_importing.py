"""The import dialog."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from Testing.unit.export.mr_series import write_mr_series
from Testing.unit.web.conftest import GEOMETRY, said

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.case.write import write_volume
from HNTargetSegLib.export.format import Format
from HNTargetSegLib.lesions.lesion import State
from HNTargetSegLib.review.exporting import export_review
from HNTargetSegLib.web.access_folders import AllowedFolders
from HNTargetSegLib.web.importing import Importing


@pytest.fixture
def importing(open_desk, tmp_path):
    (tmp_path / "allowed").mkdir()
    return Importing(open_desk, AllowedFolders.of([tmp_path / "allowed"]))


@pytest.fixture
def rtstruct(open_desk, tmp_path):
    """The lesions of the mid-RT visit, accepted, as an RTSTRUCT in an allowed folder."""
    open_desk.session.accept(Visit.MID, 1, 2, 3)
    series = write_mr_series(tmp_path / "series", GEOMETRY)
    folder = tmp_path / "allowed" / "out"
    export_review(open_desk.session, folder, formats=[Format.RTSTRUCT], series={Visit.MID: series})
    return folder / "rtstruct.dcm"


def read(importing, path, visit="pre"):
    importing.open_import()
    state = importing.desk.state
    state.import_visit, state.import_path = visit, str(path)
    asyncio.run(importing.read_import())


def test_what_cannot_be_told_is_asked_and_then_listed_and_taken(importing, rtstruct):
    state, session = importing.desk.state, importing.desk.session
    read(importing, rtstruct)
    assert "nothing says whether the delineation was drawn on it" in state.import_question
    asyncio.run(importing.agree_import())
    assert state.import_question == ""
    assert [(s["name"], s["kind"]) for s in state.import_structures] == [
        ("GTVp", "PT"),
        ("GTVn1", "LN"),
        ("GTVn2", "LN"),
    ]
    importing.set_import_kind(state.import_structures[2]["number"], "")
    importing.take_import()
    assert [(x.name, x.state) for x in session.lesions(Visit.PRE)] == [
        ("GTVp", State.ACCEPTED),
        ("GTVn1", State.ACCEPTED),
    ]
    assert state.dialog == ""


def test_decided_lesions_that_would_be_replaced_are_named(importing, rtstruct):
    read(importing, rtstruct, "mid")
    asyncio.run(importing.agree_import())
    assert importing.desk.state.import_replaces == ["GTVp", "GTVn1", "GTVn2"]


def test_a_file_outside_the_allowed_folders_is_not_read(importing, rtstruct, tmp_path):
    rtstruct.rename(tmp_path / "RS.dcm")
    read(importing, tmp_path / "RS.dcm")
    assert "among those that this page may open" in said(importing.desk)[-1]
    assert importing.desk.state.import_file == ""


def test_a_mask_that_a_browser_has_sent_is_read(importing, tmp_path):
    labels = np.zeros(GEOMETRY.shape, np.uint8)
    labels[2:7, 5:13, 4:14] = 1
    write_volume(Volume(labels, GEOMETRY), tmp_path / "sent" / "mask.nii.gz")
    importing.open_import()
    importing.desk.state.import_visit = "pre"
    asyncio.run(importing.receive(tmp_path / "sent"))
    importing.take_import()
    assert [lesion.name for lesion in importing.desk.session.lesions(Visit.PRE)] == ["GTVp"]


def test_several_files_at_once_are_refused(importing, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    importing.open_import()
    asyncio.run(importing.receive(tmp_path))
    assert "files were sent" in said(importing.desk)[-1]


def test_taking_no_structure_is_told(importing, rtstruct):
    read(importing, rtstruct)
    asyncio.run(importing.agree_import())
    for structure in importing.desk.state.import_structures:
        importing.set_import_kind(structure["number"], "")
    importing.take_import()
    assert "No structure is to be taken" in said(importing.desk)[-1]
