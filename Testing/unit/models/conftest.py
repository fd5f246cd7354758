"""Tiny networks as nnU-Net leaves them behind: real plans, real classes, a few thousand weights."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from HNTargetSegLib.models.plans import resolved_configuration

ARCHITECTURE: dict[str, Any] = {
    "network_class_name": "dynamic_network_architectures.architectures.unet.PlainConvUNet",
    "arch_kwargs": {
        "n_stages": 3,
        "features_per_stage": [4, 8, 8],
        "conv_op": "torch.nn.modules.conv.Conv3d",
        "kernel_sizes": [[1, 3, 3], [3, 3, 3], [3, 3, 3]],
        "strides": [[1, 1, 1], [1, 2, 2], [2, 2, 2]],
        "n_conv_per_stage": [1, 1, 1],
        "n_conv_per_stage_decoder": [1, 1],
        "conv_bias": True,
        "norm_op": "torch.nn.modules.instancenorm.InstanceNorm3d",
        "norm_op_kwargs": {"eps": 1e-05, "affine": True},
        "dropout_op": None,
        "dropout_op_kwargs": None,
        "nonlin": "torch.nn.LeakyReLU",
        "nonlin_kwargs": {"inplace": True},
    },
    "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
}
RESAMPLING = {"is_seg": False, "order": 1, "order_z": 0, "force_separate_z": None}


def tiny_plans(channels: int = 1) -> dict[str, Any]:
    """Plans in nnU-Net's own form."""
    return {
        "dataset_name": "Dataset777_Tiny",
        "plans_name": "nnUNetPlans",
        "original_median_spacing_after_transp": [2.0, 1.0, 1.0],
        "original_median_shape_after_transp": [8, 16, 16],
        "image_reader_writer": "SimpleITKIO",
        "transpose_forward": [0, 1, 2],
        "transpose_backward": [0, 1, 2],
        "experiment_planner_used": "ExperimentPlanner",
        "label_manager": "LabelManager",
        "foreground_intensity_properties_per_channel": {},
        "configurations": {
            "3d_fullres": {
                "data_identifier": "nnUNetPlans_3d_fullres",
                "preprocessor_name": "DefaultPreprocessor",
                "batch_size": 2,
                "patch_size": [8, 16, 16],
                "median_image_size_in_voxels": [8, 16, 16],
                "spacing": [2.0, 1.0, 1.0],
                "normalization_schemes": ["ZScoreNormalization"] * channels,
                "use_mask_for_norm": [False] * channels,
                "resampling_fn_data": "resample_data_or_seg_to_shape",
                "resampling_fn_seg": "resample_data_or_seg_to_shape",
                "resampling_fn_data_kwargs": RESAMPLING,
                "resampling_fn_seg_kwargs": {**RESAMPLING, "is_seg": True},
                "resampling_fn_probabilities": "resample_data_or_seg_to_shape",
                "resampling_fn_probabilities_kwargs": RESAMPLING,
                "architecture": ARCHITECTURE,
                "batch_dice": False,
            }
        },
    }


@dataclass
class ResultsRequest:
    """What :func:`make_results` shall write."""

    channels: tuple[str, ...] = ("T2",)
    labels: dict[str, Any] = field(default_factory=lambda: {"background": 0, "GTVp": 1, "GTVn": 2})
    folds: tuple[str, ...] = ("0",)
    plans: dict[str, Any] | None = None
    configuration: str = "3d_fullres"
    prefix: str = ""
    trainer: str = "nnUNetTrainer"


def tiny_network(plans: dict[str, Any], configuration: str, channels: int, heads: int = 3) -> Any:
    """The network of plans, built by nnU-Net."""
    from nnunetv2.utilities.get_network_from_plans import get_network_from_plans

    architecture = resolved_configuration(plans, configuration)["architecture"]
    return get_network_from_plans(
        architecture["network_class_name"],
        architecture["arch_kwargs"],
        architecture["_kw_requires_import"],
        channels,
        heads,
        deep_supervision=False,
    )


def make_results(folder: Path, request: ResultsRequest | None = None) -> Path:
    """Write a results folder of nnU-Net; each fold has other random weights and all that nnU-Net saves."""
    import numpy as np
    import torch

    request = request or ResultsRequest()
    plans = copy.deepcopy(request.plans) if request.plans else tiny_plans(len(request.channels))
    names = {str(number): name for number, name in enumerate(request.channels)}
    dataset = {"channel_names": names, "labels": request.labels, "numTraining": 1, "file_ending": ".nii.gz"}
    folder.mkdir(parents=True)
    (folder / "plans.json").write_text(json.dumps(plans))
    (folder / "dataset.json").write_text(json.dumps(dataset))
    (folder / "dataset_fingerprint.json").write_text("{}")
    for number, fold in enumerate(request.folds):
        torch.manual_seed(number)
        network = tiny_network(plans, request.configuration, len(request.channels))
        checkpoint = {
            "network_weights": {request.prefix + key: value for key, value in network.state_dict().items()},
            "optimizer_state": torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9).state_dict(),
            "grad_scaler_state": None,
            "logging": {
                "mean_fg_dice": [np.float64(0.5), np.float32(0.25)],
                "dice_per_class_or_region": [[np.float32(0.1), np.float64(0.2)]],
                "epoch_start_timestamps": [1.0],
                "lrs": [np.int64(1)],
            },
            "_best_ema": np.float64(0.5),
            "current_epoch": 1,
            "init_args": {
                "plans": plans,
                "configuration": request.configuration,
                "fold": fold,
                "dataset_json": dataset,
                "unpack_dataset": True,
                "device": torch.device("cpu"),
            },
            "trainer_name": request.trainer,
            "inference_allowed_mirroring_axes": (0, 1, 2),
        }
        (folder / f"fold_{fold}").mkdir()
        torch.save(checkpoint, folder / f"fold_{fold}" / "checkpoint_final.pth")
    return folder


@pytest.fixture
def results(tmp_path: Path) -> Callable[..., Path]:
    """Maker of results folders: ``results("name", channels=("T2", "gradient"))``."""

    def make(name: str = "nnUNetTrainer__nnUNetPlans__3d_fullres", **fields: Any) -> Path:
        return make_results(tmp_path / name, ResultsRequest(**fields))

    return make


@dataclass(frozen=True)
class InMemoryModel:
    """A model as the predictor asks for it, with random weights that favour no label."""

    plans: dict[str, Any]
    dataset: dict[str, Any]
    states: dict[str, dict[str, Any]]
    configuration: str = "3d_fullres"
    mirror_axes: tuple[int, ...] = (0, 2)

    @property
    def folds(self) -> tuple[str, ...]:
        return tuple(self.states)

    def weights(self, fold: str) -> dict[str, Any]:
        return self.states[fold]


@pytest.fixture(scope="session")
def random_model() -> Callable[..., InMemoryModel]:
    """Maker of models: ``random_model(folds=("0", "1"), spacing=[3.5, 1.0, 1.0], transpose=[1, 0, 2])``."""

    def make(
        folds: tuple[str, ...] = ("0",),
        channels: int = 1,
        mirror_axes: tuple[int, ...] = (0, 2),
        transpose: tuple[int, ...] = (0, 1, 2),
        features: tuple[int, ...] = (4, 8, 8),
        **entries: Any,
    ) -> InMemoryModel:
        plans = copy.deepcopy(tiny_plans(channels))
        plans["transpose_forward"] = list(transpose)
        plans["transpose_backward"] = [transpose.index(axis) for axis in range(3)]
        plans["foreground_intensity_properties_per_channel"] = {str(channel): {} for channel in range(channels)}
        entries.setdefault("resampling_fn_data_kwargs", {**RESAMPLING, "order": 3})
        plans["configurations"]["3d_fullres"].update(entries)
        plans["configurations"]["3d_fullres"]["architecture"]["arch_kwargs"]["features_per_stage"] = list(features)
        labels = {"background": 0, "GTVp": 1, "GTVn": 2}
        names = {str(channel): "T2" for channel in range(channels)}
        dataset = {"channel_names": names, "labels": labels, "numTraining": 1, "file_ending": ".nii.gz"}
        states = {fold: _decided_weights(plans, channels, seed) for seed, fold in enumerate(folds)}
        return InMemoryModel(plans, dataset, states, mirror_axes=mirror_axes)

    return make


def _decided_weights(plans: dict[str, Any], channels: int, seed: int) -> dict[str, Any]:
    import torch

    torch.manual_seed(seed)
    network = tiny_network(plans, "3d_fullres", channels)
    with torch.no_grad():
        for layer in network.decoder.seg_layers:
            # The classes share one mean, and none of them wins everywhere.
            layer.weight.copy_(4.0 * (layer.weight - layer.weight.mean(0)))
            layer.bias.zero_()
    return network.state_dict()


@pytest.fixture(scope="session")
def textured() -> Callable[..., Any]:
    """Maker of smooth random images: ``textured((24, 90, 80), seed=1, border=4)``; the border is 0."""

    def make(shape: tuple[int, int, int], seed: int = 0, border: int = 0) -> Any:
        import numpy as np
        from scipy.ndimage import gaussian_filter

        noise = np.random.default_rng(seed).normal(size=shape)
        image = (400 + 900 * gaussian_filter(noise, 1.5) + 40 * noise).astype(np.float32)
        empty = np.ones(shape, bool)
        empty[tuple(slice(border, size - border) for size in shape)] = False
        image[empty] = 0
        return image

    return make
