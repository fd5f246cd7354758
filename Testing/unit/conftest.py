"""Fixtures that all unit tests share."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from HNTargetSegLib.case.volume import Geometry, Volume

BLOB_DEVIATIONS = 3.0
BLOB_MIDDLE = np.array([5.0, -20.0, 40.0])
BLOB_RADIUS_MM = 9.0


@pytest.fixture(scope="session")
def blob_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a model store with the model ``blobs``, whose weights are set by hand.

    Its network finds what is far brighter than the rest of the image as PT and what is far darker as LN, so that tests
    know what must be found; all around it is as in any nnU-Net model.
    """
    from HNTargetSegLib.models.card import unknown_card
    from HNTargetSegLib.models.recipe import Recipe
    from HNTargetSegLib.models.results import store_from_results

    folder = tmp_path_factory.mktemp("stores")
    results = folder / "nnUNetTrainer__nnUNetPlans__3d_fullres"
    plans = _blob_plans()
    dataset = {
        "channel_names": {"0": "T2"},
        "labels": {"background": 0, "GTVp": 1, "GTVn": 2},
        "numTraining": 1,
        "file_ending": ".nii.gz",
    }
    (results / "fold_0").mkdir(parents=True)
    for name, content in {"plans": plans, "dataset": dataset}.items():
        (results / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    checkpoint = {
        "network_weights": _blob_weights(plans),
        "trainer_name": "nnUNetTrainer",
        "init_args": {"configuration": "3d_fullres", "plans": plans, "dataset_json": dataset, "fold": 0},
        "inference_allowed_mirroring_axes": (0, 1, 2),
    }
    import torch

    torch.save(checkpoint, results / "fold_0" / "checkpoint_final.pth")
    store_from_results(results, folder / "models" / "blobs", unknown_card("blobs", Recipe.T2), half=False)
    return folder / "models"


def _blob_plans() -> dict[str, Any]:
    resampling = {"is_seg": False, "order": 1, "order_z": 0, "force_separate_z": None}
    architecture = {
        "network_class_name": "dynamic_network_architectures.architectures.unet.PlainConvUNet",
        "arch_kwargs": {
            "n_stages": 2,
            "features_per_stage": [2, 2],
            "conv_op": "torch.nn.modules.conv.Conv3d",
            "kernel_sizes": [[3, 3, 3], [3, 3, 3]],
            "strides": [[1, 1, 1], [2, 2, 2]],
            "n_conv_per_stage": [1, 1],
            "n_conv_per_stage_decoder": [1],
            "conv_bias": True,
            # Without normalisation in the network a tile does not depend on what else lies in it.
            "norm_op": None,
            "norm_op_kwargs": None,
            "dropout_op": None,
            "dropout_op_kwargs": None,
            "nonlin": "torch.nn.LeakyReLU",
            "nonlin_kwargs": {"inplace": True},
        },
        "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
    }
    configuration = {
        "data_identifier": "nnUNetPlans_3d_fullres",
        "preprocessor_name": "DefaultPreprocessor",
        "batch_size": 2,
        "patch_size": [16, 32, 32],
        "median_image_size_in_voxels": [16, 32, 32],
        "spacing": [4.0, 3.0, 3.0],
        "normalization_schemes": ["ZScoreNormalization"],
        "use_mask_for_norm": [False],
        "resampling_fn_data": "resample_data_or_seg_to_shape",
        "resampling_fn_seg": "resample_data_or_seg_to_shape",
        "resampling_fn_data_kwargs": {**resampling, "order": 3},
        "resampling_fn_seg_kwargs": {**resampling, "is_seg": True},
        "resampling_fn_probabilities": "resample_data_or_seg_to_shape",
        "resampling_fn_probabilities_kwargs": resampling,
        "architecture": architecture,
        "batch_dice": False,
    }
    return {
        "dataset_name": "Dataset778_Blobs",
        "plans_name": "nnUNetPlans",
        "original_median_spacing_after_transp": [4.0, 3.0, 3.0],
        "original_median_shape_after_transp": [16, 32, 32],
        "image_reader_writer": "SimpleITKIO",
        "transpose_forward": [0, 1, 2],
        "transpose_backward": [0, 1, 2],
        "experiment_planner_used": "ExperimentPlanner",
        "label_manager": "LabelManager",
        "foreground_intensity_properties_per_channel": {},
        "configurations": {"3d_fullres": configuration},
    }


def _blob_weights(plans: dict[str, Any]) -> dict[str, Any]:
    import torch
    from nnunetv2.utilities.get_network_from_plans import get_network_from_plans

    architecture = plans["configurations"]["3d_fullres"]["architecture"]
    names = architecture["network_class_name"], architecture["arch_kwargs"], architecture["_kw_requires_import"]
    network = get_network_from_plans(*names, 1, 3, deep_supervision=False)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        first = network.encoder.stages[0][0].convs[0].conv.weight
        last = network.decoder.stages[0].convs[0].conv.weight
        head = network.decoder.seg_layers[0]
        # Feature 0 is how bright a voxel is in standard deviations, feature 1 how dark; the decoder takes both from
        # the skip connection, which comes after the two upsampled features.
        for feature, sign in enumerate((1.0, -1.0)):
            first[feature, 0, 1, 1, 1] = sign
            last[feature, 2 + feature, 1, 1, 1] = 1.0
            head.weight[1 + feature, feature] = 4.0
            head.bias[1 + feature] = -4.0 * BLOB_DEVIATIONS
    return network.state_dict()


@pytest.fixture(scope="session")
def head_with_blobs() -> Callable[..., Volume]:
    """Maker of images with a bright ball of 3 cc at the left and a dark one of 3 cc at the right of the middle.

    ``head_with_blobs(size, spacing, axes)``: voxels and mm along (i, j, k), 3x3 directions. The middle of the grid lies
    at LPS (5, -20, 40), the bright ball's centre 25 mm to the left (+x) of it and the dark one's 25 mm to the right.
    """

    def make(
        size: tuple[int, int, int] = (40, 36, 20),
        spacing: tuple[float, float, float] = (3.0, 3.0, 4.0),
        axes: np.ndarray | None = None,
        blobs: bool = True,
    ) -> Volume:
        turned = np.eye(3) if axes is None else axes
        origin = BLOB_MIDDLE - turned @ ((np.array(size) - 1) / 2 * spacing)
        geometry = Geometry(size, spacing, tuple(origin.tolist()), tuple(turned.ravel().tolist()))
        place = geometry.to_lps(np.moveaxis(np.indices(geometry.shape), 0, -1))
        # Texture from positions, so that the same place looks the same on any grid.
        array = 300 + 40 * np.sin(place @ np.array([[0.31], [0.23], [0.17]]))[..., 0]
        for x, value in ((25.0, 900.0), (-25.0, 5.0)):
            inside = np.linalg.norm(place - BLOB_MIDDLE - np.array([x, 0, 0]), axis=-1) < BLOB_RADIUS_MM
            array[inside & blobs] = value
        return Volume(array.astype(np.float32), geometry, "blobs")

    return make


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Maker of a disk of 4 MB that has so many bytes left; none at all makes it read-only."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("a small disk is a tmpfs, which root mounts on Linux")
    disk = tmp_path / "small disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(disk)], capture_output=True, text=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"no tmpfs can be mounted here ({mounted.stderr.strip()})")

    def make(left: int) -> Path:
        if left == 0:
            subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        else:
            free = shutil.disk_usage(disk).free
            (disk / "ballast").write_bytes(bytes(free - left))
        return disk

    yield make
    subprocess.run(["umount", str(disk)], check=True)
