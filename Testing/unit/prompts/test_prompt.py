"""Boxes as text, JSON and corners."""

from __future__ import annotations

import json

import numpy as np
import pytest

from HNTargetSegLib.case.volume import Geometry
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.prompts.prompt import Kind, Prompt, prompt_from_json, prompt_from_text, prompt_to_json


def test_a_box_is_read_from_text_and_written_as_it_was() -> None:
    prompt = prompt_from_text("10,-20,5.5,30,0,25:LN", grow=True)
    assert prompt == Prompt(Kind.LN, (10, -20, 5.5), (30, 0, 25), grow=True)
    assert str(prompt) == "10,-20,5.5,30,0,25:LN"


@pytest.mark.parametrize(
    ("word", "kind"), [("pt", Kind.PT), ("LN", Kind.LN), ("Nothing", Kind.NOTHING), ("again", Kind.AGAIN)]
)
def test_kinds_are_read_in_any_case(word: str, kind: Kind) -> None:
    assert prompt_from_text(f"0,0,0,1,1,1: {word}").kind is kind


def test_inverted_corners_are_sorted() -> None:
    assert Prompt(Kind.PT, (30, 0, 25), (10, -20, 5)) == Prompt(Kind.PT, (10, -20, 5), (30, 0, 25))


@pytest.mark.parametrize(
    "text",
    ["", "1,2,3,4,5:LN", "1,2,3,4,5,6", "1,2,3,4,5,6:node", "1,2,3,4,5,x:LN", "1,2,3,4,5,nan:LN", "1,2,3,4,5,1e99:LN"],
)
def test_what_is_no_box_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadInputError, match=r"is no box.*such as 10,-20"):
        prompt_from_text(text)


def test_json_keeps_every_digit() -> None:
    prompt = Prompt(Kind.AGAIN, (0.1, 1 / 3, -2.0), (4.0, 5.0, 6.0), grow=True)
    assert prompt_from_json(json.loads(json.dumps(prompt_to_json(prompt)))) == prompt


@pytest.mark.parametrize(
    "change", [{"kind": "node"}, {"low_lps": [1, 2]}, {"grow": "yes"}, {"high_lps": None}, {"low_lps": [True, 1, 2]}]
)
def test_values_that_are_no_prompt_are_refused(change: dict[str, object]) -> None:
    content = prompt_to_json(Prompt(Kind.LN, (0, 0, 0), (1, 1, 1)))
    with pytest.raises(BadInputError):
        prompt_from_json({**content, **change})


def test_the_box_of_voxels_reaches_to_their_borders() -> None:
    geometry = Geometry((20, 20, 10), (1.0, 2.0, 3.0), (100.0, 0.0, -50.0))
    prompt = Prompt.of_slices(Kind.LN, (slice(2, 4), slice(5, 6), slice(0, 3)), geometry)
    assert np.allclose(prompt.low, (99.5, 9.0, -45.5))
    assert np.allclose(prompt.high, (102.5, 11.0, -39.5))
