"""What leaves a review."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.case.read import read_mask, read_volume
from HNTargetSegLib.errors import BadInputError, OutputError
from HNTargetSegLib.review.case import ReviewCase, VisitImage
from HNTargetSegLib.review.exporting import UnreviewedError, export_review, unreviewed
from HNTargetSegLib.review.session import ReviewSession

PRE, MID = Visit.PRE, Visit.MID


def test_undecided_lesions_stop_the_export_and_nothing_is_written(session, tmp_path):
    session.accept(MID, 1, 2)
    with pytest.raises(UnreviewedError, match="GTVn2, GTVn3") as raised:
        export_review(session, tmp_path / "out")
    assert raised.value.names == {MID: ("GTVn2", "GTVn3")}
    assert not (tmp_path / "out").exists()


def test_a_lesion_confirmed_by_its_name_leaves_and_the_manifest_says_so(session, tmp_path):
    session.accept(MID, 1, 2, 3)
    export_review(session, tmp_path, confirmed={(MID, "GTVn3")})
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert any("GTVn3" in warning for warning in manifest["warnings"])


def test_another_visits_lesion_of_that_name_is_not_confirmed_with_it(session, tmp_path):
    session.accept(MID, 1, 2, 3)
    with pytest.raises(UnreviewedError):
        export_review(session, tmp_path, confirmed={(PRE, "GTVn3")})


def test_rejected_lesions_are_in_no_file_but_the_manifest(session, tmp_path):
    session.accept(MID, 1, 2, 3)
    session.reject(MID, 4)
    export_review(session, tmp_path)
    labels, ids = read_mask(tmp_path / "segmentation.nii.gz"), read_volume(tmp_path / "lesions.nii.gz")
    was = session.require(MID).lesions.ids.array == 4
    assert not labels.array[was].any()
    assert not ids.array[was].any()
    assert np.count_nonzero(labels.array) == sum(session.require(MID).require_lesion(i).voxels for i in (1, 2, 3))
    with open(tmp_path / "lesions.csv", encoding="utf-8") as stream:
        assert [row["name"] for row in csv.DictReader(stream)] == ["GTVp", "GTVn1", "GTVn2"]
    edits = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))["edits"]
    assert {edit["lesion"]: edit["state"] for edit in edits}["GTVn3"] == "rejected"


def test_the_manifest_names_reviewer_model_and_the_hash_of_the_image(session, tmp_path):
    session.accept(MID, 1, 2, 3, 4)
    export_review(session, tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["reviewer"], manifest["model"]["name"]) == ("a reviewer", "tiny")
    assert len(manifest["inputs"][0]["sha256"]) == 64


def test_two_visits_get_a_folder_each(session, proposal, run_record, tmp_path):
    session.take_proposal(PRE, proposal, run_record)
    for visit in (PRE, MID):
        session.accept(visit, 1, 2, 3, 4)
    assert export_review(session, tmp_path) == {PRE: tmp_path / "preRT", MID: tmp_path / "midRT"}
    assert (tmp_path / "preRT" / "segmentation.nii.gz").is_file()


def test_hidden_lesions_leave_all_the_same(session, tmp_path):
    session.accept(MID, 1, 2, 3, 4)
    session.set_shown(MID, [1], False)
    export_review(session, tmp_path)
    assert read_mask(tmp_path / "segmentation.nii.gz").array.max() == 2
    assert (read_mask(tmp_path / "segmentation.nii.gz").array == 1).any()


def test_nothing_to_export_is_a_clear_error(case, tmp_path):
    session = ReviewSession()
    session.open(case)
    with pytest.raises(BadInputError, match="no lesions"):
        export_review(session, tmp_path)


def test_unreviewed_lists_by_visit(session):
    session.accept(MID, 1)
    session.reject(MID, 2)
    assert [lesion.name for lesion in unreviewed(session)[MID]] == ["GTVn2", "GTVn3"]


def test_a_folder_that_cannot_be_made_is_a_clear_error(session, tmp_path):
    session.accept(MID, 1, 2, 3, 4)
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(OutputError):
        export_review(session, tmp_path / "file" / "out")


def test_the_export_of_another_patient_is_not_replaced(session, case, tmp_path):
    session.accept(MID, 1, 2, 3, 4)
    export_review(session, tmp_path)
    before = (tmp_path / "manifest.json").read_bytes()
    image = case.visits[MID].image
    other = ReviewSession()
    other.open(ReviewCase("8", {MID: VisitImage(image.with_array(image.array + 1))}))
    other.take_proposal(MID, session.require(MID).lesions, session.require(MID).run)
    with pytest.raises(OutputError, match="another midRT_T2 image"):
        export_review(other, tmp_path)
    assert (tmp_path / "manifest.json").read_bytes() == before


def test_an_export_does_not_join_that_of_another_patient_in_the_folders_below(session, case, tmp_path):
    session.accept(MID, 1, 2, 3, 4)
    export_review(session, tmp_path / "midRT")
    image = case.visits[MID].image
    other = ReviewSession()
    other.open(ReviewCase("8", {MID: VisitImage(image.with_array(image.array + 1))}))
    other.take_proposal(MID, session.require(MID).lesions, session.require(MID).run)
    with pytest.raises(OutputError, match="another"):
        export_review(other, tmp_path)


def test_the_export_of_one_visit_is_not_replaced_by_that_of_the_other(session, proposal, run_record, tmp_path):
    session.take_proposal(PRE, proposal, run_record)
    for visit in (PRE, MID):
        session.accept(visit, 1, 2, 3, 4)
    export_review(session, tmp_path, visits=[MID])
    with pytest.raises(OutputError, match="another"):
        export_review(session, tmp_path, visits=[PRE])


def test_an_export_replaces_the_one_before_of_the_same_image(session, tmp_path):
    session.accept(MID, 1, 2, 3, 4)
    export_review(session, tmp_path)
    session.reject(MID, 4)
    export_review(session, tmp_path)
    with open(tmp_path / "lesions.csv", encoding="utf-8") as stream:
        assert len(list(csv.DictReader(stream))) == 3


def test_an_image_whose_file_is_gone_is_exported_with_the_hash_of_its_voxels(session, tmp_path):
    session.accept(MID, 1, 2, 3, 4)
    export_review(session, tmp_path / "as it is in a scene")
    review = session.require(MID)
    session.visits[MID] = replace(review, image=replace(review.image, source=tmp_path / "gone.nii.gz"))
    export_review(session, tmp_path / "gone")
    hashes = [
        json.loads((tmp_path / name / "manifest.json").read_text(encoding="utf-8"))["inputs"][0]["sha256"]
        for name in ("as it is in a scene", "gone")
    ]
    assert hashes[0] == hashes[1]
