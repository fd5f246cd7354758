"""Collecting one patient's structures, each with its own small shift and size change."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from HNTargetSegLib.phantom.shapes import Knot, Point, Shape, column, ellipsoid, mirrored
from HNTargetSegLib.phantom.tissues import Tissue

SIDES = (1, -1)


@dataclass(frozen=True, eq=False)
class Structure:
    """A region of one tissue.

    Attributes
    ----------
    tissue
        What it is made of.
    shape
        Where it is, in anatomical mm.
    blur
        Half-width in mm of its border.
    gain
        Factor on the tissue's signal.
    """

    tissue: Tissue
    shape: Shape
    blur: float = 0.8
    gain: float = 1.0


class Pen:
    """Collects structures, each with its own small shift and size change."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.structures: list[Structure] = []

    def column(self, tissue: Tissue, knots: list[Knot], blur: float = 0.8, gain: float = 1.0) -> Shape:
        """Add a column."""
        shift, size = self.rng.normal(0, 1.0, 2), np.exp(self.rng.normal(0, 0.07))
        moved = [(z, x + shift[0], y + shift[1], a * size, b * size, turn) for z, x, y, a, b, turn in knots]
        return self.add(tissue, column(moved), blur, gain)

    def pair(self, tissue: Tissue, knots: list[Knot], blur: float = 0.8, gain: float = 1.0) -> None:
        """Add a column on both sides."""
        for side in SIDES:
            self.column(tissue, mirrored(knots, side), blur, gain)

    def ellipsoid(
        self, tissue: Tissue, centre: Point, radii: Point, turn: float = 0.0, blur: float = 0.8, gain: float = 1.0
    ) -> Shape:
        """Add an ellipsoid."""
        c = np.array(centre) + self.rng.normal(0, 1.0, 3)
        r = np.array(radii) * np.exp(self.rng.normal(0, 0.06, 3))
        return self.add(tissue, ellipsoid(tuple(c), tuple(r), turn), blur, gain)  # type: ignore[arg-type]

    def add(self, tissue: Tissue, shape: Shape, blur: float = 0.8, gain: float = 1.0) -> Shape:
        """Add any shape; ``gain`` varies by a few per cent between structures."""
        gain = float(gain * np.exp(self.rng.normal(0, 0.06)))
        self.structures.append(Structure(tissue, shape, blur, gain))
        return shape

    def bone(self, shape: Shape, cortex_mm: float, gain: float = 1.0) -> None:
        """Add a dark cortex with brighter marrow inside."""
        self.add(Tissue.CORTEX, shape, 0.6)
        self.add(Tissue.MARROW, shape.grown(-cortex_mm), 0.7, gain)
