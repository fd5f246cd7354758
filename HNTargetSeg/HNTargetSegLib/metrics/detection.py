"""Lesion-wise detection: which reference lesions were found, and which findings are lesions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from HNTargetSegLib.metrics.pieces import find_pieces, shared_voxels

MATCH_IOU = 0.3
"""IoU that a finding must exceed to match a lesion in the aggregated F1 (HECKTOR 2025's threshold for GTVn)."""


@dataclass(frozen=True)
class Detection:
    """Counts of lesions; they add up over patients (pooled over the cohort).

    Source: the definition in Chartrand et al. 2022, as commonly used: components by 26-connectivity, and an overlap of
    one voxel counts as found. Beirami et al. 2026 print no definition.
    """

    found: int = 0
    missed: int = 0
    true_findings: int = 0
    false_findings: int = 0

    @property
    def sensitivity(self) -> float | None:
        """Found reference lesions; None without any reference lesion."""
        return _share(self.found, self.missed)

    @property
    def precision(self) -> float | None:
        """Findings that touch a reference lesion; None without any finding."""
        return _share(self.true_findings, self.false_findings)

    @property
    def f1(self) -> float | None:
        """Harmonic mean of sensitivity and precision; None unless both are defined."""
        if self.sensitivity is None or self.precision is None:
            return None
        both = self.sensitivity + self.precision
        return 2 * self.sensitivity * self.precision / both if both else 0.0

    def __add__(self, other: Detection) -> Detection:
        return Detection(
            self.found + other.found,
            self.missed + other.missed,
            self.true_findings + other.true_findings,
            self.false_findings + other.false_findings,
        )


def detect(reference: np.ndarray, prediction: np.ndarray, minimum_voxels: int = 1) -> Detection:
    """Lesion-wise detection between two boolean masks of one shape.

    Parameters
    ----------
    minimum_voxels
        Voxels of overlap from which a lesion counts as found, and a finding as true.
    """
    pieces = (find_pieces(mask.astype(bool, copy=False)) for mask in (reference, prediction))
    return detect_pieces(shared_voxels(*pieces), minimum_voxels)


def detect_pieces(shared: np.ndarray, minimum_voxels: int = 1) -> Detection:
    """As :func:`detect`, from the voxels that each lesion shares with each finding, (lesions, findings)."""
    hits = [int((shared.sum(axis=axis) >= minimum_voxels).sum()) for axis in (1, 0)]
    lesions, findings = shared.shape
    return Detection(hits[0], lesions - hits[0], hits[1], findings - hits[1])


def intersection_over_union(shared: np.ndarray, reference: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """IoU of each lesion with each finding, (lesions, findings), from shared voxels and the voxels of either."""
    ious: np.ndarray = shared / np.maximum(reference[:, None] + prediction[None] - shared, 1)
    return ious


def match_by_iou(ious: np.ndarray, threshold: float = MATCH_IOU) -> dict[int, int]:
    """Finding of each lesion that has one: pairs over the threshold, the best first, each lesion and finding once.

    Over an IoU of 0.5 a lesion cannot have two findings; under it the better one counts and the other is false.
    """
    matches: dict[int, int] = {}
    for row, column in sorted(np.argwhere(ious > threshold).tolist(), key=lambda pair: -ious[pair[0], pair[1]]):
        if row not in matches and column not in matches.values():
            matches[row] = column
    return matches


def _share(yes: int, no: int) -> float | None:
    return yes / (yes + no) if yes + no else None
