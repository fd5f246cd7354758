"""Primitive shapes as approximate signed distances in mm, negative inside, each with the box that holds it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Distance = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
Point = tuple[float, float, float]
# One knot of a column: z, centre x, centre y, half-width across, half-width along, turn in degrees.
Knot = tuple[float, float, float, float, float, float]


@dataclass(frozen=True, eq=False)
class Shape:
    """A region of space.

    Attributes
    ----------
    distance
        Function of (x, y, z) in anatomical mm; about the signed distance to the border, negative inside.
    low, high
        Corners in mm of a box that holds all points of negative distance.
    """

    distance: Distance
    low: Point
    high: Point

    def without(self, other: Shape) -> Shape:
        """Take another region away."""
        return Shape(lambda x, y, z: np.maximum(self.distance(x, y, z), -other.distance(x, y, z)), self.low, self.high)

    def grown(self, mm: float) -> Shape:
        """Add a margin."""
        low, high = np.subtract(self.low, mm), np.add(self.high, mm)
        return Shape(lambda x, y, z: self.distance(x, y, z) - np.float32(mm), _point(low), _point(high))


def ellipsoid(centre: Point, radii: Point, turn: float = 0.0) -> Shape:
    """An ellipsoid whose x and y axes are turned by ``turn`` degrees about z."""
    cosine, sine = np.cos(np.deg2rad(turn)), np.sin(np.deg2rad(turn))
    smallest = np.float32(min(radii))

    def distance(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        dx, dy = x - np.float32(centre[0]), y - np.float32(centre[1])
        u = (np.float32(cosine / radii[0]) * dx + np.float32(sine / radii[0]) * dy) ** 2
        v = (np.float32(cosine / radii[1]) * dy - np.float32(sine / radii[1]) * dx) ** 2
        w = ((z - np.float32(centre[2])) * np.float32(1 / radii[2])) ** 2
        return (np.sqrt(u + v + w) - 1) * smallest

    reach = np.array([max(radii[:2]), max(radii[:2]), radii[2]])
    return Shape(distance, _point(np.subtract(centre, reach)), _point(np.add(centre, reach)))


def column(knots: list[Knot]) -> Shape:
    """An upright tube with an elliptical cross-section that changes with height; knots by rising z."""
    table = np.array(sorted(knots), float)
    z0, z1 = table[0, 0], table[-1, 0]

    def distance(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        cx, cy, across, along, turn = (np.interp(z, table[:, 0], part).astype(np.float32) for part in table[:, 1:].T)
        angle = np.deg2rad(turn)
        cosine, sine = np.cos(angle), np.sin(angle)
        dx, dy = x - cx, y - cy
        radius = np.sqrt(((cosine * dx + sine * dy) / across) ** 2 + ((cosine * dy - sine * dx) / along) ** 2)
        side = (radius - 1) * np.minimum(across, along)
        return np.maximum(side, np.maximum(np.float32(z0) - z, z - np.float32(z1)))

    reach = table[:, 3:5].max(axis=1)
    low = ((table[:, 1] - reach).min(), (table[:, 2] - reach).min(), z0)
    high = ((table[:, 1] + reach).max(), (table[:, 2] + reach).max(), z1)
    return Shape(distance, _point(low), _point(high))


def arch(centre: Point, radii: tuple[float, float], thickness: float, half_height: float, back: float) -> Shape:
    """A horseshoe open to the back: a band round the front of an ellipse, up to ``back`` mm behind its centre."""
    mean = np.float32((radii[0] + radii[1]) / 2)

    def distance(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        dx, dy, dz = x - np.float32(centre[0]), y - np.float32(centre[1]), z - np.float32(centre[2])
        ring = (np.sqrt((dx / np.float32(radii[0])) ** 2 + (dy / np.float32(radii[1])) ** 2) - 1) * mean
        ring /= np.float32(thickness)
        ring *= ring
        ring += (dz / np.float32(half_height)) ** 2
        band = (np.sqrt(ring) - 1) * np.float32(thickness)
        return np.maximum(band, dy - np.float32(back))

    reach = np.array([radii[0] + thickness, radii[1] + thickness, half_height])
    high = np.add(centre, reach)
    high[1] = centre[1] + back
    return Shape(distance, _point(np.subtract(centre, reach)), _point(high))


def mirrored(knots: list[Knot], side: int) -> list[Knot]:
    """Knots given for the patient's left side (x positive), put on ``side`` (1 left, -1 right)."""
    return [(z, side * x, y, across, along, side * turn) for z, x, y, across, along, turn in knots]


def _point(values: np.ndarray | tuple[float, ...]) -> Point:
    return float(values[0]), float(values[1]), float(values[2])
