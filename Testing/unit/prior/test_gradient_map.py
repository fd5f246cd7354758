"""Boxes round prior lesions and the gradient map inside them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.errors import BadInputError, GeometryError
from HNTargetSegLib.prior.boxes import PUBLISHED_TRAINING_MARGIN, prior_boxes
from HNTargetSegLib.prior.gradient_map import fitted_scale, gradient_map
from HNTargetSegLib.prior.options import GradientOptions, Margin

GEOMETRY = Geometry((28, 24, 20), (1.0, 1.0, 2.0))


@pytest.fixture
def toy():
    """The toy of the golden numbers: an image with a ball in it, a primary tumour and a node."""
    z, y, x = np.ogrid[:20, :24, :28]
    image = (3 * x + 5 * y + 7 * z) % 11 + 10 * ((z - 9.5) ** 2 + (y - 11) ** 2 + (x - 12) ** 2 < 36)
    prior = np.zeros((20, 24, 28), np.uint8)
    prior[8:11, 9:13, 10:15] = 1
    prior[15:18, 3:6, 20:24] = 2
    return Volume(image.astype(np.int16), GEOMETRY, "image"), Volume(prior, GEOMETRY, "prior")


@pytest.mark.parametrize(
    ("inclusive", "boxes", "total", "non_zero", "ones", "at_ball", "at_corner"),
    [
        (False, ([3, 15, 4, 17, 5, 19], [10, 20, 0, 10, 15, 28]), 1379.4400, 3362, 822, 0.014396, 0.024311),
        (True, ([3, 16, 4, 18, 5, 20], [10, 20, 0, 11, 15, 28]), 1581.1139, 3948, 945, 0.004998, 0.022379),
    ],
)
def test_golden_numbers_of_the_published_code(toy, inclusive, boxes, total, non_zero, ones, at_ball, at_corner):
    margin = Margin(5, inclusive=inclusive)
    found = [
        [edge for part in box.slices for edge in (part.start, part.stop)] for box in prior_boxes(toy[1].array, margin)
    ]
    assert found == list(boxes)
    made = gradient_map(*toy, GradientOptions(margin=margin))
    assert made.dtype == np.float32
    assert made.sum(dtype=np.float64) == pytest.approx(total, abs=2e-3)
    assert (np.count_nonzero(made), np.count_nonzero(made == 1)) == (non_zero, ones)
    assert made[9, 10, 12] == pytest.approx(at_ball, abs=1e-6)
    assert made[16, 4, 21] == pytest.approx(at_corner, abs=1e-6)


def test_a_whole_number_image_is_not_truncated(toy):
    image, prior = toy
    as_float = Volume(image.array.astype(np.float32), GEOMETRY, "float")
    assert np.array_equal(gradient_map(image, prior), gradient_map(as_float, prior))


def test_the_codes_reading_does_not_depend_on_the_scale_of_the_image(toy):
    image, prior = toy
    scaled = Volume(image.array * 3.0 + 50.0, GEOMETRY, "scaled")
    assert np.allclose(gradient_map(scaled, prior), gradient_map(image, prior), atol=1e-6)


def test_no_prior_lesion_is_an_empty_channel(toy):
    image, prior = toy
    made = gradient_map(image, prior.with_array(np.zeros_like(prior.array)))
    assert made.shape == image.array.shape
    assert not made.any()


def test_a_flat_box_is_all_ones_as_published(toy):
    image, prior = toy
    made = gradient_map(Volume(np.zeros_like(image.array), GEOMETRY, "flat"), prior)
    assert set(np.unique(made)) == {0.0, 1.0}


def test_the_map_is_the_same_every_time_without_a_generator(toy):
    options = GradientOptions(margin=Margin(drawn=PUBLISHED_TRAINING_MARGIN))
    assert np.array_equal(gradient_map(*toy, options), gradient_map(*toy, options))


def test_drawn_margins_follow_their_seed_and_their_range(toy):
    prior = np.zeros((60, 60, 60), np.uint8)
    prior[30, 30, 30] = 1
    margin = Margin(drawn=PUBLISHED_TRAINING_MARGIN)
    rng = np.random.default_rng(5)
    drawn = [prior_boxes(prior, margin, rng)[0].slices for _ in range(60)]
    again = prior_boxes(prior, margin, np.random.default_rng(5))[0].slices
    assert drawn[0] == again
    lower = {30 - part.start for box in drawn for part in box}
    upper = {part.stop - 31 for box in drawn for part in box}
    assert lower == upper == {4, 5, 6, 7}


def test_boxes_end_at_the_border_of_the_image():
    prior = np.zeros((6, 6, 6), np.uint8)
    prior[0, 5, 3] = 2
    assert prior_boxes(prior, Margin(4))[0].slices == (slice(0, 5), slice(1, 6), slice(0, 6))


def test_lesions_that_touch_at_an_edge_only_get_a_box_each():
    prior = np.zeros((8, 8, 8), np.uint8)
    prior[2, 2, 2] = prior[3, 3, 2] = 1
    assert len(prior_boxes(prior)) == 2


def test_the_papers_reading_is_one_scale_for_all_and_clips_at_one(toy):
    scale = fitted_scale([toy])
    made = gradient_map(*toy, GradientOptions(reading="paper", scale=scale))
    assert made.max() == 1.0
    twice = gradient_map(*toy, GradientOptions(reading="paper", scale=2 * scale))
    below = made < 1
    assert np.allclose(made[below], 2 * twice[below], atol=1e-6)


def test_sigma_in_mm_is_that_in_voxels_where_voxels_are_one_mm_wide(toy):
    image, prior = toy
    cube = replace(GEOMETRY, spacing=(1.0, 1.0, 1.0))
    image, prior = (Volume(volume.array, cube, volume.name) for volume in (image, prior))
    in_mm = gradient_map(image, prior, GradientOptions(sigma_unit="mm"))
    assert np.allclose(in_mm, gradient_map(image, prior), atol=1e-6)


def test_sigma_in_mm_sees_a_ramp_alike_along_every_axis():
    geometry = Geometry((20, 20, 20), (0.75, 1.0, 1.25))
    steps = []
    for axis, step in enumerate(geometry.spacing_kji):
        ramp = np.moveaxis(np.broadcast_to(np.arange(20.0) * step, (20, 20, 20)), 2, axis)
        prior = np.zeros((20, 20, 20), np.uint8)
        prior[8:12, 8:12, 8:12] = 1
        options = GradientOptions(reading="paper", scale=10.0, sigma=1.3, sigma_unit="mm")
        made = gradient_map(Volume(ramp.copy(), geometry, "ramp"), Volume(prior, geometry, "prior"), options)
        steps.append(made[10, 10, 10] * np.ptp(ramp))
    assert steps == pytest.approx([0.1, 0.1, 0.1], rel=0.02)


def test_another_grid_is_refused(toy):
    image, prior = toy
    other = Volume(prior.array, replace(GEOMETRY, origin=(1.0, 0.0, 0.0)), "elsewhere")
    with pytest.raises(GeometryError):
        gradient_map(image, other)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Margin(-1),
        lambda: Margin(drawn=(5, 4)),
        lambda: GradientOptions(sigma=0),
        lambda: GradientOptions(gain=0),
        lambda: GradientOptions(reading="neither"),
        lambda: GradientOptions(reading="paper"),
    ],
)
def test_options_out_of_range_are_refused(make):
    with pytest.raises(BadInputError):
        make()


def test_a_scale_cannot_be_fitted_without_prior_lesions(toy):
    image, prior = toy
    with pytest.raises(BadInputError, match="prior lesion"):
        fitted_scale([(image, prior.with_array(np.zeros_like(prior.array)))])
