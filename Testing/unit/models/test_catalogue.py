"""The catalogue of public weights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from HNTargetSegLib.errors import ModelError
from HNTargetSegLib.models.catalogue import read_catalogue
from HNTargetSegLib.models.recipe import Recipe


def test_the_shipped_catalogue_names_the_public_weights() -> None:
    catalogue = read_catalogue()
    assert catalogue["gradientseg-unet"].page == "https://huggingface.co/JintaoRen/GradientSegHNTS"
    assert catalogue["elitap-mid"].recipe is Recipe.T2_REGISTERED
    assert catalogue["elitap-pre"].recipe is Recipe.T2


def test_every_entry_says_that_it_is_unchecked_and_untested_and_asks() -> None:
    for entry in read_catalogue().values():
        assert entry.licence.startswith("unchecked")
        assert entry.statement.startswith("Not tested here")
        assert entry.question.endswith("?")
        assert entry.page in entry.question
        assert entry.automatic or entry.steps


def test_the_instructions_end_with_the_command() -> None:
    entry = read_catalogue()["elitap-mid"]
    assert entry.instructions().startswith("(1) Get https://github.com/elitap/hntsmrg24")
    assert entry.instructions().endswith("hntargetseg models install FOLDER_OR_ZIP --catalogue elitap-mid")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "no list 'models'"),
        ({"models": [1]}, "not an object"),
        ({"models": [{"name": "a"}]}, "'a' lacks title, page, recipe, licence, question, statement"),
    ],
)
def test_a_damaged_catalogue_says_what_is_wrong(tmp_path: Path, content: object, message: str) -> None:
    (tmp_path / "catalogue.json").write_text(json.dumps(content))
    with pytest.raises(ModelError, match=message):
        read_catalogue(tmp_path / "catalogue.json")
