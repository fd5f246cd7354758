"""The outline of the body from skull base to shoulders."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Rows by height z in mm: half-width, front y, back y, narrowing of the front.
_OUTLINE = np.array(
    [
        (-100, 150, -64, 102, 0.05),
        (-84, 132, -60, 98, 0.06),
        (-70, 108, -54, 92, 0.10),
        (-60, 86, -49, 87, 0.14),
        (-48, 69, -45, 82, 0.18),
        (-34, 62, -43, 78, 0.20),
        (-22, 60, -47, 76, 0.20),
        (-12, 61, -64, 76, 0.22),
        (-2, 63, -80, 77, 0.24),
        (15, 66, -86, 80, 0.26),
        (30, 69, -90, 85, 0.27),
        (45, 72, -92, 91, 0.26),
        (60, 74, -94, 97, 0.24),
        (75, 75, -95, 100, 0.22),
        (110, 75, -93, 101, 0.20),
    ]
)


@dataclass(frozen=True)
class Body:
    """Outline of one patient.

    Attributes
    ----------
    neck
        Factor on the half-width of the neck; the head keeps its own.
    fat_mm
        Thickness of the fat under the skin.
    exponent
        Of the superellipse: 2 is an ellipse, more is squarer.
    """

    neck: float
    fat_mm: float
    exponent: float

    def distance(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        """About the signed distance in mm to the skin, negative inside; float32."""
        heights = _OUTLINE[:, 0]
        width = _OUTLINE[:, 1] * (1 + (self.neck - 1) / (1 + np.exp((heights - 25) / 12)))
        half, front, back, taper = (
            np.interp(z, heights, part).astype(np.float32) for part in (width, *_OUTLINE[:, 2:].T)
        )
        middle, depth = (front + back) / 2, (back - front) / 2
        v = (y - middle) / depth
        half = half * (1 - taper * np.clip(-v, 0, 1) ** 2)
        p = np.float32(self.exponent)
        radius = (np.abs(x / half) ** p + np.abs(v) ** p) ** (1 / p)
        outline = (radius - 1) * np.minimum(half, depth)
        nose = (x / 17) ** 2 + ((y + 86) / 24) ** 2 + ((z - 57) / 20) ** 2
        return np.minimum(outline, (np.sqrt(nose) - 1) * 17).astype(np.float32)
