"""nnU-Net's results folders: which one is meant, and the way there and back."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from HNTargetSegLib.errors import ModelError, OutputError
from HNTargetSegLib.models.card import unknown_card
from HNTargetSegLib.models.recipe import Recipe
from HNTargetSegLib.models.results import (
    FoldChoice,
    chosen_folds,
    export_to_nnunet,
    find_model_folder,
    store_from_results,
)

CARD = unknown_card("tiny", Recipe.T2)


def test_the_folder_itself_and_its_parents_lead_to_the_model(results: Callable[..., Path]) -> None:
    folder = results("nnUNet_results/Dataset777_Tiny/nnUNetTrainer__nnUNetPlans__3d_fullres")
    assert find_model_folder(folder) == folder
    assert find_model_folder(folder.parent) == folder
    assert find_model_folder(folder.parent.parent) == folder


def test_of_several_models_one_must_be_named(results: Callable[..., Path], tmp_path: Path) -> None:
    results("Dataset777_Tiny/A__P__2d")
    chosen = results("Dataset777_Tiny/A__P__3d_fullres")
    with pytest.raises(ModelError, match=r"several models .*--part from .*A__P__2d, .*A__P__3d_fullres"):
        find_model_folder(tmp_path)
    assert find_model_folder(tmp_path, "A__P__3d_fullres") == chosen
    with pytest.raises(ModelError, match="There is no 'B'"):
        find_model_folder(tmp_path, "B")


def test_a_folder_without_a_model_says_what_a_model_is(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"plans\.json, dataset\.json and fold_0/checkpoint_final\.pth"):
        find_model_folder(tmp_path)


def test_numbered_folds_go_before_the_fold_of_all(results: Callable[..., Path]) -> None:
    folder = results(folds=("10", "2", "all"))
    assert list(chosen_folds(folder, FoldChoice())) == ["2", "10"]
    assert list(chosen_folds(folder, FoldChoice(("all",)))) == ["all"]


def test_a_fold_that_was_not_finished_is_left_out_unless_named(results: Callable[..., Path]) -> None:
    folder = results(folds=("0", "1"))
    (folder / "fold_1" / "checkpoint_final.pth").rename(folder / "fold_1" / "checkpoint_latest.pth")
    assert list(chosen_folds(folder, FoldChoice())) == ["0"]
    with pytest.raises(ModelError, match=r"fold_1.*--checkpoint from checkpoint_latest\.pth"):
        chosen_folds(folder, FoldChoice(("0", "1")))


def test_another_checkpoint_can_be_chosen(results: Callable[..., Path], tmp_path: Path) -> None:
    folder = results()
    (folder / "fold_0" / "checkpoint_final.pth").rename(folder / "fold_0" / "checkpoint_best.pth")
    choice = FoldChoice(checkpoint="checkpoint_best.pth")
    assert store_from_results(folder, tmp_path / "m", CARD, choice=choice).card.network.checkpoint == choice.checkpoint


def test_folds_that_were_trained_differently_are_refused(results: Callable[..., Path], tmp_path: Path) -> None:
    folder = results("one")
    other = results("other", trainer="nnUNetTrainer_5epochs")
    shutil.copytree(other / "fold_0", folder / "fold_1")
    with pytest.raises(ModelError, match=r"fold_1.*trained in another way"):
        store_from_results(folder, tmp_path / "m", CARD)
    assert not (tmp_path / "m").exists()


def test_a_checkpoint_of_another_configuration_than_the_plans_is_refused(
    results: Callable[..., Path], tmp_path: Path
) -> None:
    folder = results()
    plans = json.loads((folder / "plans.json").read_text())
    plans["configurations"]["2d"] = plans["configurations"].pop("3d_fullres")
    (folder / "plans.json").write_text(json.dumps(plans))
    with pytest.raises(ModelError, match="no configuration '3d_fullres'"):
        store_from_results(folder, tmp_path / "m", CARD)


def test_weights_of_another_data_set_are_refused(results: Callable[..., Path], tmp_path: Path) -> None:
    folder = results(labels={"background": 0, "GTVp": 1})
    with pytest.raises(ModelError, match=r"3 labels, .* 2"):
        store_from_results(folder, tmp_path / "m", CARD)


def test_a_recipe_with_other_channels_is_refused(results: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"1 channels .T2., the recipe t2.gradient has 2"):
        store_from_results(results(), tmp_path / "m", replace(CARD, recipe=Recipe.T2_GRADIENT))


def test_nothing_is_left_where_nothing_can_be_written(results: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="Could not be written"):
        store_from_results(results(), tmp_path / "file" / "m", CARD)


def test_nnunets_own_predictor_loads_the_export_with_the_same_weights(
    results: Callable[..., Path], tmp_path: Path
) -> None:
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

    labels = {"background": "0", "GTVp": "1", "GTVn": "2"}
    source = results(folds=("0", "1"), labels=labels, trainer="nnUNetTrainerOfSomeone")
    model = store_from_results(source, tmp_path / "m", CARD, half=False)
    export_to_nnunet(model, tmp_path / "export")
    predictor = nnUNetPredictor(device=torch.device("cpu"), perform_everything_on_device=False)
    predictor.initialize_from_trained_model_folder(str(tmp_path / "export"), None)
    assert len(predictor.list_of_parameters) == 2
    assert predictor.allowed_mirroring_axes == (0, 1, 2)
    for fold, loaded in zip(("0", "1"), predictor.list_of_parameters, strict=True):
        original = torch.load(source / f"fold_{fold}" / "checkpoint_final.pth", weights_only=False)["network_weights"]
        assert loaded.keys() == original.keys()
        assert all(torch.equal(loaded[key], original[key]) for key in original)


def test_the_export_can_be_stored_again_without_a_change(results: Callable[..., Path], tmp_path: Path) -> None:
    model = store_from_results(results(), tmp_path / "m", CARD, half=False)
    export_to_nnunet(model, tmp_path / "export")
    again = store_from_results(tmp_path / "export", tmp_path / "again", CARD, half=False)
    assert again.card.files["fold_0/weights.safetensors"] == model.card.files["fold_0/weights.safetensors"]


def test_a_folder_of_something_else_is_replaced_by_neither_model_nor_export(
    results: Callable[..., Path], tmp_path: Path
) -> None:
    model = store_from_results(results(), tmp_path / "m", CARD)
    thesis = tmp_path / "thesis" / "chapter 1.txt"
    thesis.parent.mkdir()
    thesis.write_text("years of work")
    with pytest.raises(OutputError, match="other files"):
        store_from_results(tmp_path / "nnUNetTrainer__nnUNetPlans__3d_fullres", thesis.parent, CARD)
    with pytest.raises(OutputError, match="other files"):
        export_to_nnunet(model, thesis.parent)
    assert thesis.read_text() == "years of work"
    for _ in range(2):
        export_to_nnunet(model, tmp_path / "export")
    assert (tmp_path / "export" / "plans.json").is_file()
