"""How well two outlines agree: the figures of a case, or of one lesion, and why one is undefined."""

from __future__ import annotations

from dataclasses import dataclass

from HNTargetSegLib.metrics.distances import TOLERANCES_MM, SurfaceDistances
from HNTargetSegLib.metrics.overlap import Overlap

NAMES = (
    "dsc",
    *(f"surface_dice_{tolerance}mm" for tolerance in TOLERANCES_MM),
    "msd_mm",
    "hd95_mm",
    "added_path_mm",
    "volume_error_cc",
    "volume_error_percent",
)
"""The figures by name, in the order of tables."""

_NEEDS = {
    "dsc": "either",
    **{f"surface_dice_{tolerance}mm": "either" for tolerance in TOLERANCES_MM},
    "msd_mm": "both",
    "hd95_mm": "both",
    "added_path_mm": "reference",
    "volume_error_percent": "reference",
}


@dataclass(frozen=True)
class Agreement:
    """Figures of a reference outline and a prediction.

    Attributes
    ----------
    overlap
        Volumes of both and of what they share.
    surface_dice
        For each of ``TOLERANCES_MM``; None where both are empty.
    msd_mm, hd95_mm
        None where one is empty: there is no distance to nothing.
    added_path_mm
        None where the reference is empty.
    """

    overlap: Overlap
    surface_dice: tuple[float | None, ...]
    msd_mm: float | None
    hd95_mm: float | None
    added_path_mm: float | None

    @classmethod
    def of(cls, overlap: Overlap, distances: SurfaceDistances, added_path_mm: float | None) -> Agreement:
        """From volumes, distances and the added path."""
        dice = tuple(distances.surface_dice(tolerance) for tolerance in TOLERANCES_MM)
        return cls(overlap, dice, distances.mean(), distances.percentile(), added_path_mm)

    def values(self) -> dict[str, float | None]:
        """Each figure of ``NAMES``."""
        dice = {f"surface_dice_{mm}mm": value for mm, value in zip(TOLERANCES_MM, self.surface_dice, strict=True)}
        return {
            "dsc": self.overlap.dsc,
            **dice,
            "msd_mm": self.msd_mm,
            "hd95_mm": self.hd95_mm,
            "added_path_mm": self.added_path_mm,
            "volume_error_cc": self.overlap.volume_error_cc,
            "volume_error_percent": self.overlap.volume_error_percent,
        }

    def undefined(self) -> dict[str, str]:
        """Why each figure that is None is so."""
        empty = {"reference": self.overlap.reference_cc <= 0, "prediction": self.overlap.prediction_cc <= 0}
        if all(empty.values()):
            reason = "reference and prediction are empty"
        else:
            reason = "the reference is empty" if empty["reference"] else "the prediction is empty"
        return {name: reason for name, value in self.values().items() if value is None and name in _NEEDS}
