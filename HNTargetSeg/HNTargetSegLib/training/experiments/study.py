"""A comparison of losses before it is run: its arms, seeds and folds, and where each training lies."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.files import write_text
from HNTargetSegLib.training.cases import TrainingCase, find_cases
from HNTargetSegLib.training.folds import Fold, cross_validation, one_split, read_folds
from HNTargetSegLib.training.loss_choice import BASELINE, VOLUME_AWARE, LossChoice
from HNTargetSegLib.training.presets import Preset
from HNTargetSegLib.training.train import TrainingOptions
from HNTargetSegLib.training.workspace import Workspace

_RECORD = "study.json"


@dataclass(frozen=True)
class Arm:
    """One configuration that is trained: a loss with all its options.

    Attributes
    ----------
    name
        ``baseline``, or such as ``dual-gamma0.5``: also the name of folders.
    """

    name: str
    loss: LossChoice


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
    configurations
        Losses, the baseline among them.
    gammas
        Of the volume-aware losses; 0 is the baseline and is not trained again.
    weights
        Their other options.

    Raises
    ------
    BadInputError
        If the baseline is missing, a name or value is unknown, or something is there twice.
    """

    data: Path
    output: Path
    preset: Preset
    visit: str = "both"
    device: str = "cuda"
    split: Split = field(default_factory=Split)
    seeds: tuple[int, ...] = (0,)
    configurations: tuple[str, ...] = (BASELINE, *VOLUME_AWARE)
    gammas: tuple[float, ...] = (0.5,)
    weights: LossChoice = field(default_factory=lambda: LossChoice("dual"))

    def __post_init__(self) -> None:
        if BASELINE not in self.configurations:
            raise BadInputError(
                "The configurations lack the baseline, with which all others are compared",
                remedy=f"Add {BASELINE} to --configurations",
            )
        for what, values in (("seed", self.seeds), ("configuration", self.configurations), ("gamma", self.gammas)):
            if not values or len(set(values)) < len(values):
                raise BadInputError(f"There is no {what}, or one is given twice: {values}")
        _ = self.arms

    @property
    def arms(self) -> tuple[Arm, ...]:
        """Configurations, each gamma one; the baseline first."""
        arms = [Arm(BASELINE, LossChoice())]
        for name in self.configurations:
            if name in VOLUME_AWARE:
                losses = [replace(self.weights, name=name, gamma=gamma) for gamma in self.gammas]
                arms += [Arm(_arm_name(loss), loss) for loss in losses if loss.gamma > 0]
            elif name != BASELINE:
                arms.append(Arm(name, LossChoice(name)))
        return tuple(arms)

    @property
    def masks_coincide(self) -> bool:
        """Whether dual and selective are one training wherever a patch holds at most one primary tumour."""
        return set(VOLUME_AWARE) <= set(self.configurations) and self.weights.normalisation == "mass"

    def cases(self) -> tuple[TrainingCase, ...]:
        """All visits that are trained on and tested."""
        return find_cases(self.data, self.visit)

    def runs(self, folds: Sequence[Fold]) -> tuple[Run, ...]:
        """All trainings; every arm gets a seed and a fold before the next ones begin, so that a part can be read."""
        return tuple(Run(arm, seed, fold) for seed, fold, arm in product(self.seeds, range(len(folds)), self.arms))

    def training(self, run: Run, folds: Sequence[Fold]) -> TrainingOptions:
        """How a run is trained; all runs share what is preprocessed."""
        workspace = Workspace((self.output / "training").resolve(), run_name=f"{run.arm.name}-seed{run.seed}")
        preset = self.preset.seeded(run.seed)
        return TrainingOptions(preset, workspace, self.device, run.arm.loss, run.fold, tuple(folds))

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


def _arm_name(loss: LossChoice) -> str:
    """The loss and whatever differs from the defaults: arms of one folder never share a training by mistake."""
    parts = [f"{loss.name}-gamma{loss.gamma:g}"]
    if loss.reference_cc is not None:
        parts.append(f"reference{loss.reference_cc:g}cc")
    if loss.maximum != LossChoice.maximum:
        parts.append("unlimited" if loss.maximum is None else f"maximum{loss.maximum:g}")
    if loss.whole_lesions:
        parts.append("whole")
    return "-".join(parts)


def generated_patients(cases: Sequence[TrainingCase]) -> int:
    """How many of the patients the project's own phantom generated: their truth lies beside them."""
    folders = {case.patient: case.image.parent.parent for case in cases}
    return sum((folder / f"{patient}_truth.json").is_file() for patient, folder in folders.items())
