"""What a study of the gradient map found: tables by fold, effect, volume change, and patients never seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.metrics.bootstrap import Estimate, Ratio, draw_patients, estimate
from HNTargetSegLib.training.cases import TrainingCase
from HNTargetSegLib.training.experiments.map_figures import (
    Effect,
    VolumeChange,
    by_fold,
    correlations,
    effect,
    mean_of,
    volume_changes,
)
from HNTargetSegLib.training.experiments.observations import MEDPY, Observation, of_label
from HNTargetSegLib.training.experiments.outcome import Outcome
from HNTargetSegLib.training.experiments.refusal import Refusal, refusal
from HNTargetSegLib.training.experiments.unseen import Unseen
from HNTargetSegLib.training.folds import Fold

Correlations = tuple[tuple[str, int, float | None], ...]


@dataclass(frozen=True)
class UnseenFigures:
    """An arm's ensembles on patients never seen.

    Attributes
    ----------
    figures
        By label: DSCagg with its interval, and means of the paper's distances.
    refusal
        Of prior lesions.
    patients
        How many.
    """

    figures: Mapping[Target, Mapping[str, Estimate]]
    refusal: Refusal
    patients: int


@dataclass(frozen=True)
class MapOutcome:
    """Everything that the tables show.

    Attributes
    ----------
    base
        Observations and counts; its first arm has no map.
    folds
        By arm and label: each figure of each fold.
    first_fold, all_folds
        By arm with a map and label: against the arm without, on the held-out cases of fold 0 and of all folds.
    changes, correlations
        By arm with a map and label.
    unseen, unseen_generated
        By arm, empty where no such patients were given; how many of them are generated.
    """

    base: Outcome
    folds: Mapping[tuple[str, Target], Mapping[str, tuple[float | None, ...]]]
    first_fold: Mapping[tuple[str, Target], Effect]
    all_folds: Mapping[tuple[str, Target], Effect]
    changes: Mapping[tuple[str, Target], tuple[VolumeChange, ...]]
    correlations: Mapping[tuple[str, Target], Correlations]
    unseen: Mapping[str, UnseenFigures]
    unseen_generated: int = 0


def map_outcome(
    base: Outcome,
    cases: Sequence[TrainingCase],
    folds: Sequence[Fold],
    unseen: Mapping[str, Unseen] | None = None,
    unseen_generated: int = 0,
) -> MapOutcome:
    """Make the figures of what was observed.

    Parameters
    ----------
    base
        From :func:`~.outcome.outcome`.
    cases
        Of the study, pre-RT visits among them.
    """
    seen = base.observations
    first, *others = [arm.name for arm in base.arms]
    compared = [(name, label) for name in others for label in Target]
    everyone = [case for fold in folds for case in fold["val"]]
    changes = {(name, label): volume_changes(seen[name], cases, label) for name, label in compared}
    return MapOutcome(
        base=base,
        folds={(arm.name, label): by_fold(seen[arm.name], folds, label) for arm in base.arms for label in Target},
        first_fold={(n, label): effect(seen[first], seen[n], label, folds[0]["val"]) for n, label in compared},
        all_folds={(n, label): effect(seen[first], seen[n], label, everyone) for n, label in compared},
        changes=changes,
        correlations={key: correlations(own, key[1]) for key, own in changes.items()},
        unseen={name: unseen_figures(found) for name, found in (unseen or {}).items()},
        unseen_generated=unseen_generated,
    )


def unseen_figures(found: Unseen) -> UnseenFigures:
    """Figures of an arm on patients never seen."""
    patients = sorted({entry.patient for entry in found.observations})
    figures = {label: _figures(of_label(found.observations, label), patients) for label in Target}
    return UnseenFigures(figures, refusal(found.fates), len(patients))


def _figures(observations: Sequence[Observation], patients: Sequence[str]) -> dict[str, Estimate]:
    own = [[entry for entry in observations if entry.patient == patient] for patient in patients]
    draws = draw_patients(len(patients))
    pooled = Ratio.pooled(
        (sum(2 * e.shared_cc for e in group), sum(e.reference_cc + e.prediction_cc for e in group)) for group in own
    )
    found = {"dsc_agg": estimate(pooled, draws, pooled.patients)}
    for name in MEDPY:
        ratio = Ratio.mean([entry.values[name] for entry in group] for group in own)
        found[name] = estimate(ratio, draws, ratio.patients)
    return found


def average(values: Sequence[float | None]) -> float | None:
    """Over the folds, as the paper's last column."""
    return mean_of(values)
