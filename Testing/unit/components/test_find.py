"""Components, their order, volume and place, against SimpleITK and analytic bodies."""

from __future__ import annotations

import time

import numpy as np
import pytest
import SimpleITK as sitk

from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.components.find import Connectivity, find_components, measure
from HNTargetSegLib.errors import GeometryError

OBLIQUE = tuple(np.linalg.qr(np.array([[1, 0.2, 0.1], [-0.2, 1, 0.3], [0.1, -0.3, 1]]))[0].ravel().tolist())


def cube_grid(size: int) -> Geometry:
    return Geometry((size, size, size))


@pytest.mark.parametrize(("connectivity", "pieces"), [(6, 3), (18, 2), (26, 1)])
def test_connectivity_decides_whether_edges_and_corners_join(connectivity, pieces):
    mask = np.zeros((3, 3, 3), bool)
    mask[0, 0, 0] = mask[0, 1, 1] = mask[1, 2, 2] = True  # an edge neighbour, then a corner neighbour
    assert len(find_components(mask, cube_grid(3), connectivity=connectivity)) == pieces


def test_an_unknown_connectivity_is_refused():
    with pytest.raises(ValueError, match="8"):
        find_components(np.ones((2, 2, 2), bool), cube_grid(2), connectivity=8)


def test_components_come_largest_first():
    mask = np.zeros((4, 20, 20), bool)
    mask[0, 0, 0] = True
    mask[1:3, 4:8, 4:8] = True
    mask[0, 15, 3:6] = True
    assert [c.voxels for c in find_components(mask, Geometry((20, 20, 4)))] == [32, 3, 1]


def test_minimum_volume_is_off_by_default_and_keeps_components_of_exactly_that_volume():
    mask = np.zeros((1, 1, 40), bool)
    mask[0, 0, 0:3] = mask[0, 0, 10:19] = mask[0, 0, 30] = True
    geometry = Geometry((40, 1, 1), (1.0, 10.0, 10.0))  # 0.1 cc a voxel
    assert len(find_components(mask, geometry)) == 3
    assert [c.voxels for c in find_components(mask, geometry, minimum_cc=0.3)] == [9, 3]


@pytest.mark.parametrize("connectivity", [Connectivity.FACES, Connectivity.CORNERS])
def test_volume_centroid_box_and_count_agree_with_simpleitk(connectivity):
    rng = np.random.default_rng(3)
    mask = rng.random((12, 30, 26)) < (0.35 if connectivity is Connectivity.FACES else 0.12)
    geometry = Geometry((26, 30, 12), (0.8, 1.1, 2.5), (-40.0, 12.0, 7.0), OBLIQUE)
    image = Volume(mask, geometry).to_sitk()
    labelled = sitk.ConnectedComponent(image, connectivity is Connectivity.CORNERS)
    shape = sitk.LabelShapeStatisticsImageFilter()
    shape.Execute(labelled)
    theirs = sorted(
        (shape.GetPhysicalSize(n) / 1000, *shape.GetCentroid(n), *shape.GetBoundingBox(n)) for n in shape.GetLabels()
    )
    ours = sorted(
        (c.volume_cc, *c.centroid, *(s.start for s in c.box[::-1]), *(s.stop - s.start for s in c.box[::-1]))
        for c in find_components(mask, geometry, connectivity=connectivity)
    )
    assert len(ours) == len(theirs) > 5
    assert np.sort(np.array(ours)[:, 0]) == pytest.approx(np.sort(np.array(theirs)[:, 0]))
    assert {tuple(np.round(row, 6)) for row in ours} == {tuple(np.round(row, 6)) for row in theirs}


def test_a_sphere_has_its_analytic_volume_to_two_percent():
    k, j, i = np.mgrid[-8:9, -20:21, -20:21]
    mask = (k * 1.5) ** 2 + (j * 0.6) ** 2 + (i * 0.6) ** 2 <= 10**2
    (sphere,) = find_components(mask, Geometry((41, 41, 17), (0.6, 0.6, 1.5)))
    assert sphere.volume_cc == pytest.approx(4 / 3 * np.pi * 10**3 / 1000, rel=0.02)
    assert (sphere.long_mm, sphere.short_mm) == pytest.approx((20, 20), abs=0.6)


def test_crops_put_together_give_the_mask_back():
    mask = np.random.default_rng(8).random((20, 40, 30)) < 0.02
    rebuilt = np.zeros_like(mask)
    for component in find_components(mask, Geometry((30, 40, 20))):
        assert component.mask.any(axis=(1, 2))[[0, -1]].all()
        rebuilt[component.box] |= component.mask
    assert np.array_equal(rebuilt, mask)


def test_a_mask_of_another_shape_is_refused():
    with pytest.raises(GeometryError, match="does not fill"):
        find_components(np.ones((2, 2, 3), bool), cube_grid(2))


def test_measure_takes_scattered_voxels_as_one_and_finds_its_place_in_a_crop():
    mask = np.zeros((6, 9, 9), bool)
    mask[1, 2, 3] = mask[4, 7, 8] = True
    geometry = Geometry((9, 9, 6), (1.0, 2.0, 3.0))
    whole = measure(mask, geometry)
    crop = (slice(1, 6), slice(0, 8), slice(2, 9))
    cropped = measure(mask[crop], geometry, crop)
    assert whole is not None
    assert cropped is not None
    assert whole.box == cropped.box == (slice(1, 5), slice(2, 8), slice(3, 9))
    assert whole.centroid == cropped.centroid == pytest.approx((5.5, 9.0, 7.5))
    assert whole.voxels == 2


def test_nothing_measures_as_none():
    assert measure(np.zeros((2, 2, 2), bool), cube_grid(2)) is None


def test_forty_lesions_in_a_large_volume_take_well_below_a_second():
    mask = np.zeros((120, 512, 512), bool)
    k, j, i = np.mgrid[-5:6, -14:15, -14:15]
    ball = (k / 5) ** 2 + (j / 14) ** 2 + (i / 14) ** 2 <= 1
    for n in range(40):
        at = (8 + 13 * (n // 5), 30 + 90 * (n % 5), 30 + 60 * (n % 7))
        mask[tuple(slice(a - s // 2, a + s // 2 + 1) for a, s in zip(at, ball.shape, strict=True))] |= ball
    geometry = Geometry((512, 512, 120), (0.5, 0.5, 2.0))
    find_components(mask[:8, :8, :8], Geometry((8, 8, 8)))  # imports
    started = time.process_time()
    found = find_components(mask, geometry)
    assert len(found) == 40
    assert time.process_time() - started < 0.7
