"""Polygons into voxels: even-odd, keyholes, holes, islands, overlaps."""

from __future__ import annotations

import numpy as np

from HNTargetSegLib.case.polygons import fill_polygon, fill_slice

SHAPE = (10, 12)


def box(low: float, high: float) -> np.ndarray:
    return np.array([(low, low), (low, high), (high, high), (high, low)])


def test_centres_inside_are_filled_and_no_others() -> None:
    filled = fill_polygon(box(1.5, 4.4), SHAPE)
    expected = np.zeros(SHAPE, bool)
    expected[2:5, 2:5] = True
    assert np.array_equal(filled, expected)


def test_direction_and_starting_point_do_not_matter() -> None:
    polygon = np.array([(0.6, 1.2), (8.3, 3.1), (5.2, 10.7), (3.9, 5.5)])
    filled = fill_polygon(polygon, SHAPE)
    assert 0 < filled.sum() < filled.size
    assert np.array_equal(filled, fill_polygon(polygon[::-1], SHAPE))
    assert np.array_equal(filled, fill_polygon(np.roll(polygon, 2, axis=0), SHAPE))


def test_polygons_that_share_an_edge_on_centres_share_no_voxel() -> None:
    left, right = box(2.0, 5.0), box(2.0, 5.0) + np.array([0.0, 3.0])
    joined = fill_polygon(np.array([(2.0, 2.0), (2.0, 8.0), (5.0, 8.0), (5.0, 2.0)]), SHAPE)
    first, second = fill_polygon(left, SHAPE), fill_polygon(right, SHAPE)
    assert not (first & second).any()
    assert np.array_equal(first | second, joined)


def test_what_lies_beyond_the_image_is_cut_off() -> None:
    assert fill_polygon(box(-50.0, 50.0), SHAPE).all()
    assert not fill_polygon(box(20.0, 30.0), SHAPE).any()
    assert not fill_polygon(box(-9.0, -2.0), SHAPE).any()


def test_a_keyhole_leaves_its_hole_empty_and_no_trace_of_the_line() -> None:
    border = [(0.5, 0.5), (0.5, 8.5), (8.5, 8.5), (8.5, 0.5), (4.0, 0.5)]
    round_hole = [(4.0, 2.5), (6.5, 2.5), (6.5, 6.5), (2.5, 6.5), (2.5, 2.5), (4.0, 2.5), (4.0, 0.5)]
    keyhole = np.array([*border, *round_hole])
    expected = np.zeros(SHAPE, bool)
    expected[1:9, 1:9] = True
    expected[3:7, 3:7] = False
    assert np.array_equal(fill_slice([keyhole], SHAPE), expected)


def test_a_polygon_inside_another_is_a_hole_and_one_inside_that_an_island() -> None:
    expected = np.zeros(SHAPE, bool)
    expected[1:9, 1:9] = True
    expected[2:8, 2:8] = False
    expected[4:6, 4:6] = True
    rings = [box(3.5, 5.5), box(0.5, 8.5), box(1.5, 7.5)]
    assert np.array_equal(fill_slice(rings, SHAPE), expected)
    assert np.array_equal(fill_slice(rings, SHAPE, xor=True), expected)


def test_polygons_that_overlap_in_part_are_joined_unless_they_are_to_be_subtracted() -> None:
    rings = [box(0.5, 5.5), box(3.5, 8.5)]
    joined = fill_slice(rings, SHAPE)
    assert joined.sum() == 25 + 25 - 4
    assert fill_slice(rings, SHAPE, xor=True).sum() == 25 + 25 - 8


def test_the_same_polygon_twice_counts_once() -> None:
    assert fill_slice([box(0.5, 5.5), box(0.5, 5.5)], SHAPE).sum() == 25
