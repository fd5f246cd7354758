"""A review leaves in every format, all files or none."""

from __future__ import annotations

import json
import resource
import signal
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from Testing.unit.export.mr_series import write_mr_series
from Testing.unit.review.conftest import GEOMETRY

from HNTargetSegLib.case.dicom_series import read_series
from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.case.read import read_volume
from HNTargetSegLib.case.volume import Geometry
from HNTargetSegLib.errors import BadInputError, GeometryError, OutputError
from HNTargetSegLib.export.format import Format
from HNTargetSegLib.lesions.find import find_lesions
from HNTargetSegLib.review.case import ReviewCase
from HNTargetSegLib.review.exporting import export_review
from HNTargetSegLib.review.session import ReviewSession

PRE, MID = Visit.PRE, Visit.MID
ALL = tuple(Format)
LESIONS = {"GTVp", "GTVn1", "GTVn2", "GTVn3"}


@pytest.fixture
def series(tmp_path: Path) -> Path:
    return write_mr_series(tmp_path / "series", GEOMETRY)


@pytest.fixture
def decided(session: ReviewSession) -> ReviewSession:
    """GTVn3 rejected, the others accepted."""
    session.accept(MID, 1, 2, 3)
    session.reject(MID, 4)
    return session


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_each_format_holds_the_decided_lesions_and_no_rejected_one(decided, series, tmp_path):
    out = tmp_path / "out"
    export_review(decided, out, formats=ALL, series={MID: series})
    assert names(out) == {
        *("manifest.json", "segmentation.nii.gz", "lesions.nii.gz", "overlay.png", "lesions.csv", "lesions.seg.nrrd"),
        *("seg.dcm", "rtstruct.dcm", "stl/GTVp.stl", "stl/GTVn1.stl", "stl/GTVn2.stl", "report.html", "report.pdf"),
    }
    segments = [item.SegmentLabel for item in pydicom.dcmread(out / "seg.dcm").SegmentSequence]
    rois = [item.ROIName for item in pydicom.dcmread(out / "rtstruct.dcm").StructureSetROISequence]
    assert segments == rois == ["GTVp", "GTVn1", "GTVn2"]
    nrrd = sitk.ReadImage(str(out / "lesions.seg.nrrd"))
    assert {nrrd.GetMetaData(f"Segment{n}_Name") for n in range(3)} == LESIONS - {"GTVn3"}
    assert not nrrd.HasMetaDataKey("Segment3_Name")
    ids = decided.require(MID).lesions.ids.array
    assert np.array_equal(read_volume(out / "lesions.seg.nrrd").array, np.where(ids == 4, 0, ids))
    page = (out / "report.html").read_text(encoding="utf-8")
    assert page.count("<figure>") == 3
    assert (out / "report.pdf").read_bytes().startswith(b"%PDF")


def test_the_manifest_lists_every_file_with_its_hash(decided, series, tmp_path):
    out = tmp_path / "out"
    export_review(decided, out, formats=ALL, series={MID: series})
    listed = json.loads((out / "manifest.json").read_text(encoding="utf-8"))["files"]
    assert set(listed) == names(out) - {"manifest.json"}
    assert all(len(digest) == 64 for digest in listed.values())


def test_an_image_that_came_from_a_dicom_folder_needs_no_other(decided, series, tmp_path):
    review = decided.require(MID)
    image = replace(review.image, source=series, identity=read_series(series).identity)
    decided.visits[MID] = replace(review, image=image)
    export_review(decided, tmp_path / "out", formats=[Format.RTSTRUCT])
    assert names(tmp_path / "out") == {"rtstruct.dcm", "manifest.json"}


def test_without_a_series_dicom_is_refused_with_the_reason_and_nothing_is_written(decided, tmp_path):
    with pytest.raises(BadInputError, match="came from the scene"):
        export_review(decided, tmp_path / "out", formats=[Format.CSV, Format.SEG])
    assert not (tmp_path / "out").exists()


def test_a_series_of_another_grid_is_refused(decided, tmp_path):
    other = write_mr_series(tmp_path / "series", Geometry((8, 8, 4), (4.0, 5.0, 6.0)))
    with pytest.raises(GeometryError, match="another grid"):
        export_review(decided, tmp_path / "out", formats=[Format.SEG], series={MID: other})


def test_what_an_earlier_export_wrote_and_this_one_did_not_is_gone(decided, series, tmp_path):
    out = tmp_path / "out"
    export_review(decided, out, formats=ALL, series={MID: series})
    (out / "notes.txt").write_text("mine", encoding="utf-8")
    decided.reject(MID, 3)
    export_review(decided, out, formats=[Format.STL])
    assert names(out) == {"stl/GTVp.stl", "stl/GTVn1.stl", "manifest.json", "notes.txt"}


def test_two_visits_share_a_report_and_the_mid_rt_rtstruct_succeeds_the_pre_rt_one(
    decided, proposal, run_record, series, tmp_path
):
    decided.take_proposal(PRE, proposal, run_record)
    decided.accept(PRE, 1, 2, 3, 4)
    out = tmp_path / "out"
    folders = export_review(decided, out, formats=[Format.RTSTRUCT, Format.REPORT], series={PRE: series, MID: series})
    assert names(out) == {
        *("report.html", "report.pdf", "preRT/rtstruct.dcm", "preRT/manifest.json"),
        *("midRT/rtstruct.dcm", "midRT/manifest.json"),
    }
    pre, mid = (pydicom.dcmread(folders[visit] / "rtstruct.dcm") for visit in (PRE, MID))
    assert mid.PredecessorStructureSetSequence[0].ReferencedSOPInstanceUID == pre.SOPInstanceUID
    uids = [
        {r.ROIName: r.ConceptualVolumeIdentificationSequence[0].ConceptualVolumeUID for r in d.StructureSetROISequence}
        for d in (pre, mid)
    ]
    assert uids[0]["GTVn1"] == uids[1]["GTVn1"]
    export_review(decided, out, formats=[Format.CSV])
    assert names(out) == {
        f"{visit}/{name}" for visit in ("preRT", "midRT") for name in ("lesions.csv", "manifest.json")
    }


def test_the_report_says_who_what_and_with_which_model(decided, tmp_path):
    decided.reviewer = "A <Reviewer>"
    export_review(decided, tmp_path / "out", formats=[Format.REPORT])
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    for said in ("A &lt;Reviewer&gt;", "tiny 1.0, SHA-256 " + "ab" * 32, "Research use only", "Rejected", "GTVn3"):
        assert said in page
    assert 'src="http' not in page
    assert "<Reviewer>" not in page


@pytest.mark.skipif(sys.platform == "win32", reason="limits on file sizes are those of POSIX")
@pytest.mark.parametrize("kind", ALL)
def test_a_full_disk_leaves_the_earlier_export_as_it_was(decided, series, tmp_path, kind):
    out = tmp_path / "out"
    export_review(decided, out, formats=[kind], series={MID: series})
    before = {name: (out / name).read_bytes() for name in names(out)}
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, usual[1]))
    try:
        with pytest.raises(OutputError):
            export_review(decided, out, formats=[kind], series={MID: series})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
        signal.signal(signal.SIGXFSZ, ignored)
    assert {name: (out / name).read_bytes() for name in names(out)} == before


def test_a_visit_without_a_lesion_leaves_as_maps_and_table_and_is_refused_as_objects(session, series, tmp_path):
    session.reject(MID, 1, 2, 3, 4)
    export_review(session, tmp_path / "out", formats=[Format.NIFTI, Format.CSV, Format.REPORT])
    assert not read_volume(tmp_path / "out" / "segmentation.nii.gz").array.any()
    for kind in (Format.SEG, Format.RTSTRUCT, Format.STL, Format.NRRD):
        with pytest.raises(BadInputError, match="no lesion to export"):
            export_review(session, tmp_path / kind.value, formats=[kind], series={MID: series})
        assert not (tmp_path / kind.value / "manifest.json").exists()


def test_forty_lesions_leave_in_every_format(case: ReviewCase, paint, run_record, series, tmp_path):
    boxes = [
        (slice(2, 4), slice(2 + 5 * (n // 8), 5 + 5 * (n // 8)), slice(1 + 5 * (n % 8), 4 + 5 * (n % 8)))
        for n in range(40)
    ]
    session = ReviewSession("r")
    session.open(case)
    session.take_proposal(MID, find_lesions(paint(*((2, *box) for box in boxes))), run_record)
    session.accept(MID, *range(1, 41))
    export_review(session, tmp_path / "out", formats=ALL, series={MID: series})
    assert len(list((tmp_path / "out" / "stl").iterdir())) == 40
    assert len(pydicom.dcmread(tmp_path / "out" / "seg.dcm").SegmentSequence) == 40
    assert len(pydicom.dcmread(tmp_path / "out" / "rtstruct.dcm").ROIContourSequence) == 40
    assert (tmp_path / "out" / "report.html").read_text(encoding="utf-8").count("<figure>") == 40
