"""Surfaces of masks: closed, outwards, of the mask's volume and where the mask is."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from HNTargetSegLib.case.volume import Geometry
from HNTargetSegLib.export.closed_surface import Surface, closed_surface


def ball(radius_mm: float, spacing: tuple[float, float, float]) -> tuple[np.ndarray, Geometry, np.ndarray]:
    size = tuple(int(2 * radius_mm / step) + 5 for step in spacing)
    axes = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
    geometry = Geometry(size, spacing, (10.0, -20.0, 30.0), tuple(float(x) for x in axes.ravel()))  # type: ignore[arg-type]
    places = geometry.to_lps(np.stack(np.meshgrid(*map(np.arange, geometry.shape), indexing="ij"), -1))
    centre = geometry.to_lps((np.array(geometry.shape) - 1) / 2)
    return np.linalg.norm(places - centre, axis=-1) <= radius_mm, geometry, centre


def is_closed(surface: Surface) -> bool:
    sides = Counter(
        (int(a), int(b)) for first, second in ((0, 1), (1, 2), (2, 0)) for a, b in surface.triangles[:, [first, second]]
    )
    return all(sides[b, a] == count for (a, b), count in sides.items())


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.5, 0.5, 1.2), (1.0, 1.0, 3.0)])
@pytest.mark.parametrize("radius_mm", [2.0, 4.0, 8.0, 15.0])
def test_a_ball_keeps_its_volume_its_place_and_its_shape(radius_mm, spacing):
    mask, geometry, centre = ball(radius_mm, spacing)
    surface = closed_surface(mask, geometry)
    voxels_mm3 = mask.sum() * geometry.voxel_cc * 1000
    assert surface.volume_mm3 == pytest.approx(voxels_mm3, rel=0.03)
    radii = np.linalg.norm(surface.points - centre, axis=1)
    assert np.abs(radii - radius_mm).max() < 0.75 * max(spacing)
    assert is_closed(surface)


def test_a_voxel_and_a_plate_one_voxel_thick_keep_their_volume():
    for shape in ((1, 1, 1), (1, 9, 7), (9, 1, 7)):
        surface = closed_surface(np.ones(shape, bool), Geometry((7, 9, 9), (1.0, 1.5, 2.0)))
        assert surface.volume_mm3 == pytest.approx(3.0 * np.prod(shape), rel=0.03)


def test_a_hole_has_a_surface_of_its_own_that_points_inwards():
    mask = np.ones((9, 9, 9), bool)
    mask[3:6, 3:6, 3:6] = False
    surface = closed_surface(mask, Geometry((9, 9, 9)))
    assert surface.volume_mm3 == pytest.approx(9**3 - 27, rel=0.03)
    assert is_closed(surface)


def test_a_surface_is_closed_and_outwards_where_voxels_touch_by_edges_and_corners():
    mask = np.random.default_rng(0).random((6, 7, 8)) > 0.6
    surface = closed_surface(mask, Geometry((8, 7, 6)))
    assert is_closed(surface)
    assert surface.volume_mm3 > 0


def test_a_crop_lies_where_the_mask_lies_in_the_image():
    mask, geometry, _ = ball(5.0, (1.0, 1.0, 2.0))
    k, j, i = (slice(int(n.min()), int(n.max()) + 1) for n in np.nonzero(mask))
    cropped = closed_surface(mask[k, j, i], geometry, (k.start, j.start, i.start))
    assert np.allclose(cropped.points, closed_surface(mask, geometry).points)


def test_normals_point_outwards_in_a_left_handed_grid():
    geometry = Geometry((5, 5, 5), direction=(-1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0))
    surface = closed_surface(np.ones((3, 3, 3), bool), geometry, (1, 1, 1))
    assert surface.volume_mm3 == pytest.approx(27, rel=0.03)
