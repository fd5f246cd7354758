"""Priors drawn anew each time that a case is read."""

import importlib.util
import json
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.prior.gradient_map import box_gradient, gradient_map
from HNTargetSegLib.prior.options import GradientOptions, Margin
from HNTargetSegLib.training.prior_channel import PRIORS, TightBox
from HNTargetSegLib.training.prior_draws import EMPTY, CaseGrid, DrawnPriors, MappedImage, draw_boxes
from HNTargetSegLib.training.prior_recipe import REFUSING, Draws
from HNTargetSegLib.training.workspace import TRAINERS

SHAPE = (16, 40, 44)
LESIONS = (TightBox(1, (5, 16, 20), (9, 22, 26)), TightBox(2, (10, 6, 30), (12, 10, 34)))
GONE = TightBox(2, (3, 28, 6), (6, 33, 11))
NOTHING_DRAWN = Draws(0, 0, 0, 0)
WHOLE = CaseGrid((0, 1, 2), (0, 0, 0), SHAPE, SHAPE)


def image():
    return np.random.default_rng(0).normal(0.5, 1, SHAPE).astype(np.float32)


def case():
    segmentation = np.zeros((1, *SHAPE), np.int16)
    for box in LESIONS:
        segmentation[(0, *(slice(a, b) for a, b in zip(box.low, box.high, strict=True)))] = box.label
    return np.stack([image(), np.full(SHAPE, 9.0, np.float32)]), segmentation


def recipe(draws, margin=None):
    return replace(REFUSING, draws=draws, gradient=GradientOptions(margin=margin or Margin()))


def drawn(draws, count, tight=(*LESIONS, GONE), margin=None):
    data, segmentation = case()
    rng = np.random.default_rng(5)
    return [draw_boxes(tight, recipe(draws, margin), WHOLE, data, segmentation, rng) for _ in range(count)]


def test_without_draws_the_channel_is_the_gradient_map():
    data, segmentation = case()
    prior = segmentation[0].astype(np.uint8)
    boxes, nothing = draw_boxes(LESIONS, recipe(NOTHING_DRAWN), WHOLE, data, segmentation, np.random.default_rng(0))
    mapped = MappedImage(data, boxes, recipe(NOTHING_DRAWN), (3.0, 1.0, 1.0))
    geometry = Geometry(SHAPE[::-1], (1.0, 1.0, 3.0))
    expected = gradient_map(Volume(data[0], geometry), Volume(prior, geometry))
    everything = mapped[(slice(None),) * 4]
    assert np.array_equal(everything[0], data[0])
    assert np.array_equal(everything[1], expected)
    assert nothing == []


@pytest.mark.parametrize("reading", ["code", "paper"])
def test_a_patch_is_that_part_of_the_whole(reading):
    data, _ = case()
    options = GradientOptions(reading=reading, scale=0.2 if reading == "paper" else None)
    own = replace(recipe(NOTHING_DRAWN), gradient=options)
    boxes = [(slice(2, 12), slice(10, 30), slice(15, 30)), (slice(8, 14), slice(4, 14), slice(26, 40))]
    mapped = MappedImage(data, boxes, own, (3.0, 1.0, 1.0))
    part = (slice(0, 2), slice(4, 11), slice(8, 20), slice(20, 33))
    assert np.array_equal(mapped[part], mapped[(slice(None),) * 4][part])
    assert mapped[part][1].any()


def test_the_papers_reading_is_scaled_over_the_whole_image():
    data, _ = case()
    own = replace(recipe(NOTHING_DRAWN), gradient=GradientOptions(reading="paper", scale=0.2))
    box = (slice(2, 12), slice(10, 30), slice(15, 30))
    whole = Volume(data[0], Geometry(SHAPE[::-1], (1.0, 1.0, 3.0)))
    expected = box_gradient(whole, box, own.gradient)
    assert np.array_equal(MappedImage(data, [box], own, (3.0, 1.0, 1.0))[(slice(None),) * 4][1][box], expected)


def test_the_prior_is_dropped_as_often_as_the_recipe_says():
    empty = [not boxes for boxes, _ in drawn(Draws(0.3, 0, 0, 0), 1000)]
    assert np.mean(empty) == pytest.approx(0.3, abs=0.05)


def test_single_boxes_are_left_out_as_often_as_the_recipe_says():
    counts = [len(boxes) for boxes, _ in drawn(Draws(0, 0.1, 0, 0), 1000)]
    assert np.mean(counts) == pytest.approx(2.7, abs=0.1)


def test_margins_are_drawn_between_4_and_7_voxels_each_time():
    starts = {boxes[0][1].start for boxes, _ in drawn(NOTHING_DRAWN, 200, margin=Margin(drawn=(4, 7)))}
    assert starts == {16 - margin for margin in (4, 5, 6, 7)}


def test_boxes_are_displaced_by_about_their_share_of_the_size():
    shifts = [boxes[0][2].start + 5 - 20 for boxes, _ in drawn(Draws(0, 0, 0.5, 0), 1000)]
    assert np.std(shifts) == pytest.approx(0.5 * 6, rel=0.1)
    assert abs(np.mean(shifts)) < 0.3


def test_empty_boxes_hold_no_lesion_and_have_the_size_of_a_prior_lesions_box():
    _, segmentation = case()
    found = [box for _, nothing in drawn(Draws(0, 0, 0, 1), 200, tight=LESIONS) for box in nothing]
    assert len(found) > 200
    for box in found:
        assert not segmentation[0][box].any()
    sizes = {tuple(part.stop - part.start for part in box) for box in found}
    assert sizes <= {(14, 16, 16), (11, 14, 14), (12, 15, 14)}


def test_the_place_of_a_vanished_lesion_counts_as_a_place_where_nothing_is():
    ((boxes, nothing),) = drawn(NOTHING_DRAWN, 1)
    assert nothing == [boxes[2]]


def properties():
    return {
        "bbox_used_for_cropping": [[0, 16], [0, 40], [0, 44]],
        "shape_after_cropping_and_before_resampling": SHAPE,
        "class_locations": {1: np.array([[0, 6, 18, 22]]), 2: np.array([[0, 11, 8, 32]])},
    }


@pytest.fixture
def priors(tmp_path):
    boxes = {"a": [[box.label, list(box.low), list(box.high)] for box in (*LESIONS, GONE)]}
    path = tmp_path / PRIORS
    path.write_text(json.dumps({"recipe": REFUSING.to_dict(), "boxes": boxes}))
    return path


def cases_of(priors, own=REFUSING):
    data, segmentation = case()
    return DrawnPriors(lambda name: (data, segmentation, None, properties()), priors, own, (0, 1, 2), (3.0, 1.0, 1.0))


def channels(priors, seed):
    np.random.seed(seed)
    read = cases_of(priors)
    return [read("a")[0][(slice(None),) * 4][1] for _ in range(6)]


def test_one_seed_draws_the_same_priors_again_and_another_seed_other_ones(priors):
    first, again, other = channels(priors, 1), channels(priors, 1), channels(priors, 2)
    assert all(np.array_equal(one, two) for one, two in zip(first, again, strict=True))
    assert not all(np.array_equal(one, two) for one, two in zip(first, other, strict=True))
    assert not all(np.array_equal(first[0], later) for later in first[1:])


def test_places_where_nothing_is_are_offered_as_middles_of_patches(priors):
    read = cases_of(priors, recipe(NOTHING_DRAWN))
    locations = read("a")[3]["class_locations"]
    assert locations[EMPTY].tolist() == [[0, 5, 30, 8]]
    assert set(locations) == {1, 2, EMPTY}


def test_nnunets_own_loader_cuts_patches_of_such_cases(priors):
    from acvl_utils.cropping_and_padding.bounding_boxes import crop_and_pad_nd

    mapped = cases_of(priors, recipe(NOTHING_DRAWN))("a")[0]
    inside = crop_and_pad_nd(mapped, [[2, 14], [4, 36], [0, 40]], 0)
    beyond = crop_and_pad_nd(mapped, [[-3, 14], [4, 50], [0, 40]], 0)
    assert inside.shape == (2, 12, 32, 40)
    assert beyond.shape == (2, 17, 46, 40)
    assert np.array_equal(beyond[:, 5:, :32], inside)
    assert not beyond[:, :3].any()


def test_a_turned_cropped_and_resampled_case_has_its_boxes_in_place():
    # The image's axes (k, j, i) become (j, k, i); 4 slices and 10 columns are cut off; columns become twice as fine.
    grid = CaseGrid((1, 0, 2), (0, 4, 10), (40, 12, 30), (40, 12, 60))
    assert grid.placed(np.array((5, 16, 20)), np.array((9, 22, 26))) == (slice(16, 22), slice(1, 5), slice(20, 32))
    assert grid.placed(np.array((0, 16, 5)), np.array((6, 22, 12))) == (slice(16, 22), slice(0, 2), slice(0, 4))
    assert grid.placed(np.array((0, 16, 5)), np.array((3, 22, 12))) is None


@pytest.fixture(scope="module")
def image_channel():
    spec = importlib.util.spec_from_file_location("image_channel", TRAINERS / "image_channel.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["image_channel"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["image_channel"]


def test_noise_and_contrast_leave_the_map_alone_and_mirroring_does_not(image_channel):
    from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

    stock = nnUNetTrainer.get_training_transforms((8, 16, 16), (-0.1, 0.1), None, (2,), False)
    own = image_channel.on_image_alone(stock)
    intensities = [step for step in own.transforms if "FirstChannel" in repr(step)]
    assert len(intensities) == 7
    picture = {"image": torch.rand(2, 8, 16, 16), "segmentation": torch.zeros(1, 8, 16, 16, dtype=torch.int16)}
    before = picture["image"].clone()
    for step in intensities:
        picture = step.transform(**picture)
    assert torch.equal(picture["image"][1], before[1])
    assert not torch.equal(picture["image"][0], before[0])
    assert len(own.transforms) == len(stock.transforms)
