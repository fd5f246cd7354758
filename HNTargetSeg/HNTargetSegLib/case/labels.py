"""The two targets and their labels in every map of this project."""

from __future__ import annotations

from enum import IntEnum


class Target(IntEnum):
    """Label values of HNTS-MRG 2024: 0 is background."""

    PT = 1
    LN = 2

    @property
    def structure_name(self) -> str:
        """Name of the structure in AAPM TG-263 nomenclature."""
        return {Target.PT: "GTVp", Target.LN: "GTVn"}[self]

    @property
    def title(self) -> str:  # type: ignore[override]
        """Name that a reader sees."""
        return {Target.PT: "Primary tumour", Target.LN: "Lymph node"}[self]
