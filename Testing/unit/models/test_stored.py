"""Stored models: opened, refused, and compared with their cards."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from HNTargetSegLib.errors import ModelError
from HNTargetSegLib.models.card import unknown_card
from HNTargetSegLib.models.recipe import Recipe
from HNTargetSegLib.models.results import store_from_results
from HNTargetSegLib.models.stored import StoredModel, changed_files, load_model
from HNTargetSegLib.models.weights import read_checkpoint


@pytest.fixture
def model(results: Callable[..., Path], tmp_path: Path) -> StoredModel:
    labels = {"background": "0", "GTVp": "1", "GTVn": "2"}
    folder = results(folds=("0", "1"), labels=labels)
    return store_from_results(folder, tmp_path / "Modèle été" / "two folds", unknown_card("two folds", Recipe.T2))


def test_a_model_opens_from_a_path_with_unicode_and_blanks(model: StoredModel) -> None:
    again = load_model(model.folder)
    assert again == model
    assert again.folds == ("0", "1")
    assert again.mirror_axes == (0, 1, 2)
    assert again.configuration == "3d_fullres"
    assert again.trainer == "nnUNetTrainer"
    assert again.channel_names == ("T2",)


def test_label_values_written_as_strings_are_ints_and_the_file_stays_as_it_was(model: StoredModel) -> None:
    assert model.labels == {"background": 0, "GTVp": 1, "GTVn": 2}
    assert model.dataset["labels"]["GTVn"] == "2"


def test_each_fold_has_its_own_weights_in_fp32(model: StoredModel, tmp_path: Path) -> None:
    key = "encoder.stages.0.0.convs.0.conv.weight"
    for fold in model.folds:
        path = tmp_path / "nnUNetTrainer__nnUNetPlans__3d_fullres" / f"fold_{fold}" / "checkpoint_final.pth"
        expected = read_checkpoint(path).weights[key]
        assert torch.equal(model.weights(fold)[key], expected.half().float())
    assert not torch.equal(model.weights("0")[key], model.weights("1")[key])


def test_a_fold_that_is_not_there_is_refused(model: StoredModel) -> None:
    with pytest.raises(ModelError, match=r"no fold '4'\. Choose from 0, 1"):
        model.weights("4")


@pytest.mark.parametrize("name", ["card.json", "plans.json", "dataset.json", "fold_1/weights.safetensors"])
def test_a_missing_file_is_named(model: StoredModel, name: str) -> None:
    (model.folder / name).unlink()
    with pytest.raises(ModelError, match=Path(name).name.replace(".", r"\.")):
        load_model(model.folder)


def test_a_dataset_with_other_channels_than_the_recipe_is_refused(model: StoredModel) -> None:
    dataset = {**model.dataset, "channel_names": {"0": "T2", "1": "gradient"}}
    (model.folder / "dataset.json").write_text(json.dumps(dataset))
    with pytest.raises(ModelError, match="has 2 channels"):
        load_model(model.folder)


def test_plans_that_became_hostile_are_refused(model: StoredModel) -> None:
    text = (model.folder / "plans.json").read_text().replace("torch.nn.LeakyReLU", "subprocess.Popen")
    (model.folder / "plans.json").write_text(text)
    with pytest.raises(ModelError, match="no part of a network"):
        load_model(model.folder)


def test_an_untouched_model_is_as_its_card_says(model: StoredModel) -> None:
    assert changed_files(model) == []
    assert set(model.card.files) == {
        "plans.json",
        "dataset.json",
        "dataset_fingerprint.json",
        "fold_0/weights.safetensors",
        "fold_1/weights.safetensors",
    }


def test_changed_missing_and_added_files_are_each_named(model: StoredModel) -> None:
    weights = model.folder / "fold_1" / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    (model.folder / "dataset_fingerprint.json").unlink()
    (model.folder / "extra.txt").write_text("")
    assert changed_files(model) == [
        "dataset_fingerprint.json is missing",
        "fold_1/weights.safetensors was changed",
        "extra.txt was added",
    ]


def test_the_digest_changes_with_the_card(model: StoredModel) -> None:
    before = model.digest
    card = json.loads((model.folder / "card.json").read_text())
    card["basics"]["limits"] = ["none"]
    (model.folder / "card.json").write_text(json.dumps(card))
    assert load_model(model.folder).digest != before


def test_a_model_whose_labels_were_swapped_is_refused(model: StoredModel) -> None:
    dataset = {**model.dataset, "labels": {"background": 0, "GTVn": 1, "GTVp": 2}}
    (model.folder / "dataset.json").write_text(json.dumps(dataset))
    with pytest.raises(ModelError, match="'GTVn' the label 1, and here it is 2"):
        load_model(model.folder)
