"""Overlap of two masks: DSC, volume error, and DSCagg over a cohort."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from HNTargetSegLib.errors import GeometryError


@dataclass(frozen=True)
class Overlap:
    """Volumes in cc of a reference, a prediction and what they share; overlaps add up over patients.

    Source: Dice 1945 for ``dsc``; Andrearczyk et al., HECKTOR 2022, for the sum over patients (DSCagg of
    HNTS-MRG 2024).
    """

    reference_cc: float
    prediction_cc: float
    shared_cc: float

    @property
    def dsc(self) -> float | None:
        """Dice similarity coefficient; None where both are empty (0/0)."""
        total = self.reference_cc + self.prediction_cc
        return 2 * self.shared_cc / total if total > 0 else None

    @property
    def volume_error_cc(self) -> float:
        """Volume of the prediction less that of the reference."""
        return self.prediction_cc - self.reference_cc

    @property
    def volume_error_percent(self) -> float | None:
        """The same in percent of the reference; None where that is empty."""
        return 100 * self.volume_error_cc / self.reference_cc if self.reference_cc > 0 else None

    def __add__(self, other: Overlap) -> Overlap:
        return Overlap(
            self.reference_cc + other.reference_cc,
            self.prediction_cc + other.prediction_cc,
            self.shared_cc + other.shared_cc,
        )


def require_one_shape(reference: np.ndarray, prediction: np.ndarray) -> None:
    """Refuse two masks that are not of one shape; raises GeometryError."""
    if reference.shape != prediction.shape:
        raise GeometryError(f"The masks have different shapes, {reference.shape} and {prediction.shape}")


def overlap(reference: np.ndarray, prediction: np.ndarray, voxel_cc: float) -> Overlap:
    """Overlap of two boolean masks of one shape.

    Raises
    ------
    GeometryError
        If the shapes differ.
    """
    require_one_shape(reference, prediction)
    reference, prediction = reference.astype(bool), prediction.astype(bool)
    counts = (np.count_nonzero(mask) for mask in (reference, prediction, reference & prediction))
    return Overlap(*(count * voxel_cc for count in counts))


def dsc_agg(overlaps: Iterable[Overlap]) -> float | None:
    """DSCagg: the DSC of the summed volumes of all patients; None for a cohort without any voxel."""
    return sum(overlaps, Overlap(0.0, 0.0, 0.0)).dsc
