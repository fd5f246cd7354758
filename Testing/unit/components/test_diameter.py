"""Axial diameters against brute force, marching squares, SimpleITK and analytic ellipses."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import find_contours

from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.components.diameter import axial_diameters


def grid(mask: np.ndarray, spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> Geometry:
    return Geometry(mask.shape[::-1], spacing)


def brute_force(mask: np.ndarray, spacing: tuple[float, float, float]) -> tuple[float, float]:
    """All pairs of points of scikit-image's marching squares, slice by slice."""
    best = (0.0, 0.0)
    for plane in mask:
        if not plane.any():
            continue
        contours = find_contours(np.pad(plane, 1).astype(float), 0.5)
        points = np.unique(np.concatenate(contours), axis=0) * (spacing[1], spacing[0])
        pairs = list(itertools.combinations(points, 2))
        lengths = np.array([np.linalg.norm(a - b) for a, b in pairs])
        for (a, b), length in zip(pairs, lengths, strict=True):
            if length >= max(best[0], lengths.max()) - 1e-6:
                best = max((round(float(length), 7), brute_force_chord(points, (b - a) / length)), best)
    return best


def brute_force_chord(points: np.ndarray, along: np.ndarray) -> float:
    """Longest line across at any of the points, between the outermost crossings of all segments between two points."""
    t, s = points @ along, points @ np.array([-along[1], along[0]])
    longest = 0.0
    for at in t:
        left, right = t <= at + 1e-9, t >= at - 1e-9
        run = t[right][None] - t[left][:, None]
        part = np.where(run > 1e-9, (at - t[left])[:, None] / np.where(run > 1e-9, run, 1), 0)
        heights = s[left][:, None] + part * (s[right][None] - s[left][:, None])
        longest = max(longest, float(np.ptp(heights)))
    return longest


def ellipsoid(shape: tuple[int, int, int], spacing: tuple[float, ...], radii_kji: tuple[float, ...]) -> np.ndarray:
    steps = np.array(spacing[::-1])
    middle = (np.array(shape) - 1) / 2 * steps
    places = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij"), axis=-1) * steps
    return (((places - middle) / radii_kji) ** 2).sum(axis=-1) <= 1


def test_one_voxel_is_as_long_as_its_longer_edge_and_as_wide_as_its_shorter():
    mask = np.ones((1, 1, 1), bool)
    assert axial_diameters(mask, grid(mask, (2.0, 3.0, 9.0))) == pytest.approx((3.0, 2.0))


def test_a_row_of_voxels_measures_its_outer_borders():
    mask = np.ones((1, 1, 7), bool)
    assert axial_diameters(mask, grid(mask, (0.5, 1.0, 2.0))) == pytest.approx((3.5, 1.0))


def test_the_short_diameter_of_a_rectangle_is_the_line_across_its_diagonal_and_not_its_shadow():
    mask = np.ones((1, 100, 70), bool)
    long_mm, short_mm = axial_diameters(mask, grid(mask, (0.1, 0.1, 1.0)))
    assert long_mm == pytest.approx(np.hypot(7, 10), abs=0.1)
    assert short_mm == pytest.approx(7 * np.hypot(7, 10) / 10, abs=0.1)


def test_an_empty_mask_has_no_diameter():
    mask = np.zeros((3, 4, 5), bool)
    assert axial_diameters(mask, grid(mask)) == (0.0, 0.0)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    share=st.sampled_from([0.05, 0.3, 0.8]),
    spacing=st.tuples(*[st.floats(0.3, 3.0)] * 3),
)
def test_random_masks_agree_with_all_pairs_of_marching_squares(seed, share, spacing):
    mask = np.random.default_rng(seed).random((3, 6, 7)) < share
    assert axial_diameters(mask, grid(mask, spacing)) == pytest.approx(brute_force(mask, spacing), abs=1e-5)


@pytest.mark.parametrize("radii", [(6.0, 14.0, 9.0), (5.0, 8.0, 8.0), (12.0, 4.0, 18.0)])
def test_ellipsoids_have_their_analytic_diameters_to_one_voxel(radii):
    spacing = (0.5, 0.5, 2.0)
    mask = ellipsoid((15, 81, 81), spacing, radii)
    long_mm, short_mm = axial_diameters(mask, grid(mask, spacing))
    assert long_mm == pytest.approx(2 * max(radii[1:]), abs=0.5)
    assert short_mm == pytest.approx(2 * min(radii[1:]), abs=0.5)


def test_a_turned_ellipse_has_the_diameters_of_its_own_axes():
    y, x = np.mgrid[-60:61, -60:61] * 0.5
    turn = np.radians(33)
    u, v = x * np.cos(turn) + y * np.sin(turn), -x * np.sin(turn) + y * np.cos(turn)
    mask = ((u / 25) ** 2 + (v / 10) ** 2 <= 1)[None]
    assert axial_diameters(mask, grid(mask, (0.5, 0.5, 3.0))) == pytest.approx((50, 20), abs=0.6)


def test_long_diameter_is_within_one_voxel_of_simpleitk_feret_diameter_on_one_slice():
    rng = np.random.default_rng(4)
    noise = sitk.GetArrayFromImage(sitk.SmoothingRecursiveGaussian(sitk.GetImageFromArray(rng.random((64, 64))), 4.0))
    mask = (noise > np.quantile(noise, 0.7))[None]
    labels = sitk.ConnectedComponent(sitk.GetImageFromArray(mask[0].astype(np.uint8)))
    shape = sitk.LabelShapeStatisticsImageFilter()
    shape.ComputeFeretDiameterOn()
    shape.Execute(labels)
    for label in shape.GetLabels():
        own = (sitk.GetArrayFromImage(labels) == label)[None]
        long_mm, _ = axial_diameters(own, grid(own))
        # SimpleITK's Feret diameter runs between voxel centres.
        assert shape.GetFeretDiameter(label) < long_mm <= shape.GetFeretDiameter(label) + np.sqrt(2)


def test_the_slice_with_the_longest_extent_is_measured_and_not_the_projection():
    mask = np.zeros((2, 10, 10), bool)
    mask[0, 0, :6] = True
    mask[1, 4:, 9] = True
    assert axial_diameters(mask, grid(mask)) == pytest.approx((6.0, 1.0))


@pytest.mark.parametrize("orientation", ["LPS", "RAI", "PSL", "SRP", "ASR"])
def test_axial_diameters_do_not_depend_on_the_order_of_the_axes(orientation):
    spacing = (0.7, 0.9, 3.0)
    mask = ellipsoid((11, 40, 40), spacing, (12.0, 6.0, 9.0))
    volume = Volume(mask.astype(np.uint8), Geometry(mask.shape[::-1], spacing))
    turned = Volume.from_sitk(sitk.DICOMOrient(volume.to_sitk(), orientation))
    expected = axial_diameters(mask, volume.geometry)
    assert axial_diameters(turned.array.astype(bool), turned.geometry) == pytest.approx(expected)
