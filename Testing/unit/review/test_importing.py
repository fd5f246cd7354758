"""Lesions from files: as the pre-RT delineation, to be reviewed, and from one visit's export to the next review."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from Testing.unit.export.mr_series import change_headers, write_mr_series
from Testing.unit.review.conftest import GEOMETRY, PAINTS

from HNTargetSegLib.case.dicom_import import Allowed, OtherFrameError, OtherPatientError
from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.case.write import write_volume
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.export.format import Format
from HNTargetSegLib.lesions.lesion import Origin, State
from HNTargetSegLib.lesions.match import match_lesions
from HNTargetSegLib.review.case import case_of_images
from HNTargetSegLib.review.exporting import export_review
from HNTargetSegLib.review.importing import find_delineation, take_delineation
from HNTargetSegLib.review.session import ReviewSession
from HNTargetSegLib.review.stored import restore_review, review_to_json

PRE, MID = Visit.PRE, Visit.MID


@pytest.fixture
def folders(tmp_path: Path) -> dict[int, Path]:
    """The series of three visits of one patient, each in its own study and frame of reference."""
    return {n: visit_series(tmp_path / f"visit {n}", n) for n in (1, 2, 3)}


def visit_series(folder: Path, number: int) -> Path:
    """A series whose slices differ, as an image that is the same everywhere is refused."""
    write_mr_series(folder, GEOMETRY, StudyDate=f"2026010{number}")
    for n, path in enumerate(sorted(folder.iterdir())):
        data = pydicom.dcmread(path)
        data.PixelData = np.full((data.Rows, data.Columns), 10 * number + n, "<u2").tobytes()
        data.save_as(path)
    return folder


@pytest.fixture
def exported(folders, proposal, run_record, tmp_path) -> Path:
    """Export of the review of visits 1 and 2: the second node renamed and corrected, the third accepted only here."""
    session = opened(folders[1], folders[2])
    session.take_proposal(MID, proposal, run_record)
    session.accept(MID, 1, 2, 4)
    session.rename(MID, 3, "GTVn7")
    ids = session.require(MID).lesions.ids.array.copy()
    ids[2, 16, 18] = 0
    session.take_voxels(MID, ids)
    session.accept(MID, 3)
    return export_review(session, tmp_path / "out", formats=[Format.RTSTRUCT, Format.SEG])[MID]


def opened(pre: Path | None, mid: Path | None) -> ReviewSession:
    session = ReviewSession("a reviewer")
    session.open(case_of_images(pre, mid))
    return session


def taken(session: ReviewSession, visit: Visit, path: Path, **options) -> ReviewSession:
    take_delineation(session, find_delineation(session, visit, path), **options)
    return session


@pytest.mark.parametrize("name", ["rtstruct.dcm", "seg.dcm"])
def test_names_states_and_voxels_come_back(exported, folders, name):
    session = taken(opened(folders[2], folders[3]), PRE, exported / name)
    found = {lesion.name: lesion for lesion in session.lesions(PRE)}
    assert {n: x.state for n, x in found.items()} == {
        "GTVp": State.ACCEPTED,
        "GTVn1": State.ACCEPTED,
        "GTVn7": State.EDITED,
        "GTVn3": State.ACCEPTED,
    }
    assert {x.origin for x in found.values()} == {Origin.MODEL}
    voxels = [
        (box[0].stop - box[0].start) * (box[1].stop - box[1].start) * (box[2].stop - box[2].start) for _, *box in PAINTS
    ]
    assert [found[n].voxels for n in ("GTVp", "GTVn1", "GTVn7", "GTVn3")] == [
        voxels[0],
        voxels[1],
        voxels[2] - 1,
        voxels[3],
    ]


@pytest.mark.parametrize("name", ["rtstruct.dcm", "seg.dcm"])
def test_visit_three_starts_from_the_review_of_visit_two(exported, folders, proposal, run_record, tmp_path, name):
    session = taken(opened(folders[2], folders[3]), PRE, exported / name)
    session.take_proposal(MID, match_lesions(proposal, session.require(PRE).lesions), run_record)
    assert [lesion.name for lesion in session.lesions(MID)] == ["GTVp", "GTVn1", "GTVn7", "GTVn3"]
    session.accept(MID, 1, 2, 3, 4)
    export_review(session, tmp_path / "third", visits=[MID], formats=[Format.RTSTRUCT, Format.SEG])
    second, third = (pydicom.dcmread(folder / "rtstruct.dcm") for folder in (exported, tmp_path / "third"))
    assert conceptual_uids(third) == conceptual_uids(second)
    segments = pydicom.dcmread(tmp_path / "third" / "seg.dcm").SegmentSequence
    assert {item.SegmentLabel: item.TrackingUID for item in segments} == conceptual_uids(second)
    succeeded = [item.ReferencedSOPInstanceUID for item in third.get("PredecessorStructureSetSequence", ())]
    assert succeeded == ([second.SOPInstanceUID] if name == "rtstruct.dcm" else [])


def conceptual_uids(data) -> dict[str, str]:
    return {
        roi.ROIName: roi.ConceptualVolumeIdentificationSequence[0].ConceptualVolumeUID
        for roi in data.StructureSetROISequence
    }


def test_uids_of_another_system_are_carried_on_and_kept_with_the_review(
    exported, folders, proposal, run_record, tmp_path
):
    foreign = pydicom.dcmread(exported / "rtstruct.dcm")
    foreign.StructureSetROISequence[0].ConceptualVolumeIdentificationSequence[0].ConceptualVolumeUID = "1.2.3.4"
    foreign.save_as(tmp_path / "foreign.dcm")
    session = taken(opened(folders[2], folders[3]), PRE, tmp_path / "foreign.dcm")
    session.take_proposal(MID, match_lesions(proposal, session.require(PRE).lesions), run_record)
    session.accept(MID, 1, 2, 3, 4)
    again = ReviewSession()
    images = {visit: review.image.image for visit, review in session.visits.items()}
    ids = {visit: review.lesions.ids for visit, review in session.visits.items()}
    restore_review(again, review_to_json(session), images, ids)
    export_review(again, tmp_path / "third", visits=[MID], formats=[Format.RTSTRUCT])
    assert conceptual_uids(pydicom.dcmread(tmp_path / "third" / "rtstruct.dcm"))["GTVp"] == "1.2.3.4"


def test_words_of_another_system_are_accepted_as_prior_and_proposed_for_review(exported, folders, tmp_path):
    foreign = pydicom.dcmread(exported / "rtstruct.dcm")
    for roi in foreign.StructureSetROISequence:
        roi.ROIDescription, roi.ROIGenerationAlgorithm = "drawn by somebody", ""
    foreign.save_as(tmp_path / "foreign.dcm")
    prior = taken(opened(folders[2], None), PRE, tmp_path / "foreign.dcm")
    review = taken(opened(None, folders[2]), MID, tmp_path / "foreign.dcm")
    assert {(x.state, x.origin) for x in prior.lesions(PRE)} == {(State.ACCEPTED, Origin.HAND)}
    assert {(x.state, x.origin) for x in review.lesions(MID)} == {(State.PROPOSED, Origin.HAND)}


def test_a_name_of_another_system_gives_way_and_is_told(exported, folders, tmp_path):
    foreign = pydicom.dcmread(exported / "rtstruct.dcm")
    for roi, name in zip(foreign.StructureSetROISequence, ("Tumor", "GTVn1", "GTVn1", "Cord"), strict=True):
        roi.ROIName = name
    foreign.save_as(tmp_path / "foreign.dcm")
    session = opened(folders[2], None)
    found = find_delineation(session, PRE, tmp_path / "foreign.dcm")
    notes = take_delineation(session, found, {"Tumor": Target.PT, "GTVn1": None})
    assert [lesion.name for lesion in session.lesions(PRE)] == ["GTVp", "GTVn1", "GTVn2"]
    assert "Tumor is called GTVp here." in notes
    assert "Left out: Cord." in notes


def test_decided_lesions_are_replaced_only_when_confirmed(exported, folders, proposal, run_record):
    session = opened(folders[2], None)
    session.take_proposal(PRE, proposal, run_record)
    session.accept(PRE, 2)
    with pytest.raises(BadInputError, match="decided about \\(GTVn1\\)"):
        taken(session, PRE, exported / "rtstruct.dcm")
    assert session.require(PRE).run is not None
    taken(session, PRE, exported / "rtstruct.dcm", replacing=True)
    assert session.require(PRE).given.path.endswith("rtstruct.dcm")


def test_another_patient_and_another_frame_of_reference_have_to_be_confirmed(exported, folders):
    session = opened(None, folders[3])
    with pytest.raises(OtherFrameError):
        find_delineation(session, MID, exported / "seg.dcm")
    find_delineation(session, MID, exported / "seg.dcm", allowed=Allowed(other_frame=True))
    change_headers(folders[2], PatientID="P9")
    session = opened(None, folders[2])
    with pytest.raises(OtherPatientError, match=r"'G1'.*'P9'"):
        find_delineation(session, MID, exported / "seg.dcm")


def test_on_an_image_that_is_not_dicom_a_delineation_has_to_be_confirmed_or_the_series_named(exported, folders, case):
    session = ReviewSession()
    session.open(case)
    with pytest.raises(OtherFrameError, match="not DICOM"):
        find_delineation(session, MID, exported / "rtstruct.dcm")
    found = find_delineation(session, MID, exported / "rtstruct.dcm", series=folders[2])
    take_delineation(session, found)
    assert len(session.lesions(MID)) == 4


def test_a_mask_becomes_accepted_lesions_of_the_pre_rt_visit(case, paint, tmp_path):
    write_volume(paint(*PAINTS), tmp_path / "mask.nrrd")
    session = ReviewSession()
    session.open(replace(case, pre_mask=None))
    taken(session, PRE, tmp_path / "mask.nrrd")
    assert [(x.name, x.state) for x in session.lesions(PRE)] == [
        (name, State.ACCEPTED) for name in ("GTVp", "GTVn1", "GTVn2", "GTVn3")
    ]
    write_volume(paint(), tmp_path / "empty.nrrd")
    with pytest.raises(BadInputError, match="empty"):
        taken(session, PRE, tmp_path / "empty.nrrd", replacing=True)
    assert np.count_nonzero(session.require(PRE).lesions.ids.array) > 0
