"""Small label maps that the tests of this room share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.lesions.find import find_lesions
from HNTargetSegLib.lesions.lesion import LesionSet

Paint = tuple[int, slice, slice, slice]

GEOMETRY = Geometry((40, 30, 12), (1.0, 2.0, 5.0), (-19.5, 0.0, 100.0))  # 0.01 cc a voxel, midline at x = 0


@pytest.fixture
def painted() -> Callable[..., Volume]:
    """A label map from (label, k, j, i) paints."""

    def paint(*paints: Paint) -> Volume:
        array = np.zeros(GEOMETRY.shape, np.uint8)
        for label, *box in paints:
            array[tuple(box)] = label
        return Volume(array, GEOMETRY, "labels.nii.gz")

    return paint


@pytest.fixture
def lesions_of(painted: Callable[..., Volume]) -> Callable[..., LesionSet]:
    """Lesions of painted labels."""
    return lambda *paints: find_lesions(painted(*paints))
