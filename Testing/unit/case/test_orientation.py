"""Axes in axial order and back."""

import itertools

import numpy as np
import pytest
import SimpleITK as sitk

from HNTargetSegLib.case.orientation import axial_turn, to_axial
from HNTargetSegLib.case.volume import Geometry, Volume


def volume_with(order, signs):
    direction = (np.array(order)[:, None] == np.arange(3)) * np.array(signs, float)
    geometry = Geometry((3, 4, 5), (0.5, 1.0, 2.0), (10.0, -20.0, 30.0), tuple(direction.reshape(-1)))
    return Volume(np.arange(60.0).reshape(5, 4, 3), geometry)


VOLUMES = [
    volume_with(order, signs)
    for order in itertools.permutations(range(3))
    for signs in itertools.product((-1, 1), repeat=3)
]


@pytest.mark.parametrize("volume", VOLUMES, ids=lambda volume: str(volume.geometry.direction))
def test_every_axis_order_agrees_with_simpleitk(volume):
    axial, turn = to_axial(volume)
    expected = sitk.DICOMOrient(volume.to_sitk(), "LPS")
    assert np.array_equal(axial.array, sitk.GetArrayFromImage(expected))
    np.testing.assert_allclose(axial.origin, expected.GetOrigin(), atol=1e-9)
    np.testing.assert_allclose(axial.geometry.direction, expected.GetDirection(), atol=1e-9)
    assert np.array_equal(turn.back(axial.array), volume.array)


@pytest.mark.parametrize("volume", VOLUMES, ids=lambda volume: str(volume.geometry.direction))
def test_a_box_holds_the_same_voxels_before_and_after(volume):
    axial, turn = to_axial(volume)
    box = (slice(1, 4), slice(0, 2), slice(2, 3))
    inside = axial.array[turn.box(box, volume.array.shape)]
    assert np.array_equal(np.sort(inside, axis=None), np.sort(volume.array[box], axis=None))


def test_an_oblique_axial_volume_is_left_alone():
    angle = np.deg2rad(20)
    tilt = (1, 0, 0, 0, np.cos(angle), -np.sin(angle), 0, np.sin(angle), np.cos(angle))
    assert axial_turn(Geometry((3, 4, 5), direction=tilt)).changes_nothing
