"""Local correlation of two images, and what the flag makes of a change of contrast."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk

from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.prior.agreement import local_correlation
from HNTargetSegLib.prior.quality import Limits, Quality, measure_quality

WHERE = np.zeros((14, 14, 14), bool)
WHERE[1:-1, 1:-1, 1:-1] = True
NOISE = np.random.default_rng(3).normal(size=WHERE.shape).astype(np.float32)


def head():
    """A bright body with structure in it, in air."""
    rng = np.random.default_rng(1)
    array = np.zeros((16, 40, 40), np.float32)
    array[:, 6:34, 6:34] = 300 + np.kron(rng.normal(0, 60, (4, 7, 7)), np.ones((4, 4, 4)))
    return Volume(array, Geometry((40, 40, 16), (4.0, 4.0, 6.0)), "head")


def test_an_image_agrees_with_itself_at_any_scale():
    assert local_correlation(NOISE, 7 * NOISE + 100, WHERE) == pytest.approx(1.0, abs=1e-6)


def test_turned_contrast_is_minus_one_and_nothing_in_common_is_about_zero():
    assert local_correlation(NOISE, -NOISE, WHERE) == pytest.approx(-1.0, abs=1e-6)
    other = np.random.default_rng(4).normal(size=WHERE.shape)
    assert abs(local_correlation(NOISE, other, WHERE)) < 0.1


def test_what_lies_outside_the_region_does_not_count():
    spoilt = NOISE.copy()
    spoilt[~WHERE] = 1e4
    assert local_correlation(NOISE, spoilt, WHERE) == pytest.approx(1.0, abs=1e-6)


def test_a_flat_image_or_a_thin_region_has_no_correlation():
    thin = np.zeros_like(WHERE)
    thin[5:8] = True
    assert local_correlation(NOISE, np.ones_like(NOISE), WHERE) is None
    assert local_correlation(NOISE, NOISE, thin) is None


def test_images_in_different_contrasts_may_be_in_more_doubt():
    image = head()
    turned = image.with_array(np.where(image.array > 0, 600 - image.array, 0).astype(np.float32))
    limits = Limits(body_dsc=0.5, difference=9.0, doubt=-1.0, doubt_contrast=9.0)
    same, different = (
        measure_quality(image, other, sitk.Transform(3, sitk.sitkIdentity), limits=limits) for other in (image, turned)
    )
    assert same.agreement > 0.9
    assert different.agreement < limits.alike
    assert any("one patient" in problem for problem in same.problems)
    assert not any("one patient" in problem for problem in different.problems)
    strict = measure_quality(
        image, turned, sitk.Transform(3, sitk.sitkIdentity), limits=replace(limits, doubt_contrast=-1.0)
    )
    assert any("one patient" in problem for problem in strict.problems)


def test_figures_survive_the_way_through_json():
    image = head()
    quality = measure_quality(image, image, sitk.Transform(3, sitk.sitkIdentity))
    assert Quality.from_dict(quality.to_dict()) == quality
    with pytest.raises(KeyError):
        Quality.from_dict({"quality": "good"})
