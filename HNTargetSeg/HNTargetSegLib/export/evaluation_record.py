"""An evaluation as plain values: what `metrics.json` holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.metrics.agreement import Agreement
from HNTargetSegLib.metrics.bootstrap import Estimate
from HNTargetSegLib.metrics.case import Finding, LabelFigures, LesionFigures
from HNTargetSegLib.metrics.cohort import Cohort, Group
from HNTargetSegLib.metrics.evaluation import Evaluation
from HNTargetSegLib.metrics.paired import PairedTest, PooledDifference
from HNTargetSegLib.metrics.sizes import SizeBins
from HNTargetSegLib.metrics.surface import Definition

_NOTHING = {
    "dsc_agg": "no case holds the label",
    "lesion_sensitivity": "the reference holds no lesion",
    "lesion_precision": "the prediction holds no finding",
    "lesion_f1": "sensitivity or precision is undefined",
    "lesion_f1_agg": "there is no lesion and no finding",
}


def as_record(evaluation: Evaluation) -> dict[str, Any]:
    """JSON form of an evaluation.

    With one model its ``cohort`` and ``cases`` stand at the top; with several they stand under ``models`` by name,
    beside ``comparison``. What is undefined is None, and ``undefined`` beside it says why.
    """
    bins = evaluation.rules.bins
    record: dict[str, Any] = {
        "labels": {str(int(label)): label.structure_name for label in Target},
        "rules": {
            "surface_definition": evaluation.rules.definition.value,
            "msd_mm": "mean of both directions" if evaluation.rules.definition is Definition.DEEPMIND else "pooled",
            "overlap_voxels_of_a_find": evaluation.rules.minimum_voxels,
            "iou_of_a_match_over": evaluation.rules.match_iou,
            "lesion_counts": "pooled over the cohort" if evaluation.rules.pooled else "mean of the patients' shares",
            "size_bins_cc": list(bins.edges_cc),
            "bootstrap_draws": evaluation.sampling.draws,
            "bootstrap_seed": evaluation.sampling.seed,
        },
        "resampled": list(evaluation.resampled),
    }
    models = {name: _model(evaluation, name) for name in evaluation.models}
    if len(models) == 1:
        return {**record, **next(iter(models.values()))}
    tests = [_test(test) for test in evaluation.tests]
    differences = [_difference(difference) for difference in evaluation.differences]
    return {**record, "models": models, "comparison": {"tests": tests, "differences": differences}}


def cohort_record(cohort: Cohort) -> dict[str, Any]:
    """JSON form of a cohort's figures, by structure name."""
    record: dict[str, Any] = {}
    for label, group in cohort.labels.items():
        sizes = [_size(cohort.bins, number, part) for number, part in enumerate(cohort.by_size[label])]
        record[label.structure_name] = {**_group(group), "by_size": sizes}
    score = cohort.dsc_agg_mean
    record["dsc_agg_mean"] = score.value
    record["dsc_agg_mean_ci"] = _interval(score)
    if score.value is None:
        record["undefined"] = {"dsc_agg_mean": "a label's DSCagg is undefined"}
    return record


def _model(evaluation: Evaluation, name: str) -> dict[str, Any]:
    cases = [_case(figures, evaluation.rules.bins) for figures in evaluation.figures[name]]
    return {"cohort": cohort_record(evaluation.cohorts[name]), "cases": cases}


def _group(group: Group) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for name, found in group.figures.items():
        record[name] = found.value
        record[f"{name}_ci"] = _interval(found)
    record["patients"] = {name: found.patients for name, found in group.figures.items()}
    record["counts"] = dict(group.counts)
    record["undefined"] = _undefined(group.figures)
    return record


def _undefined(figures: Mapping[str, Estimate]) -> dict[str, str]:
    reasons = {}
    for name, found in figures.items():
        if found.value is None:
            reasons[name] = _NOTHING.get(name, "no case, or lesion, where it is defined")
        elif found.interval is None:
            reasons[f"{name}_ci"] = "fewer than two patients enter"
    return reasons


def _interval(found: Estimate) -> list[float] | None:
    return None if found.interval is None else list(found.interval)


def _size(bins: SizeBins, number: int, group: Group) -> dict[str, Any]:
    low, high = bins.bounds(number)
    return {"size": bins.names[number], "from_cc": low, "below_cc": high, **_group(group)}


def _case(figures: LabelFigures, bins: SizeBins) -> dict[str, Any]:
    return {
        "case": figures.case,
        "label": figures.label.structure_name,
        **_agreement(figures.agreement),
        "lesions_found": figures.detection.found,
        "lesions_missed": figures.detection.missed,
        "lesions_false": figures.detection.false_findings,
        "lesions": [_lesion(lesion, bins) for lesion in figures.lesions],
        "findings": [_finding(finding, bins) for finding in figures.findings],
    }


def _agreement(agreement: Agreement) -> dict[str, Any]:
    overlap = agreement.overlap
    volumes = {"reference_cc": overlap.reference_cc, "prediction_cc": overlap.prediction_cc}
    return {**agreement.values(), **volumes, "shared_cc": overlap.shared_cc, "undefined": agreement.undefined()}


def _lesion(lesion: LesionFigures, bins: SizeBins) -> dict[str, Any]:
    return {
        "number": lesion.number,
        "size": bins.names[lesion.size_bin],
        "centre_lps_mm": list(lesion.centre),
        "found": lesion.found,
        "iou": lesion.iou,
        "matched": lesion.matched,
        **_agreement(lesion.agreement),
    }


def _finding(finding: Finding, bins: SizeBins) -> dict[str, Any]:
    return {
        "number": finding.number,
        "size": bins.names[finding.size_bin],
        "centre_lps_mm": list(finding.centre),
        "volume_cc": finding.volume_cc,
        "true": finding.true,
        "matched": finding.matched,
    }


def _test(test: PairedTest) -> dict[str, Any]:
    return {
        **_pair(test.models),
        "label": test.label.structure_name,
        "figure": test.figure,
        "cases": test.cases,
        "median_difference": test.median_difference,
        "p": test.p,
        "q": test.q,
        "undefined": {"p": test.reason, "q": test.reason} if test.p is None else {},
    }


def _difference(found: PooledDifference) -> dict[str, Any]:
    return {
        **_pair(found.models),
        "label": None if found.label is None else found.label.structure_name,
        "figure": found.figure,
        "difference": found.difference.value,
        "difference_ci": _interval(found.difference),
    }


def _pair(models: Sequence[str]) -> dict[str, str]:
    return {"from": models[0], "to": models[1]}
