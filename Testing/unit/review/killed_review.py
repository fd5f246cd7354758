"""A review by script in a process that is killed: ``python killed_review.py HOME`` reads a line for each review."""

from __future__ import annotations

import datetime
import json
import os
import sys
import zlib
from pathlib import Path

import numpy as np

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.export.manifest import ModelRecord
from HNTargetSegLib.lesions.find import find_lesions
from HNTargetSegLib.review.autosaving import Autosave
from HNTargetSegLib.review.case import ReviewCase, VisitImage
from HNTargetSegLib.review.edits import Drawn
from HNTargetSegLib.review.session import ReviewSession
from HNTargetSegLib.review.visit import RunRecord

MID = Visit.MID
GEOMETRY = Geometry((64, 60, 24), (2.0, 2.0, 3.0), (0.0, 0.0, 0.0))
STEPS = 400


def case() -> ReviewCase:
    """The same patient each time."""
    array = np.random.default_rng(1).normal(100, 20, GEOMETRY.shape).astype(np.float32)
    return ReviewCase("7", {MID: VisitImage(Volume(array, GEOMETRY, "mid.nii.gz"))})


def step(session: ReviewSession, number: int) -> None:
    """One step of the reviewer: a run's result, verdicts, names, strokes; the same each time."""
    rng = np.random.default_rng(number)
    present = [lesion.id for lesion in session.lesions(MID) if lesion.voxels]
    kind = "run" if not present else ("accept", "reject", "rename", "paint", "paint", "run")[rng.integers(6)]
    if kind == "run":
        labels = np.zeros(GEOMETRY.shape, np.uint8)
        for label in (1, 2, 2, 2):
            k, j, i = (int(rng.integers(0, size - 8)) for size in labels.shape)
            labels[k : k + 6, j : j + 7, i : i + 8] = label
        then = datetime.datetime(2026, 3, 2, tzinfo=datetime.timezone.utc)
        run = RunRecord(ModelRecord("tiny", str(number), "ab" * 32), "cpu", {}, then, then)
        session.take_proposal(MID, find_lesions(Volume(labels, GEOMETRY, "labels")), run)
        return
    lesion = int(rng.choice(present))
    if kind == "accept":
        session.accept(MID, lesion)
    elif kind == "reject":
        session.reject(MID, lesion)
    elif kind == "rename":
        session.rename(MID, lesion, f"Node {number}")
    else:
        ids = session.require(MID).lesions.ids.array.copy()
        k, j, i = (int(rng.integers(0, size - 8)) for size in ids.shape)
        new = max((*present, *session.require(MID).proposed)) + 1
        ids[k : k + 3, j : j + 4, i : i + 5] = new if rng.random() < 0.3 else lesion
        session.take_voxels(MID, ids, {new: Drawn(find_label(session, lesion))})


def find_label(session: ReviewSession, lesion: int) -> Target:
    """Kind of a lesion."""
    return session.require(MID).require_lesion(lesion).label


def fingerprint(session: ReviewSession) -> str:
    """What must not be lost, in short: every record and every voxel."""
    review = session.require(MID)
    voxels = 0 if review.lesions is None else zlib.crc32(review.lesions.ids.array.tobytes())
    said = json.dumps([(x.id, x.name, x.state.value, int(x.label), x.voxels) for x in review.records])
    version = "" if review.run is None else review.run.model.version
    return f"{zlib.crc32(said.encode()):08x} {voxels:08x} {version}"


def main() -> None:
    """For each line that names a log: review in a child, whose id is printed; it logs each step once it is done."""
    home, patient = Path(sys.argv[1]), case()
    # Once here, so that the children import nothing: their time is for the review.
    first = ReviewSession()
    first.open(patient)
    for number in range(3):
        step(first, number)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            session = ReviewSession("a reviewer")
            autosave = Autosave(session, home)
            autosave.open(patient)
            with open(line.strip(), "w", encoding="ascii", buffering=1) as log:
                for number in range(STEPS):
                    step(session, number)
                    log.write(f"{number}\n")
            os._exit(0)
        print(child, flush=True)
        os.waitpid(child, 0)
        print("over", flush=True)


if __name__ == "__main__":
    main()
