"""Channel recipes and how they are guessed."""

from __future__ import annotations

import pytest

from HNTargetSegLib.errors import ModelError
from HNTargetSegLib.models.recipe import Recipe, guess_recipe, recipe_from


def test_one_channel_is_the_t2_image() -> None:
    assert guess_recipe(["MR_T1"]) is Recipe.T2


def test_three_channels_with_a_mask_last_are_the_registered_recipe() -> None:
    assert guess_recipe(["MR_T1", "MR_T1", "noNorm"]) is Recipe.T2_REGISTERED


@pytest.mark.parametrize("names", [["T2", "gradient"], ["T2", "noNorm"]])
def test_two_channels_must_be_named_by_the_user(names: list[str]) -> None:
    with pytest.raises(ModelError, match=r"--recipe t2\+gradient or --recipe t2\+boxes"):
        guess_recipe(names)


def test_three_images_are_not_taken_for_two_images_and_a_mask() -> None:
    with pytest.raises(ModelError, match="do not say what they are"):
        guess_recipe(["T2", "T2", "T2"])


def test_a_number_of_channels_without_recipe_is_refused() -> None:
    with pytest.raises(ModelError, match="No channel recipe has 5 channels"):
        guess_recipe(["T2"] * 5)


def test_an_unknown_recipe_names_the_known_ones() -> None:
    with pytest.raises(ModelError, match=r"no channel recipe 't1'.*t2, t2\+gradient"):
        recipe_from("t1")


def test_the_recipe_lists_its_channels_in_order() -> None:
    assert Recipe.T2_REGISTERED.channels == ("t2", "registered_t2", "registered_mask")
    assert Recipe.T2_REGISTERED.needs_prior
    assert not Recipe.T2.needs_prior
