"""Outlines of masks: half-voxel vertices, keyholes, islands, any orientation of the slices."""

from __future__ import annotations

import numpy as np
import pytest

from HNTargetSegLib.case.polygons import fill_slice
from HNTargetSegLib.case.volume import Geometry
from HNTargetSegLib.export.dicom_outline import keyholed_rings, outlines


def area(ring: np.ndarray) -> float:
    x, y = ring.T
    return 0.5 * float(x @ np.roll(y, -1) - y @ np.roll(x, -1))


def refilled(layer: np.ndarray, **options: bool) -> np.ndarray:
    return fill_slice([ring[:, ::-1] for ring in keyholed_rings(layer)], layer.shape, **options)


def test_one_voxel_is_a_diamond_of_half_its_area() -> None:
    layer = np.zeros((3, 3), bool)
    layer[1, 1] = True
    (ring,) = keyholed_rings(layer)
    assert sorted(map(tuple, ring.tolist())) == [(0.5, 1.0), (1.0, 0.5), (1.0, 1.5), (1.5, 1.0)]


def test_straight_sides_have_no_vertices_but_their_ends() -> None:
    layer = np.zeros((12, 20), bool)
    layer[2:9, 3:17] = True
    (ring,) = keyholed_rings(layer)
    assert len(ring) == 8
    assert abs(area(ring)) == pytest.approx(7 * 14 - 0.5)


def test_a_mask_that_touches_the_edge_of_the_image_is_closed() -> None:
    layer = np.ones((3, 4), bool)
    (ring,) = keyholed_rings(layer)
    assert ring.min() == -0.5
    assert np.array_equal(refilled(layer), layer)


def test_a_hole_is_cut_out_of_the_one_polygon_around_it() -> None:
    layer = np.ones((9, 9), bool)
    layer[3:6, 3:6] = False
    rings = keyholed_rings(layer)
    assert len(rings) == 1
    assert abs(area(rings[0])) == pytest.approx(81 - 0.5 - (9 + 0.5) + 1)
    assert np.array_equal(refilled(layer), layer)


def test_a_bridge_to_a_hole_passes_between_the_rows_of_centres() -> None:
    layer = np.ones((9, 9), bool)
    layer[4, 4] = False
    (ring,) = keyholed_rings(layer)
    along = np.flatnonzero(ring[:, 1] == np.roll(ring[:, 1], -1))
    lengths = np.abs(ring[along, 0] - np.roll(ring[:, 0], -1)[along])
    bridges = [ring[n, 1] for n, length in zip(along, lengths, strict=True) if ring[n, 1] not in (-0.5, 8.5)]
    assert lengths.size >= 2
    assert len(bridges) == 2
    assert all(y % 1 == 0.5 for y in bridges)


def test_islands_are_polygons_of_their_own_and_an_island_in_a_hole_too() -> None:
    layer = np.zeros((15, 30), bool)
    layer[1:14, 1:14] = True
    layer[3:12, 3:12] = False
    layer[6:9, 6:9] = True
    layer[2:6, 20:25] = True
    assert len(keyholed_rings(layer)) == 3
    assert np.array_equal(refilled(layer), layer)


@pytest.mark.parametrize("xor", [False, True])
def test_any_mask_comes_back_from_its_outlines_whether_a_reader_joins_or_subtracts(xor: bool) -> None:
    rng = np.random.default_rng(4)
    for _ in range(200):
        layer = rng.random(tuple(rng.integers(1, 14, 2))) < rng.uniform(0.2, 0.95)
        assert np.array_equal(refilled(layer, xor=xor), layer)


def test_no_two_vertices_in_a_row_are_alike() -> None:
    rng = np.random.default_rng(5)
    for _ in range(100):
        for ring in keyholed_rings(rng.random((12, 12)) < 0.8):
            assert (ring != np.roll(ring, 1, axis=0)).any(axis=1).all()


def test_outlines_lie_in_the_planes_of_oblique_slices() -> None:
    turn = np.linalg.qr(np.random.default_rng(2).normal(size=(3, 3)))[0]
    geometry = Geometry((20, 18, 9), (0.8, 0.9, 3.0), (-40.0, 12.0, 7.0), tuple(turn.ravel().tolist()))
    mask = np.ones((2, 3, 4), bool)
    found = list(outlines(mask, (slice(4, 6), slice(5, 8), slice(6, 10)), geometry))
    assert [outline.k for outline in found] == [4, 5]
    for outline in found:
        kji = geometry.to_kji(outline.points)
        assert np.allclose(kji[:, 0], outline.k, atol=1e-9)
        assert np.allclose([kji[:, 1].min(), kji[:, 1].max()], [4.5, 7.5])
        assert np.allclose([kji[:, 2].min(), kji[:, 2].max()], [5.5, 9.5])


def test_an_empty_slice_has_no_outline() -> None:
    assert keyholed_rings(np.zeros((4, 4), bool)) == []
