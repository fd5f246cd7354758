"""Muscles, tongue, glands, vessels and tonsils."""

from __future__ import annotations

from HNTargetSegLib.phantom.pen import SIDES, Pen
from HNTargetSegLib.phantom.shapes import Knot, mirrored
from HNTargetSegLib.phantom.styles import Style
from HNTargetSegLib.phantom.tissues import Tissue

# Muscles of the left side, from the nape forwards.
_MUSCLES: list[list[Knot]] = [
    # trapezius and shoulder girdle, splenius, semispinalis, multifidus, levator scapulae, scalenes
    [(-100, 84, 32, 26, 44, 0), (-70, 74, 48, 14, 34, -20), (-56, 52, 60, 6, 24, -38), (-30, 38, 66, 4, 20, -50)],
    [(-84, 22, 60, 8, 15, 60), (-20, 30, 52, 8, 18, 40), (25, 36, 46, 8, 18, 30), (52, 44, 40, 5, 12, 20)],
    [(-90, 13, 52, 9, 12, 20), (-20, 14, 55, 10, 13, 20), (30, 15, 58, 11, 14, 15), (58, 18, 64, 8, 10, 0)],
    [(-90, 13, 36, 8, 9, 0), (20, 13, 37, 8, 9, 0), (50, 15, 38, 10, 10, 0)],
    [(-72, 48, 40, 7, 14, 30), (-20, 41, 29, 7, 12, 10), (40, 32, 22, 6, 7, 0)],
    [(-84, 38, 10, 9, 11, -20), (-40, 30, 10, 8, 10, -10), (12, 23, 10, 5, 6, 0)],
    # sternocleidomastoid, longus colli and capitis, infrahyoid straps
    [
        (-82, 15, -34, 5, 9, -60),
        (-52, 27, -22, 6, 12, -48),
        (-25, 39, -6, 7, 13, -25),
        (2, 46, 9, 7, 13, -5),
        (26, 50, 22, 6, 12, 10),
        (54, 52, 33, 5, 9, 10),
    ],
    [(-90, 8, -1, 7, 4, 0), (60, 9, -2, 8, 5, 0)],
    [(-86, 12, -32, 9, 3, -20), (-50, 12, -35, 9, 3, -20), (-17, 9, -36, 8, 3, -15)],
    # masseter, medial and lateral pterygoid, temporalis, digastric, buccinator
    [(-4, 53, -24, 5, 12, -14), (18, 57, -27, 7, 16, -12), (50, 59, -32, 5, 12, -10)],
    [(4, 41, -16, 5, 9, -14), (25, 37, -21, 7, 13, -14), (48, 30, -26, 6, 10, -14)],
    [(46, 34, -20, 9, 12, -10), (66, 36, -22, 8, 12, -10)],
    [(48, 55, -32, 4, 10, 0), (64, 58, -30, 7, 19, 0), (100, 66, -26, 6, 32, 0)],
    [(-14, 20, -38, 4, 8, 0), (0, 34, -14, 4, 6, 0), (36, 46, 16, 4, 6, 0)],
    [(8, 40, -48, 2.5, 14, -24), (36, 42, -50, 2.5, 14, -24)],
]


def draw_muscles(pen: Pen, style: Style) -> None:
    """Draw muscles and tongue."""
    for side in SIDES:
        pen.column(
            Tissue.MUSCLE,
            mirrored([(-100, 50, 34, 70, 38, 0), (-62, 28, 44, 36, 30, 0), (46, 26, 42, 27, 30, 0)], side),
        )
    for knots in _MUSCLES:
        for side in SIDES:
            bulky: list[Knot] = [(z, x, y, a * style.muscle, b * style.muscle, t) for z, x, y, a, b, t in knots]
            muscle = pen.column(Tissue.FAT, mirrored(bulky, side), 1.0)
            # Each muscle in its sheath of fat, which is what keeps neighbours apart in the image.
            pen.add(Tissue.MUSCLE, muscle.grown(-1.2), 1.0)
    pen.ellipsoid(Tissue.MUSCLE, (0, -44, -7), (27, 27, 5), gain=1.05)
    pen.ellipsoid(Tissue.TONGUE, (0, -43, 16), (25, 29, 21))
    pen.column(Tissue.TONGUE, [(-6, 6, -50, 5, 15, 0), (22, 6, -50, 5, 17, 0)], gain=0.78)
    pen.column(Tissue.TONGUE, [(-6, -6, -50, 5, 15, 0), (22, -6, -50, 5, 17, 0)], gain=0.78)
    pen.ellipsoid(Tissue.FAT, (0, -46, 10), (1.1, 20, 15), blur=1.2)


def draw_glands(pen: Pen, style: Style) -> None:
    """Draw the salivary glands and the thyroid."""
    g = style.gland
    for side in SIDES:
        pen.ellipsoid(Tissue.PAROTID, (side * 57, 1, 26), (9 * g, 18 * g, 24 * g), side * -18, 1.2)
        pen.ellipsoid(Tissue.PAROTID, (side * 48, 5, 24), (9 * g, 9 * g, 17 * g), side * -10, 1.2)
        pen.ellipsoid(Tissue.SUBMANDIBULAR, (side * 31, -25, -6), (8 * g, 14 * g, 11 * g), side * -22, 1.0)
        pen.ellipsoid(Tissue.SUBMANDIBULAR, (side * 18, -56, 2), (5, 11, 5), side * -15, 1.0, 0.9)
        pen.ellipsoid(Tissue.THYROID, (side * 15, -17, -63), (7, 9, 16), side * 15)
    pen.ellipsoid(Tissue.THYROID, (0, -26, -66), (10, 3, 6))


def draw_vessels(pen: Pen) -> None:
    """Draw arteries as flow voids and veins, some of them with slow and so bright flow."""
    rng = pen.rng
    carotid: list[Knot] = [
        (-100, 17, -3, 4, 4, 0),
        (-15, 25, -1, 4, 4, 0),
        (12, 27, 3, 3, 3, 0),
        (70, 25, 6, 2.8, 2.8, 0),
    ]
    external: list[Knot] = [(-12, 27, -6, 2.4, 2.4, 0), (14, 36, -6, 2.2, 2.2, 0), (44, 46, 4, 1.8, 1.8, 0)]
    vertebral: list[Knot] = [(-80, 17, 8, 1.8, 1.8, 0), (48, 18, 14, 1.8, 1.8, 0)]
    for side in SIDES:
        width = float(rng.uniform(3.4, 6.5))
        jugular: list[Knot] = [
            (-100, 24, -4, width + 1, width, 20),
            (-30, 33, 0, width, width * 0.8, 25),
            (20, 33, 7, width * 0.8, width * 0.7, 0),
            (66, 30, 12, 3.2, 3, 0),
        ]
        slow = rng.random() < 0.35
        pen.column(Tissue.VEIN if slow else Tissue.ARTERY, mirrored(jugular, side), 0.9, float(rng.uniform(0.6, 1.2)))
        for knots in (carotid, external, vertebral):
            pen.column(Tissue.ARTERY, mirrored(knots, side), 0.7)
        pen.column(Tissue.VEIN, mirrored([(-70, 46, -4, 1.8, 1.6, 0), (0, 55, 4, 1.7, 1.6, 0)], side), 0.8)


def draw_tonsils(pen: Pen, style: Style) -> None:
    """Draw the palatine tonsils, the lingual one, and in most patients an adenoid."""
    size = float(pen.rng.uniform(0.75, 1.2)) * style.tonsil
    for side in SIDES:
        pen.ellipsoid(Tissue.TONSIL, (side * 16.5, -16, 19), (5.5 * size, 7.5 * size, 11 * size), side * -15, 1.0)
    pen.ellipsoid(Tissue.TONSIL, (0, -24, 3), (13 * size, 4 * size, 8 * size), 0.0, 1.2, 0.95)
    if pen.rng.random() < 0.6:
        pen.ellipsoid(Tissue.TONSIL, (0, -7, 52), (11 * size, 4.5 * size, 7 * size), 0.0, 1.0)
