"""What the manifest of an export says."""

from __future__ import annotations

import datetime
import json
from dataclasses import replace

from HNTargetSegLib.case.patient import PatientFiles, Visit
from HNTargetSegLib.case.write import write_volume
from HNTargetSegLib.export.manifest import ModelRecord, write_manifest
from HNTargetSegLib.files import sha256
from HNTargetSegLib.lesions.find import find_lesions
from HNTargetSegLib.review.case import ReviewCase, case_of_files
from HNTargetSegLib.review.manifest import review_manifest
from HNTargetSegLib.review.session import ReviewSession
from HNTargetSegLib.review.stored import restore_review, review_to_json

PRE, MID = Visit.PRE, Visit.MID


def test_the_run_ended_when_it_ended_and_the_export_has_a_time_of_its_own(session, run_record):
    manifest = review_manifest(session, MID)
    assert (manifest.started, manifest.finished) == (run_record.started, run_record.finished)
    assert manifest.exported > datetime.datetime(2026, 3, 3, tzinfo=datetime.timezone.utc)


def test_each_lesion_names_the_model_that_proposed_it(session, paint, run_record):
    session.accept(MID, 1)
    other = replace(run_record, model=ModelRecord("other", "2.0", "cd" * 32))
    found = find_lesions(paint((2, slice(2, 5), slice(2, 5), slice(2, 5))))
    session.take_proposal(MID, found, other)
    edits = {edit["lesion"]: edit for edit in review_manifest(session, MID).edits}
    assert {name: edit["model"]["name"] for name, edit in edits.items()} == {"GTVp": "tiny", "GTVn1": "other"}


def test_what_a_hand_did_is_on_record(session, tmp_path):
    ids = session.require(MID).lesions.ids.array.copy()
    ids[7, 5:13, 4:14] = 1
    ids[ids == 4] = 0
    session.take_voxels(MID, ids)
    write_manifest(review_manifest(session, MID), tmp_path / "manifest.json")
    edits = {edit["lesion"]: edit for edit in json.loads((tmp_path / "manifest.json").read_text("utf-8"))["edits"]}
    assert edits["GTVp"]["voxels_added"] == 80
    assert (edits["GTVn3"]["state"], edits["GTVn3"]["voxels_removed"]) == ("erased", 48)
    assert edits["GTVn1"]["surface_dice_1mm"] == 1.0


def test_the_delineations_that_came_with_the_patient_are_inputs(case, paint, tmp_path):
    mask = paint((1, slice(2, 7), slice(5, 13), slice(4, 14)))
    files = {role: tmp_path / f"{role}.nii.gz" for role in ("pre", "mid", "pre_mask", "registered_mask")}
    for visit in (PRE, MID):
        write_volume(case.visits[visit].image, files[visit.value])
    write_volume(mask, files["pre_mask"])
    write_volume(mask, files["registered_mask"])
    session = ReviewSession()
    session.open(case_of_files(PatientFiles("7", **files)))

    def hashes(of, visit):
        return {record.role: record.sha256 for record in review_manifest(of, visit).inputs}

    expected = {"preRT_T2": sha256(files["pre"]), "preRT_mask": sha256(files["pre_mask"])}
    assert hashes(session, PRE) == expected
    assert hashes(session, MID)["registered_mask"] == sha256(files["registered_mask"])

    again = ReviewSession()
    images = {visit: review.image.image for visit, review in session.visits.items()}
    restore_review(again, review_to_json(session), images, {})
    assert hashes(again, PRE)["preRT_mask"] == expected["preRT_mask"]


def test_a_delineation_without_a_file_is_known_by_its_voxels(case, paint):
    mask = paint((1, slice(2, 7), slice(5, 13), slice(4, 14)))
    session = ReviewSession()
    session.open(ReviewCase("7", case.visits, pre_mask=mask))
    (_, record) = review_manifest(session, PRE).inputs
    assert (record.role, len(record.sha256)) == ("preRT_mask", 64)
