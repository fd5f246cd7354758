"""One training from patients to a stored model: data set, plans, preprocessing, training; each stage resumes."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.models.options import Device
from HNTargetSegLib.training.cases import TrainingCase, check_case, split_by_patient
from HNTargetSegLib.training.presets import Preset
from HNTargetSegLib.training.workspace import Workspace

BASELINE = "nnUNetTrainerHNTS"
_CONFIGURATION = "3d_fullres"
_DEVICES = ("cuda", "mps", "cpu")
_SEED_FILE = "seed.json"


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
    trainer
        Class name of the nnU-Net trainer.
    fold
        Index of the split that is trained.

    Raises
    ------
    BadInputError
        If nnU-Net knows no such device.
    """

    preset: Preset
    workspace: Workspace
    device: str = "cuda"
    trainer: str = BASELINE
    fold: int = 0

    def __post_init__(self) -> None:
        if self.device not in _DEVICES:
            raise BadInputError(f"There is no device '{self.device}'", remedy=f"Choose one of {', '.join(_DEVICES)}")

    @property
    def results(self) -> Path:
        """nnU-Net's result folder."""
        return self.workspace.results(self.trainer, self.preset.plans, _CONFIGURATION)


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
        If an image or mask cannot be used (all are read before nnU-Net starts), or the workspace was begun with other
        cases or another seed.
    TargetSegError
        If a stage of nnU-Net fails.
    """
    from HNTargetSegLib.models.engines import chosen_device

    chosen_device(cast(Device, options.device))
    workspace = options.workspace
    _hold_seed(options)
    environment = workspace.environment(options.preset.phases[0], options.device)
    begun = (workspace.preprocessed / "dataset_fingerprint.json").exists()
    if not begun:
        say(f"Checking {len(cases)} images and masks")
        for case in cases:
            check_case(case)
    write_raw_dataset(workspace, cases)
    dataset = str(workspace.dataset_id)
    if not begun:
        workspace.run("fingerprint", ["-d", dataset, "--verify_dataset_integrity", "-np", "2"], environment, say)
    if not (workspace.preprocessed / f"{options.preset.plans}.json").exists():
        workspace.run("plan", ["-d", dataset, "-pl", options.preset.planner], environment, say)
        adapt_plans(workspace, options.preset)
    workspace.write_json(workspace.preprocessed / "splits_final.json", [split_by_patient(cases)])
    finished = workspace.preprocessed / f"{options.preset.plans}.preprocessed"
    if not finished.exists():
        arguments = ["-d", dataset, "-plans_name", options.preset.plans, "-c", _CONFIGURATION, "-np", "2"]
        workspace.run("preprocess", arguments, environment, say)
        finished.touch()
    for number in range(len(options.preset.phases)):
        _run_phase(number, options, say)
    return options.results


def _run_phase(number: int, options: TrainingOptions, say: Callable[[str], None]) -> None:
    """Train up to the end of a phase, from wherever the training stands."""
    workspace, preset = options.workspace, options.preset
    fold = options.results / f"fold_{options.fold}"
    finished = fold / f"phase_{number}.finished"
    if finished.exists():
        return
    arguments = [str(workspace.dataset_id), _CONFIGURATION, str(options.fold), "-tr", options.trainer]
    arguments += ["-p", preset.plans, "-device", options.device, *(["--c"] if _has_checkpoint(options) else [])]
    workspace.run("train", arguments, workspace.environment(preset.phases[number], options.device), say)
    finished.touch()


def write_raw_dataset(workspace: Workspace, cases: Sequence[TrainingCase]) -> None:
    """Describe the cases to nnU-Net where they lie, without copying an image.

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
        "channel_names": {"0": "T2"},
        "labels": {"background": 0, "GTVp": 1, "GTVn": 2},
        "numTraining": len(cases),
        "file_ending": ".nii.gz",
        "overwrite_image_reader_writer": "SimpleITKIO",
        "dataset": {
            case.identifier: {"images": [str(case.image.resolve())], "label": str(case.mask.resolve())}
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


def _hold_seed(options: TrainingOptions) -> None:
    """Write down what seed a training is begun with; refuse to go on with another one."""
    path, seed = options.workspace.root / _SEED_FILE, options.preset.seed
    if _has_checkpoint(options):
        begun = json.loads(path.read_text(encoding="utf-8"))["seed"] if path.exists() else None
        if begun != seed:
            remedy = "Leave --seed out" if begun is None else f"Go on with --seed {begun}"
            raise BadInputError(
                f"This training was begun with {'no seed' if begun is None else f'seed {begun}'}",
                path=options.workspace.root,
                remedy=f"{remedy}, or choose another --workspace",
            )
    options.workspace.write_json(path, {"seed": seed})


def _has_checkpoint(options: TrainingOptions) -> bool:
    fold = options.results / f"fold_{options.fold}"
    return any((fold / f"checkpoint_{name}.pth").exists() for name in ("latest", "final"))
