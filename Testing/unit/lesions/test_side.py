"""Left and right are the patient's, whatever way the image lies."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from HNTargetSegLib.case.read import read_volume
from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.lesions.lesion import Side
from HNTargetSegLib.lesions.side import body_midline, grid_midline, side_of


def body(centre_x: float, noise: float = 20.0) -> Volume:
    """A head-like ellipse, brighter on one side and with an airway, on a grid of 200 mm from x = -100."""
    rng = np.random.default_rng(0)
    _, j, i = np.mgrid[:20, :80, :100] * np.array([4.0, 2.0, 2.0]).reshape(3, 1, 1, 1)
    x = i - 100
    inside = ((x - centre_x) / 60) ** 2 + ((j - 80) / 70) ** 2 <= 1
    image = np.where(inside, 500 + 2 * (x - centre_x), 0) + np.abs(rng.normal(0, noise, inside.shape))
    image[((x - centre_x - 8) ** 2 + (j - 60) ** 2) < 12**2] = 10
    return Volume(image.astype(np.float32), Geometry((100, 80, 20), (2.0, 2.0, 4.0), (-100.0, 0.0, 0.0)))


@pytest.mark.parametrize(("x", "side"), [(12.1, "left"), (-8.0, "midline"), (7.0, "midline"), (-3.1, "midline")])
def test_left_is_towards_larger_x_and_five_mm_are_the_midline(x, side):
    assert side_of(x, 2.0 if x > 0 else -4.0) is Side(side)


def test_right_is_towards_smaller_x():
    assert side_of(-9.1, -4.0) is Side.RIGHT


@pytest.mark.parametrize("centre", [-25.0, 0.0, 17.0])
def test_the_body_midline_is_found_off_centre_and_under_a_bias(centre):
    assert body_midline(body(centre)) == pytest.approx(centre, abs=3.0)


@pytest.mark.parametrize("orientation", ["RAI", "PSR", "SLA"])
def test_the_body_midline_does_not_depend_on_the_order_of_the_axes(orientation):
    turned = Volume.from_sitk(sitk.DICOMOrient(body(17.0).to_sitk(), orientation))
    assert body_midline(turned) == pytest.approx(17.0, abs=3.0)


def test_without_foreground_the_middle_of_the_grid_counts():
    flat = Volume(np.zeros((4, 4, 11), np.float32), Geometry((11, 4, 4), (2.0, 1.0, 1.0), (30.0, 0.0, 0.0)))
    assert body_midline(flat) == grid_midline(flat.geometry) == 40.0


@pytest.mark.parametrize(("file", "nose"), [("T2w.nii.gz", 10), ("T1_head_ext2.nii.gz", 10)])
def test_the_midline_of_real_heads_halves_them(real_data, file, nose):
    image = read_volume(real_data / "mr-nifti" / file)
    axial = sitk.GetArrayFromImage(sitk.DICOMOrient(image.to_sitk(), "LPS"))
    bright = axial > np.quantile(axial, 0.6)
    columns = np.flatnonzero(bright.sum(axis=(0, 1)) > 0.02 * bright.shape[0] * bright.shape[1])
    oriented = Volume.from_sitk(sitk.DICOMOrient(image.to_sitk(), "LPS"))
    middle = oriented.geometry.to_lps(np.array([axial.shape[0] / 2, axial.shape[1] / 2, columns[[0, -1]].mean()]))[0]
    assert body_midline(image) == pytest.approx(middle, abs=nose)
