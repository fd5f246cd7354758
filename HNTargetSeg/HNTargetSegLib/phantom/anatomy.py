"""One patient's normal anatomy: outline, structures in the order in which they are painted, and size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from HNTargetSegLib.phantom.airway import draw_larynx, draw_pharynx
from HNTargetSegLib.phantom.body import Body
from HNTargetSegLib.phantom.fields import Waves, draw_waves
from HNTargetSegLib.phantom.pen import Pen, Structure
from HNTargetSegLib.phantom.shapes import Point
from HNTargetSegLib.phantom.skeleton import draw_skull, draw_spine
from HNTargetSegLib.phantom.soft_parts import draw_glands, draw_muscles, draw_tonsils, draw_vessels
from HNTargetSegLib.phantom.styles import Style


@dataclass(frozen=True, eq=False)
class Anatomy:
    """One patient's normal anatomy.

    Attributes
    ----------
    body
        Outline.
    structures
        In painting order.
    warp
        Shift in mm of all borders, one field a component: a voxel at p holds what the shapes have at p + warp(p).
    scale
        Size of the patient along (x, y, z); anatomical mm are divided by it.
    """

    body: Body
    structures: list[Structure]
    warp: tuple[Waves, Waves, Waves]
    scale: Point

    def to_shapes(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Where in the space of the shapes a pre-RT position lies; arrays of one shape, mm."""
        kind = x.dtype.type
        x, y, z = (part / kind(s) for part, s in zip((x, y, z), self.scale, strict=True))
        wx, wy, wz = (wave(x, y, z) for wave in self.warp)
        return x + wx, y + wy, z + wz

    def from_shapes(self, points: np.ndarray) -> np.ndarray:
        """Inverse of :meth:`to_shapes` for points of shape (n, 3), by fixed-point iteration."""
        goal = np.asarray(points, float)
        guess = goal * self.scale
        for _ in range(60):
            guess = guess + (goal - np.stack(self.to_shapes(*guess.T), axis=1)) * self.scale
        return guess


def draw_anatomy(rng: np.random.Generator, style: Style) -> Anatomy:
    """Draw one patient's normal anatomy in the proportions of ``style``."""
    pen = Pen(rng)
    draw_muscles(pen, style)
    draw_glands(pen, style)
    draw_pharynx(pen, style)
    draw_skull(pen)
    draw_spine(pen)
    draw_larynx(pen)
    draw_vessels(pen)
    draw_tonsils(pen, style)
    body = Body(
        neck=float(rng.normal(style.neck_width, 0.05)),
        fat_mm=float(rng.uniform(*style.fat_mm)),
        exponent=float(rng.uniform(*style.squareness)),
    )
    scale = np.asarray(rng.normal(style.scale, 0.03))
    fine = [draw_waves(rng, (14, 34), style.border_mm * 0.55) for _ in range(3)]
    warp = tuple(draw_waves(rng, (45, 110), style.border_mm) for _ in range(3))
    x, y, z = (_joined(coarse, small) for coarse, small in zip(warp, fine, strict=True))
    return Anatomy(body, pen.structures, (x, y, z), (float(scale[0]), float(scale[1]), float(scale[2])))


def _joined(a: Waves, b: Waves) -> Waves:
    return Waves(
        np.concatenate([a.vectors, b.vectors]),
        np.concatenate([a.phases, b.phases]),
        np.concatenate([a.amplitudes, b.amplitudes]),
    )
