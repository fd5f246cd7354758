"""How the patient differs between the visits: set-up, neck flexion and weight loss as analytic smooth fields."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from HNTargetSegLib.phantom.fields import Coordinates, Waves, draw_waves

_PIVOT_YZ = (15.0, -55.0)
_AXIS_Y = 8.0
_MINIMUM_ERROR_MM = 6.3


@dataclass(frozen=True, eq=False)
class Bump:
    """A Gaussian shift: ``shift`` mm at ``centre``, falling off with ``width`` mm."""

    centre: tuple[float, float, float]
    shift: tuple[float, float, float]
    width: float


@dataclass(frozen=True, eq=False)
class Deformation:
    """The map from a position at the mid-RT visit to the same tissue's position at the pre-RT visit, in anatomical mm.

    A rigid set-up difference; then flexion (a rotation about the left-right axis whose angle grows smoothly with
    height); then weight loss (mid-RT points move outwards to where they were, most near the skin and at neck height);
    then Gaussian shifts of the glands and a low sum of sines. No spline is involved, nor any code of a registration.

    Attributes
    ----------
    shift
        Translation in mm along (x, y, z).
    angles
        Rotation in radians about (x, y, z).
    flexion
        Largest flexion in radians.
    loss
        Relative radial shrink at the skin.
    loss_height, loss_width
        Centre and Gaussian width along z in mm of the weight loss.
    bumps
        Shifts of the salivary glands.
    ripple
        One sum of sines a component, in mm.
    """

    shift: tuple[float, float, float]
    angles: tuple[float, float, float]
    flexion: float
    loss: float
    loss_height: float
    loss_width: float
    bumps: tuple[Bump, ...]
    ripple: tuple[Waves, Waves, Waves]

    def to_pre(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> Coordinates:
        """Pre-RT position of mid-RT positions; arrays of one shape, mm."""
        kind = x.dtype.type
        rotation = rotation_matrix(self.angles).astype(x.dtype)
        px, py, pz = (
            rotation[row, 0] * x + rotation[row, 1] * y + rotation[row, 2] * z + kind(self.shift[row])
            for row in range(3)
        )
        py, pz = self._flex(py, pz)
        outward = self._outward(px, py, pz)
        py = kind(_AXIS_Y) + (py - kind(_AXIS_Y)) * outward
        px = px * outward
        qx, qy, qz = (part + wave(px, py, pz) for part, wave in zip((px, py, pz), self.ripple, strict=True))
        for bump in self.bumps:
            weight = _gaussian((px, py, pz), bump)
            qx, qy, qz = (part + kind(s) * weight for part, s in zip((qx, qy, qz), bump.shift, strict=True))
        return qx, qy, qz

    def points_to_pre(self, points: np.ndarray) -> np.ndarray:
        """As :meth:`to_pre` for points of shape (n, 3)."""
        return np.stack(self.to_pre(*np.asarray(points, float).T), axis=1)

    def points_to_mid(self, points: np.ndarray, iterations: int = 60) -> np.ndarray:
        """Mid-RT position of pre-RT points of shape (n, 3), by fixed-point iteration."""
        goal = np.asarray(points, float)
        guess = goal.copy()
        for _ in range(iterations):
            guess = guess + (goal - self.points_to_pre(guess))
        return guess

    def jacobian_determinant(self, points: np.ndarray, step: float = 0.5) -> np.ndarray:
        """Determinant of the derivative at points of shape (n, 3), by central differences; shape (n,)."""
        columns = []
        for axis in np.eye(3) * step:
            columns.append((self.points_to_pre(points + axis) - self.points_to_pre(points - axis)) / (2 * step))
        return np.linalg.det(np.stack(columns, axis=-1))

    def _flex(self, y: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        kind = y.dtype.type
        angle = kind(self.flexion) / (1 + np.exp(-(z + kind(15)) / kind(28)))
        cosine, sine = np.cos(angle), np.sin(angle)
        dy, dz = y - kind(_PIVOT_YZ[0]), z - kind(_PIVOT_YZ[1])
        return kind(_PIVOT_YZ[0]) + cosine * dy - sine * dz, kind(_PIVOT_YZ[1]) + sine * dy + cosine * dz

    def _outward(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        kind = x.dtype.type
        radius2 = x * x + (y - kind(_AXIS_Y)) ** 2
        height = np.exp(-(((z - kind(self.loss_height)) / kind(self.loss_width)) ** 2))
        return 1 + kind(self.loss) * height * radius2 / (radius2 + kind(45.0**2))


def draw_deformation(rng: np.random.Generator, landmarks: np.ndarray) -> Deformation:
    """Draw a deformation that moves ``landmarks`` by at least 6.3 mm on average.

    Parameters
    ----------
    rng
        Source of randomness.
    landmarks
        Pre-RT landmarks, shape (n, 3), anatomical mm.
    """
    direction = rng.normal(size=3)
    shift = direction / np.linalg.norm(direction) * rng.uniform(3.0, 6.5)
    bumps = tuple(
        Bump((side * 55.0, 2.0, 22.0), (side * rng.uniform(0.5, 3.0), rng.normal(0, 0.6), rng.normal(0, 0.6)), 20.0)
        for side in (-1, 1)
    )
    deformation = Deformation(
        shift=_triple(shift),
        angles=_triple(np.deg2rad(rng.normal(0, (1.2, 1.2, 1.6)))),
        flexion=float(np.deg2rad(rng.choice((-1, 1)) * rng.uniform(1.5, 5.0))),
        loss=float(rng.uniform(0.04, 0.13)),
        loss_height=float(rng.uniform(-15, 15)),
        loss_width=float(rng.uniform(50, 75)),
        bumps=bumps,
        ripple=tuple(draw_waves(rng, (70, 130), 0.55, 4) for _ in range(3)),  # type: ignore[arg-type]
    )
    while mean_error(deformation, landmarks) < _MINIMUM_ERROR_MM:
        deformation = replace(deformation, shift=_triple(np.asarray(deformation.shift) * 1.12))
    return deformation


def mean_error(deformation: Deformation, landmarks: np.ndarray) -> float:
    """Mean distance in mm between each landmark at the pre-RT visit and at the mid-RT visit."""
    moved = deformation.points_to_mid(landmarks)
    return float(np.linalg.norm(moved - landmarks, axis=1).mean())


def rotation_matrix(angles: tuple[float, float, float]) -> np.ndarray:
    """Rotation about x, then y, then z by ``angles`` in radians."""
    (ca, cb, cc), (sa, sb, sc) = np.cos(angles), np.sin(angles)
    about_x = np.array([[1, 0, 0], [0, ca, -sa], [0, sa, ca]])
    about_y = np.array([[cb, 0, sb], [0, 1, 0], [-sb, 0, cb]])
    about_z = np.array([[cc, -sc, 0], [sc, cc, 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


def _triple(values: np.ndarray) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])


def _gaussian(position: Coordinates, bump: Bump) -> np.ndarray:
    kind = position[0].dtype.type
    distance2 = sum((part - kind(c)) ** 2 for part, c in zip(position, bump.centre, strict=True))
    return np.exp(-distance2 / kind(2 * bump.width**2))
