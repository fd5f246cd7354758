"""What a study will take: its stages, their time and their room on the disk, before anything is started."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from HNTargetSegLib.training.cases import TrainingCase
from HNTargetSegLib.training.experiments.outcome import is_complete
from HNTargetSegLib.training.experiments.study import Run, Study
from HNTargetSegLib.training.folds import Fold
from HNTargetSegLib.training.space import free_bytes, in_words, preprocessed_bytes

_EPOCH_TIME = re.compile(r"Epoch time: ([0-9.]+) s")


@dataclass(frozen=True)
class _Cost:
    """Assumed until a training in this folder has shown better: seconds a step and a held-out case, parameters."""

    step: float
    case: float
    parameters: float
    where: str


# Of the demo network on one core in bfloat16; of ResEnc M a guess for a GPU, on which no one has measured it yet.
_COSTS = {
    "demo": _Cost(1.3, 15, 4.1e6, "one idle core"),
    "short": _Cost(1.3, 15, 4.1e6, "one idle core"),
    "resenc-m": _Cost(0.4, 40, 102e6, "a recent GPU"),
}
_BYTES_A_PARAMETER = 4 * 3
"""The weight and two numbers of the optimiser."""
_CHECKPOINTS = 3
_SECONDS_A_CASE_PREPROCESSED = 4
_SECONDS_A_CASE_COMPARED = 0.5


@dataclass(frozen=True)
class Stage:
    """One line of the forecast.

    Attributes
    ----------
    hours
        Of what is left to do.
    state
        Such as ``3 of 9 done``.
    """

    name: str
    state: str
    hours: float
    disk: int


@dataclass(frozen=True)
class Forecast:
    """All stages, what their times rest on, and the room that there is."""

    stages: tuple[Stage, ...]
    basis: str
    free: int

    @property
    def hours(self) -> float:
        """Of all that is left."""
        return sum(stage.hours for stage in self.stages)

    @property
    def disk(self) -> int:
        """Bytes of all stages, those that are done too."""
        return sum(stage.disk for stage in self.stages)

    def lines(self) -> list[str]:
        """For the terminal."""
        rows = [
            f"  {stage.name:<42}{stage.state:<18}{stage.hours:7.2f} h  {in_words(stage.disk):>9}"
            for stage in self.stages
        ]
        total = f"  {'all':<60}{self.hours:7.2f} h  {in_words(self.disk):>9} ({in_words(self.free)} free)"
        return [*rows, total, f"  Times: {self.basis}."]


def forecast(study: Study, cases: Sequence[TrainingCase], folds: Sequence[Fold], unseen: int = 0) -> Forecast:
    """Estimate; nothing is written.

    Parameters
    ----------
    unseen
        Cases of patients beyond the study that every arm's ensemble segments afterwards.
    """
    runs = study.runs(folds)
    left = [run for run in runs if not is_complete(study, run, folds)]
    cost = _COSTS.get(study.preset.name, _COSTS["demo"])
    steps = study.preset.steps
    measured = _measured_step(study, folds)
    step = cost.step if measured is None else measured
    held_out = sum(len(folds[run.fold]["val"]) for run in left)
    data = _data_sets(study, folds)
    to_do = [channels for channels, ready in data if not ready]
    checkpoints = int(cost.parameters * _BYTES_A_PARAMETER * _CHECKPOINTS)
    done = f"{len(runs) - len(left)} of {len(runs)} done"
    basis = f"{step:.2f} s a step, " + ("measured in this folder" if measured else f"as assumed for {cost.where}")
    compared = sum(len(fold["val"]) for fold in folds) * len(study.arms) * len(study.seeds)
    preparation = sum(to_do) * len(cases) * _SECONDS_A_CASE_PREPROCESSED / 3600
    ready = f"{len(data) - len(to_do)} of {len(data)} done"
    room = sum(preprocessed_bytes(cases, channels) for channels, _ in data)
    ensembles = unseen * len(study.arms) * len(study.seeds)
    later = Stage("ensembles on unseen cases", f"{ensembles}", ensembles * len(folds) * cost.case / 3600, 0)
    return Forecast(
        (
            Stage("raw data, plans, preprocessing", ready, preparation, room),
            Stage(f"training, {steps} steps each", done, len(left) * steps * step / 3600, len(runs) * checkpoints),
            Stage("segmentation of held-out cases", f"{held_out} to do", held_out * cost.case / 3600, compared * 10**5),
            *((later,) if unseen else ()),
            Stage("comparison and tables", f"{compared} masks", compared * _SECONDS_A_CASE_COMPARED / 3600, 10**6),
        ),
        basis,
        free_bytes(Path(study.output).absolute()),
    )


def _data_sets(study: Study, folds: Sequence[Fold]) -> list[tuple[int, bool]]:
    """Channels of each data set of nnU-Net that the arms read, and whether it is preprocessed."""
    found = {}
    for arm in study.arms:
        workspace = study.training(Run(arm, study.seeds[0], 0), folds).workspace
        ready = (workspace.preprocessed / f"{study.preset.plans}.preprocessed").is_file()
        found[workspace.dataset] = (1 if arm.prior is None else 2, ready)
    return list(found.values())


def _measured_step(study: Study, folds: Sequence[Fold]) -> float | None:
    """Median seconds of a step over all epochs that were trained here, validation steps counted in."""
    seconds = []
    for run in study.runs(folds):
        options = study.training(run, folds)
        for log in options.fold_folder.glob("training_log_*.txt"):
            found = _EPOCH_TIME.findall(log.read_text(encoding="utf-8", errors="replace"))
            seconds += [float(value) / options.preset.phases[-1].iterations for value in found]
    return median(seconds) if seconds else None
