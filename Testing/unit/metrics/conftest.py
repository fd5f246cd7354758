"""Label maps of few voxels and their figures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.metrics.case import LabelFigures, evaluate_case

SHAPE = (6, 12, 12)

Cube = tuple[int, int, int]
Maps = Callable[..., Volume]
Evaluate = Callable[..., list[LabelFigures]]


@pytest.fixture
def label_map() -> Maps:
    """Maker of label maps: ``label_map(pt=[(start, size)], ln=[...])`` with cubes that start at (1, start, start).

    Voxels of 10 mm: one is 1 cc.
    """

    def make(pt: list[tuple[int, int]] = (), ln: list[tuple[int, int]] = (), spacing: float = 10.0) -> Volume:
        array = np.zeros(SHAPE, np.uint8)
        for label, cubes in ((1, pt), (2, ln)):
            for start, size in cubes:
                array[1 : 1 + size, start : start + size, start : start + size] = label
        return Volume(array, Geometry(SHAPE[::-1], (spacing,) * 3, (5.0, 6.0, 7.0)), "map")

    return make


@pytest.fixture
def cohort_of(label_map: Maps) -> Evaluate:
    """Figures of cases named 0, 1, ...: ``cohort_of((reference cubes, predicted cubes), ...)``, all nodes."""

    def make(*cases: tuple[list[tuple[int, int]], list[tuple[int, int]]]) -> list[LabelFigures]:
        return [
            figures
            for number, (reference, prediction) in enumerate(cases)
            for figures in evaluate_case(str(number), label_map(ln=reference), label_map(ln=prediction))
        ]

    return make
