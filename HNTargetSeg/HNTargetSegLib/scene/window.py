"""Grey windows for MR, which has no units: fractions of an image's own range."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_SAMPLES = 200_000


@dataclass(frozen=True)
class Window:
    """A grey window: what is ``width / 2`` below ``center`` is black, as much above it white."""

    center: float
    width: float


PRESETS: dict[str, tuple[float, float]] = {
    "default": (0.5, 1.0),
    "soft": (0.5, 1.5),
    "hard": (0.45, 0.6),
    "bright": (0.35, 0.7),
    "dark": (0.65, 1.1),
}
"""Center and width by name, as fractions of the robust range."""


def robust_range(array: np.ndarray) -> tuple[float, float]:
    """Range of grey values that a reader wants to see: 1st to 99.5th percentile of a sample, never empty.

    Parameters
    ----------
    array
        Image, any shape; about 200,000 voxels are looked at.
    """
    flat = array.reshape(-1)
    sample: np.ndarray = flat[:: max(1, flat.size // _SAMPLES)].astype(np.float64)
    low, high = (float(value) for value in np.percentile(sample, (1, 99.5)))
    if high <= low:
        low, high = float(sample.min()), float(sample.max())
    return (low, high) if high > low else (low, low + 1.0)


def preset(name: str, bounds: tuple[float, float]) -> Window:
    """Window of a preset for an image of that robust range; KeyError for a name that there is not."""
    center, width = PRESETS[name]
    return from_fractions(center, width, bounds)


def from_fractions(center: float, width: float, bounds: tuple[float, float]) -> Window:
    """Window whose center and width are fractions of a robust range."""
    low, high = bounds
    return Window(low + center * (high - low), width * (high - low))


def to_fractions(window: Window, bounds: tuple[float, float]) -> tuple[float, float]:
    """Center and width as fractions of a robust range; the inverse of :func:`from_fractions`."""
    low, high = bounds
    return (window.center - low) / (high - low), window.width / (high - low)
