"""Surface elements: codes and areas."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest

from HNTargetSegLib.metrics.surface_elements import cell_codes, element_areas


def code_of(corners: np.ndarray) -> int:
    """Code of a cell from its (2, 2, 2) corners."""
    return int(cell_codes(corners)[1, 1, 1])


def corners_of(code: int) -> np.ndarray:
    return np.unpackbits(np.array([code], np.uint8)).reshape(2, 2, 2).astype(bool)


def test_the_code_of_a_cell_tells_its_eight_voxels():
    for code in range(256):
        assert code_of(corners_of(code)) == code


def test_a_voxel_at_the_edge_of_the_grid_has_a_closed_surface():
    codes = cell_codes(np.ones((1, 1, 1), bool))
    assert codes.shape == (2, 2, 2)
    assert sorted(codes.ravel().tolist()) == [1, 2, 4, 8, 16, 32, 64, 128]


def test_one_corner_is_cut_off_by_a_triangle_between_the_middles_of_its_edges():
    areas = element_areas((1.0, 1.0, 1.0))
    assert areas[1] == pytest.approx(np.sqrt(3) / 8)
    assert areas[255 - 1] == pytest.approx(np.sqrt(3) / 8)


def test_half_a_cell_is_cut_straight_through():
    lower = np.zeros((2, 2, 2), bool)
    lower[0] = True
    assert element_areas((3.0, 2.0, 5.0))[code_of(lower)] == pytest.approx(2.0 * 5.0)


def test_four_corners_that_do_not_touch_are_cut_off_one_by_one():
    chequered = np.indices((2, 2, 2)).sum(axis=0) % 2 == 0
    assert element_areas((1.0, 1.0, 1.0))[code_of(chequered)] == pytest.approx(4 * np.sqrt(3) / 8)


def test_full_and_empty_cells_have_no_surface():
    assert element_areas((1.0, 2.0, 3.0))[[0, 255]].tolist() == [0.0, 0.0]


def test_a_mask_and_its_complement_have_one_surface():
    areas = element_areas((2.0, 0.5, 0.7))
    np.testing.assert_array_equal(areas, areas[::-1])


def test_turned_and_mirrored_cells_have_the_area_of_the_turned_voxel():
    spacing = (2.0, 0.5, 0.7)
    areas = element_areas(spacing)
    for order, flips in product(permutations(range(3)), product((1, -1), repeat=3)):
        turned = element_areas(tuple(spacing[axis] for axis in order))
        for code in range(256):
            corners = corners_of(code).transpose(order)[:: flips[0], :: flips[1], :: flips[2]]
            assert turned[code_of(corners)] == pytest.approx(areas[code])


def test_a_ball_has_nearly_its_area():
    places = np.indices((44, 44, 44)) - 21.5
    ball = (places**2).sum(axis=0) < 20**2
    area = element_areas((1.0, 1.0, 1.0))[cell_codes(ball)].sum()
    # Surfaces from voxels are a few percent too large.
    assert area == pytest.approx(4 * np.pi * 20**2, rel=0.1)
    assert area > 4 * np.pi * 20**2
