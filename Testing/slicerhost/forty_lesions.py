"""A review with forty lesions in the open module, for its table's tests and benchmark."""

from __future__ import annotations

import datetime

import numpy as np

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.export.manifest import ModelRecord
from HNTargetSegLib.lesions.find import find_lesions
from HNTargetSegLib.review.case import ReviewCase, VisitImage
from HNTargetSegLib.review.session import ReviewSession
from HNTargetSegLib.review.visit import RunRecord

COUNT = 40
_GEOMETRY = Geometry((160, 160, 60), (1.5, 1.5, 3.0))
_BLOCK = (4, 10, 10)


def open_forty(session: ReviewSession) -> None:
    """Open a noisy image with forty blocks as its lesions; every tenth is a primary tumour."""
    image = Volume(np.random.default_rng(0).normal(300, 60, _GEOMETRY.shape).astype(np.float32), _GEOMETRY)
    labels = np.zeros(_GEOMETRY.shape, np.uint8)
    for number in range(COUNT):
        k, j, i = 6 + 12 * (number // 10), 20 + 70 * (number % 10 // 5), 10 + 30 * (number % 5)
        # Of different sizes, so that sorting has something to do.
        block = labels[k : k + _BLOCK[0], j : j + _BLOCK[1] + number % 7, i : i + _BLOCK[2]]
        block[:] = 1 if number % 10 == 0 else 2
    session.open(ReviewCase("Forty", {Visit.MID: VisitImage(image)}))
    now = datetime.datetime.now(datetime.timezone.utc)
    run = RunRecord(ModelRecord("blocks", "1", "0" * 64), "cpu", {}, now, now)
    session.take_proposal(Visit.MID, find_lesions(image.with_array(labels)), run)
