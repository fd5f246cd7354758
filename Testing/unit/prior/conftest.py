"""Two visits of small generated patients, and one registration that many tests look at."""

from __future__ import annotations

import pytest

from HNTargetSegLib.phantom import PhantomOptions, PhantomPatient, generate_patient
from HNTargetSegLib.prior.registration import Registration, register

SMALL = PhantomOptions(size=(80, 100, 36), spacing=(2.5, 2.5, 4.5))
SEED = 77


@pytest.fixture(scope="session")
def patient() -> PhantomPatient:
    """A patient with a primary tumour and nodes."""
    return generate_patient(SEED, 0, SMALL)


@pytest.fixture(scope="session")
def stranger() -> PhantomPatient:
    """Another patient."""
    return generate_patient(SEED, 1, SMALL)


@pytest.fixture(scope="session")
def registration(patient: PhantomPatient) -> Registration:
    """The pre-RT visit of the patient on the mid-RT visit."""
    return register(patient.mid.image, patient.pre.image, masks=(patient.mid.mask, patient.pre.mask))
