"""Nodes that go while a review runs, scenes that are closed, and what is left of a review that has ended."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from Testing.unit.scene.small_case import LN_BOX, Opened, volume

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.review.case import ReviewCase, VisitImage
from HNTargetSegLib.scene.given import case_of_nodes
from HNTargetSegLib.scene.volumes import fill_volume

PRE, MID = Visit.PRE, Visit.MID
Maker = Callable[..., Opened]


def review_nodes(scene: Any) -> list[str]:
    """Names of the volumes and segmentations in a scene."""
    classes = ("vtkMRMLScalarVolumeNode", "vtkMRMLSegmentationNode")
    return [
        scene.GetNthNodeByClass(n, name).GetName()
        for name in classes
        for n in range(scene.GetNumberOfNodesByClass(name))
    ]


def test_visit_whose_image_is_removed_leaves_the_review_with_a_message(opened: Maker, scene: Any) -> None:
    review = opened()
    review.propose()
    scene.RemoveNode(review.review.volume_node(PRE))
    review.review.process_pending()

    assert list(review.session.visits) == [MID]
    assert len(review.session.lesions(MID)) == 2
    assert ["pre-RT image was removed" in message.text for message in review.said] == [True]
    assert review.review.segmentation_node(PRE) is None


def test_last_image_that_is_removed_ends_the_review(opened: Maker, scene: Any) -> None:
    review = opened(visits=(MID,))
    scene.RemoveNode(review.review.volume_node(MID))
    review.review.process_pending()

    assert review.session.case is None
    assert review_nodes(scene) == []


def test_lesions_go_with_their_segmentation_and_the_visit_can_be_segmented_anew(opened: Maker, scene: Any) -> None:
    review = opened()
    review.propose()
    review.session.select(MID, 1, jump=False)
    scene.RemoveNode(review.node())
    review.review.process_pending()

    assert review.session.lesions(MID) == ()
    assert review.session.selected is None
    assert ["segment it again" in message.remedy for message in review.said] == [True]

    review.propose(MID, (Target.LN, LN_BOX))
    assert review.names() == ["GTVn1"]
    assert review.node().GetScene() is scene


def test_segmentation_of_one_visit_and_image_of_the_other_that_are_removed_together_are_both_gone(
    opened: Maker, scene: Any
) -> None:
    review = opened()
    review.propose(PRE)
    review.propose(MID)
    nodes = review.review.segmentation_node(PRE), review.review.volume_node(MID)
    for node in nodes:
        scene.RemoveNode(node)
    review.review.process_pending()

    assert list(review.session.visits) == [PRE]
    assert review.session.lesions(PRE) == ()


def test_image_and_segmentation_that_are_removed_together_raise_nothing(opened: Maker, scene: Any) -> None:
    review = opened()
    review.propose()
    nodes = review.node(), review.review.volume_node(MID)
    for node in nodes:
        scene.RemoveNode(node)
    review.session.accept(MID, 1)
    review.review.process_pending()

    assert list(review.session.visits) == [PRE]


def test_segmentation_that_is_removed_before_its_edits_were_followed_raises_nothing(opened: Maker, scene: Any) -> None:
    review = opened()
    review.propose()
    review.segmentation().RemoveSegment("lesion-1")
    scene.RemoveNode(review.node())
    review.review.process_pending()

    assert review.session.lesions(MID) == ()


def test_result_that_arrives_for_a_removed_segmentation_gets_a_new_one(opened: Maker, scene: Any) -> None:
    review = opened()
    review.propose()
    scene.RemoveNode(review.node())
    review.propose(MID, (Target.LN, LN_BOX))
    review.review.process_pending()

    assert review.names() == ["GTVn1"]
    assert review.node().GetScene() is scene


def test_result_that_arrives_for_a_removed_image_raises_nothing(opened: Maker, scene: Any) -> None:
    review = opened()
    scene.RemoveNode(review.review.volume_node(MID))
    review.propose()
    review.review.process_pending()

    assert list(review.session.visits) == [PRE]
    assert scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") == 1


def test_closed_scene_ends_the_review(opened: Maker, scene: Any) -> None:
    review = opened()
    review.propose()
    review.segmentation().RemoveSegment("lesion-1")
    scene.Clear(0)
    review.review.process_pending()

    assert review.session.case is None
    assert review.session.selected is None
    assert review.review.segmentation_node(MID) is None


def test_result_that_arrives_after_the_scene_was_closed_is_refused_by_the_session(opened: Maker, scene: Any) -> None:
    from HNTargetSegLib.errors import BadInputError

    review = opened()
    found = review.propose()
    scene.Clear(0)

    with pytest.raises(BadInputError):
        review.session.take_proposal(MID, found, None)  # type: ignore[arg-type]


def test_two_scenes_in_a_row(opened: Maker, scene: Any) -> None:
    review = opened()
    for n in range(2):
        review.session.open(ReviewCase(f"case {n}", {MID: VisitImage(volume(n))}))
        review.propose()
        assert review_nodes(scene) == [f"case {n} mid-RT T2", f"case {n} mid-RT lesions"]
        scene.Clear(0)
        assert review_nodes(scene) == []


def test_next_patient_takes_the_place_of_the_one_before(opened: Maker, scene: Any) -> None:
    review = opened()
    review.propose()
    review.session.open(ReviewCase("case 8", {MID: VisitImage(volume(5))}))

    assert review_nodes(scene) == ["case 8 mid-RT T2", "case 8 mid-RT lesions"]
    assert review.names() == []


def test_segments_on_a_volume_of_the_user_s_own_stay_as_an_ordinary_segmentation(opened: Maker, scene: Any) -> None:
    review = opened()
    own = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "own")
    fill_volume(own, volume(6))
    review.session.open(case_of_nodes(None, own, "case"))
    review.propose()
    segmentation = review.node()
    review.session.close()

    assert review_nodes(scene) == ["own", "case mid-RT lesions"]
    assert segmentation.GetAttribute("HNTargetSeg.Visit") is None
    assert segmentation.GetSegmentation().GetNumberOfSegments() == 2


def test_swapped_visits_keep_their_volumes(opened: Maker, scene: Any) -> None:
    review = opened()
    pre, mid = (review.review.volume_node(visit) for visit in Visit)
    assert review.session.case is not None
    review.session.open(review.session.case.swapped())

    assert review.review.volume_node(PRE) is mid
    assert review.review.volume_node(MID) is pre
    assert pre.GetAttribute("HNTargetSeg.Visit") == "mid"
    assert scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 2


def test_no_observer_is_left_behind(opened: Any, views: dict[str, Any]) -> None:
    review = opened()
    review.review.show_visits(True)
    review.propose()
    scene_side = weakref.ref(review.review)
    assert review.review.observers > len(views)

    review.review.dispose()
    review.review.dispose()
    assert review.review.observers == 0

    # An observer that were left would keep the object alive that it calls.
    opened.forget()
    del review
    gc.collect()
    assert scene_side() is None


def test_disposed_scene_hears_nothing_any_more(opened: Maker, scene: Any) -> None:
    review = opened()
    review.propose()
    review.review.dispose()
    segments = scene.GetFirstNodeByClass("vtkMRMLSegmentationNode").GetSegmentation()
    review.session.close()
    scene.Clear(0)

    assert review.review.segmentation_node(MID) is None
    assert segments is not None


def test_hidden_lesions_of_a_closed_review_do_not_come_back_with_the_next(opened: Maker) -> None:
    review = opened()
    review.propose()
    review.session.set_shown(MID, [1], False)
    review.session.open(ReviewCase("case 8", {MID: VisitImage(volume(1))}))
    review.propose()

    assert review.node().GetDisplayNode().GetSegmentVisibility("lesion-1")
    np.testing.assert_array_equal(np.unique(review.ids()), [0, 1, 2])
