"""Weights of lesions by their size."""

from __future__ import annotations

import numpy as np
import pytest

from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.training.losses.instances import find_instances, nearest_instance
from HNTargetSegLib.training.losses.weights import InverseWeighting, VolumeAware, weight_map

SIZES = np.array([8.0, 64.0])


@pytest.mark.parametrize(
    ("gamma", "small", "big"), [(0.0, 1, 1), (1.0, 4.5, 0.5625), (0.5, 2.35083, 0.831146), (1 / 3, 1.8, 0.9)]
)
def test_the_mass_of_a_label_is_kept(gamma, small, big):
    weights = VolumeAware(gamma=gamma).lesion_weights(SIZES)
    assert weights == pytest.approx([small, big], abs=1e-5)
    assert (weights * SIZES).sum() == pytest.approx(SIZES.sum())


def test_a_reference_size_raises_small_lesions_and_lowers_none():
    weighting = VolumeAware(gamma=1, normalisation="reference", reference_voxels=64)
    assert weighting.lesion_weights(np.array([8.0, 64.0, 640.0])) == pytest.approx([8, 1, 1])


def test_the_largest_weight_is_capped_after_normalising():
    assert VolumeAware(gamma=1, maximum=2).lesion_weights(SIZES) == pytest.approx([2, 0.5625])
    assert VolumeAware(gamma=1, maximum=None).lesion_weights(np.array([1.0, 999.0]))[0] == pytest.approx(500)


@pytest.mark.parametrize(("limits", "background"), [(None, 0.33636), ((1.0, 2e5), 1.0)])
def test_inverse_weighting_gives_each_part_the_same_total(toy, limits, background):
    weights = InverseWeighting(limits=limits).voxel_weights(find_instances(toy.truth))
    assert weights[toy.small] == pytest.approx(np.full(8, 333.33), abs=0.01)
    assert weights[toy.big] == pytest.approx(np.full(64, 41.667), abs=0.001)
    assert weights[0, 0, 0] == pytest.approx(background, abs=1e-5)


def test_lesions_that_touch_at_a_corner_are_one():
    mask = np.zeros((6, 6, 6), bool)
    mask[1:3, 1:3, 1:3] = mask[3:5, 3:5, 3:5] = True
    assert find_instances(mask).voxels.tolist() == [16]


def test_only_the_chosen_labels_are_weighted(toy):
    target = np.zeros((1, 20, 20, 20), np.int16)
    target[0][toy.small], target[0][toy.big] = 1, 2
    target[0, 6:8, 2:4, 2:4] = 2
    selective = weight_map(target, VolumeAware(labels=(2,), gamma=1), 2)
    assert (selective[:, 0] == 1).all()
    assert selective[0, 1][toy.big].max() < 1 < selective[0, 1, 6, 2, 2]
    assert (selective[0, 1][target[0] != 2] == 1).all()


def test_an_empty_patch_has_weights_of_one():
    target = np.zeros((2, 4, 4, 4), np.int16)
    for weighting in (VolumeAware(gamma=1), InverseWeighting()):
        assert (weight_map(target, weighting, 2) == 1).all()


def test_each_sample_of_a_batch_is_weighted_by_itself(toy):
    target = np.zeros((2, 20, 20, 20), np.int16)
    target[0][toy.truth] = 1
    target[1][toy.small] = 1
    weights = weight_map(target, VolumeAware(gamma=1), 1)
    assert weights[0, 0][toy.small][0] == pytest.approx(4.5)
    assert weights[1, 0][toy.small][0] == pytest.approx(1.0)


def test_cells_belong_to_the_nearest_lesion():
    mask = np.zeros((1, 1, 11), bool)
    mask[0, 0, [1, 9]] = True
    assert (
        nearest_instance(find_instances(mask))[0, 0].tolist() == [1] * 6 + [2] * 5
        or nearest_instance(find_instances(mask))[0, 0].tolist() == [1] * 5 + [2] * 6
    )


@pytest.mark.parametrize(
    "options",
    [
        {"gamma": -0.1},
        {"gamma": 1.1},
        {"gamma": float("nan")},
        {"normalisation": "none"},
        {"normalisation": "reference"},
        {"maximum": 0.5},
        {"labels": ()},
        {"labels": (0,)},
    ],
)
def test_options_out_of_range_are_refused(options):
    with pytest.raises(BadInputError):
        VolumeAware(**options)
