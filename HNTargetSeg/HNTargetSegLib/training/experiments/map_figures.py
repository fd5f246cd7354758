"""Figures of a study of the gradient map: by fold, with against without it, and against the change in volume."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.read import read_mask
from HNTargetSegLib.metrics.overlap import dsc_agg
from HNTargetSegLib.training.cases import TrainingCase
from HNTargetSegLib.training.experiments.observations import Observation, of_label
from HNTargetSegLib.training.experiments.ren2024 import FIGURES, VOLUME_BINS
from HNTargetSegLib.training.folds import Fold

_FEWEST_FOR_RANKS = 5


@dataclass(frozen=True)
class Effect:
    """Mean DSC of the same cases with one channel less and one more.

    Attributes
    ----------
    without, with_map
        Means over cases with a reference; None without any.
    cases
        How many.
    p
        Two-sided, Wilcoxon's signed-rank test; None where no two answers differ.
    """

    without: float | None
    with_map: float | None
    cases: int
    p: float | None


@dataclass(frozen=True)
class VolumeChange:
    """One case of one label.

    Attributes
    ----------
    change_cc
        Pre-RT volume less mid-RT volume.
    mid_cc
        0 where nothing is left.
    dsc
        Mean over seeds; None where nothing is left and nothing was predicted.
    """

    case: str
    change_cc: float
    mid_cc: float
    dsc: float | None


def by_fold(
    observations: Mapping[int, Sequence[Observation]], folds: Sequence[Fold], label: Target
) -> dict[str, tuple[float | None, ...]]:
    """Each of the paper's figures for each fold; all seeds of a fold are pooled."""
    found: dict[str, list[float | None]] = {name: [] for name in FIGURES}
    for fold in folds:
        held_out = set(fold["val"])
        own = [entry for seed in observations.values() for entry in of_label(seed, label) if entry.case in held_out]
        found["dsc_agg"].append(dsc_agg(entry.overlap for entry in own))
        for name in FIGURES:
            if name != "dsc_agg":
                found[name].append(mean_of(entry.values[name] for entry in own))
    return {name: tuple(values) for name, values in found.items()}


def effect(
    without: Mapping[int, Sequence[Observation]],
    with_map: Mapping[int, Sequence[Observation]],
    label: Target,
    cases: Sequence[str],
) -> Effect:
    """Compare DSC on the same cases; the mean over seeds counts for each."""
    one, other = (case_dsc(entries, label) for entries in (without, with_map))
    shared = [case for case in cases if one.get(case) is not None and other.get(case) is not None]
    pairs = np.array([(one[case], other[case]) for case in shared], float).reshape(-1, 2)
    if not len(pairs):
        return Effect(None, None, 0, None)
    return Effect(float(pairs[:, 0].mean()), float(pairs[:, 1].mean()), len(pairs), _wilcoxon(pairs))


def case_dsc(observations: Mapping[int, Sequence[Observation]], label: Target) -> dict[str, float | None]:
    """DSC by case, the mean over seeds; None where the reference is empty."""
    values: dict[str, list[float | None]] = {}
    for entries in observations.values():
        for entry in of_label(entries, label):
            values.setdefault(entry.case, []).append(entry.values["dsc"])
    return {case: mean_of(own) for case, own in values.items()}


def volume_changes(
    observations: Mapping[int, Sequence[Observation]], cases: Sequence[TrainingCase], label: Target
) -> tuple[VolumeChange, ...]:
    """Change in volume from the pre-RT to the mid-RT mask, and DSC, of each held-out case with either."""
    pre_masks = {case.patient: case.mask for case in cases if case.training_only}
    overlaps: dict[str, list[Observation]] = {}
    for entries in observations.values():
        for entry in of_label(entries, label):
            overlaps.setdefault(entry.case, []).append(entry)
    found = []
    for case, own in overlaps.items():
        mask = read_mask(pre_masks[own[0].patient])
        before = float(np.count_nonzero(mask.array == label) * mask.geometry.voxel_cc)
        if before or own[0].reference_cc:
            after = own[0].reference_cc
            found.append(VolumeChange(case, before - after, after, mean_of(entry.overlap.dsc for entry in own)))
    return tuple(found)


def correlations(changes: Sequence[VolumeChange], label: Target) -> tuple[tuple[str, int, float | None], ...]:
    """Spearman's coefficient of change and DSC: name, number and value of the paper's three bins and of all cases."""
    low, high = VOLUME_BINS[label]
    bins = {
        f"up to {low:g} cc": (0.0, low),
        f"{low:g} to {high:g} cc": (low, high),
        f"over {high:g} cc": (high, np.inf),
        "all": (0.0, np.inf),
    }
    rows = []
    for name, (above, limit) in bins.items():
        own = [entry for entry in changes if above < entry.mid_cc <= limit]
        rows.append((name, len(own), _spearman(own)))
    return tuple(rows)


def mean_of(values: Iterable[float | None]) -> float | None:
    """Mean of what is not None; None without any."""
    defined = [value for value in values if value is not None]
    return float(np.mean(defined)) if defined else None


def _wilcoxon(pairs: np.ndarray) -> float | None:
    from scipy.stats import wilcoxon

    differences = pairs[:, 1] - pairs[:, 0]
    return float(wilcoxon(differences[differences != 0]).pvalue) if differences.any() else None


def _spearman(changes: Sequence[VolumeChange]) -> float | None:
    from scipy.stats import rankdata

    values = np.array([(entry.change_cc, entry.dsc) for entry in changes if entry.dsc is not None], float)
    if len(values) < _FEWEST_FOR_RANKS or np.ptp(values, axis=0).min() == 0:
        return None
    ranks = np.stack([rankdata(column) for column in values.T])
    return float(np.corrcoef(ranks)[0, 1])
