"""One training from patients to a stored model: data set, plans, preprocessing, training; each stage resumes."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from HNTargetSegLib.errors import BadInputError, MissingDependencyError
from HNTargetSegLib.models.options import Device
from HNTargetSegLib.training.begun import has_checkpoint, hold_choices, require_same_choices, require_same_network
from HNTargetSegLib.training.cases import TrainingCase, check_case, require_distinct_patients, split_by_patient
from HNTargetSegLib.training.folds import Fold, check_folds
from HNTargetSegLib.training.loss_choice import LossChoice
from HNTargetSegLib.training.presets import Preset
from HNTargetSegLib.training.prior_channel import map_file, write_prior_channel
from HNTargetSegLib.training.prior_recipe import PriorRecipe, dataset_name, dataset_number
from HNTargetSegLib.training.space import preprocessed_bytes, require_space
from HNTargetSegLib.training.workspace import Workspace

_CONFIGURATION = "3d_fullres"
_DEVICES = ("cuda", "mps", "cpu")


@dataclass(frozen=True)
class TrainingOptions:
    """What a training needs besides its cases.

    Attributes
    ----------
    preset
        Plan and schedule.
    workspace
        Where it lives.
    device
        ``cuda``, ``mps`` or ``cpu``.
    loss
        Loss with its options.
    fold
        Index of the split that is trained.
    folds
        The splits; empty is one split with a tenth of the patients held out.
    gpus
        Over one, nnU-Net trains on several at once (its DDP).
    prior
        Of the second channel; None trains on the T2 alone. Its data set has a number and name of its own, so that
        trainings with and without it share a folder.

    Raises
    ------
    BadInputError
        If nnU-Net knows no such device, or several GPUs are asked for on another.
    """

    preset: Preset
    workspace: Workspace
    device: str = "cuda"
    loss: LossChoice = field(default_factory=LossChoice)
    fold: int = 0
    folds: tuple[Fold, ...] = ()
    gpus: int = 1
    prior: PriorRecipe | None = None

    def __post_init__(self) -> None:
        if self.prior is not None and self.workspace.dataset_name != dataset_name(self.prior):
            number, name = dataset_number(self.prior), dataset_name(self.prior)
            object.__setattr__(self, "workspace", replace(self.workspace, dataset_id=number, dataset_name=name))
        if self.device not in _DEVICES:
            raise BadInputError(f"There is no device '{self.device}'", remedy=f"Choose one of {', '.join(_DEVICES)}")
        if self.gpus < 1 or (self.gpus > 1 and self.device != "cuda"):
            raise BadInputError(
                f"{self.gpus} GPUs cannot be used on the device '{self.device}'",
                remedy="Give --gpus 1 or more, and more than 1 with --device cuda only",
            )

    @property
    def trainer(self) -> str:
        """Class name of the nnU-Net trainer."""
        return self.loss.trainer

    @property
    def results(self) -> Path:
        """nnU-Net's result folder."""
        return self.workspace.results(self.trainer, self.preset.plans, _CONFIGURATION)

    @property
    def fold_folder(self) -> Path:
        """Where the checkpoints of the trained fold lie."""
        return self.results / f"fold_{self.fold}"


def train(cases: Sequence[TrainingCase], options: TrainingOptions, say: Callable[[str], None] = print) -> Path:
    """Run or go on with a training.

    A finished stage is not repeated; an interrupted training goes on from its last checkpoint.

    Returns
    -------
    Path
        nnU-Net's result folder with ``fold_<n>/checkpoint_final.pth``.

    Raises
    ------
    MissingDependencyError
        If the device is missing.
    BadInputError
        If an image or mask cannot be used (all are read before nnU-Net starts), a patient is there twice or on both
        sides of a fold, or the workspace was begun with other cases, another seed, loss or prior, or another network.
    OutputError
        If the disk is too small.
    TargetSegError
        If a stage of nnU-Net fails.
    """
    _require_devices(options)
    require_same_choices(options.fold_folder, _choices(options), options.workspace.home)
    prepare(cases, options, say)
    hold_choices(options.fold_folder, _choices(options))
    plans = options.workspace.preprocessed / f"{options.preset.plans}.json"
    require_same_network(options.fold_folder, plans, channels=len(channel_names(options.prior)))
    for number in range(len(options.preset.phases)):
        _run_phase(number, options, say)
    return options.results


def prepare(cases: Sequence[TrainingCase], options: TrainingOptions, say: Callable[[str], None] = print) -> None:
    """Data set, plans, splits and preprocessed cases: what all trainings of a workspace share.

    Errors are those of :func:`train`.
    """
    workspace, preset = options.workspace, options.preset
    environment = workspace.environment(preset.phases[0], options.device)
    begun = (workspace.preprocessed / "dataset_fingerprint.json").exists()
    if not begun:
        say(f"Checking {len(cases)} images and masks")
        require_distinct_patients(cases)
        for case in cases:
            check_case(case)
        require_space(workspace.root, preprocessed_bytes(cases, channels=2 if options.prior else 1))
    folds = options.folds or (split_by_patient(cases),)
    check_folds(folds, cases)
    if options.prior is not None:
        if not begun:
            say(f"Making {len(cases)} gradient maps")
        write_prior_channel(workspace.raw, cases, options.prior)
    write_raw_dataset(workspace, cases, options.prior)
    dataset = str(workspace.dataset_id)
    if not begun:
        workspace.run("fingerprint", ["-d", dataset, "--verify_dataset_integrity", "-np", "2"], environment, say)
    if not (workspace.preprocessed / f"{preset.plans}.json").exists():
        workspace.run("plan", ["-d", dataset, "-pl", preset.planner], environment, say)
        adapt_plans(workspace, preset)
    workspace.write_json(workspace.preprocessed / "splits_final.json", list(folds))
    finished = workspace.preprocessed / f"{preset.plans}.preprocessed"
    if not finished.exists():
        arguments = ["-d", dataset, "-plans_name", preset.plans, "-c", _CONFIGURATION, "-np", "2"]
        workspace.run("preprocess", arguments, environment, say)
        finished.touch()


def _require_devices(options: TrainingOptions) -> None:
    from HNTargetSegLib.models.engines import chosen_device

    chosen_device(cast(Device, options.device))
    if options.gpus > 1:
        import torch

        if torch.cuda.device_count() < options.gpus:
            raise MissingDependencyError(
                f"PyTorch sees {torch.cuda.device_count()} GPUs, and {options.gpus} are asked for",
                remedy="Give --gpus the number that is there, or make them visible (CUDA_VISIBLE_DEVICES)",
            )


def _choices(options: TrainingOptions) -> dict[str, Any]:
    choices: dict[str, Any] = {"seed": options.preset.seed, "loss": options.loss.to_dict()}
    return choices if options.prior is None else {**choices, "prior": options.prior.to_dict()}


def _run_phase(number: int, options: TrainingOptions, say: Callable[[str], None]) -> None:
    """Train up to the end of a phase, from wherever the training stands."""
    workspace, preset = options.workspace, options.preset
    finished = options.fold_folder / f"phase_{number}.finished"
    if finished.exists():
        return
    # Held-out cases are segmented by the finished network alone.
    schedule = replace(preset.phases[number], validate=number == len(preset.phases) - 1)
    arguments = [str(workspace.dataset_id), _CONFIGURATION, str(options.fold), "-tr", options.trainer]
    arguments += ["-p", preset.plans, "-device", options.device]
    arguments += ["-num_gpus", str(options.gpus)] if options.gpus > 1 else []
    arguments += ["--c"] if has_checkpoint(options.fold_folder) else []
    environment = workspace.environment(schedule, options.device, options.loss.to_dict(), _prior_choice(options))
    workspace.run("train", arguments, environment, say)
    finished.touch()


def _prior_choice(options: TrainingOptions) -> dict[str, Any]:
    return {} if options.prior is None else options.prior.to_dict()


def write_raw_dataset(workspace: Workspace, cases: Sequence[TrainingCase], prior: PriorRecipe | None = None) -> None:
    """Describe the cases to nnU-Net where they lie, without copying an image.

    Parameters
    ----------
    prior
        Recipe of the second channel, whose files are there already.

    Raises
    ------
    BadInputError
        If the workspace already holds other cases.
    """
    ending = {"".join(case.image.suffixes[-2:]) for case in cases}
    if ending != {".nii.gz"}:
        raise BadInputError(
            f"The training images end in {sorted(ending)}", remedy="Convert images and masks to .nii.gz first"
        )
    description = {
        "name": workspace.dataset_name,
        "channel_names": channel_names(prior),
        "labels": {"background": 0, "GTVp": 1, "GTVn": 2},
        "numTraining": len(cases),
        "file_ending": ".nii.gz",
        "overwrite_image_reader_writer": "SimpleITKIO",
        "dataset": {
            case.identifier: {"images": _images(workspace, case, prior), "label": str(case.mask.resolve())}
            for case in cases
        },
    }
    path = workspace.raw / "dataset.json"
    if path.exists() and json.loads(path.read_text(encoding="utf-8"))["dataset"] != description["dataset"]:
        raise BadInputError(
            "This workspace was begun with other cases",
            path=path,
            remedy="Choose another --workspace, or remove this one",
        )
    workspace.write_json(path, description)


def channel_names(prior: PriorRecipe | None) -> dict[str, str]:
    """As ``dataset.json`` has them: nnU-Net normalises each channel by its name."""
    # Any name that nnU-Net does not know is normalised by z-score.
    return {"0": "T2"} | (
        {} if prior is None else {"1": {"noNorm": "noNorm", "zscore": "gradient"}[prior.normalisation]}
    )


def _images(workspace: Workspace, case: TrainingCase, prior: PriorRecipe | None) -> list[str]:
    second = [] if prior is None else [str(map_file(workspace.raw, case).resolve())]
    return [str(case.image.resolve()), *second]


def adapt_plans(workspace: Workspace, preset: Preset) -> None:
    """Give the planned configuration the preset's overrides and the preset's name."""
    planned = workspace.preprocessed / f"{preset.planned}.json"
    plans: dict[str, Any] = json.loads(planned.read_text(encoding="utf-8"))
    configuration = plans["configurations"][_CONFIGURATION]
    configuration.update(preset.overrides)
    configuration["data_identifier"] = f"{preset.plans}_{_CONFIGURATION}"
    plans["configurations"] = {_CONFIGURATION: configuration}
    plans["plans_name"] = preset.plans
    workspace.write_json(workspace.preprocessed / f"{preset.plans}.json", plans)
