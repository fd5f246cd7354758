"""A small patient with lesions, and a session on it."""

from __future__ import annotations

import datetime
from collections.abc import Callable

import numpy as np
import pytest

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.export.manifest import ModelRecord
from HNTargetSegLib.lesions.find import find_lesions
from HNTargetSegLib.lesions.lesion import LesionSet
from HNTargetSegLib.review.case import ReviewCase, VisitImage
from HNTargetSegLib.review.session import ReviewSession
from HNTargetSegLib.review.visit import RunRecord

GEOMETRY = Geometry((40, 30, 12), (4.0, 5.0, 6.0), (-78.0, -70.0, 0.0))

# One primary tumour and three nodes of falling size, apart from each other.
PAINTS = (
    (1, slice(2, 7), slice(5, 13), slice(4, 14)),
    (2, slice(2, 8), slice(16, 24), slice(4, 12)),
    (2, slice(2, 7), slice(16, 22), slice(18, 24)),
    (2, slice(2, 5), slice(16, 20), slice(30, 34)),
)


def painted(*paints: tuple[int, slice, slice, slice]) -> Volume:
    """A label map from (label, k, j, i) paints."""
    array = np.zeros(GEOMETRY.shape, np.uint8)
    for label, *box in paints:
        array[tuple(box)] = label
    return Volume(array, GEOMETRY, "labels.nii.gz")


@pytest.fixture
def proposal() -> LesionSet:
    """What a model would have found: GTVp, GTVn1, GTVn2, GTVn3, ids 1 to 4."""
    return find_lesions(painted(*PAINTS))


@pytest.fixture
def paint() -> Callable[..., Volume]:
    """Paint label maps on the patient's grid."""
    return painted


@pytest.fixture
def run_record() -> RunRecord:
    """A run of some model."""
    then = datetime.datetime(2026, 3, 2, 10, 0, tzinfo=datetime.timezone.utc)
    return RunRecord(
        ModelRecord("tiny", "1.0", "ab" * 32), "cpu", {"folds": ("0",), "mirror": False}, then, then, {"network": 1.5}
    )


def image(name: str, seed: int) -> VisitImage:
    """Noise with a brighter body in the middle."""
    rng = np.random.default_rng(seed)
    array = rng.normal(20, 5, GEOMETRY.shape).astype(np.float32)
    array[:, 4:26, 4:36] += 200
    return VisitImage(Volume(array, GEOMETRY, name))


@pytest.fixture
def case() -> ReviewCase:
    """Both visits of a patient, on one grid."""
    return ReviewCase("7", {Visit.PRE: image("7_preRT_T2", 1), Visit.MID: image("7_midRT_T2", 2)})


@pytest.fixture
def session(case: ReviewCase, proposal: LesionSet, run_record: RunRecord) -> ReviewSession:
    """A session with the proposal on the mid-RT visit."""
    session = ReviewSession("a reviewer")
    session.open(case)
    session.take_proposal(Visit.MID, proposal, run_record)
    return session
