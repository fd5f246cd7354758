"""A whole review by mouse and keys: open, segment, look, decide, undo, export, save, load and go on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PySide6 import QtCore, QtTest, QtWidgets
from Testing.slicerhost.host import Host
from Testing.slicerhost.review_module import OpenModule, opened, small_patient

from HNTargetSegLib.case.read import read_volume
from HNTargetSegLib.lesions.table import read_table


def test_patient_is_reviewed_and_exported_by_hand(host: Host, tmp_path: Path) -> None:
    with opened(host, tmp_path) as module:
        _open_and_segment(module)
        _decide(module)
        _undo_and_redo(module)
        _rename(module)
        _export(module, tmp_path / "result")


@pytest.mark.dialect("methods")
def test_saved_review_goes_on_after_the_scene_is_read_again(host: Host, tmp_path: Path) -> None:
    with opened(host, tmp_path) as module:
        _open_and_segment(module)
        module.click_lesion("GTVn1")
        host.press("acceptButton")
        host.press(module.in_tab("Lesions", "hideAllButton"))
        before = {heading: module.cells(heading) for heading in ("Lesion", "State", "cc", "Fate")}
        file = host.save_scene(tmp_path / "review.mrb")
        host.close_scene()
        assert module.cells("Lesion") == []
        assert host.find("patientLabel").text() == "No patient"
        host.load_scene(file)
        assert {heading: module.cells(heading) for heading in before} == before
        assert host.find("patientLabel").text() == "Patient 1"
        checks = [host.find("table").item(row, 0).checkState() for row in range(len(before["Lesion"]))]
        assert set(checks) == {QtCore.Qt.CheckState.Unchecked}


def _open_and_segment(module: OpenModule) -> None:
    module.open_folder(small_patient())
    assert module.shown_tab() == "Segment"
    module.segment("mid")
    assert module.shown_tab() == "Lesions"
    assert len(module.cells("Lesion")) > 3
    assert set(module.cells("State")) == {"proposed"}
    assert "shrunk" in module.cells("Fate")


def _decide(module: OpenModule) -> None:
    host = module.host
    before = host.slice_offset("Red")
    module.click_lesion("GTVn1")
    lesion = next(found for found in module.session.lesions() if found.name == "GTVn1")
    place = module.session.place_of(module.session.active, lesion.id)
    assert host.slice_offset("Red") == pytest.approx(place[2], abs=0.01) != before
    host.press("acceptButton")
    host.press_key("N")
    assert module.session.selected[1] == next(x.id for x in module.session.lesions() if x.name == "GTVn2")
    host.press_key("X")
    module.click_lesion("GTVp")
    host.press_key("A")
    states = dict(zip(module.cells("Lesion"), module.cells("State"), strict=True))
    assert (states["GTVn1"], states["GTVn2"], states["GTVp"]) == ("accepted", "rejected", "accepted")


def _undo_and_redo(module: OpenModule) -> None:
    host = module.host
    assert host.find("undoButton").text() == "Undo accept GTVp"
    host.press("undoButton")
    host.press_key("Z")
    states = dict(zip(module.cells("Lesion"), module.cells("State"), strict=True))
    assert (states["GTVn1"], states["GTVn2"], states["GTVp"]) == ("accepted", "proposed", "proposed")
    assert host.find("redoButton").text() == "Redo reject GTVn2"
    host.press("redoButton")
    assert dict(zip(module.cells("Lesion"), module.cells("State"), strict=True))["GTVn2"] == "rejected"


def _rename(module: OpenModule) -> None:
    host, table = module.host, module.host.find("table")
    for name, expected in (("Larynx", "Larynx"), ("GTVn1", "Larynx")):
        module.click_lesion("GTVp" if name == "Larynx" else "Larynx")
        host.press("renameButton")
        editor = table.findChild(QtWidgets.QLineEdit)
        editor.selectAll()
        QtTest.QTest.keyClicks(editor, name)
        QtTest.QTest.keyClick(editor, QtCore.Qt.Key.Key_Return)
        host.process()
        assert expected in module.cells("Lesion")
    assert "Another lesion is called GTVn1" in module.messages()


def _export(module: OpenModule, folder: Path) -> None:
    host = module.host
    module.tab("Export")
    host.press(module.in_tab("Export", "preCheck"))
    host.write("folderEdit", str(folder))
    undecided = host.find("undecidedList")
    listed = [undecided.item(row).text() for row in range(undecided.count())]
    assert "mid-RT: Larynx" in listed
    assert "mid-RT: GTVn1" not in listed
    host.press("exportButton")
    assert "Nobody has decided about mid-RT: Larynx" in module.messages()
    assert not folder.exists() or list(folder.iterdir()) == []
    assert host.find("rejectedLabel").text() == "Rejected, never leave: mid-RT GTVn2"
    for row in range(undecided.count()):
        undecided.item(row).setCheckState(QtCore.Qt.CheckState.Checked)
    host.press("exportButton")
    _compare_files(module, folder)


def _compare_files(module: OpenModule, folder: Path) -> None:
    session = module.session
    review = session.visits[session.active]
    leaving = review.lesions.without_rejected()
    written = read_volume(folder / "lesions.nii.gz")
    assert np.array_equal(written.array, leaving.ids.array)
    written.require_same_grid(review.image.image)
    labels = read_volume(folder / "segmentation.nii.gz").array
    assert np.array_equal(labels, leaving.label_map().array)
    assert [row["name"] for row in read_table(folder / "lesions.csv")] == [lesion.name for lesion in leaving]
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["model"]["name"] == "phantom-baseline"
    assert {edit["lesion"]: edit["state"] for edit in manifest["edits"]}["GTVn2"] == "rejected"
    files = module.host.find("fileList")
    assert {files.item(row).text() for row in range(files.count())} >= {"lesions.csv", "manifest.json"}
