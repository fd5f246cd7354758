"""Undo of voxels: of strokes, of a model's proposal, and by the editor's own history."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest
from Testing.unit.scene.small_case import LN_BOX, PT_BOX, Opened, volume

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.lesions.lesion import State
from HNTargetSegLib.review.case import ReviewCase, VisitImage
from HNTargetSegLib.review.session import ReviewSession
from HNTargetSegLib.scene.review_scene import ReviewScene

PRE, MID = Visit.PRE, Visit.MID
MORE = (slice(9, 11), *PT_BOX[1:])
ELSEWHERE = (slice(14, 18), slice(2, 8), slice(2, 8))
Maker = Callable[..., Opened]


def stroke(review: Opened, box: tuple[slice, slice, slice] = MORE, segment_id: str = "lesion-1") -> None:
    review.review.save_undo(MID)
    review.draw(segment_id, box)


def test_stroke_is_taken_back_and_done_again(opened: Maker) -> None:
    review = opened()
    review.propose()
    proposed = review.ids().copy()
    stroke(review)
    drawn = review.ids().copy()

    review.review.undo_voxels(MID)
    np.testing.assert_array_equal(review.ids(), proposed)
    assert review.lesion(1).state is State.PROPOSED

    review.review.redo_voxels(MID)
    np.testing.assert_array_equal(review.ids(), drawn)
    assert review.lesion(1).state is State.EDITED


def test_strokes_are_taken_back_one_by_one(opened: Maker) -> None:
    review = opened()
    review.propose()
    maps = [review.ids().copy()]
    for k in range(9, 12):
        stroke(review, (slice(k, k + 1), *PT_BOX[1:]))
        maps.append(review.ids().copy())

    for expected in reversed(maps[:-1]):
        assert review.review.can_undo_voxels(MID)
        review.review.undo_voxels(MID)
        np.testing.assert_array_equal(review.ids(), expected)


def test_first_proposal_can_be_taken_back(opened: Maker) -> None:
    review = opened()
    review.propose()
    found = review.session.visits[MID]

    review.review.undo_voxels(MID)
    assert review.session.visits[MID].lesions is None
    assert review.names() == []

    review.review.redo_voxels(MID)
    assert review.session.visits[MID].records == found.records
    assert review.names() == ["GTVp", "GTVn1"]


def test_undo_of_a_second_run_brings_back_the_review_of_the_first(opened: Maker) -> None:
    review = opened()
    review.propose()
    stroke(review)
    review.session.reject(MID, 2)
    before = review.session.visits[MID]
    assert before.lesions is not None
    review.propose(MID, (Target.LN, (slice(14, 18), slice(2, 8), slice(2, 8))))
    after = review.session.visits[MID]

    review.review.undo_voxels(MID)
    assert review.session.visits[MID].records == before.records
    np.testing.assert_array_equal(review.ids(), before.lesions.ids.array)
    assert [review.lesion(n).label for n in (1, 2)] == [Target.PT, Target.LN]

    review.review.redo_voxels(MID)
    assert review.session.visits[MID].records == after.records


def test_ids_that_mean_other_lesions_in_the_next_run_are_not_mixed_up(opened: Maker) -> None:
    review = opened()
    review.propose(MID, (Target.PT, PT_BOX))
    review.propose(MID, (Target.LN, LN_BOX))
    assert review.lesion(1).label is Target.LN

    review.review.undo_voxels(MID)
    assert (review.lesion(1).label, review.lesion(1).name) == (Target.PT, "GTVp")
    assert review.names() == ["GTVp"]


def test_rename_since_then_survives_the_undo_of_a_stroke(opened: Maker) -> None:
    review = opened()
    review.propose()
    stroke(review)
    review.session.rename(MID, 1, "GTVp base")
    review.review.undo_voxels(MID)

    assert review.lesion(1).name == "GTVp base"
    assert review.segment(1).GetName() == "GTVp base"


def test_face_is_asked_to_save_before_a_model_writes_and_not_before_a_hand_does(opened: Maker) -> None:
    review = opened()
    asked: list[tuple[Visit, list[str]]] = []
    review.review.before_write = lambda visit: asked.append((visit, review.names(visit)))
    review.propose()
    stroke(review)
    review.propose(MID, (Target.LN, ELSEWHERE))

    assert asked == [(MID, []), (MID, ["GTVp", "GTVn1"])]


def test_nothing_to_undo_at_first(opened: Maker) -> None:
    review = opened()

    assert not review.review.can_undo_voxels(MID)
    assert not review.review.can_redo_voxels(MID)
    review.review.undo_voxels(MID)
    assert review.names() == []


@pytest.fixture
def editor() -> Iterator[Any]:
    """History as the segment editor's widget keeps it, which knows nothing of the review."""
    import slicer

    history = slicer.vtkSegmentationHistory()
    yield history
    history.SetSegmentation(None)


def test_undo_of_the_segment_editor_brings_back_the_review_of_the_run_before(opened: Maker, editor: Any) -> None:
    review = opened()
    editor.SetSegmentation(review.segmentation())
    review.review.before_write = lambda _visit: editor.SaveState()
    review.propose(MID, (Target.PT, PT_BOX))
    review.session.accept(MID, 1)
    review.session.reset(MID, 1)
    first = review.session.visits[MID]
    review.propose(MID, (Target.LN, LN_BOX))

    editor.RestorePreviousState()
    review.review.process_pending()
    assert review.session.visits[MID].records == first.records

    editor.RestoreNextState()
    review.review.process_pending()
    assert [lesion.label for lesion in review.session.lesions(MID)] == [Target.LN]


def test_added_segment_keeps_its_lesion_through_undo_and_redo(opened: Maker) -> None:
    review = opened()
    review.propose()
    segment_id = review.segmentation().AddEmptySegment("", "GTVn left")
    stroke(review, (slice(14, 17), slice(2, 6), slice(2, 6)), segment_id)
    review.review.undo_voxels(MID)
    assert len(review.session.lesions(MID)) == 2

    review.review.redo_voxels(MID)
    assert [(lesion.id, lesion.name) for lesion in review.session.lesions(MID)][-1] == (3, "GTVn left")


def test_redo_outlives_the_undo_of_a_stroke_on_a_delineation_that_was_given(scene: Any, logics: Any) -> None:
    image = volume()
    mask = image.with_array(np.zeros(image.array.shape, np.uint8))
    mask.array[PT_BOX] = 1
    session = ReviewSession()
    scene_of = ReviewScene(session, scene, logics=logics)
    session.open(ReviewCase("case 7", {PRE: VisitImage(image)}, pre_mask=mask))
    review = Opened(session, scene, scene_of, [])
    scene_of.save_undo(PRE)
    review.draw("lesion-1", MORE, visit=PRE)
    drawn = review.ids(PRE).copy()

    scene_of.undo_voxels(PRE)
    assert scene_of.can_redo_voxels(PRE)
    scene_of.redo_voxels(PRE)
    np.testing.assert_array_equal(review.ids(PRE), drawn)
    scene_of.dispose()


@pytest.mark.parametrize("said", ["accept", "rename", "relabel"])
@pytest.mark.parametrize("when", ["before the undo", "after the undo"])
def test_what_is_said_of_a_lesion_does_not_cost_the_redo(opened: Maker, said: str, when: str) -> None:
    review = opened()
    review.propose()
    proposed = review.ids().copy()
    stroke(review)
    drawn = review.ids().copy()
    words = {"rename": ("GTVp base",), "relabel": (Target.LN,)}.get(said, ())
    say = partial(getattr(review.session, said), MID, 1, *words)
    if when == "before the undo":
        say()
        review.review.undo_voxels(MID)
    else:
        review.review.undo_voxels(MID)
        say()
    np.testing.assert_array_equal(review.ids(), proposed)

    review.review.redo_voxels(MID)
    np.testing.assert_array_equal(review.ids(), drawn)
    assert review.segment(1).GetName() == review.lesion(1).name
    review.review.undo_voxels(MID)
    np.testing.assert_array_equal(review.ids(), proposed)


def test_redo_of_the_segment_editor_outlives_what_is_said_of_a_lesion(opened: Maker, editor: Any) -> None:
    review = opened()
    review.propose()
    editor.SetSegmentation(review.segmentation())
    editor.SaveState()
    review.draw("lesion-1", MORE)
    editor.RestorePreviousState()
    review.review.process_pending()
    review.session.reject(MID, 1)

    assert editor.IsRestoreNextStateAvailable()


def test_tables_hear_of_a_name_that_leaves_the_redo_alone(opened: Maker) -> None:
    review = opened()
    review.propose()
    heard: list[str] = []
    watching = review.node().AddObserver(
        review.segmentation().SegmentModified, lambda *_: heard.append(review.segment(1).GetName())
    )
    review.session.rename(MID, 1, "GTVp base")
    review.node().RemoveObserver(watching)

    assert heard == ["GTVp base"]


def test_surfaces_outlive_undo_and_redo_of_a_proposal(opened: Maker, views: dict[str, Any]) -> None:
    review = opened()
    review.review.set_surfaces(True)
    review.propose()
    stroke(review)
    for undone in (review.review.undo_voxels, review.review.undo_voxels, review.review.redo_voxels):
        undone(MID)

    # The fixture fails if VTK has complained.
    assert review.segment(1).GetRepresentation("Closed surface").GetNumberOfPoints() > 0
    assert review.review.can_redo_voxels(MID)
    review.review.redo_voxels(MID)
    top = review.segment(1).GetRepresentation("Closed surface").GetBounds()[5]
    review.review.undo_voxels(MID)
    assert review.segment(1).GetRepresentation("Closed surface").GetBounds()[5] < top


def test_surfaces_of_a_segment_that_is_undone_and_done_again(opened: Maker, views: dict[str, Any]) -> None:
    review = opened()
    review.propose()
    review.review.set_surfaces(True)
    drawn = review.review.new_segment(MID, Target.LN)
    stroke(review, ELSEWHERE, drawn)
    review.review.undo_voxels(MID)
    review.review.redo_voxels(MID)

    # The fixture fails if VTK has complained.
    assert review.segment(3).GetRepresentation("Closed surface").GetNumberOfPoints() > 0


def test_surfaces_of_another_run_that_is_undone_and_done_again(opened: Maker, views: dict[str, Any]) -> None:
    review = opened()
    review.review.set_surfaces(True)
    review.propose(MID, (Target.PT, PT_BOX))
    review.propose()
    review.review.undo_voxels(MID)
    review.review.redo_voxels(MID)

    for number in (1, 2):
        assert review.segment(number).GetRepresentation("Closed surface").GetNumberOfPoints() > 0
