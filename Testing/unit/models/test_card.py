"""Model cards: what must be in them, and what they look like."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from HNTargetSegLib.errors import ModelError
from HNTargetSegLib.models.card import (
    SECTIONS,
    card_from_dict,
    card_to_dict,
    checked_name,
    read_card,
    unknown_card,
    write_card,
)
from HNTargetSegLib.models.card_text import card_text
from HNTargetSegLib.models.recipe import Recipe


@pytest.fixture
def content() -> dict[str, Any]:
    fields = card_to_dict(unknown_card("a model", Recipe.T2_GRADIENT))
    fields["nnunet"] = {
        "configuration": "3d_fullres",
        "trainer": "nnUNetTrainer",
        "checkpoint": "checkpoint_final.pth",
        "folds": ["0", "3"],
        "mirror_axes": [0, 2],
    }
    fields["files"] = {"fold_0/weights.safetensors": "0" * 64}
    return fields


def test_a_card_reads_back_as_it_was_written(content: dict[str, Any], tmp_path: Path) -> None:
    card = card_from_dict(content)
    write_card(tmp_path, card)
    assert read_card(tmp_path) == card
    assert card.network.folds == ("0", "3")
    assert card.recipe is Recipe.T2_GRADIENT


@pytest.mark.parametrize("section", SECTIONS)
def test_a_missing_section_is_named(content: dict[str, Any], section: str) -> None:
    del content[section]
    with pytest.raises(ModelError, match=f"no section '{section}'"):
        card_from_dict(content)


@pytest.mark.parametrize(
    ("section", "entry"), [(key, entry) for key, (_, needed) in SECTIONS.items() for entry in needed]
)
def test_a_missing_entry_is_named(content: dict[str, Any], section: str, entry: str) -> None:
    del content[section][entry]
    with pytest.raises(ModelError, match=f"'{section}'.* lacks {entry}"):
        card_from_dict(content)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("schema",), 2, "schema 2, this version reads 1"),
        (("recipe",), "t1", "no channel recipe 't1'"),
        (("storage",), "int8", "storage is 'int8'"),
        (("default",), "yes", "'default' is not true or false"),
        (("name",), "../evil", "cannot be the name"),
        (("version",), "", "no entry 'version'"),
        (("nnunet", "folds"), ["../0"], "nnunet.folds"),
        (("nnunet", "folds"), [], "nnunet.folds"),
        (("nnunet", "mirror_axes"), [3], "nnunet.mirror_axes"),
        (("nnunet", "trainer"), None, "no entry 'trainer'"),
        (("files",), {}, "names no files"),
        (("files",), {"../secret": "0" * 64}, "outside the model"),
        (("files",), {"C:\\secret": "0" * 64}, "outside the model"),
        (("files",), {"plans.json": "short"}, "64 hexadecimal digits"),
    ],
)
def test_a_wrong_entry_is_named(content: dict[str, Any], path: tuple[str, ...], value: Any, message: str) -> None:
    inner = content
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    with pytest.raises(ModelError, match=message):
        card_from_dict(content)


def test_an_error_names_the_file(content: dict[str, Any], tmp_path: Path) -> None:
    broken = copy.deepcopy(content)
    del broken["training"]
    (tmp_path / "card.json").write_text(json.dumps(broken))
    with pytest.raises(ModelError, match=r"card\.json: The card has no section 'training'"):
        read_card(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "\x00\xff"])
def test_a_card_that_is_no_json_object_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "card.json").write_text(text, encoding="latin-1")
    with pytest.raises(ModelError, match=r"card\.json"):
        read_card(tmp_path)


@pytest.mark.parametrize("name", ["a", "hnts-demo", "Modèle été 2", "Dataset031_HNTSMRG24_mid", "v1.2"])
def test_names_that_fit_every_disk_are_taken(name: str) -> None:
    assert checked_name(name) == name


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "a\\b", "a.", " a", "con", "LPT1.txt", ".hidden", "a:b", "x" * 65]
)
def test_names_that_some_disk_refuses_are_refused(name: str) -> None:
    with pytest.raises(ModelError, match="cannot be the name of a model"):
        checked_name(name)


def test_the_text_has_every_section_limit_and_nested_metric(content: dict[str, Any]) -> None:
    content["basics"]["limits"] = ["knows phantoms only", "never saw a patient"]
    content["evaluation"]["metrics"] = {"phantoms b": {"GTVp": 0.61}}
    text = card_text(card_from_dict(content))
    assert all(title in text for title, _ in SECTIONS.values())
    assert "  - knows phantoms only" in text
    assert "GTVp: 0.61" in text
    assert "mirrored axes: k, i" in text
