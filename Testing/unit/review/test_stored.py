"""A review as JSON and back."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.review.session import ReviewSession
from HNTargetSegLib.review.stored import restore_review, review_to_json

PRE, MID = Visit.PRE, Visit.MID


def images(session):
    return {visit: review.image.image for visit, review in session.visits.items()}


def ids(session):
    return {v: review.lesions.ids for v, review in session.visits.items() if review.lesions is not None}


def test_nothing_is_lost_on_the_way(session):
    session.accept(MID, 1)
    session.rename(MID, 2, "Knoten_ä")
    session.relabel(MID, 4, Target.PT)
    session.set_shown(MID, [3], False)
    session.activate(PRE)
    other = ReviewSession()
    restore_review(other, review_to_json(session), images(session), ids(session))
    assert other.lesions(MID) == session.lesions(MID)
    assert other.active is PRE
    assert other.reviewer == "a reviewer"
    assert (other.case.name, other.require(MID).hidden) == ("7", {3})
    assert other.require(MID).run.model == session.require(MID).run.model
    assert other.require(MID).run.started == session.require(MID).run.started


def test_a_closed_session_is_empty_text():
    assert review_to_json(ReviewSession()) == ""


def test_voxels_count_where_the_records_disagree(session):
    text = review_to_json(session)
    map_ = session.require(MID).lesions.ids
    erased = map_.array.copy()
    erased[erased == 4] = 0
    other = ReviewSession()
    restore_review(other, text, images(session), {MID: map_.with_array(erased)})
    assert {lesion.id for lesion in other.lesions(MID)} == {1, 2, 3}


@pytest.mark.parametrize("text", ["", "[]", "{", '{"format": 1}', '{"format": "x"}'])
def test_text_that_is_no_review_is_a_clear_error_and_leaves_the_session(session, text):
    before = session.lesions(MID)
    with pytest.raises(BadInputError, match="review"):
        restore_review(session, text, images(session), ids(session))
    assert session.lesions(MID) == before


def test_a_later_version_says_to_update(session):
    content = json.loads(review_to_json(session)) | {"format": 99}
    with pytest.raises(BadInputError, match="later version"):
        restore_review(ReviewSession(), json.dumps(content), images(session), ids(session))


def test_delineations_that_came_with_the_patient_come_back(session, case, paint):
    prior = paint((1, slice(2, 4), slice(2, 6), slice(2, 6)), (2, slice(6, 9), slice(2, 6), slice(2, 6)))
    session.open(replace(case, pre_mask=prior, registered_mask=prior))
    other = ReviewSession()
    restore_review(other, review_to_json(session), images(session), ids(session))
    assert np.array_equal(other.case.pre_mask.array, prior.array)
    assert np.array_equal(other.case.registered_mask.array, prior.array)
    assert other.case.registered_mask.geometry == prior.geometry


@pytest.mark.parametrize("text", ["not base64!", "AAAA", "eJwDAAAAAAE="])
def test_a_damaged_delineation_is_a_clear_error_and_leaves_the_session(session, text):
    content = json.loads(review_to_json(session)) | {"delineations": {"registered_mask": text}}
    before = session.lesions(MID)
    with pytest.raises(BadInputError, match="registered mask"):
        restore_review(session, json.dumps(content), images(session), ids(session))
    assert session.lesions(MID) == before
