"""What leaves and what comes in, by hand: formats, final check, DICOM series, delineations from files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from PySide6 import QtTest, QtWidgets
from Testing.slicerhost.host import LEFT, Host
from Testing.slicerhost.review_module import OpenModule, opened, small_patient
from Testing.unit.export.mr_series import write_mr_series

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.lesions.lesion import State
from HNTargetSegLib.review.edits import Drawn

PRE, MID = Visit.PRE, Visit.MID


def with_lesions(module: OpenModule) -> None:
    """Open the small patient; its pre-RT delineation is there, that of mid-RT is the same file on another grid."""
    module.open_folder(small_patient())
    ids = np.zeros(module.session.visits[MID].image.image.array.shape, np.uint16)
    middle = [n // 2 for n in ids.shape]
    ids[middle[0] - 3 : middle[0] + 3, middle[1] - 6 : middle[1] + 6, middle[2] - 6 : middle[2] + 6] = 1
    ids[middle[0], middle[1], middle[2]] = 0
    module.session.take_voxels(MID, ids, {1: Drawn(Target.LN)})
    module.host.process()


def write_series(module: OpenModule, folder: Path) -> Path:
    return write_mr_series(folder, module.session.visits[MID].image.image.geometry)


def items(widget) -> list[str]:
    return [widget.item(row).text() for row in range(widget.count())]


def only_mid(module: OpenModule) -> None:
    module.tab("Export")
    if module.in_tab("Export", "preCheck").isChecked():
        module.host.press(module.in_tab("Export", "preCheck"))


def test_a_finding_is_one_click_away(host: Host, tmp_path: Path) -> None:
    with opened(host, tmp_path) as module:
        with_lesions(module)
        only_mid(module)
        host.press(module.in_tab("Export", "finalCheckButton"))
        found = host.find("findingsList")
        assert any("hole, 1 voxel in 1 slice" in text for text in items(found))
        row = next(row for row, text in enumerate(items(found)) if text.startswith("mid-RT GTVn1: hole"))
        rect = found.visualItemRect(found.item(row))
        QtTest.QTest.mouseClick(found.viewport(), LEFT, pos=rect.center())
        host.process()
        lesion = module.session.lesions(MID)[0]
        assert module.session.selected == (MID, lesion.id)
        k, j, i = (n // 2 for n in module.session.visits[MID].image.image.array.shape)
        place = module.session.visits[MID].image.image.geometry.to_lps(np.array([k, j, i]))
        assert host.slice_offset("Red") == pytest.approx(place[2], abs=0.01)


def test_dicom_is_offered_once_the_series_is_named(host: Host, tmp_path: Path) -> None:
    with opened(host, tmp_path) as module:
        with_lesions(module)
        only_mid(module)
        seg, label = module.in_tab("Export", "segCheck"), host.find("dicomLabel")
        assert not seg.isEnabled()
        assert "is no DICOM series" in label.text()
        host.write("midSeriesEdit", str(write_series(module, tmp_path / "series")))
        assert seg.isEnabled()
        assert not label.isVisible()
        for name in ("nifti", "csv", "report", "nrrd", "stl", "seg", "rtstruct"):
            box = module.in_tab("Export", f"{name}Check")
            if not box.isChecked():
                host.press(box)
        host.write("folderEdit", str(tmp_path / "out"))
        host.press("exportButton")
        assert "Exported into" in module.messages()
        assert set(items(host.find("fileList"))) == {
            *("lesions.csv", "lesions.nii.gz", "lesions.seg.nrrd", "manifest.json", "overlay.png", "report.html"),
            *("report.pdf", "rtstruct.dcm", "seg.dcm", "segmentation.nii.gz", "stl/GTVn1.stl"),
        }


@pytest.mark.dialect("methods")
def test_a_structure_set_becomes_the_prior_of_the_next_visit(host: Host, tmp_path: Path) -> None:
    with opened(host, tmp_path) as module:
        with_lesions(module)
        only_mid(module)
        host.write("midSeriesEdit", str(write_series(module, tmp_path / "series")))
        host.press(module.in_tab("Export", "rtstructCheck"))
        host.write("folderEdit", str(tmp_path / "out"))
        host.press("exportButton")
        data = pydicom.dcmread(tmp_path / "out" / "rtstruct.dcm")
        data.StructureSetROISequence[0].ROIName = "Tumor"
        data.save_as(tmp_path / "RS.dcm")
        module.tab("Patient")
        module.in_tab("Patient", "visitCombo").setCurrentIndex(1)
        host.answers.expect("Delineation", str(tmp_path / "RS.dcm"))
        host.answers.expect("Does the delineation belong to this image?", QtWidgets.QMessageBox.StandardButton.Ok)
        host.press("readButton")
        table = host.find("structureTable")
        assert host.find("foundLabel").text() == "Structures of RS.dcm on the mid-RT image"
        assert (table.rowCount(), table.item(0, 0).text()) == (1, "Tumor")
        table.cellWidget(0, 2).setCurrentIndex(1)
        host.answers.expect("Replace the lesions?", QtWidgets.QMessageBox.StandardButton.Ok)
        host.press("importButton")
        (lesion,) = module.session.lesions(MID)
        assert (lesion.name, lesion.state) == ("GTVp", State.ADDED)
        assert module.session.visits[MID].given.path == str(tmp_path / "RS.dcm")
