"""Images and segmentations under transforms: what is followed, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from Testing.unit.scene.small_case import PT_BOX, Opened, filled, oblique_axes, volume
from Testing.unit.scene.test_geometry import bend, linear

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.errors import BadInputError, GeometryError
from HNTargetSegLib.scene.given import case_of_nodes
from HNTargetSegLib.scene.volumes import fill_volume

MID = Visit.MID
MORE = (slice(9, 11), *PT_BOX[1:])
Maker = Callable[..., Opened]


def shift(millimetres: float) -> np.ndarray:
    matrix = np.eye(4)
    matrix[0, 3] = millimetres
    return matrix


def test_segmentation_under_the_transform_of_its_image_is_read_as_if_there_were_none(opened: Maker, scene: Any) -> None:
    review = opened()
    review.propose()
    transform = linear(scene, review.review.volume_node(MID), shift(33.3))
    review.node().SetAndObserveTransformNodeID(transform.GetID())
    review.draw("lesion-1", MORE)

    np.testing.assert_array_equal(review.ids() == 1, filled(PT_BOX, MORE))


def test_image_that_is_moved_in_mid_review_is_told(opened: Maker, scene: Any) -> None:
    review = opened()
    review.propose()
    linear(scene, review.review.volume_node(MID), shift(5.0))
    review.review.process_pending()
    review.review.volume_node(MID).Modified()
    review.review.process_pending()

    assert ["was moved" in message.text for message in review.said] == [True]


def test_segmentation_under_a_transform_of_its_own_is_refused_and_the_session_stays(opened: Maker, scene: Any) -> None:
    review = opened()
    review.propose()
    before = review.session.visits[MID]
    linear(scene, review.node(), shift(0.7))

    with pytest.raises(GeometryError, match="not on the voxels"):
        review.review.follow_edits(MID)
    assert review.session.visits[MID] is before

    review.review.process_pending()
    assert ["not on the voxels" in message.text for message in review.said] == [True]


def test_transform_by_whole_voxels_moves_the_lesions(opened: Maker, scene: Any) -> None:
    review = opened()
    review.propose()
    # RAS x is -LPS x, and a voxel is 2 mm wide.
    linear(scene, review.node(), shift(-3 * 2.0))
    review.review.process_pending()

    np.testing.assert_array_equal(review.ids() == 1, np.roll(filled(PT_BOX), 3, axis=2))


def test_segmentation_under_a_bent_transform_is_refused_with_the_remedy(opened: Maker, scene: Any) -> None:
    review = opened()
    review.propose()
    bend(scene, review.node())

    with pytest.raises(BadInputError, match="Harden the transform"):
        review.review.follow_edits(MID)


def test_image_and_segmentation_under_one_bent_transform_are_read_by_their_voxels(opened: Maker, scene: Any) -> None:
    review = opened()
    review.propose()
    bend(scene, review.review.volume_node(MID), review.node())
    review.draw("lesion-1", MORE)

    np.testing.assert_array_equal(review.ids() == 1, filled(PT_BOX, MORE))


def test_image_opened_under_a_transform_has_its_segments_under_it(opened: Maker, scene: Any) -> None:
    review = opened(visits=(MID,))
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "moved")
    image = volume(4, oblique_axes(8))
    fill_volume(node, image)
    linear(scene, node, shift(12.5))
    review.session.open(case_of_nodes(None, node))
    review.propose()

    assert review.node().GetParentTransformNode() is node.GetParentTransformNode()
    assert review.review.follow_edits(MID) == ()
    centre = np.array(review.lesion(1).centroid)
    shifted = image.geometry.to_lps(np.argwhere(review.ids() == 1)).mean(axis=0) - (12.5, 0, 0)
    np.testing.assert_allclose(centre, shifted, atol=1e-6)
