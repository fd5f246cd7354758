"""The airway and what surrounds it: nose, sinuses, pharynx, larynx."""

from __future__ import annotations

import numpy as np

from HNTargetSegLib.phantom.pen import SIDES, Pen
from HNTargetSegLib.phantom.shapes import Knot, Shape, arch, column
from HNTargetSegLib.phantom.styles import Style
from HNTargetSegLib.phantom.tissues import Tissue

# Lumen from trachea to nasopharynx.
_AIRWAY: list[Knot] = [
    (-100, 0, -9, 8.5, 9, 0),
    (-58, 0, -16, 8, 8.5, 0),
    (-50, 0, -18, 6, 8, 0),
    (-43, 0, -19, 2.6, 8.5, 0),
    (-36, 0, -20, 5, 9, 0),
    (-24, 0, -19, 9, 7, 0),
    (-13, 0, -15, 13, 5, 0),
    (2, 0, -13.5, 11, 5, 0),
    (18, 0, -13, 9.5, 5.5, 0),
    (32, 0, -12, 11, 4.5, 0),
    (46, 0, -13, 12, 6, 0),
    (62, 0, -17, 11, 9, 0),
]


def draw_pharynx(pen: Pen, style: Style) -> None:
    """Draw nose, sinuses, palate, pharynx, trachea and oesophagus."""
    patency = float(pen.rng.uniform(0.75, 1.1))
    inner = column([(z, x, y, a * patency, b * patency, t) for z, x, y, a, b, t in _AIRWAY])
    wall = column([(z, x, y, a + 5.5, b + 5.0, t) for z, x, y, a, b, t in _AIRWAY if z > -60])
    pen.add(Tissue.MUSCLE, wall, 1.0, 1.05)
    lining = column([(z, x, y, a * patency + 2.6, b * patency + 2.4, t) for z, x, y, a, b, t in _AIRWAY])
    pen.ellipsoid(Tissue.MUSCLE, (0, -25, 34), (13, 13, 5), gain=1.2)
    pen.ellipsoid(Tissue.MUCOSA, (0, -56, 62), (14, 36, 17))
    pen.ellipsoid(Tissue.MUCOSA, (0, -22, 34), (14, 9, 2), blur=1.5)
    pen.add(Tissue.MUCOSA, lining, 1.0)
    pen.add(Tissue.AIR, inner, 0.8)
    _draw_nose(pen, style)
    pen.ellipsoid(Tissue.CORTEX, (0, -58, 41), (22, 27, 3))
    pen.column(Tissue.MUSCLE, [(-100, -2, 1, 8, 4.5, 0), (-52, 0, -2, 9, 4, 0)], gain=1.15)
    pen.column(Tissue.MUCOSA, [(-100, -2, 1, 4, 1.6, 0), (-54, 0, -2, 5, 1.4, 0)], gain=0.9)


def _draw_nose(pen: Pen, style: Style) -> None:
    for side in SIDES:
        pen.column(
            Tissue.AIR,
            [(47, side * 5, -58, 1.8, 27, 0), (60, side * 7, -56, 1.5, 26, 0), (76, side * 4, -58, 1.8, 22, 0)],
        )
        pen.column(Tissue.AIR, [(50, side * 11, -52, 1.2, 16, 0), (70, side * 11, -54, 1.3, 17, 0)])
        sinus = pen.ellipsoid(Tissue.CORTEX, (side * 31, -55, 62), (14, 16, 18))
        lined = float(pen.rng.uniform(1.0, 4.0))
        pen.add(Tissue.MUCOSA, sinus.grown(-1.2))
        lumen = sinus.grown(-1.2 - lined)
        pen.add(Tissue.AIR, lumen)
        if style.sinus_fluid and pen.rng.random() < style.sinus_fluid:
            pen.add(Tissue.FLUID, lumen.without(_in_front_of(lumen, -55 + float(pen.rng.uniform(-6, 6)))))


def _in_front_of(shape: Shape, y: float) -> Shape:
    """Half-space that stays dry when the patient lies on the back."""
    return Shape(lambda px, py, pz: py - np.float32(y), shape.low, shape.high)


def draw_larynx(pen: Pen) -> None:
    """Draw hyoid, epiglottis, the cartilages of the larynx and the fat beside it."""
    pen.bone(arch((0, -19, -16), (19, 20), 2.8, 4.0, 8.0), 1.0)
    pen.add(Tissue.CARTILAGE, arch((0, -14, -35), (17, 21), 2.2, 14.0, 9.0), 0.9)
    pen.ellipsoid(Tissue.MUCOSA, (0, -23, -14), (9, 2.4, 12))
    pen.ellipsoid(Tissue.CARTILAGE, (0, -23, -14), (8, 1.0, 11))
    ring = column([(-56, 0, -18, 11, 11, 0), (-47, 0, -18, 11, 11, 0)])
    pen.add(Tissue.CARTILAGE, ring.without(column([(-60, 0, -18, 8.5, 8.5, 0), (-40, 0, -18, 8.5, 8.5, 0)])))
    for side in SIDES:
        pen.ellipsoid(Tissue.FAT, (side * 9, -25, -30), (3, 5, 9), side * 20, 1.0)
