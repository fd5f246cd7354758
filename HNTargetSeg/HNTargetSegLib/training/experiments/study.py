"""A comparison before it is run: its arms, seeds and folds, and where each training lies."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.files import write_text
from HNTargetSegLib.training.cases import TrainingCase, find_cases, find_prior_cases
from HNTargetSegLib.training.experiments.arms import Arm, loss_arms, require_each_once
from HNTargetSegLib.training.folds import Fold, cross_validation, one_split, read_folds
from HNTargetSegLib.training.presets import Preset
from HNTargetSegLib.training.train import TrainingOptions
from HNTargetSegLib.training.workspace import Workspace

_RECORD = "study.json"


@dataclass(frozen=True)
class Run:
    """One training of an arm."""

    arm: Arm
    seed: int
    fold: int


@dataclass(frozen=True)
class Split:
    """How patients are held out.

    Attributes
    ----------
    folds
        Of a cross-validation; 1 is a single split.
    held_out
        Patients that a single split holds out; a third by default.
    file
        Folds in nnU-Net's form, in place of both.
    """

    folds: int = 5
    held_out: int | None = None
    file: Path | None = None

    def of(self, cases: Sequence[TrainingCase]) -> tuple[Fold, ...]:
        """The folds; errors are those of :mod:`HNTargetSegLib.training.folds`."""
        if self.file is not None:
            return read_folds(self.file, cases)
        if self.folds == 1:
            return one_split(cases, self.held_out)
        if self.held_out is not None:
            raise BadInputError(
                f"{self.held_out} patients are to be held out of {self.folds} folds", remedy="Add --folds 1"
            )
        return cross_validation(cases, self.folds)


@dataclass(frozen=True)
class Study:
    """All choices of a comparison.

    Attributes
    ----------
    data
        Patients in the HNTS-MRG layout.
    output
        Folder of trainings and results.
    preset
        Without a seed.
    seeds
        Each arm is trained once with each, and all arms with the same ones.
    arms
        What is compared; the first is what the others are compared with.
    with_priors
        Whether cases carry what was known before. Then pre-RT visits are for training only, and ``visit`` is not used.

    Raises
    ------
    BadInputError
        If there is no seed or arm, or one is there twice.
    """

    data: Path
    output: Path
    preset: Preset
    visit: str = "both"
    device: str = "cuda"
    split: Split = field(default_factory=Split)
    seeds: tuple[int, ...] = (0,)
    arms: tuple[Arm, ...] = field(default_factory=loss_arms)
    with_priors: bool = False

    def __post_init__(self) -> None:
        require_each_once(seed=self.seeds, arm=[arm.name for arm in self.arms])

    def cases(self) -> tuple[TrainingCase, ...]:
        """All visits that are trained on and tested."""
        return find_prior_cases(self.data) if self.with_priors else find_cases(self.data, self.visit)

    def runs(self, folds: Sequence[Fold]) -> tuple[Run, ...]:
        """All trainings; every arm gets a seed and a fold before the next ones begin, so that a part can be read."""
        return tuple(Run(arm, seed, fold) for seed, fold, arm in product(self.seeds, range(len(folds)), self.arms))

    def training(self, run: Run, folds: Sequence[Fold]) -> TrainingOptions:
        """How a run is trained; all runs share what is preprocessed."""
        workspace = Workspace((self.output / "training").resolve(), run_name=f"{run.arm.name}-seed{run.seed}")
        preset = self.preset.seeded(run.seed)
        return TrainingOptions(
            preset, workspace, self.device, run.arm.loss, run.fold, tuple(folds), prior=run.arm.prior
        )

    def hold(self, folds: Sequence[Fold]) -> None:
        """Write down what cannot change while a study goes on; more arms, weights and seeds may be added.

        Raises
        ------
        BadInputError
            If the folder holds a study of other patients, visits, folds or of another preset.
        """
        path = self.output / _RECORD
        fixed: dict[str, Any] = {
            "data": str(self.data.resolve()),
            "visit": self.visit,
            "preset": self.preset.name,
            "folds": [dict(fold) for fold in folds],
        }
        if path.exists():
            begun = json.loads(path.read_text(encoding="utf-8"))
            for name, value in fixed.items():
                if begun.get(name) != value:
                    raise BadInputError(
                        f"This folder holds a study begun with other {name}",
                        path=path,
                        remedy="Give the same choices, or another --output",
                    )
        write_text(path, json.dumps(fixed, indent=1) + "\n")


def generated_patients(cases: Sequence[TrainingCase]) -> int:
    """How many of the patients the project's own phantom generated: their truth lies beside them."""
    folders = {case.patient: case.image.parent.parent for case in cases}
    return sum((folder / f"{patient}_truth.json").is_file() for patient, folder in folders.items())
