"""Plans become networks, or a message that says why not."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import torch

from HNTargetSegLib.errors import BadInputError, ModelError
from HNTargetSegLib.models.network import build_network, chosen_folds, read_plan


def test_network_gives_one_map_a_label_at_full_resolution(random_model: Callable[..., Any]) -> None:
    model = random_model(channels=2)
    plan = read_plan(model)
    network = build_network(plan, model.weights("0"))
    assert plan.channels == 2
    assert plan.patch == (8, 16, 16)
    assert not network.training
    assert network(torch.zeros(1, 2, 8, 16, 16)).shape == (1, 3, 8, 16, 16)


def test_weights_of_another_network_are_refused(random_model: Callable[..., Any]) -> None:
    model = random_model()
    with pytest.raises(ModelError, match="do not fit"):
        build_network(read_plan(model), random_model(channels=2).weights("0"))


def test_a_preprocessor_that_nnunet_lacks_is_replaced_and_named(random_model: Callable[..., Any]) -> None:
    model = random_model(
        preprocessor_name="DilatedPremaskAsFgPreprocessor",
        resampling_fn_data="resample_data_or_seg_dilated_premask_to_shape",
    )
    plan = read_plan(model)
    assert any("DilatedPremaskAsFgPreprocessor" in note for note in plan.notes)
    assert plan.configuration["resampling_fn_data"] == "resample_data_or_seg_to_shape"


@pytest.mark.parametrize(
    ("entries", "word"), [({"patch_size": [16, 16]}, "2D"), ({"previous_stage": "3d_lowres"}, "cascade")]
)
def test_2d_and_cascaded_models_are_refused(random_model: Callable[..., Any], entries: Any, word: str) -> None:
    with pytest.raises(ModelError, match=word):
        read_plan(random_model(**entries))


def test_plans_that_name_a_program_are_refused(random_model: Callable[..., Any]) -> None:
    model = random_model()
    model.plans["configurations"]["3d_fullres"]["architecture"]["network_class_name"] = "os.system"
    with pytest.raises(ModelError):
        read_plan(model)


def test_label_values_written_as_text_are_read(random_model: Callable[..., Any]) -> None:
    model = random_model()
    text = {**model.dataset, "labels": {"background": "0", "GTVp": "1", "GTVn": "2"}}
    assert read_plan(dataclasses.replace(model, dataset=text)).classes == 3


def test_plans_of_nnunets_older_form_give_the_same_network(random_model: Callable[..., Any]) -> None:
    model = random_model()
    present = read_plan(model).configuration["architecture"]
    arguments = present["arch_kwargs"]
    older = model.plans["configurations"]["3d_fullres"]
    del older["architecture"]
    older.update(
        UNet_class_name="PlainConvUNet",
        UNet_base_num_features=4,
        unet_max_num_features=8,
        n_conv_per_stage_encoder=arguments["n_conv_per_stage"],
        n_conv_per_stage_decoder=arguments["n_conv_per_stage_decoder"],
        num_pool_per_axis=[1, 2, 2],
        pool_op_kernel_sizes=arguments["strides"],
        conv_kernel_sizes=arguments["kernel_sizes"],
    )
    assert read_plan(model).configuration["architecture"] == present


@pytest.mark.parametrize("entry", ["transpose_forward", "spacing", "use_mask_for_norm"])
def test_plans_that_lack_what_preprocessing_needs_are_refused(random_model: Callable[..., Any], entry: str) -> None:
    model = random_model()
    model.plans.pop(entry, None)
    model.plans["configurations"]["3d_fullres"].pop(entry, None)
    with pytest.raises(ModelError, match=entry):
        read_plan(model)


def test_a_label_for_voxels_that_training_ignores_has_no_output(random_model: Callable[..., Any]) -> None:
    model = random_model()
    ignored = {**model.dataset, "labels": {**model.dataset["labels"], "ignore": 3}}
    assert read_plan(dataclasses.replace(model, dataset=ignored)).classes == 3


def test_a_fold_that_the_model_lacks_is_refused_by_name(random_model: Callable[..., Any]) -> None:
    model = random_model(folds=("0", "all"))
    assert chosen_folds(model, None) == ("0", "all")
    assert chosen_folds(model, ("all",)) == ("all",)
    with pytest.raises(BadInputError, match="fold 7"):
        chosen_folds(model, ("0", "7"))
