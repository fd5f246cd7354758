"""Which views a layout shows, and the letters at their edges."""

from __future__ import annotations

import numpy as np
import pytest

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.web.layout import Layout, letters_of, tiles_of

BOTH = (Visit.PRE, Visit.MID)


class Matrix:
    """A 4 x 4 matrix with VTK's accessor."""

    def __init__(self, right: tuple[float, ...], up: tuple[float, ...]) -> None:
        self.array = np.eye(4)
        self.array[:3, 0], self.array[:3, 1] = right, up

    def GetElement(self, row: int, column: int) -> float:
        return float(self.array[row, column])


def test_compare_shows_pre_beside_mid_in_one_orientation():
    assert tiles_of(Layout.COMPARE, Visit.MID, "Sagittal", BOTH) == ("pre-sagittal", "mid-sagittal")


def test_four_views_are_of_the_active_visit_with_3d():
    assert tiles_of(Layout.FOUR, Visit.PRE, "Axial", BOTH) == ("pre-axial", "3d", "pre-coronal", "pre-sagittal")


def test_a_single_view_is_of_the_active_visit():
    assert tiles_of(Layout.SINGLE, Visit.PRE, "Coronal", BOTH) == ("pre-coronal",)


def test_a_comparison_of_one_visit_shows_that_visit():
    assert tiles_of(Layout.COMPARE, Visit.MID, "Axial", (Visit.MID,)) == ("mid-axial",)


# Columns in RAS: where the screen's right and up point in the patient.
@pytest.mark.parametrize(
    ("right", "up", "letters"),
    [
        ((-1, 0, 0), (0, 1, 0), "RLAP"),
        ((-1, 0, 0), (0, 0, 1), "RLSI"),
        ((0, -1, 0), (0, 0, 1), "APSI"),
        ((1, 0, 0), (0, 1, 0), "LRAP"),
        ((-0.9, 0.3, 0.1), (0.3, 0.9, 0.2), "RLAP"),
    ],
    ids=["axial", "coronal", "sagittal", "mirrored", "oblique"],
)
def test_letters_say_which_way_the_patient_lies(right, up, letters):
    assert "".join(letters_of(Matrix(right, up))) == letters
