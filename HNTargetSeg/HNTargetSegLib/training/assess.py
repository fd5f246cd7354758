"""How well a stored model does on patients with a known truth: the figures of its card."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.read import read_mask, read_volume
from HNTargetSegLib.metrics.detection import Detection, detect
from HNTargetSegLib.metrics.overlap import Overlap, dsc_agg, overlap
from HNTargetSegLib.models.channels import VisitPrior
from HNTargetSegLib.pipeline import LoadedModel, segment_visit
from HNTargetSegLib.training.cases import TrainingCase


@dataclass(frozen=True)
class CaseFigures:
    """One label of one case."""

    case: str
    label: Target
    overlap: Overlap
    detection: Detection


def assess(
    model: LoadedModel, cases: Sequence[TrainingCase], say: Callable[[str], None] = print
) -> tuple[CaseFigures, ...]:
    """Segment each case, with its prior where it has one and the model reads it, and compare it with its mask."""
    figures = []
    for case in cases:
        image = read_volume(case.image)
        truth = read_mask(case.mask, like=image)
        prior = None if case.prior is None else VisitPrior(read_mask(case.prior, like=image))
        found = segment_visit(image, model, prior=prior).lesions.label_map()
        for label in Target:
            reference, prediction = truth.array == label, found.array == label
            figures.append(
                CaseFigures(
                    case.identifier,
                    label,
                    overlap(reference, prediction, image.geometry.voxel_cc),
                    detect(reference, prediction),
                )
            )
        values = ", ".join(f"{entry.label.structure_name} {_shown(entry.overlap.dsc)}" for entry in figures[-2:])
        say(f"{case.identifier}: DSC {values}")
    return tuple(figures)


def summarise(figures: Iterable[CaseFigures]) -> dict[str, dict[str, Any]]:
    """Cohort figures of each label, JSON-ready; None where a figure is undefined.

    ``dsc_mean`` leaves out cases whose reference is empty; ``dsc_agg`` and the lesion-wise figures are pooled over all.
    """
    summary: dict[str, dict[str, Any]] = {}
    everything = list(figures)
    for label in Target:
        entries = [entry for entry in everything if entry.label is label]
        with_reference = [entry.overlap.dsc for entry in entries if entry.overlap.reference_cc > 0]
        pooled = sum((entry.detection for entry in entries), Detection())
        summary[label.structure_name] = {
            "cases": len(entries),
            "cases_with_reference": len(with_reference),
            "dsc_mean": _rounded(float(np.mean(with_reference)) if with_reference else None),
            "dsc_agg": _rounded(dsc_agg(entry.overlap for entry in entries)),
            "lesions": pooled.found + pooled.missed,
            "lesion_sensitivity": _rounded(pooled.sensitivity),
            "lesion_precision": _rounded(pooled.precision),
        }
    return summary


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _shown(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"
