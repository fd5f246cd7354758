"""Smooth random scalar fields over patient space: sums of plane waves, and noise on a periodic lattice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Coordinates = tuple[np.ndarray, np.ndarray, np.ndarray]

_LATTICE = 32


@dataclass(frozen=True, eq=False)
class Waves:
    """A sum of sines: smooth, analytic, defined everywhere.

    Attributes
    ----------
    vectors
        Shape (n, 3), radians per mm along (x, y, z).
    phases, amplitudes
        Shape (n,).
    """

    vectors: np.ndarray
    phases: np.ndarray
    amplitudes: np.ndarray

    def __call__(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Value at positions in mm, in the floating-point type of ``x``."""
        total = np.zeros_like(x)
        kind = x.dtype.type
        for (a, b, c), phase, amplitude in zip(self.vectors, self.phases, self.amplitudes, strict=True):
            argument = kind(a) * x
            argument += kind(b) * y
            argument += kind(c) * z
            argument += kind(phase)
            np.sin(argument, out=argument)
            argument *= kind(amplitude)
            total += argument
        return total


def draw_waves(rng: np.random.Generator, wavelengths: tuple[float, float], rms: float, count: int = 6) -> Waves:
    """Draw a field of ``count`` waves with wavelengths in mm and root-mean-square value ``rms``."""
    directions = rng.normal(size=(count, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    shortest, longest = np.log(wavelengths)
    lengths = np.exp(rng.uniform(shortest, longest, size=count))
    amplitudes = np.full(count, rms * np.sqrt(2.0 / count))
    return Waves(directions * (2 * np.pi / lengths)[:, None], rng.uniform(0, 2 * np.pi, count), amplitudes)


@dataclass(frozen=True, eq=False)
class Lattice:
    """Unit-variance noise on a periodic lattice, read linearly in between.

    Attributes
    ----------
    values
        Shape (32, 32, 32), float32.
    cell
        Lattice step in mm along (x, y, z).
    """

    values: np.ndarray
    cell: tuple[float, float, float]

    def __call__(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Value at positions in mm, float32, same shape as ``x``."""
        from scipy.ndimage import map_coordinates

        where = np.stack([x / np.float32(self.cell[0]), y / np.float32(self.cell[1]), z / np.float32(self.cell[2])])
        return map_coordinates(self.values, where, np.float32, order=1, mode="grid-wrap", prefilter=False)


def draw_lattice(rng: np.random.Generator, cell: tuple[float, float, float]) -> Lattice:
    """Draw lattice noise whose grain is about ``cell`` mm along (x, y, z)."""
    values = rng.standard_normal((_LATTICE,) * 3, dtype=np.float32)
    # Reading between the nodes averages neighbours, which takes about half of the variance away.
    return Lattice(values * np.float32(1.6), cell)
