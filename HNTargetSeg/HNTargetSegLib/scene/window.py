"""Grey windows for MR, which has no units: fractions of an image's own range."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_SAMPLES = 200_000
_MOST_OF_MEDIAN = 2.5


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
    """Range of grey values that a reader wants to see, never empty: from air to the bright end of soft tissue.

    It ends at the body's 99th percentile, but not above 2.5 times its median: eyes, fluid and fat near the coil, of
    which one visit may show more than the other, would leave everything else dark. Body is what is brighter than
    Otsu's threshold (IEEE Trans Syst Man Cybern 1979;9:62).

    Parameters
    ----------
    array
        Image, any shape; about 200,000 voxels are looked at.
    """
    flat = array.reshape(-1)
    sample: np.ndarray = flat[:: max(1, flat.size // _SAMPLES)].astype(np.float64)
    low, clip = (float(value) for value in np.percentile(sample, (1, 95)))
    body: np.ndarray = sample[sample > _otsu(np.minimum(sample, clip))]
    if body.size:
        median, end = (float(value) for value in np.percentile(body, (50, 99)))
        high = min(end, low + _MOST_OF_MEDIAN * (median - low))
    else:
        low, high = float(sample.min()), float(sample.max())
    return (low, high) if high > low else (low, low + 1.0)


def _otsu(values: np.ndarray) -> float:
    """Threshold between two classes that are as far apart as can be; the largest value where all are the same."""
    counts, edges = np.histogram(values, 256)
    below, middles = np.cumsum(counts), (edges[:-1] + edges[1:]) / 2
    sums = np.cumsum(counts * middles)
    above = below[-1] - below
    far = (sums[-1] * below / below[-1] - sums) ** 2 / np.maximum(below * above, 1)
    best = int(np.argmax(np.where(above > 0, far, -1.0)))
    return float(edges[best + 1]) if above[best] else float(values.max())


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
