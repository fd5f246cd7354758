"""Lesion-wise detection: which reference lesions were found, and which findings are lesions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


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
    from scipy import ndimage

    reference, prediction = reference.astype(bool), prediction.astype(bool)
    shared = reference & prediction
    structure: np.ndarray = np.ones((3, 3, 3), bool)

    def hits(mask: np.ndarray) -> tuple[int, int]:
        labels, number = ndimage.label(mask, structure)
        touched = np.bincount(labels[shared], minlength=number + 1)[1:] >= minimum_voxels
        return int(touched.sum()), int(number - touched.sum())

    return Detection(*hits(reference), *hits(prediction))


def _share(yes: int, no: int) -> float | None:
    return yes / (yes + no) if yes + no else None
