"""Run a study: prepare the data once, train every arm, compare; whatever is done already is not done again."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from HNTargetSegLib.training.cases import TrainingCase
from HNTargetSegLib.training.experiments.outcome import is_complete
from HNTargetSegLib.training.experiments.study import Run, Study
from HNTargetSegLib.training.folds import Fold
from HNTargetSegLib.training.train import train


def carry_out(
    study: Study, cases: Sequence[TrainingCase], folds: Sequence[Fold], say: Callable[[str], None] = print
) -> None:
    """Train all that is not complete; nnU-Net segments each fold's held-out cases at its end.

    Raises
    ------
    BadInputError
        If the folder holds another study.
    TargetSegError
        As :func:`~HNTargetSegLib.training.train.train`; the same call goes on from there.
    """
    study.hold(folds)
    runs = study.runs(folds)
    for number, run in enumerate(runs, start=1):
        place = f"Training {number} of {len(runs)}: {described(run, folds)}"
        if is_complete(study, run, folds):
            say(f"{place} is complete")
            continue
        say(place)
        train(cases, study.training(run, folds), say)


def described(run: Run, folds: Sequence[Fold]) -> str:
    """A run in words."""
    fold = f", fold {run.fold}" if len(folds) > 1 else ""
    return f"{run.arm.name}, seed {run.seed}{fold}"
