"""Two or more models on the same cases: paired tests, corrected for their number, and differences with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.metrics.agreement import Agreement
from HNTargetSegLib.metrics.bootstrap import Estimate, difference_of, draw_patients, estimate
from HNTargetSegLib.metrics.case import LabelFigures
from HNTargetSegLib.metrics.cohort import label_figures, of_label, score_of

TESTED = (
    *("dsc", "surface_dice_1mm", "surface_dice_2mm", "surface_dice_3mm"),
    *("msd_mm", "hd95_mm", "added_path_mm", "volume_error_absolute_cc"),
)
"""Figures of single cases that are tested."""

POOLED = ("dsc_agg", "dsc_mean", "lesion_sensitivity", "lesion_precision", "lesion_f1", "lesion_f1_agg")
"""Figures of the cohort whose difference is given with its bootstrap interval."""


_EXACT = 50


@dataclass(frozen=True)
class PairedTest:
    """Wilcoxon's signed-rank test of one figure of one label between two models.

    Attributes
    ----------
    models
        Names; differences are the second's figure less the first's.
    cases
        Those where both are defined and the reference is not empty.
    median_difference
        None without any case.
    p
        Two-sided; None where there is nothing to rank, for the ``reason`` given.
    q
        p after Benjamini and Hochberg, in the family of all tests of this figure (every label and pair of models).
    """

    models: tuple[str, str]
    label: Target
    figure: str
    cases: int
    median_difference: float | None
    p: float | None
    reason: str = ""
    q: float | None = None


@dataclass(frozen=True)
class PooledDifference:
    """Difference of a cohort's figure between two models, the second's less the first's; no label for the score."""

    models: tuple[str, str]
    label: Target | None
    figure: str
    difference: Estimate


def paired_tests(models: Mapping[str, Sequence[LabelFigures]]) -> tuple[PairedTest, ...]:
    """Test each figure of each label between each pair of models.

    Sources: Wilcoxon, Biometrics Bulletin 1, 80-83, 1945 (zero differences are dropped); Benjamini and Hochberg,
    Journal of the Royal Statistical Society B 57, 289-300, 1995.

    Parameters
    ----------
    models
        Figures of the same cases by model.
    """
    from scipy.stats import false_discovery_control

    corrected = []
    for figure in TESTED:
        tests = [_test(pair, label, figure, models) for label in Target for pair in combinations(models, 2)]
        ranked = [test.p for test in tests if test.p is not None]
        qs = iter(false_discovery_control(ranked, method="bh").tolist() if ranked else [])
        corrected += [test if test.p is None else replace(test, q=next(qs)) for test in tests]
    return tuple(corrected)


def pooled_differences(
    models: Mapping[str, Sequence[LabelFigures]], draws: int = 2000, seed: int = 0, pooled: bool = True
) -> tuple[PooledDifference, ...]:
    """Difference of each pooled figure between each pair of models; a draw takes the same patients for both."""
    differences = []
    for pair in combinations(models, 2):
        first, second = (models[name] for name in pair)
        patients = len({figures.case for figures in first})
        drawn = draw_patients(patients, draws, seed)
        for label in Target:
            one, other = (label_figures(of_label(figures, label), pooled) for figures in (first, second))
            for name in POOLED:
                statistic = difference_of(other[name].statistic, one[name].statistic)
                entering = min(one[name].patients, other[name].patients)
                differences.append(PooledDifference(pair, label, name, estimate(statistic, drawn, entering)))
        score = estimate(difference_of(score_of(second), score_of(first)), drawn, patients)
        differences.append(PooledDifference(pair, None, "dsc_agg_mean", score))
    return tuple(differences)


def _test(
    pair: tuple[str, str], label: Target, figure: str, models: Mapping[str, Sequence[LabelFigures]]
) -> PairedTest:
    one, other = (of_label(models[name], label) for name in pair)
    values = [
        (_value(a.agreement, figure), _value(b.agreement, figure))
        for a, b in zip(one, other, strict=True)
        if a.has_reference
    ]
    differences = np.array([b - a for a, b in values if a is not None and b is not None])
    if not differences.size:
        return PairedTest(pair, label, figure, 0, None, None, "no case has both figures")
    middle = float(np.median(differences))
    if not differences.any():
        return PairedTest(pair, label, figure, len(differences), middle, None, "no case differs")
    return PairedTest(pair, label, figure, len(differences), middle, signed_rank_p(differences))


def _value(agreement: Agreement, figure: str) -> float | None:
    if figure == "volume_error_absolute_cc":
        return abs(agreement.overlap.volume_error_cc)
    return agreement.values()[figure]


def signed_rank_p(differences: np.ndarray) -> float:
    """Two-sided p of Wilcoxon's signed-rank test; differences of 0 are dropped, at least one must be left.

    Exact up to 50 differences, also where some are equally large, for which SciPy has a normal approximation only: with
    five cases that goes below the smallest p there is.
    """
    from scipy.stats import rankdata, wilcoxon

    ranked = differences[differences != 0]
    doubled = np.rint(2 * rankdata(np.abs(ranked))).astype(int)
    if len(ranked) > _EXACT:
        return float(wilcoxon(ranked, method="approx").pvalue)
    if len(np.unique(doubled)) == len(doubled):
        return float(wilcoxon(ranked, method="exact").pvalue)
    # How many choices of signs give each sum of the positive ranks (doubled, as ties have halves).
    ways: np.ndarray = np.zeros(int(doubled.sum()) + 1)
    ways[0] = 1
    for rank in doubled:
        ways[rank:] += ways[:-rank].copy()
    reached = int(doubled[ranked > 0].sum())
    tail = min(ways[: reached + 1].sum(), ways[reached:].sum())
    return min(1.0, float(2 * tail / 2 ** len(ranked)))
