"""Added path length."""

from __future__ import annotations

import numpy as np
import pytest

from HNTargetSegLib.case.volume import Geometry
from HNTargetSegLib.metrics.path_length import added_path_lengths
from HNTargetSegLib.metrics.pieces import find_pieces

GEOMETRY = Geometry((10, 10, 6), (0.5, 0.5, 3.0))


def square(size: int = 4, slices: int = 2, start: int = 3) -> np.ndarray:
    mask = np.zeros(GEOMETRY.shape, bool)
    mask[1 : 1 + slices, start : start + size, start : start + size] = True
    return mask


def path(reference: np.ndarray, prediction: np.ndarray, geometry: Geometry = GEOMETRY) -> float:
    return float(added_path_lengths(find_pieces(reference), prediction, geometry).sum())


def test_a_lesion_that_is_missed_has_to_be_drawn_whole():
    # The rim of a square of 4 x 4 pixels has 12, on two slices, of half a millimetre each.
    assert path(square(), np.zeros_like(square())) == 2 * 12 * 0.5


def test_nothing_is_to_be_drawn_where_the_contours_are_one():
    assert path(square(), square()) == 0.0


def test_what_lies_on_other_slices_is_drawn_there():
    assert path(square(slices=3), square(slices=2)) == 12 * 0.5


def test_a_contour_one_pixel_too_large_is_no_contour_of_the_reference():
    assert path(square(), square(size=6, start=2)) == 2 * 12 * 0.5


def test_a_prediction_at_the_edge_of_the_grid_has_a_contour_there():
    whole = np.ones(GEOMETRY.shape, bool)
    assert path(whole, whole) == 0.0
    assert path(whole, np.zeros_like(whole)) == 6 * 36 * 0.5


def test_slices_are_axial_however_the_volume_lies():
    turned = Geometry((6, 10, 10), (3.0, 0.5, 0.5), direction=(0, 0, 1, 0, 1, 0, -1, 0, 0))
    masks = [mask.transpose(2, 1, 0) for mask in (square(slices=3), square(slices=2))]
    assert path(*masks, turned) == 12 * 0.5


def test_each_lesion_has_its_own():
    both = square(size=2, start=0) | square(size=4, start=5)
    paths = added_path_lengths(find_pieces(both), square(size=2, start=0), GEOMETRY)
    assert paths.tolist() == [2 * 12 * 0.5, 0.0]


def test_a_pixel_that_is_not_square_counts_the_root_of_its_area():
    assert path(square(slices=1), np.zeros_like(square()), Geometry((10, 10, 6), (2.0, 0.5, 3.0))) == pytest.approx(12)
