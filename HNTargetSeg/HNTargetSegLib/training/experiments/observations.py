"""What a trained network did on each held-out case: the figures that a comparison needs, kept beside its checkpoint."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.read import read_mask
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.files import write_text
from HNTargetSegLib.metrics.case import LabelFigures, evaluate_case
from HNTargetSegLib.training.cases import TrainingCase

_KEPT = "observations.json"

MEANS = ("dsc", "surface_dice_2mm", "msd_mm", "hd95_mm")
"""Figures of single cases; tables have their means."""


@dataclass(frozen=True)
class Observation:
    """One label of one held-out case.

    Attributes
    ----------
    values
        Each of ``MEANS``; None where undefined, and all None where the reference is empty.
    lesions, lesions_found, findings, findings_true
        Counts, pooled in tables.
    """

    case: str
    patient: str
    label: int
    values: Mapping[str, float | None]
    lesions: int
    lesions_found: int
    findings: int
    findings_true: int

    @classmethod
    def of(cls, figures: LabelFigures, patient: str) -> Observation:
        """From the figures of a case."""
        values = figures.agreement.values()
        counts = figures.detection
        return cls(
            figures.case,
            patient,
            int(figures.label),
            {name: values[name] if figures.has_reference else None for name in MEANS},
            counts.found + counts.missed,
            counts.found,
            counts.true_findings + counts.false_findings,
            counts.true_findings,
        )


def observe(fold_folder: Path, cases: Sequence[TrainingCase]) -> tuple[Observation, ...]:
    """Compare a fold's held-out cases with the truth; what was compared before is read.

    Parameters
    ----------
    fold_folder
        nnU-Net's, with the predicted masks under ``validation``.
    cases
        Those that were held out.

    Raises
    ------
    BadInputError
        If there is a prediction without a reference, or a reference without a prediction.
    """
    kept = fold_folder / _KEPT
    if kept.is_file():
        return tuple(Observation(**entry) for entry in json.loads(kept.read_text(encoding="utf-8")))
    predictions = {path.name.removesuffix(".nii.gz"): path for path in (fold_folder / "validation").glob("*.nii.gz")}
    _require_pairs(predictions, cases, fold_folder / "validation")
    observations = []
    for case in cases:
        figures = evaluate_case(case.identifier, read_mask(case.mask), read_mask(predictions[case.identifier]))
        observations += [Observation.of(entry, case.patient) for entry in figures]
    write_text(kept, json.dumps([asdict(entry) for entry in observations]) + "\n")
    return tuple(observations)


def of_label(observations: Sequence[Observation], label: Target) -> list[Observation]:
    """Those of one label."""
    return [entry for entry in observations if entry.label == label]


def _require_pairs(predictions: Mapping[str, Path], cases: Sequence[TrainingCase], folder: Path) -> None:
    wanted = {case.identifier for case in cases}
    for names, what in (
        (sorted(wanted - set(predictions)), "held-out cases have no prediction"),
        (sorted(set(predictions) - wanted), "predictions have no held-out case"),
    ):
        if names:
            raise BadInputError(
                f"{len(names)} {what} ({', '.join(names[:8])})",
                path=folder,
                remedy="Remove this fold's folder and run the same command again",
            )
