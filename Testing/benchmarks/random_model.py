"""A stored model with random weights: for figures that do not depend on what a network has learnt."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from HNTargetSegLib.models.card import unknown_card
from HNTargetSegLib.models.plans import labels, resolved_configuration
from HNTargetSegLib.models.recipe import Recipe
from HNTargetSegLib.models.results import CHECKPOINT, store_from_results
from HNTargetSegLib.models.stored import DATASET_FILE, PLANS_FILE, StoredModel


def store_random_model(
    plans: dict[str, Any], dataset: dict[str, Any], destination: Path, recipe: Recipe = Recipe.T2
) -> StoredModel:
    """Build the network of ``3d_fullres`` of the plans and store it as it is before any training."""
    import torch
    from nnunetv2.utilities.get_network_from_plans import get_network_from_plans

    architecture = resolved_configuration(plans, "3d_fullres")["architecture"]
    torch.manual_seed(0)
    network = get_network_from_plans(
        architecture["network_class_name"],
        architecture["arch_kwargs"],
        architecture["_kw_requires_import"],
        len(recipe.channels),
        len(labels(dataset)),
        deep_supervision=False,
    )
    results = destination.parent / f"{destination.name}-results"
    (results / "fold_0").mkdir(parents=True)
    (results / PLANS_FILE).write_text(json.dumps(plans))
    (results / DATASET_FILE).write_text(json.dumps(dataset))
    content = {
        "network_weights": network.state_dict(),
        "trainer_name": "nnUNetTrainer",
        "init_args": {"configuration": "3d_fullres"},
        "inference_allowed_mirroring_axes": (0, 1, 2),
    }
    torch.save(content, results / "fold_0" / CHECKPOINT)
    model = store_from_results(results, destination, unknown_card(destination.name, recipe), half=False)
    shutil.rmtree(results)
    return model
