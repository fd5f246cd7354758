"""The network of bright and dark balls with a second channel: without it filled, nothing is a target."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from HNTargetSegLib.models.card import unknown_card
from HNTargetSegLib.models.recipe import Recipe
from HNTargetSegLib.models.results import store_from_results
from HNTargetSegLib.models.weights import read_weights


def store_box_model(blobs: Path, destination: Path, recipe: Recipe) -> Path:
    """Store the model and return its folder; it finds what the other finds where the second channel holds 2."""
    results = destination.parent / f"{destination.name}-results"
    (results / "fold_0").mkdir(parents=True)
    plans = json.loads((blobs / "plans.json").read_text())
    dataset = json.loads((blobs / "dataset.json").read_text())
    configuration = plans["configurations"]["3d_fullres"]
    configuration["normalization_schemes"] = ["ZScoreNormalization", "NoNormalization"]
    configuration["use_mask_for_norm"] = [False, False]
    plans["foreground_intensity_properties_per_channel"] = {}
    dataset["channel_names"] = {"0": "T2", "1": "noNorm"}
    for name, content in {"plans": plans, "dataset": dataset}.items():
        (results / f"{name}.json").write_text(json.dumps(content))
    checkpoint = {
        "network_weights": _weights(read_weights(blobs / "fold_0" / "weights.safetensors")),
        "trainer_name": "nnUNetTrainer",
        "init_args": {"configuration": "3d_fullres"},
        "inference_allowed_mirroring_axes": (0, 1, 2),
    }
    torch.save(checkpoint, results / "fold_0" / "checkpoint_final.pth")
    store_from_results(results, destination, unknown_card(destination.name, recipe), half=False)
    return destination


def _weights(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The weights with a second input channel: 40 deviations are missing where it is 0, none where it is 2."""
    changed = {}
    for name, values in state.items():
        changed[name] = values.clone()
        if "encoder.stages.0" not in name:
            continue
        if values.ndim == 5:
            changed[name] = torch.zeros((values.shape[0], 2, *values.shape[2:]))
            changed[name][:, :1] = values
            changed[name][:2, 1, 1, 1, 1] = 20.0
        else:
            changed[name][:2] = -40.0
    return changed
