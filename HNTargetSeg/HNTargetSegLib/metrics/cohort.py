"""Figures of a cohort: of each label, by lesion size, with patient-level bootstrap intervals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.metrics.agreement import NAMES, Agreement
from HNTargetSegLib.metrics.bootstrap import (
    Estimate,
    Ratio,
    Statistic,
    average_of,
    draw_patients,
    estimate,
    harmonic_mean_of,
)
from HNTargetSegLib.metrics.case import Finding, LabelFigures, LesionFigures, Rules
from HNTargetSegLib.metrics.sizes import SizeBins


@dataclass(frozen=True)
class Figure:
    """A figure of a cohort before it is computed: its statistic, and how many patients enter."""

    statistic: Statistic
    patients: int


@dataclass(frozen=True)
class Group:
    """Figures of a label, or of the lesions of one size.

    Attributes
    ----------
    counts
        Cases, lesions and findings that enter, by name.
    figures
        By name: ``dsc_agg`` and the ``lesion_`` ones are pooled, all others means (``dsc_mean`` is that of DSC).
    """

    counts: Mapping[str, int]
    figures: Mapping[str, Estimate]


@dataclass(frozen=True)
class Cohort:
    """All figures of a cohort.

    Attributes
    ----------
    labels
        By label.
    by_size
        By label, a group for each size bin.
    dsc_agg_mean
        The challenge's score: the mean of both labels' DSCagg.
    """

    labels: Mapping[Target, Group]
    by_size: Mapping[Target, Sequence[Group]]
    dsc_agg_mean: Estimate
    bins: SizeBins = field(default_factory=SizeBins)


def summarise(cases: Sequence[LabelFigures], rules: Rules, draws: int = 2000, seed: int = 0) -> Cohort:
    """Compute the figures of a cohort.

    Means leave out cases whose reference is empty, and the distances also those whose prediction is; DSCagg and the
    lesion-wise figures are pooled over all (HNTS-MRG 2024, and Chartrand et al. 2022 as commonly read). Without
    ``rules.pooled`` the lesion-wise ones are means over the patients in whom they are defined.

    Parameters
    ----------
    cases
        Each label of each case.
    rules
        Those that the cases were evaluated with.
    draws, seed
        Of the bootstrap, which draws whole patients.
    """
    names = sorted({figures.case for figures in cases})
    drawn = draw_patients(len(names), draws, seed)
    labels, by_size = {}, {}
    for label in Target:
        own = of_label(cases, label)
        labels[label] = _group(label_figures(own, rules.pooled), drawn, _label_counts(own))
        by_size[label] = tuple(
            _group(size_figures(own, number, rules.pooled), drawn, _size_counts(own, number))
            for number in range(len(rules.bins))
        )
    score = estimate(score_of(cases), drawn, len(names))
    return Cohort(labels, by_size, score, rules.bins)


def of_label(cases: Iterable[LabelFigures], label: Target) -> list[LabelFigures]:
    """Figures of one label, in the order of the cases' names."""
    return sorted((figures for figures in cases if figures.label is label), key=lambda figures: figures.case)


def score_of(cases: Sequence[LabelFigures]) -> Statistic:
    """Mean of both labels' DSCagg."""
    return average_of(*(_dsc_agg([[f.agreement] for f in of_label(cases, label)]).statistic for label in Target))


def label_figures(cases: Sequence[LabelFigures], pooled: bool = True) -> dict[str, Figure]:
    """Figures of one label of a cohort, by name."""
    means = [[figures.agreement] if figures.has_reference else [] for figures in cases]
    return {
        "dsc_agg": _dsc_agg([[figures.agreement] for figures in cases]),
        **_means(means),
        **_detection([figures.lesions for figures in cases], [figures.findings for figures in cases], pooled),
    }


def size_figures(cases: Sequence[LabelFigures], number: int, pooled: bool = True) -> dict[str, Figure]:
    """Figures of the lesions of one size of a label: of each lesion with the findings that touch it.

    A finding has the size that it has itself: sensitivity is by the reference's volume, precision by the finding's.
    """
    lesions = [[lesion for lesion in figures.lesions if lesion.size_bin == number] for figures in cases]
    findings = [[finding for finding in figures.findings if finding.size_bin == number] for figures in cases]
    agreements = [[lesion.agreement for lesion in patient] for patient in lesions]
    return {"dsc_agg": _dsc_agg(agreements), **_means(agreements), **_detection(lesions, findings, pooled)}


def _dsc_agg(agreements: Sequence[Sequence[Agreement]]) -> Figure:
    overlaps = [[agreement.overlap for agreement in patient] for patient in agreements]
    return _figure(
        Ratio.pooled(
            (2 * sum(o.shared_cc for o in patient), sum(o.reference_cc + o.prediction_cc for o in patient))
            for patient in overlaps
        )
    )


def _means(agreements: Sequence[Sequence[Agreement]]) -> dict[str, Figure]:
    values = [[agreement.values() for agreement in patient] for patient in agreements]
    means = {name: _figure(Ratio.mean([v[name] for v in patient] for patient in values)) for name in NAMES}
    errors = [[abs(agreement.overlap.volume_error_cc) for agreement in patient] for patient in agreements]
    return {
        **{"dsc_mean" if name == "dsc" else name: figure for name, figure in means.items()},
        "volume_error_absolute_cc": _figure(Ratio.mean(errors)),
    }


def _detection(
    lesions: Sequence[Sequence[LesionFigures]], findings: Sequence[Sequence[Finding]], pooled: bool
) -> dict[str, Figure]:
    sensitivity = _share([(sum(lesion.found for lesion in patient), len(patient)) for patient in lesions], pooled)
    precision = _share([(sum(finding.true for finding in patient), len(patient)) for patient in findings], pooled)
    either = int(np.count_nonzero(sensitivity.below + precision.below))
    # Twice the matches over lesions and findings; a match is counted on both sides.
    matches = [
        (sum(x.matched for x in own) + sum(x.matched for x in found), len(own) + len(found))
        for own, found in zip(lesions, findings, strict=True)
    ]
    return {
        "lesion_sensitivity": _figure(sensitivity),
        "lesion_precision": _figure(precision),
        "lesion_f1": Figure(harmonic_mean_of(sensitivity, precision), either),
        "lesion_f1_agg": _figure(_share(matches, pooled)),
    }


def _share(counts: Sequence[tuple[int, int]], pooled: bool) -> Ratio:
    """Share of each patient's so many, of all together or as a mean over the patients who have any."""
    if pooled:
        return Ratio.pooled(counts)
    return Ratio.mean([part / whole] if whole else [] for part, whole in counts)


def _figure(ratio: Ratio) -> Figure:
    return Figure(ratio, ratio.patients)


def _group(figures: Mapping[str, Figure], drawn: np.ndarray, counts: Mapping[str, int]) -> Group:
    return Group(counts, {name: estimate(f.statistic, drawn, f.patients) for name, f in figures.items()})


def _label_counts(cases: Sequence[LabelFigures]) -> dict[str, int]:
    return {
        "cases": len(cases),
        "cases_with_reference": sum(figures.has_reference for figures in cases),
        "cases_missed": sum(f.has_reference and f.agreement.overlap.shared_cc == 0 for f in cases),
        "cases_false": sum(not f.has_reference and bool(f.findings) for f in cases),
        "lesions": sum(len(figures.lesions) for figures in cases),
        "lesions_found": sum(figures.detection.found for figures in cases),
        "findings": sum(len(figures.findings) for figures in cases),
        "findings_false": sum(figures.detection.false_findings for figures in cases),
    }


def _size_counts(cases: Sequence[LabelFigures], number: int) -> dict[str, int]:
    lesions = [lesion for figures in cases for lesion in figures.lesions if lesion.size_bin == number]
    findings = [finding for figures in cases for finding in figures.findings if finding.size_bin == number]
    return {
        "lesions": len(lesions),
        "lesions_found": sum(lesion.found for lesion in lesions),
        "findings": len(findings),
        "findings_false": sum(not finding.true for finding in findings),
    }
