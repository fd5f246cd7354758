"""Surface distances."""

from __future__ import annotations

import numpy as np
import pytest

from HNTargetSegLib.errors import GeometryError
from HNTargetSegLib.metrics import surface as surfaces
from HNTargetSegLib.metrics.distances import SurfaceDistances, lesion_distances, mask_distances, surface_distances
from HNTargetSegLib.metrics.pieces import find_pieces
from HNTargetSegLib.metrics.surface import Definition, nearest, surface_of

SPACING = (2.0, 0.5, 0.5)


def cube(start: int, shape: tuple[int, int, int] = (14, 14, 14), size: int = 5) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[3 : 3 + size, 3 : 3 + size, start : start + size] = True
    return mask


def two_slabs(gap: int) -> tuple[np.ndarray, np.ndarray]:
    """Thin slabs over the whole plane, ``gap`` voxels apart along the first axis."""
    one, other = np.zeros((20, 12, 12), bool), np.zeros((20, 12, 12), bool)
    one[4], other[4 + gap] = True, True
    return one, other


def blobs(seed: int) -> np.ndarray:
    from scipy import ndimage

    noise = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal((14, 16, 18)), 1.2)
    return noise > np.quantile(noise, 0.9)


def test_a_mask_agrees_wholly_with_itself():
    found = mask_distances(cube(2), cube(2), SPACING)
    assert [found.surface_dice(1), found.mean(), found.percentile()] == [1.0, 0.0, 0.0]


@pytest.mark.parametrize("definition", Definition)
def test_slabs_are_as_far_apart_as_they_were_moved(definition):
    found = mask_distances(*two_slabs(5), (1.5, 1.0, 1.0), definition)
    # All but the slabs' rims face each other at 7.5 mm, or 6 mm from one slab's upper to the other's lower side.
    assert found.percentile(99.9) == pytest.approx(7.5)
    assert found.surface_dice(5) == 0.0
    assert found.surface_dice(7.5) == 1.0


def test_a_tolerance_that_is_met_exactly_counts():
    found = mask_distances(cube(2), cube(4), SPACING)
    assert found.surface_dice(1) == 1.0
    assert found.surface_dice(0.999) < 1.0


def test_a_tolerance_that_is_met_exactly_counts_for_steps_that_binary_numbers_cannot_hold():
    found = mask_distances(cube(2), cube(5), (1.0, 1.0, 0.1))
    assert found.surface_dice(0.1 * 3) == 1.0


def test_area_weighs_and_the_worse_direction_counts():
    found = SurfaceDistances(np.array([0.0, 1.0]), np.array([3.0, 1.0]), np.array([4.0]), np.array([2.0]))
    assert found.surface_dice(1) == pytest.approx(4 / 6)
    assert found.mean() == pytest.approx((0.25 + 4.0) / 2)
    assert found.percentile(75) == 4.0
    same = found.to_prediction, found.reference_sizes
    assert SurfaceDistances(*same, *same).percentile(75) == 0.0
    assert SurfaceDistances(*same, *same).percentile(76) == 1.0


def test_medpys_definition_pools_both_directions():
    two, one = np.ones(2), np.ones(1)
    found = SurfaceDistances(np.array([0.0, 1.0]), two, np.array([5.0]), one, Definition.MEDPY)
    assert found.mean() == 2.0
    assert found.percentile(75) == 3.0


def test_against_nothing_no_surface_agrees_and_no_distance_is_defined():
    for pair in ((cube(2), np.zeros_like(cube(2))), (np.zeros_like(cube(2)), cube(2))):
        found = mask_distances(*pair, SPACING)
        assert (found.surface_dice(3), found.mean(), found.percentile()) == (0.0, None, None)


def test_two_empty_masks_leave_everything_undefined():
    empty = np.zeros((4, 4, 4), bool)
    found = mask_distances(empty, empty, SPACING)
    assert (found.surface_dice(3), found.mean(), found.percentile()) == (None, None, None)


def test_masks_of_two_shapes_are_refused():
    with pytest.raises(GeometryError, match=r"\(2, 2, 2\) and \(2, 2, 3\)"):
        mask_distances(np.ones((2, 2, 2), bool), np.ones((2, 2, 3), bool), SPACING)


@pytest.mark.parametrize("definition", Definition)
def test_distances_are_those_of_trying_every_pair(definition):
    one, other = (surface_of(find_pieces(blobs(seed)), SPACING, definition) for seed in (1, 2))
    every = np.linalg.norm((one.places[:, None] - other.places[None]) * np.array(SPACING), axis=2)
    found = surface_distances(one, other, SPACING, definition)
    np.testing.assert_allclose(found.to_prediction, every.min(axis=1), rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.to_reference, every.min(axis=0), rtol=0, atol=1e-12)


def test_the_tree_and_the_transform_give_the_same_distances(monkeypatch):
    one, other = (surface_of(find_pieces(blobs(seed)), SPACING) for seed in (3, 4))
    found = []
    for cells in (0, 10**9):
        monkeypatch.setattr(surfaces, "_CELLS_A_QUERY", cells)
        found.append(nearest(one, other, SPACING).mm)
    np.testing.assert_allclose(*found, rtol=0, atol=1e-12)


def test_a_surface_lists_each_element_once_and_under_its_piece():
    pieces = find_pieces(blobs(5))
    found = surface_of(pieces, SPACING)
    assert len(np.unique(found.places, axis=0)) == len(found)
    for number, piece in enumerate(pieces):
        alone = surface_of([piece], SPACING)
        assert np.array_equal(found.of(found.piece == number).places, alone.places)


def test_a_lesion_has_the_distances_of_its_own_pieces_alone():
    one, other = find_pieces(blobs(6)), find_pieces(blobs(7))
    reference, prediction = surface_of(one, SPACING), surface_of(other, SPACING)
    there, back = nearest(reference, prediction, SPACING), nearest(prediction, reference, SPACING)
    # The prediction's pieces that lie farthest away, so that others are nearer to most elements.
    chosen = np.array([0, 1]), np.array([len(other) - 1])
    found = lesion_distances(reference, prediction, there, back, SPACING, Definition.DEEPMIND, chosen)
    alone = surface_distances(surface_of(one[:2], SPACING), surface_of(other[-1:], SPACING), SPACING)
    np.testing.assert_allclose(found.to_prediction, alone.to_prediction, rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.to_reference, alone.to_reference, rtol=0, atol=1e-12)
