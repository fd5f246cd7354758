"""plans.json and dataset.json: real ones, unusual ones, hostile ones."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from HNTargetSegLib.errors import ModelError
from HNTargetSegLib.models.card import unknown_card
from HNTargetSegLib.models.plans import (
    channel_names,
    check_plans,
    labels,
    resolved_configuration,
    stand_ins,
    stock_plans,
)
from HNTargetSegLib.models.recipe import Recipe, guess_recipe
from HNTargetSegLib.models.results import read_results, store_from_results


@pytest.fixture
def plans(results: Callable[..., Path]) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((results() / "plans.json").read_text())
    return content


@pytest.fixture
def pre_rt(real_data: Path) -> Path:
    trained = real_data / "nnunet-metadata" / "workdir" / "nnUNet_trained_models"
    return next((trained / "Dataset030").iterdir())


@pytest.fixture
def mid_rt(real_data: Path) -> Path:
    trained = real_data / "nnunet-metadata" / "workdir" / "nnUNet_trained_models"
    return next((trained / "Dataset031").iterdir())


def test_the_real_pre_rt_model_reads(pre_rt: Path) -> None:
    plans, dataset = read_results(pre_rt)
    check_plans(plans, "3d_fullres")
    assert guess_recipe(channel_names(dataset)) is Recipe.T2
    assert labels(dataset) == {"background": 0, "GTVp": 1, "GTVn": 2}
    assert stand_ins(plans, "3d_fullres") == ()


def test_the_real_mid_rt_model_reads_with_its_missing_parts_named(mid_rt: Path) -> None:
    plans, dataset = read_results(mid_rt)
    check_plans(plans, "3d_fullres_oversample")
    assert guess_recipe(channel_names(dataset)) is Recipe.T2_REGISTERED
    assert resolved_configuration(plans, "3d_fullres_oversample")["patch_size"] == [64, 320, 256]
    notes = " ".join(stand_ins(plans, "3d_fullres_oversample"))
    assert "DilatedPremaskAsFgPreprocessor" in notes
    assert "resample_data_or_seg_dilated_premask_to_shape" in notes


def test_stock_nnunet_can_follow_the_real_mid_rt_plans_once_made_stock(mid_rt: Path) -> None:
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    plans, _ = read_results(mid_rt)
    original = copy.deepcopy(plans)
    configuration = PlansManager(stock_plans(plans, "3d_fullres_oversample")).get_configuration("3d_fullres_oversample")
    assert configuration.preprocessor_class.__name__ == "DefaultPreprocessor"
    assert configuration.resampling_fn_data.keywords == {
        "is_seg": False,
        "order": 3,
        "order_z": 0,
        "force_separate_z": None,
    }
    assert plans == original


def test_a_small_copy_of_the_real_mid_rt_model_is_stored(
    mid_rt: Path, results: Callable[..., Path], tmp_path: Path
) -> None:
    plans, dataset = read_results(mid_rt)
    arguments = plans["configurations"]["3d_fullres"]["architecture"]["arch_kwargs"]
    arguments["features_per_stage"] = [2] * 7
    arguments["n_blocks_per_stage"] = [1] * 7
    folder = results(
        channels=channel_names(dataset), plans=plans, configuration="3d_fullres_oversample", folds=("all",)
    )
    model = store_from_results(folder, tmp_path / "mid", unknown_card("mid", Recipe.T2_REGISTERED))
    assert (model.configuration, model.folds) == ("3d_fullres_oversample", ("all",))
    assert any("DilatedPremaskAsFgPreprocessor" in limit for limit in model.card.limits)
    assert "ResidualEncoderUNet" in model.card.technical["architecture"]
    assert "64x320x256" in model.card.technical["architecture"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("GTVn", "GTVp"),
        ("gtv-n", "other"),
        ("LN", "PT"),
        ("lymph nodes", "primary tumour"),
        ("Metastatic_Lymph_Node", "x"),
        ("other", "GTV_primary"),
        ("nodal tumour", "x"),
        ("GTVp1", "GTVp2"),
        ("x", "Tumor"),
        ("x", "gtvT"),
    ],
)
def test_labels_whose_names_contradict_the_targets_are_refused(first: str, second: str) -> None:
    with pytest.raises(ModelError, match=r"the label [12], and here it is [12].*1 for the primary tumour"):
        labels({"labels": {"background": 0, first: 1, second: 2}})


@pytest.mark.parametrize(
    ("first", "second"),
    [("PT", "LN"), ("Primary", "Nodal tumour"), ("lesion", "core"), ("GTVp", "Lymph-Node"), ("a", "primary and nodes")],
)
def test_labels_whose_names_agree_or_say_nothing_are_taken(first: str, second: str) -> None:
    assert labels({"labels": {"background": 0, first: 1, second: 2}}) == {"background": 0, first: 1, second: 2}


def test_string_label_values_become_ints() -> None:
    assert labels({"labels": {"background": "0", "GTVp": "1", "GTVn": "2"}}) == {"background": 0, "GTVp": 1, "GTVn": 2}


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({"background": 0, "tumour": [1, 2]}, "is a region"),
        ({"background": 0, "GTVp": "one"}, "'one', no number"),
        ({"GTVp": 1}, "background 0"),
        ({"background": 0, "GTVp": 1, "GTVn": "1"}, "distinct"),
        ({}, "no 'labels'"),
    ],
)
def test_labels_that_cannot_be_used_are_refused(named: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        labels({"labels": named})


def test_channels_come_in_the_order_of_their_numbers() -> None:
    named = {str(number): f"c{number}" for number in reversed(range(11))}
    assert channel_names({"channel_names": named}) == tuple(f"c{number}" for number in range(11))


def test_channels_without_numbers_are_refused() -> None:
    with pytest.raises(ModelError, match="numbered 'channel_names'"):
        channel_names({"channel_names": {"T2": "0"}})


def test_a_configuration_inherits_over_several_steps(plans: dict[str, Any]) -> None:
    plans["configurations"]["b"] = {"inherits_from": "3d_fullres", "batch_size": 7, "spacing": [1, 1, 1]}
    plans["configurations"]["c"] = {"inherits_from": "b", "batch_size": 9}
    resolved = resolved_configuration(plans, "c")
    assert (resolved["batch_size"], resolved["spacing"], resolved["patch_size"]) == (9, [1, 1, 1], [8, 16, 16])
    assert "inherits_from" not in resolved


def test_a_circle_of_configurations_is_refused(plans: dict[str, Any]) -> None:
    plans["configurations"]["a"] = {"inherits_from": "b"}
    plans["configurations"]["b"] = {"inherits_from": "a"}
    with pytest.raises(ModelError, match="circle"):
        resolved_configuration(plans, "a")


def test_a_missing_configuration_names_those_that_are_there(plans: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match=r"no configuration '2d'\. It has 3d_fullres"):
        check_plans(plans, "2d")


def test_plans_without_a_network_are_refused(plans: dict[str, Any]) -> None:
    del plans["configurations"]["3d_fullres"]["architecture"]
    with pytest.raises(ModelError, match="lacks architecture"):
        check_plans(plans, "3d_fullres")


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("nonlin", "os.system"),
        ("nonlin", "subprocess.Popen"),
        ("norm_op", "torch.nn.modules.module.functools.partial"),
        ("conv_op", "torch.hub.load"),
        ("dropout_op", 7),
    ],
)
def test_plans_that_would_call_something_else_than_a_layer_are_refused(
    plans: dict[str, Any], key: str, name: Any
) -> None:
    plans["configurations"]["3d_fullres"]["architecture"]["arch_kwargs"][key] = name
    with pytest.raises(ModelError, match="no part of a network"):
        check_plans(plans, "3d_fullres")


@pytest.mark.parametrize(
    "name", ["subprocess.Popen", "dynamic_network_architectures.architectures.unet.torch.hub.load", None]
)
def test_plans_whose_network_is_something_else_are_refused(plans: dict[str, Any], name: Any) -> None:
    plans["configurations"]["3d_fullres"]["architecture"]["network_class_name"] = name
    with pytest.raises(ModelError, match="no part of a network"):
        check_plans(plans, "3d_fullres")


@pytest.mark.parametrize("value", [7, "text", [], ["a"], [[1]], {"a": 1}, None])
@pytest.mark.parametrize("key", ["arch_kwargs", "_kw_requires_import", "network_class_name"])
def test_a_network_description_of_another_form_is_refused_or_harmless(
    plans: dict[str, Any], key: str, value: Any
) -> None:
    architecture = plans["configurations"]["3d_fullres"]["architecture"]
    architecture[key] = value
    try:
        check_plans(plans, "3d_fullres")
    except ModelError:
        return
    imported = {name: architecture["arch_kwargs"].get(name) for name in architecture["_kw_requires_import"]}
    assert all(name is None or name.startswith("torch.nn.") for name in imported.values())


@pytest.mark.parametrize("key", ["inherits_from", "architecture", "normalization_schemes", "preprocessor_name"])
@pytest.mark.parametrize("value", [7, [["a"]], {"a": []}])
def test_a_configuration_of_another_form_is_refused(plans: dict[str, Any], key: str, value: Any) -> None:
    plans["configurations"]["3d_fullres"][key] = value
    with pytest.raises(ModelError):
        check_plans(plans, "3d_fullres")


def test_a_hostile_configuration_that_is_not_used_is_refused_too(plans: dict[str, Any]) -> None:
    plans["configurations"]["other"] = {"inherits_from": "3d_fullres", "preprocessor_name": "../evil"}
    with pytest.raises(ModelError, match="no part of a network"):
        check_plans(plans, "3d_fullres")
