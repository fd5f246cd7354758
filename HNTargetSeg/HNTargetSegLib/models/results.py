"""nnU-Net's results folders: found, turned into stored models, and written again for stock nnU-Net."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from HNTargetSegLib.errors import ModelError
from HNTargetSegLib.files import replacing_folder, write_text
from HNTargetSegLib.models.card import (
    CARD_FILE,
    UNKNOWN,
    ModelCard,
    NetworkFields,
    is_fold,
    read_json_object,
    write_card,
)
from HNTargetSegLib.models.plans import (
    channel_names,
    check_plans,
    labels,
    resolved_configuration,
    stand_ins,
    stock_plans,
)
from HNTargetSegLib.models.stored import (
    DATASET_FILE,
    FINGERPRINT_FILE,
    PLANS_FILE,
    StoredModel,
    check_dataset,
    file_hashes,
    load_model,
)
from HNTargetSegLib.models.weights import WEIGHTS_FILE, Checkpoint, check_fit, read_checkpoint, write_weights

CHECKPOINT = "checkpoint_final.pth"
_DEPTH = 4


@dataclass(frozen=True)
class FoldChoice:
    """Which checkpoints of a results folder are meant.

    Attributes
    ----------
    folds
        Such as ``("0", "1")`` or ``("all",)``; empty takes all numbered folds, or ``all`` where there are none.
    checkpoint
        File name in the fold's folder.
    """

    folds: tuple[str, ...] = ()
    checkpoint: str = CHECKPOINT


ALL_FOLDS = FoldChoice()


def find_model_folder(root: Path, part: str | None = None) -> Path:
    """Folder at or below ``root`` that holds a model: a stored one, or results of nnU-Net.

    Parameters
    ----------
    part
        Name of the folder that is meant when there are several, such as ``nnUNetTrainer__nnUNetPlans__3d_fullres``.

    Raises
    ------
    ModelError
        If there is none or more than one; the names are listed.
    """
    # Not rglob: someone will give the home folder.
    found = [path.parent for depth in range(_DEPTH) for path in sorted(root.glob("*/" * depth + PLANS_FILE))]
    found = [folder for folder in found if (folder / CARD_FILE).is_file() or any(_fold_folders(folder))]
    chosen = [folder for folder in found if part in (None, folder.name, folder.relative_to(root).as_posix())]
    if len(chosen) == 1:
        return chosen[0]
    if not found:
        raise ModelError(
            f"There is no model: no {PLANS_FILE} with fold_* folders beside it",
            path=root,
            remedy="A model of nnU-Net is a folder with plans.json, dataset.json and fold_0/checkpoint_final.pth",
        )
    names = ", ".join(folder.relative_to(root).as_posix() for folder in found)
    raise ModelError(
        f"There are several models ({names})" if part is None else f"There is no '{part}'",
        path=root,
        remedy=f"Choose with --part from {names}",
    )


def _fold_folders(folder: Path) -> dict[str, Path]:
    return {path.name[5:]: path for path in sorted(folder.glob("fold_*")) if path.is_dir() and is_fold(path.name[5:])}


def chosen_folds(folder: Path, choice: FoldChoice) -> dict[str, Path]:
    """Checkpoint of each fold that is meant, in order.

    Raises
    ------
    ModelError
        If a fold or its checkpoint is missing.
    """
    there = _fold_folders(folder)
    numbered = sorted((fold for fold in there if fold != "all"), key=int)
    complete = [fold for fold in numbered if (there[fold] / choice.checkpoint).is_file()]
    folds = list(choice.folds) or complete or (["all"] if "all" in there else numbered)
    if not folds:
        raise ModelError("There are no fold_* folders", path=folder, remedy="They hold the checkpoints")
    checkpoints = {}
    for fold in folds:
        checkpoints[fold] = there.get(fold, folder / f"fold_{fold}") / choice.checkpoint
        if not checkpoints[fold].is_file():
            others = sorted(path.name for path in checkpoints[fold].parent.glob("*.pth"))
            advice = (
                f"Choose with --checkpoint from {', '.join(others)}"
                if others
                else f"The folds here are {', '.join(there)}"
            )
            raise ModelError("The checkpoint is missing", path=checkpoints[fold], remedy=advice)
    return checkpoints


def read_results(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """plans.json and dataset.json of a results folder.

    Raises
    ------
    ModelError
        If one is missing or damaged.
    """
    return read_json_object(folder / PLANS_FILE), read_json_object(folder / DATASET_FILE)


def store_from_results(
    results_folder: Path, destination: Path, card: ModelCard, half: bool = True, choice: FoldChoice = ALL_FOLDS
) -> StoredModel:
    """Make a stored model of a results folder of nnU-Net (``Trainer__Plans__configuration``).

    Parameters
    ----------
    destination
        Folder of the model; it appears whole or not at all, and replaces a model that is there.
    card
        Its network, storage and files are filled in; what the plans need and stock nnU-Net lacks is added to its
        limits.
    half
        Store fp16 instead of fp32.

    Raises
    ------
    ModelError
        If files are missing, unsafe, or of different models.
    OutputError
        If the disk is full or read-only, or the destination holds something else than a model.
    """
    results_folder = Path(results_folder)
    plans, dataset = read_results(results_folder)
    checkpoints = chosen_folds(results_folder, choice)
    _check_data(dataset, card, results_folder)
    with replacing_folder(destination, marker=CARD_FILE) as folder:
        network = _store_folds(checkpoints, folder, (plans, dataset), half=half)
        # Without nnU-Net's list of training files: it names patients' files on the machine that trained.
        described = {key: value for key, value in dataset.items() if key != "dataset"}
        write_text(folder / DATASET_FILE, json.dumps(described, indent=2))
        for name in (PLANS_FILE, FINGERPRINT_FILE, "README.md"):
            if (results_folder / name).is_file():
                shutil.copyfile(results_folder / name, folder / name)
        complete = replace(
            _with_plans(card, plans, network.configuration),
            network=replace(network, checkpoint=choice.checkpoint),
            storage="fp16" if half else "fp32",
            files=file_hashes(folder),
        )
        write_card(folder, complete)
    return load_model(Path(destination))


def _check_data(dataset: dict[str, Any], card: ModelCard, folder: Path) -> None:
    try:
        check_dataset(dataset, card)
    except ModelError as error:
        raise ModelError(error.what, path=folder / DATASET_FILE, remedy=error.remedy) from None


def _store_folds(
    checkpoints: dict[str, Path], folder: Path, described: tuple[dict[str, Any], dict[str, Any]], *, half: bool
) -> NetworkFields:
    plans, dataset = described
    network: NetworkFields | None = None
    for fold, path in checkpoints.items():
        checkpoint = read_checkpoint(path)
        fields = _fields(checkpoint, tuple(checkpoints))
        if network is None:
            _check_source(plans, checkpoint.configuration, path.parent.parent)
            network = fields
        elif fields != network:
            raise ModelError(
                "The fold was trained in another way than the first one",
                path=path,
                remedy="Choose the folds that belong together with --folds",
            )
        check_fit(checkpoint.weights, channels=len(channel_names(dataset)), heads=len(_heads(dataset)), path=path)
        write_weights(folder / f"fold_{fold}" / WEIGHTS_FILE, checkpoint.weights, half=half)
    assert network is not None, "chosen_folds gives at least one"
    return network


def _fields(checkpoint: Checkpoint, folds: tuple[str, ...]) -> NetworkFields:
    return NetworkFields(
        configuration=checkpoint.configuration,
        trainer=checkpoint.trainer,
        folds=folds,
        mirror_axes=checkpoint.mirror_axes,
    )


def _heads(dataset: dict[str, Any]) -> Sequence[str]:
    # nnU-Net has no output for the label "ignore".
    return [name for name in labels(dataset) if name != "ignore"]


def _check_source(plans: dict[str, Any], configuration: str, folder: Path) -> None:
    try:
        check_plans(plans, configuration)
    except ModelError as error:
        raise ModelError(error.what, path=folder / PLANS_FILE, remedy=error.remedy or "Get the model again") from None


def _with_plans(card: ModelCard, plans: dict[str, Any], configuration: str) -> ModelCard:
    """Card that also says what the plans say: the network, and what stands in for missing parts."""
    notes = [note for note in stand_ins(plans, configuration) if note not in card.limits]
    technical = dict(card.technical)
    if technical.get("architecture") == UNKNOWN:
        resolved = resolved_configuration(plans, configuration)
        name = resolved.get("architecture", {}).get("network_class_name") or resolved.get("UNet_class_name", UNKNOWN)
        patch = "x".join(str(size) for size in resolved["patch_size"])
        technical["architecture"] = (
            f"{name.rpartition('.')[2]} of nnU-Net v2, configuration {configuration}, patch {patch}"
        )
    return replace(card, basics={**card.basics, "limits": [*card.limits, *notes]}, technical=technical)


def export_to_nnunet(model: StoredModel, destination: Path) -> None:
    """Write a folder that stock ``nnUNetv2_predict_from_modelfolder`` loads: plans, data set, and a checkpoint a fold.

    Raises
    ------
    OutputError
        If the disk is full or read-only, or the destination holds something else than such a folder.
    """
    import torch

    with replacing_folder(destination, marker=PLANS_FILE) as folder:
        plans = stock_plans(model.plans, model.configuration)
        dataset = copy.deepcopy(model.dataset) | {"labels": model.labels}
        write_text(folder / PLANS_FILE, json.dumps(plans, indent=2))
        write_text(folder / DATASET_FILE, json.dumps(dataset, indent=2))
        for fold in model.folds:
            content = {
                "network_weights": model.weights(fold),
                "trainer_name": "nnUNetTrainer",
                "init_args": {"configuration": model.configuration},
                "inference_allowed_mirroring_axes": model.mirror_axes or None,
            }
            (folder / f"fold_{fold}").mkdir()
            torch.save(content, folder / f"fold_{fold}" / CHECKPOINT)
