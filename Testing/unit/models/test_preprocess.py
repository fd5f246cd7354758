"""The network sees what nnU-Net's own preprocessing would show it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from HNTargetSegLib.errors import ModelError
from HNTargetSegLib.models.network import read_plan
from HNTargetSegLib.models.preprocess import Placement, preprocess


def _nnunet(channels: np.ndarray, spacing: tuple[float, ...], model: Any) -> tuple[np.ndarray, dict[str, Any]]:
    from nnunetv2.preprocessing.preprocessors.default_preprocessor import DefaultPreprocessor
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    manager = PlansManager(model.plans)
    configuration = manager.get_configuration(model.configuration)
    data, _, properties = DefaultPreprocessor(verbose=False).run_case_npy(
        channels, None, {"spacing": list(spacing)}, manager, configuration, {}
    )
    return data, properties


@pytest.mark.parametrize("transpose", [(0, 1, 2), (1, 0, 2), (2, 0, 1)])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("spacing", [(2.0, 1.0, 1.0), (3.0, 0.7, 0.8), (1.0, 1.0, 1.0), (4.5, 1.3, 1.3)])
def test_input_equals_that_of_nnunet(
    random_model: Callable[..., Any],
    textured: Callable[..., Any],
    transpose: tuple[int, ...],
    masked: bool,
    spacing: tuple[float, ...],
) -> None:
    model = random_model(transpose=transpose, use_mask_for_norm=[masked])
    image = textured((14, 30, 26), seed=3, border=3)[None]
    image[0, 8, 10:13, 10:13] = 0  # a hole, which the mask of the normalisation fills
    theirs, properties = _nnunet(image, spacing, model)
    ours = preprocess(image, spacing, read_plan(model))
    assert ours.data.dtype == np.float32
    assert ours.data.shape == theirs.shape
    assert np.abs(ours.data - theirs).max() <= 2e-6
    assert np.mean(ours.data != theirs) <= 1e-3
    assert [[part.start, part.stop] for part in ours.placement.crop] == properties["bbox_used_for_cropping"]


def test_without_resampling_the_input_is_bit_for_bit_that_of_nnunet(
    random_model: Callable[..., Any], textured: Callable[..., Any]
) -> None:
    schemes = ["ZScoreNormalization", "NoNormalization"]
    model = random_model(channels=2, normalization_schemes=schemes, transpose=(2, 1, 0))
    channels = np.stack([textured((20, 33, 21), seed=1, border=2), textured((20, 33, 21), seed=2, border=5)])
    theirs, _ = _nnunet(channels, (1.0, 1.0, 2.0), model)
    assert np.array_equal(preprocess(channels, (1.0, 1.0, 2.0), read_plan(model)).data, theirs)


def test_another_resampling_function_of_nnunet_is_called_as_nnunet_calls_it(
    random_model: Callable[..., Any], textured: Callable[..., Any]
) -> None:
    arguments = {"is_seg": False, "force_separate_z": False, "memefficient_seg_resampling": False}
    model = random_model(resampling_fn_data="resample_torch_fornnunet", resampling_fn_data_kwargs=arguments)
    image = textured((14, 30, 26), seed=4)[None]
    theirs, _ = _nnunet(image, (3.0, 0.7, 0.8), model)
    assert np.array_equal(preprocess(image, (3.0, 0.7, 0.8), read_plan(model)).data, theirs)


def test_statistics_of_the_training_images_reach_the_normalisation_that_asks_for_them(
    random_model: Callable[..., Any], textured: Callable[..., Any]
) -> None:
    model = random_model(normalization_schemes=["CTNormalization"])
    statistics = {"mean": 300.0, "std": 90.0, "percentile_00_5": 100.0, "percentile_99_5": 700.0}
    model.plans["foreground_intensity_properties_per_channel"] = {"0": statistics}
    image = textured((14, 30, 26), seed=4)[None]
    theirs, _ = _nnunet(image, (2.0, 1.0, 1.0), model)
    assert np.array_equal(preprocess(image, (2.0, 1.0, 1.0), read_plan(model)).data, theirs)


def test_a_normalisation_that_nnunet_lacks_is_named(random_model: Callable[..., Any]) -> None:
    plan = read_plan(random_model(normalization_schemes=["WhiteStripe"]))
    with pytest.raises(ModelError, match=r"'WhiteStripe'.*ZScoreNormalization"):
        preprocess(np.ones((1, 9, 10, 11), np.float32), (2.0, 1.0, 1.0), plan)


def test_an_empty_image_is_not_cropped(random_model: Callable[..., Any]) -> None:
    prepared = preprocess(np.zeros((1, 9, 10, 11), np.float32), (2.0, 1.0, 1.0), read_plan(random_model()))
    assert prepared.data.shape == (1, 9, 10, 11)
    assert np.isfinite(prepared.data).all()


def test_the_given_image_is_not_changed(random_model: Callable[..., Any], textured: Callable[..., Any]) -> None:
    image = textured((9, 20, 20))[None]
    before = image.copy()
    preprocess(image, (2.0, 1.0, 1.0), read_plan(random_model()))
    assert np.array_equal(image, before)


def test_a_box_is_carried_through_transposition_crop_and_resampling() -> None:
    place = Placement(
        image_shape=(40, 50, 60),
        transpose=(1, 0, 2),
        crop=(slice(10, 50), slice(5, 35), slice(0, 60)),
        spacing=(1.0, 1.0, 1.0),
        network_spacing=(2.0, 1.0, 1.0),
        network_shape=(20, 30, 60),
    )
    box = place.on_crop((slice(0, 20), slice(20, 30), slice(None)))
    assert box == (slice(10, 20), slice(0, 15), slice(0, 60))
    assert place.on_network(box) == (slice(4, 11), slice(0, 15), slice(0, 60))
    empty = place.on_crop((slice(0, 3), slice(20, 30), slice(None)))[1]
    assert empty.start == empty.stop
