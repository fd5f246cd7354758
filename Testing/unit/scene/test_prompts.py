"""Boxes in the scene: only what has changed is written, and each is one step to take back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from Testing.unit.scene.small_case import LN_BOX, PT_BOX, Opened, run_record

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.lesions.lesion import Origin, State
from HNTargetSegLib.models.options import PredictOptions
from HNTargetSegLib.prompts.answer import Answer, found_in
from HNTargetSegLib.prompts.extent import extent_of
from HNTargetSegLib.prompts.prompt import Kind, Prompt
from HNTargetSegLib.review.prompted import with_prompt, without_prompt
from HNTargetSegLib.scene.voxels import extent_of as extent_of_image
from HNTargetSegLib.worker.prompt_messages import PromptOutcome

MID = Visit.MID
INSIDE = (slice(5, 8), slice(12, 18), slice(16, 22))
"""Within the box round both proposed lesions."""
BEYOND = (slice(14, 18), slice(2, 8), slice(2, 8))
Maker = Callable[..., Opened]


def prompt(review: Opened, place: tuple[slice, slice, slice], kind: Kind = Kind.LN) -> None:
    """The answer to a box that is filled with target."""
    geometry = review.session.visits[MID].image.image.geometry
    box = Prompt.of_slices(kind, place, geometry)
    extent = extent_of(box, geometry)
    targets = np.zeros((2, *geometry.shape), np.float32)
    targets[(1, *place)] = 0.9
    labels, both = found_in(box, extent, targets[(slice(None), *extent.reach)], 0.5)
    answer = Answer(box, extent, labels, both.astype(np.float16))
    outcome = PromptOutcome("mid", answer, "cpu", PredictOptions(), run_record().model)
    changed, ids = with_prompt(review.session.visits[MID], outcome)
    review.session.take_prompted(MID, changed, ids)


def labelmap(review: Opened, lesion_id: int) -> Any:
    return review.segment(lesion_id).GetRepresentation("Binary labelmap")


def read_back(review: Opened) -> np.ndarray:
    """The lesion-id map that the segments show."""
    nodes = review.review._nodes[MID]
    return nodes.read().ids(nodes.number())


def test_a_box_is_written_into_the_labelmap_that_is_there(opened: Maker) -> None:
    review = opened()
    review.propose()
    shared = labelmap(review, 1)
    before = extent_of_image(shared)
    prompt(review, INSIDE)
    assert labelmap(review, 1) is labelmap(review, 2) is labelmap(review, 3) is shared
    assert extent_of_image(shared) == before
    assert np.array_equal(read_back(review), review.ids())
    assert (review.ids()[INSIDE] == 3).all()
    assert review.names() == ["GTVp", "GTVn1", "GTVn2"]


def test_a_box_beyond_the_labelmap_is_written_all_the_same(opened: Maker) -> None:
    review = opened()
    review.propose()
    prompt(review, BEYOND)
    assert np.array_equal(read_back(review), review.ids())
    assert (review.ids()[BEYOND] == 3).all()


def test_the_first_box_of_an_empty_visit_is_shown(opened: Maker) -> None:
    review = opened()
    prompt(review, INSIDE, Kind.PT)
    assert review.names() == ["GTVp"]
    assert np.array_equal(read_back(review), review.ids())


def test_a_box_is_one_step_that_is_taken_back_and_done_again(opened: Maker) -> None:
    review = opened()
    review.propose()
    before = review.session.visits[MID]
    prompt(review, INSIDE)
    after = review.session.visits[MID]
    review.review.undo_voxels(MID)
    assert review.session.visits[MID].records == before.records
    assert review.session.visits[MID].prompts == ()
    assert before.lesions is not None
    assert np.array_equal(review.ids(), before.lesions.ids.array)
    assert review.names() == ["GTVp", "GTVn1"]
    review.review.redo_voxels(MID)
    assert review.session.visits[MID].records == after.records
    assert len(review.session.visits[MID].prompts) == 1
    assert np.array_equal(read_back(review), review.ids())


def test_boxes_and_strokes_are_taken_back_in_their_order(opened: Maker) -> None:
    review = opened()
    review.propose()
    maps = [review.ids().copy()]
    prompt(review, INSIDE)
    maps.append(review.ids().copy())
    review.review.save_undo(MID)
    review.draw("lesion-3", (slice(8, 9), *INSIDE[1:]))
    maps.append(review.ids().copy())
    assert review.lesion(3).state is State.EDITED
    prompt(review, BEYOND)
    states = []
    for expected in reversed(maps):
        review.review.undo_voxels(MID)
        assert np.array_equal(review.ids(), expected)
        states.append({lesion.id: lesion.state for lesion in review.session.lesions(MID)})
    assert states[0][3] is State.EDITED
    assert states[1][3] is State.PROPOSED


def test_a_lesion_that_a_box_has_replaced_comes_back_with_its_name_and_probability(opened: Maker) -> None:
    review = opened()
    review.propose()
    before = review.lesion(2)
    prompt(review, LN_BOX, Kind.PT)
    assert review.names() == ["GTVp", "GTVp1"]
    review.review.undo_voxels(MID)
    assert review.lesion(2) == before
    assert review.lesion(2).origin is Origin.MODEL


def test_a_verdict_given_after_a_box_outlives_its_undo(opened: Maker) -> None:
    review = opened()
    review.propose()
    prompt(review, INSIDE)
    review.session.accept(MID, 1)
    review.session.rename(MID, 2, "GTVn left")
    review.review.undo_voxels(MID)
    assert review.lesion(1).state is State.ACCEPTED
    assert review.segment(2).GetName() == "GTVn left"


def test_a_box_that_is_taken_out_of_the_list_leaves_the_scene(opened: Maker) -> None:
    review = opened()
    review.propose()
    prompt(review, INSIDE)
    changed, ids = without_prompt(review.session.visits[MID], 0)
    review.session.take_prompted(MID, changed, ids)
    assert review.names() == ["GTVp", "GTVn1"]
    assert np.array_equal(read_back(review), review.ids())


def test_a_box_over_segments_that_a_hand_has_drawn_apart_is_written_whole(opened: Maker) -> None:
    review = opened()
    review.propose()
    drawn = review.review.new_segment(MID, Target.LN)
    review.draw(drawn, BEYOND)
    prompt(review, INSIDE)
    assert np.array_equal(read_back(review), review.ids())
    assert (review.ids()[PT_BOX] == 1).all()
    assert len(review.session.lesions(MID)) == 4


def test_surfaces_follow_a_box(opened: Maker) -> None:
    review = opened()
    review.propose()
    review.review.set_surfaces(True)
    prompt(review, INSIDE)
    for lesion_id in (1, 2, 3):
        assert review.segment(lesion_id).GetRepresentation("Closed surface").GetNumberOfPoints() > 0


def test_the_face_is_asked_to_save_before_a_box_writes(opened: Maker) -> None:
    review = opened()
    asked: list[tuple[Visit, list[str]]] = []
    review.review.before_write = lambda visit: asked.append((visit, review.names(visit)))
    review.propose()
    prompt(review, INSIDE)
    assert asked == [(MID, []), (MID, ["GTVp", "GTVn1"])]
