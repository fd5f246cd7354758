"""What a trained network did on each held-out case: the figures that a comparison needs, kept beside its checkpoint."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.read import read_mask
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.files import write_text
from HNTargetSegLib.metrics.case import LabelFigures, evaluate_case
from HNTargetSegLib.metrics.distances import SurfaceDistances, mask_distances
from HNTargetSegLib.metrics.overlap import Overlap
from HNTargetSegLib.metrics.surface import Definition
from HNTargetSegLib.training.cases import TrainingCase

_KEPT = "observations.json"

MEANS = ("dsc", "surface_dice_2mm", "msd_mm", "hd95_mm")
"""Figures of single cases; tables have their means."""

MEDPY = ("msd_medpy_mm", "hd95_medpy_mm")
"""Distances in MedPy's definition, for the tables of a paper that used it."""


@dataclass(frozen=True)
class Observation:
    """One label of one held-out case.

    Attributes
    ----------
    values
        Each of ``MEANS`` and ``MEDPY``; None where undefined, and all None where the reference is empty.
    lesions, lesions_found, findings, findings_true
        Counts, pooled in tables.
    reference_cc, prediction_cc, shared_cc
        Volumes, for DSCagg.
    """

    case: str
    patient: str
    label: int
    values: Mapping[str, float | None]
    lesions: int
    lesions_found: int
    findings: int
    findings_true: int
    reference_cc: float
    prediction_cc: float
    shared_cc: float

    @property
    def overlap(self) -> Overlap:
        """The volumes."""
        return Overlap(self.reference_cc, self.prediction_cc, self.shared_cc)

    @classmethod
    def of(cls, figures: LabelFigures, patient: str, medpy: SurfaceDistances) -> Observation:
        """From the figures of a case, and its distances in MedPy's definition."""
        values = {**figures.agreement.values(), "msd_medpy_mm": medpy.mean(), "hd95_medpy_mm": medpy.percentile()}
        counts, overlap = figures.detection, figures.agreement.overlap
        return cls(
            figures.case,
            patient,
            int(figures.label),
            {name: values[name] if figures.has_reference else None for name in (*MEANS, *MEDPY)},
            counts.found + counts.missed,
            counts.found,
            counts.true_findings + counts.false_findings,
            counts.true_findings,
            overlap.reference_cc,
            overlap.prediction_cc,
            overlap.shared_cc,
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
    before = _kept(kept)
    if before is not None:
        return before
    predictions = {path.name.removesuffix(".nii.gz"): path for path in (fold_folder / "validation").glob("*.nii.gz")}
    _require_pairs(predictions, cases, fold_folder / "validation")
    observations = []
    for case in cases:
        observations += observed(case, read_mask(predictions[case.identifier]))
    write_text(kept, json.dumps([asdict(entry) for entry in observations]) + "\n")
    return tuple(observations)


def observed(case: TrainingCase, prediction: Volume) -> list[Observation]:
    """Both labels of one case.

    Raises
    ------
    GeometryError
        If the prediction lies on another grid than the case's mask.
    """
    truth = read_mask(case.mask)
    spacing = truth.geometry.spacing_kji
    found = []
    for entry in evaluate_case(case.identifier, truth, prediction):
        masks = truth.array == entry.label, prediction.array == entry.label
        found.append(Observation.of(entry, case.patient, mask_distances(*masks, spacing, Definition.MEDPY)))
    return found


def _kept(path: Path) -> tuple[Observation, ...] | None:
    """What was compared before; None where nothing was, or by a version that took fewer figures."""
    if not path.is_file():
        return None
    content = json.loads(path.read_text(encoding="utf-8"))
    names = {field.name for field in fields(Observation)}
    if any(names != set(entry) for entry in content):
        return None
    return tuple(Observation(**entry) for entry in content)


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
