"""From a visit and its prior to what a network reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.errors import BadInputError, GeometryError
from HNTargetSegLib.models.channel_options import ChannelOptions
from HNTargetSegLib.models.channels import VisitPrior, channels
from HNTargetSegLib.models.recipe import Recipe
from HNTargetSegLib.prior.boxes import PriorBox
from HNTargetSegLib.prior.gradient_map import box_gradient, gradient_map
from HNTargetSegLib.prior.options import GradientOptions, Margin

Make = Callable[..., Volume]
LESION = (slice(8, 11), slice(10, 14), slice(12, 18))
BOX = (slice(6, 13), slice(7, 16), slice(15, 24))


@pytest.fixture
def image(head_with_blobs: Make) -> Volume:
    return head_with_blobs()


@pytest.fixture
def prior(image: Volume) -> Volume:
    labels = np.zeros(image.array.shape, np.uint8)
    labels[LESION] = 2
    return image.with_array(labels)


def test_the_t2_recipe_is_the_image_in_single_precision_whatever_is_known_beside_it(
    image: Volume, prior: Volume
) -> None:
    integers = image.with_array(image.array.astype(np.int16))
    built = channels(Recipe.T2, integers, VisitPrior(prior))
    assert built.dtype == np.float32
    assert built.flags.c_contiguous
    assert np.array_equal(built, integers.array[None])


@pytest.mark.parametrize("recipe", [Recipe.T2_GRADIENT, Recipe.T2_BOXES])
def test_without_a_prior_the_second_channel_is_zero(recipe: Recipe, image: Volume) -> None:
    built = channels(recipe, image)
    assert np.array_equal(built[0], image.array)
    assert built.shape == (2, *image.array.shape)
    assert not built[1].any()


def test_the_gradient_channel_is_the_map_of_the_prior_with_the_parameters_of_the_card(
    image: Volume, prior: Volume
) -> None:
    options = ChannelOptions(GradientOptions("paper", Margin(3), sigma=1.5, scale=0.2))
    built = channels(Recipe.T2_GRADIENT, image, VisitPrior(prior), options)
    assert built.dtype == np.float32
    assert np.array_equal(built[1], gradient_map(image, prior, options.gradient))
    assert 0 < built[1].max() <= 1
    assert not np.array_equal(built[1], channels(Recipe.T2_GRADIENT, image, VisitPrior(prior))[1])


def test_margins_are_fixed_at_inference_though_they_were_drawn_in_training(image: Volume, prior: Volume) -> None:
    options = ChannelOptions(GradientOptions(margin=Margin(drawn=(4, 7))))
    fixed = channels(Recipe.T2_GRADIENT, image, VisitPrior(prior))
    assert np.array_equal(channels(Recipe.T2_GRADIENT, image, VisitPrior(prior), options), fixed)


def test_a_box_of_the_reviewer_overwrites_what_the_prior_says_there(image: Volume, prior: Volume) -> None:
    built = channels(Recipe.T2_GRADIENT, image, VisitPrior(prior), boxes=[PriorBox(Target.PT, BOX)])[1]
    plain = channels(Recipe.T2_GRADIENT, image, VisitPrior(prior))[1]
    assert np.array_equal(built[BOX], box_gradient(image, BOX))
    rest = np.ones(built.shape, bool)
    rest[BOX] = False
    assert np.array_equal(built[rest], plain[rest])


def test_the_boxes_channel_holds_labels_in_boxes(image: Volume, prior: Volume) -> None:
    options = ChannelOptions(boxes=Margin(2))
    built = channels(Recipe.T2_BOXES, image, VisitPrior(prior), options, [PriorBox(Target.PT, BOX)])[1]
    assert set(np.unique(built)) == {0.0, 1.0, 2.0}
    assert (built[BOX] == 1).all()
    assert (built[6:13, 8:16, 10:15] == 2).all()
    assert built[6:13, 8:16, 9].max() == 0


def test_the_recipe_with_registered_channels_takes_both_as_they_are(image: Volume, prior: Volume) -> None:
    before = image.with_array(image.array.astype(np.int16) + 7)
    built = channels(Recipe.T2_REGISTERED, image, VisitPrior(prior, before))
    assert built.dtype == np.float32
    assert np.array_equal(built, np.stack([image.array, before.array, prior.array]).astype(np.float32))


def test_the_recipe_with_registered_channels_names_what_is_missing(image: Volume, prior: Volume) -> None:
    with pytest.raises(BadInputError, match=r"missing: registered T2, registered mask.*choose a model of another"):
        channels(Recipe.T2_REGISTERED, image)
    with pytest.raises(BadInputError, match=r"missing: registered T2\. Register"):
        channels(Recipe.T2_REGISTERED, image, VisitPrior(prior))


def test_a_prior_on_another_grid_is_refused(image: Volume, prior: Volume) -> None:
    moved = replace(prior, geometry=replace(prior.geometry, origin=(0.0, 0.0, 0.0)), name="prior.nii.gz")
    with pytest.raises(GeometryError, match=r"prior\.nii\.gz: The grid differs"):
        channels(Recipe.T2_GRADIENT, image, VisitPrior(moved))
