"""A large visit with lesions of one size, for the benchmarks of what happens to lesions."""

from __future__ import annotations

import numpy as np

from HNTargetSegLib.case.volume import Geometry

GEOMETRY = Geometry((512, 512, 120), (0.5, 0.5, 2.0))
_RADIUS_MM = 11.0


def balls(count: int) -> np.ndarray:
    """Labels of that many balls spread over the grid; the first is a primary tumour."""
    labels = np.zeros(GEOMETRY.shape, np.uint8)
    k, j, i = np.indices((11, 45, 45))
    ball = ((k - 5) * 2.0) ** 2 + ((j - 22) * 0.5) ** 2 + ((i - 22) * 0.5) ** 2 <= _RADIUS_MM**2
    places = [(10 + 24 * n, 20 + 70 * m, 60 + 200 * o) for n in range(4) for m in range(5) for o in range(2)]
    for number in range(count):
        a, b, c = places[number * len(places) // count]
        labels[a : a + 11, b : b + 45, c : c + 45][ball] = 1 if number == 0 else 2
    return labels
