"""Parameters of a recipe in a model's card."""

from __future__ import annotations

import json

import pytest

from HNTargetSegLib.errors import ModelError
from HNTargetSegLib.models.card import card_from_dict, card_to_dict, unknown_card
from HNTargetSegLib.models.channel_options import ChannelOptions, channel_options_from
from HNTargetSegLib.models.recipe import Recipe
from HNTargetSegLib.prior.options import GradientOptions, Margin

OPTIONS = ChannelOptions(
    GradientOptions("paper", Margin(6, (4, 7), inclusive=False), 1.25, "mm", 3.0, 0.07), Margin(2, None)
)


def test_options_come_back_from_json_as_they_were() -> None:
    assert channel_options_from(json.loads(json.dumps(OPTIONS.to_dict()))) == OPTIONS


@pytest.mark.parametrize("content", [None, {}, {"gradient": {}}, {"gradient": {"margin": {}}}])
def test_what_is_missing_has_its_default(content: object) -> None:
    assert channel_options_from(content) == ChannelOptions()


@pytest.mark.parametrize(
    "content",
    [
        [],
        {"t2": {}},
        {"gradient": {"blur": 1}},
        {"gradient": {"sigma": 0}},
        {"gradient": {"reading": "paper"}},
        {"boxes": {"drawn": [7, 4]}},
        {"boxes": {"drawn": 3}},
        {"gradient": {"sigma": "much"}},
    ],
)
def test_what_is_no_option_is_refused(content: object) -> None:
    with pytest.raises(ModelError, match="entry 'channels'"):
        channel_options_from(content)


def test_a_card_keeps_the_parameters_of_its_recipe() -> None:
    from dataclasses import replace

    card = unknown_card("guided", Recipe.T2_GRADIENT)
    content = card_to_dict(replace(card, channels=OPTIONS))
    content |= {"files": {"plans.json": "0" * 64}}
    content["nnunet"] |= {"configuration": "3d_fullres", "trainer": "t", "checkpoint": "c", "folds": ["0"]}
    assert card_from_dict(json.loads(json.dumps(content))).channels == OPTIONS


def test_the_card_of_a_model_that_reads_the_t2_alone_says_nothing_of_other_channels() -> None:
    assert "channels" not in card_to_dict(unknown_card("plain", Recipe.T2))
