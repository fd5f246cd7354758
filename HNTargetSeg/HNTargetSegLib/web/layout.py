"""Which views a layout shows, and which way the patient lies in them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from HNTargetSegLib.case.patient import Visit

ORIENTATIONS = ("Axial", "Sagittal", "Coronal")
THREE_D = "3d"


class Layout(str, Enum):
    """Which views are on screen."""

    COMPARE = "compare"
    FOUR = "four"
    SINGLE = "single"


@dataclass(frozen=True)
class SliceTile:
    """A slice view by what it shows."""

    visit: Visit
    orientation: str

    @property
    def name(self) -> str:
        """Singleton tag of its node, such as ``pre-axial``."""
        return f"{self.visit.value}-{self.orientation.lower()}"


SLICE_TILES = tuple(SliceTile(visit, orientation) for visit in Visit for orientation in ORIENTATIONS)


def tiles_of(layout: Layout, active: Visit, orientation: str, visits: tuple[Visit, ...]) -> tuple[str, ...]:
    """Names of the views that a layout shows, in the order of reading.

    Parameters
    ----------
    orientation
        What the layouts with one orientation show.
    visits
        Those that have an image; a comparison of one visit shows that visit.
    """
    if layout is Layout.FOUR:
        axial, sagittal, coronal = (SliceTile(active, name).name for name in ORIENTATIONS)
        return (axial, THREE_D, coronal, sagittal)
    shown = visits if layout is Layout.COMPARE else (active,)
    return tuple(SliceTile(visit, orientation).name for visit in shown)


def letters_of(slice_to_ras: Any) -> tuple[str, str, str, str]:
    """Patient directions at the left, right, top and bottom edge of a slice view.

    Parameters
    ----------
    slice_to_ras
        ``vtkMatrix4x4`` of the slice node; its first column points right on screen, its second up.
    """
    right = _letter([slice_to_ras.GetElement(row, 0) for row in range(3)])
    up = _letter([slice_to_ras.GetElement(row, 1) for row in range(3)])
    opposite = dict(zip("RLAPSI", "LRPAIS", strict=True))
    return opposite[right], right, up, opposite[up]


def _letter(direction: list[float]) -> str:
    axis = max(range(3), key=lambda i: abs(direction[i]))
    return ("RL", "AP", "SI")[axis][direction[axis] < 0]
