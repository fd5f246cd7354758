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

    @property
    def rgb(self) -> tuple[int, int, int]:
        """Colour in which it is shown everywhere, 0 to 255: green and yellow, as in HNTargetSeg.term.json."""
        return {Target.PT: (0, 200, 80), Target.LN: (255, 220, 0)}[self]

    @property
    def hex_colour(self) -> str:
        """The same colour as ``#rrggbb``."""
        return "#{:02x}{:02x}{:02x}".format(*self.rgb)
