"""Skull, brain, jaws and spine."""

from __future__ import annotations

from HNTargetSegLib.phantom.pen import SIDES, Pen
from HNTargetSegLib.phantom.shapes import arch, column, ellipsoid, mirrored
from HNTargetSegLib.phantom.tissues import Tissue


def draw_skull(pen: Pen) -> None:
    """Draw skull base, brain, mandible, maxilla and teeth."""
    brain = pen.ellipsoid(Tissue.CORTEX, (0, 42, 96), (66, 55, 46))
    pen.add(Tissue.MARROW, brain.grown(-2.0))
    pen.add(Tissue.CORTEX, brain.grown(-4.5))
    pen.add(Tissue.CSF, brain.grown(-6.5))
    pen.add(Tissue.BRAIN, brain.grown(-8.5), 1.2)
    for side in SIDES:
        temporal = pen.ellipsoid(Tissue.CORTEX, (side * 34, -8, 104), (33, 34, 36))
        pen.add(Tissue.CSF, temporal.grown(-4.0))
        pen.add(Tissue.BRAIN, temporal.grown(-6.0), 1.2)
        pen.bone(ellipsoid((side * 40, 16, 72), (22, 15, 11), side * 25), 2.5)
        pen.bone(ellipsoid((side * 53, 28, 58), (8, 11, 16)), 4.0)
        pen.bone(
            column(mirrored([(-3, 45, -22, 4, 13, -12), (28, 48, -20, 4, 15, -12), (58, 50, -14, 5, 7, -12)], side)),
            1.5,
        )
        pen.bone(ellipsoid((side * 60, -44, 58), (4, 16, 4), side * 20), 1.5)
    pen.bone(ellipsoid((0, 2, 72), (13, 14, 10)), 1.8)
    mandible = arch((0, -28, 0), (44, 47), 6.0, 12.0, 14.0)
    pen.bone(mandible, 2.2)
    pen.bone(arch((0, -30, 36), (33, 46), 5.5, 8.0, 8.0), 2.0)
    pen.add(Tissue.CORTEX, arch((0, -30, 21), (34, 47), 4.0, 9.0, 4.0), 1.2, 1.3)


def draw_spine(pen: Pen) -> None:
    """Draw vertebrae, discs, CSF and cord."""
    pen.column(Tissue.CORTEX, [(-100, 0, 10, 13, 10, 0), (40, 0, 8, 11, 8.5, 0), (60, 0, 6, 8, 6, 0)], gain=1.2)
    for level in range(7):
        z = 44.0 - 17.0 * level
        gain = float(pen.rng.normal(1.0, 0.08))
        centre = (0.0, 9.0, z)
        pen.add(Tissue.MARROW, column([(z - 5.8, 0, 9, 10.5, 7.8, 0), (z + 5.8, 0, 9, 10.5, 7.8, 0)]), 0.8, gain)
        pen.add(Tissue.DISC, ellipsoid((0, 9, z - 8.5), (10, 7, 2.2)), 0.8)
        for side in SIDES:
            pen.bone(ellipsoid((side * 18, 17, z), (8, 6, 6), side * 25), 1.5, gain)
            pen.bone(ellipsoid((side * 12, 36, z - 2), (9, 4, 7), side * -35), 1.5, gain)
        pen.bone(ellipsoid((centre[0], 48, z - 5), (3.6, 13, 5)), 1.3, gain)
    pen.column(Tissue.CSF, [(-100, 0, 25, 9.5, 6.5, 0), (40, 0, 24, 10.5, 7.5, 0), (66, 0, 22, 13, 9, 0)])
    pen.column(Tissue.CORD, [(-100, 0, 25, 5.5, 3.8, 0), (40, 0, 24, 6.5, 4.3, 0), (66, 0, 22, 8.5, 6, 0)], 1.0)
