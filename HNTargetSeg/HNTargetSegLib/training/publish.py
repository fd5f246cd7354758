"""From nnU-Net's results to a stored model with a card that says what it was trained on and how well it does."""

from __future__ import annotations

import datetime
import importlib.metadata
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from HNTargetSegLib import __version__
from HNTargetSegLib.models.card import UNKNOWN, ModelCard, checked_name
from HNTargetSegLib.models.channel_options import ChannelOptions
from HNTargetSegLib.models.recipe import Recipe
from HNTargetSegLib.models.results import store_from_results
from HNTargetSegLib.models.store import user_models_folder
from HNTargetSegLib.models.stored import StoredModel
from HNTargetSegLib.training.cases import TrainingCase
from HNTargetSegLib.training.train import TrainingOptions


@dataclass(frozen=True)
class Publication:
    """What the author says of a model; the rest of the card is known.

    Attributes
    ----------
    name
        Name in the store.
    data
        What it was trained on, in a sentence.
    licence
        Licence of the weights.
    limits
        What it is known not to do.
    evaluation_data, metrics
        What it was tested on, and the figures by cohort.
    default
        Whether it is used when no model is named.
    command
        The command that made it, so that it can be made again.
    """

    name: str
    data: str = UNKNOWN
    licence: str = UNKNOWN
    limits: Sequence[str] = ("Research use only; not evaluated for clinical use",)
    evaluation_data: str = UNKNOWN
    metrics: Mapping[str, Any] = field(default_factory=dict)
    default: bool = False
    command: str = UNKNOWN


def publish(
    options: TrainingOptions,
    cases: Sequence[TrainingCase],
    publication: Publication,
    destination: Path | None = None,
    *,
    half: bool = False,
) -> StoredModel:
    """Store a trained model.

    Parameters
    ----------
    destination
        Folder of the model; the user's store by default.
    half
        Store the weights in half precision: half the size, about 2e-4 of the voxels differ.
    """
    target = model_folder(publication.name, destination)
    return store_from_results(options.results, target, model_card(options, cases, publication), half=half)


def model_folder(name: str, destination: Path | None = None) -> Path:
    """Where a model of that name will lie.

    Raises
    ------
    ModelError
        If the name cannot be a folder's.
    """
    return destination or user_models_folder() / checked_name(name)


def model_card(options: TrainingOptions, cases: Sequence[TrainingCase], publication: Publication) -> ModelCard:
    """The card of a model that this project trained."""
    preset = options.preset
    patients = sorted({case.patient for case in cases})
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("nnunetv2", "torch", "numpy"))
    return ModelCard(
        name=publication.name,
        version=__version__,
        recipe=Recipe.T2 if options.prior is None else Recipe.T2_GRADIENT,
        channels=ChannelOptions() if options.prior is None else ChannelOptions(options.prior.gradient),
        default=publication.default,
        metadata={"created": datetime.date.today().isoformat(), "author": "HNTargetSeg developers"},
        basics={
            "summary": _summary(options),
            "intended_use": "Research, teaching and software tests",
            "limits": list(publication.limits),
            "licence": publication.licence,
        },
        technical={
            "architecture": f"nnU-Net v2, preset {preset.name} ({preset.about})",
            "software": f"hntargetseg {__version__}, {versions}, Python {platform.python_version()}",
            "hardware": options.device,
        },
        training={
            "data": publication.data,
            "patients": len(patients),
            "images": len(cases),
            "method": f"{options.trainer}: {options.loss.in_words}; nnU-Net's augmentation, {preset.in_words}",
            "loss": {"name": options.loss.name, **options.loss.to_dict()},
            **({} if options.prior is None else {"prior": options.prior.in_words}),
            "seed": "none" if preset.seed is None else preset.seed,
            "command": publication.command,
        },
        evaluation={"data": publication.evaluation_data, "metrics": dict(publication.metrics) or UNKNOWN},
        other={
            "ethics": "No patient data beyond what the training data section names",
            "risks": "A wrong target can harm; every lesion is to be reviewed by a physician",
            "monitoring": "Compare with the figures above after each change of data or software",
        },
    )


def _summary(options: TrainingOptions) -> str:
    summary = "Primary tumour (GTVp, 1) and metastatic lymph nodes (GTVn, 2) on one T2-weighted MR"
    if options.prior is None:
        return summary
    told = "with the gradient map of the pre-RT tumour regions"
    return (
        f"{summary}, {told}"
        if options.prior.draws is None
        else f"{summary}, {told}, of boxes drawn by hand, or of none"
    )
