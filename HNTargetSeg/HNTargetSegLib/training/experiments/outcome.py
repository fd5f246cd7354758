"""What a study found so far: observations of all complete trainings, figures of each arm, and the tested claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.training.cases import TrainingCase
from HNTargetSegLib.training.experiments.arms import Arm
from HNTargetSegLib.training.experiments.comparison import FIGURES, ArmFigure, arm_figure
from HNTargetSegLib.training.experiments.observations import Observation, observe
from HNTargetSegLib.training.experiments.study import Run, Study, generated_patients
from HNTargetSegLib.training.experiments.verdicts import Tested, weigh_claims
from HNTargetSegLib.training.folds import Fold


@dataclass(frozen=True)
class Outcome:
    """Everything that the tables show.

    Attributes
    ----------
    arms
        Those that are complete for at least one seed.
    seeds
        Those that all of these arms have.
    patients, cases, generated
        Held-out patients, their visits, and how many of the patients are generated.
    trained_on
        Patients that a network was trained on, at least.
    observations
        By arm and seed.
    figures
        By arm, label and figure.
    claims
        The paper's, tested.
    missing
        Trainings that are not complete.
    """

    study: Study
    arms: tuple[Arm, ...]
    seeds: tuple[int, ...]
    patients: int
    cases: int
    generated: int
    trained_on: int
    observations: Mapping[str, Mapping[int, tuple[Observation, ...]]]
    figures: Mapping[tuple[str, Target, str], ArmFigure]
    claims: tuple[Tested, ...]
    missing: tuple[Run, ...]


def is_complete(study: Study, run: Run, folds: Sequence[Fold]) -> bool:
    """Whether a run is trained and its held-out cases are segmented."""
    options = study.training(run, folds)
    return (options.fold_folder / f"phase_{len(options.preset.phases) - 1}.finished").is_file()


def outcome(study: Study, cases: Sequence[TrainingCase], folds: Sequence[Fold]) -> Outcome:
    """Evaluate what is complete.

    Raises
    ------
    BadInputError
        If no seed of the first arm is complete; or as :func:`~.observations.observe`.
    """
    runs = study.runs(folds)
    missing = tuple(run for run in runs if not is_complete(study, run, folds))
    lacking = {(run.arm.name, run.seed) for run in missing}
    first = study.arms[0].name
    seeds = tuple(seed for seed in study.seeds if (first, seed) not in lacking)
    if not seeds:
        raise BadInputError(
            f"The arm {first} is not trained yet", path=study.output, remedy="Run the command without --only-report"
        )
    arms = tuple(arm for arm in study.arms if not any((arm.name, seed) in lacking for seed in seeds))
    observations = {arm.name: {seed: _observed(study, arm, seed, cases, folds) for seed in seeds} for arm in arms}
    held_out = {name for fold in folds for name in fold["val"]}
    patient_of = {case.identifier: case.patient for case in cases}
    return Outcome(
        study=study,
        arms=arms,
        seeds=seeds,
        patients=len({patient_of[name] for name in held_out}),
        cases=len(held_out),
        generated=generated_patients(cases),
        trained_on=min(len({patient_of[name] for name in fold["train"]}) for fold in folds),
        observations=observations,
        figures={
            (arm.name, label, figure): arm_figure(observations[arm.name], label, figure)
            for arm in arms
            for label in Target
            for figure in FIGURES
        },
        claims=weigh_claims(arms, observations, first),
        missing=missing,
    )


def _observed(
    study: Study, arm: Arm, seed: int, cases: Sequence[TrainingCase], folds: Sequence[Fold]
) -> tuple[Observation, ...]:
    found: list[Observation] = []
    for number, fold in enumerate(folds):
        held_out = [case for case in cases if case.identifier in set(fold["val"])]
        found += observe(study.training(Run(arm, seed, number), folds).fold_folder, held_out)
    return tuple(found)
