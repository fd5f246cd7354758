"""Patients that several tests look at; made once."""

from __future__ import annotations

import pytest

from HNTargetSegLib.phantom import PhantomOptions, PhantomPatient, generate_patient


@pytest.fixture(scope="session")
def cohort() -> list[PhantomPatient]:
    """Six patients of style a over the default field of view, a little coarser in-plane to be quick."""
    options = PhantomOptions(size=(96, 120, 56), spacing=(2.13, 2.13, 3.0))
    return [generate_patient(2024, index, options) for index in range(6)]


@pytest.fixture(scope="session")
def small_patient() -> PhantomPatient:
    """One patient on a coarse grid."""
    return generate_patient(5, 6, PhantomOptions(size=(52, 64, 28), spacing=(4.0, 4.0, 6.0)))
