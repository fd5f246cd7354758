"""What was changed of each lesion against what a model proposed, and the time that it took."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.export.manifest import ModelRecord
from HNTargetSegLib.lesions.find import find_lesions
from HNTargetSegLib.lesions.lesion import Origin, State
from HNTargetSegLib.metrics.distances import mask_distances
from HNTargetSegLib.review.edit_record import edit_record
from HNTargetSegLib.review.edits import Drawn
from HNTargetSegLib.review.session import ReviewSession
from HNTargetSegLib.review.time_spent import IDLE_SECONDS, TimeSpent

MID = Visit.MID


@pytest.fixture
def ids(session):
    return session.require(MID).lesions.ids.array.copy()


def record(session, number):
    return next(found for found in edit_record(session, MID) if found.id == number)


def test_untouched_lesions_are_the_model_s_own(session):
    for found in edit_record(session, MID):
        assert (found.voxels_added, found.voxels_removed, found.added_path_mm) == (0, 0, 0.0)
        assert (found.surface_dice_1mm, found.model, found.state) == (1.0, "tiny", State.PROPOSED)


def test_voxels_that_were_added_and_removed_are_counted(session, ids):
    ids[7, 5:13, 4:14] = 1
    ids[2, 5:13, 4:6] = 0
    session.take_voxels(MID, ids)
    found = record(session, 1)
    assert (found.voxels_added, found.voxels_removed) == (80, 16)


def test_the_surface_dice_is_that_of_the_two_masks(session, ids):
    before = ids == 4
    ids[2:5, 20:22, 30:34] = 4
    session.take_voxels(MID, ids)
    spacing = session.require(MID).image.image.geometry.spacing_kji
    expected = mask_distances(before, ids == 4, spacing).surface_dice(1.0)
    assert record(session, 4).surface_dice_1mm == pytest.approx(expected)
    assert 0.5 < expected < 1


def test_the_added_path_is_the_contour_that_was_drawn(session, ids):
    # One slice of 8 x 10 voxels is new: its contour has 32 pixels, each as long as the root of 4 x 5 mm^2.
    ids[7, 5:13, 4:14] = 1
    session.take_voxels(MID, ids)
    assert record(session, 1).added_path_mm == pytest.approx(32 * np.sqrt(20.0))


def test_a_lesion_drawn_by_hand_has_added_all_and_is_compared_with_nothing(session, ids):
    ids[9:11, 2:6, 2:6] = 9
    session.take_voxels(MID, ids, {9: Drawn(Target.LN)})
    found = record(session, 9)
    assert (found.voxels_added, found.voxels_removed, found.model, found.origin) == (32, 0, "", Origin.HAND)
    assert found.surface_dice_1mm is None
    assert found.added_path_mm > 0


def test_an_erased_lesion_stays_on_record(session, ids):
    voxels = int((ids == 3).sum())
    ids[ids == 3] = 0
    session.take_voxels(MID, ids)
    found = record(session, 3)
    assert (found.lesion, found.state, found.voxels_removed) == ("GTVn2", None, voxels)
    assert (found.surface_dice_1mm, found.added_path_mm) == (0.0, None)


def test_a_visit_that_was_not_segmented_has_no_record(session):
    assert edit_record(session, Visit.PRE) == ()


def test_a_kept_lesion_is_still_measured_against_the_model_that_proposed_it(session, ids, paint, run_record):
    ids[7, 5:13, 4:14] = 1
    session.take_voxels(MID, ids)
    session.accept(MID, 1)
    other = replace(run_record, model=ModelRecord("other", "2.0", "cd" * 32))
    found = find_lesions(
        paint((1, slice(2, 7), slice(5, 13), slice(4, 14)), (2, slice(2, 5), slice(2, 5), slice(2, 5)))
    )
    session.take_proposal(MID, found, other)
    assert (record(session, 1).voxels_added, record(session, 1).model) == (80, "tiny")
    (new,) = (lesion for lesion in session.lesions(MID) if lesion.id != 1)
    assert record(session, new.id).model == "other"
    models = {x.id: session.require(MID).model_of(x).name for x in session.lesions(MID)}
    assert models == {1: "tiny", new.id: "other"}


class Clock:
    """Time that only a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def timed(case, proposal, run_record, monkeypatch):
    """A session on a clock, and the clock."""
    clock = Clock()
    monkeypatch.setattr("HNTargetSegLib.review.session.TimeSpent", lambda session: TimeSpent(session, clock))
    session = ReviewSession()
    session.open(case)
    session.take_proposal(MID, proposal, run_record)
    return session, clock


def test_time_between_events_belongs_to_the_lesion_in_hand(timed):
    session, clock = timed
    session.select(MID, 1)
    clock.now += 10
    session.select(MID, 2)
    clock.now += 5
    session.accept(MID, 2)
    assert session.require(MID).seconds == {1: 10.0, 2: 5.0}


def test_time_before_a_stroke_belongs_to_the_lesion_that_was_drawn(timed):
    session, clock = timed
    session.select(MID, 1)
    clock.now += 7
    ids = session.require(MID).lesions.ids.array.copy()
    ids[9, 2:4, 2:4] = 2
    session.take_voxels(MID, ids)
    assert session.require(MID).seconds == {2: 7.0}


def test_a_pause_is_no_work(timed):
    session, clock = timed
    session.select(MID, 1)
    clock.now += IDLE_SECONDS
    session.set_shown(MID, [2], False)
    clock.now += IDLE_SECONDS + 0.1
    session.select(MID, 2)
    assert session.require(MID).seconds == {1: IDLE_SECONDS}


def test_time_before_a_lesion_was_selected_belongs_to_none(timed):
    session, clock = timed
    clock.now += 10
    session.select(MID, 1)
    assert session.require(MID).seconds == {}


def test_the_time_of_a_lesion_that_stays_outlives_a_run(timed, proposal, run_record):
    session, clock = timed
    session.select(MID, 1)
    clock.now += 10
    session.accept(MID, 1)
    session.select(MID, 2)
    clock.now += 3
    session.reject(MID, 2)
    session.take_proposal(MID, proposal, run_record)
    assert session.require(MID).seconds == {1: 10.0}
