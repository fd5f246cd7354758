"""The page's desk with a real session and trame's real state, and no server."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.case.write import write_volume
from HNTargetSegLib.export.manifest import ModelRecord
from HNTargetSegLib.lesions.find import find_lesions
from HNTargetSegLib.review.case import ReviewCase, VisitImage
from HNTargetSegLib.review.segmenting import Segmenting
from HNTargetSegLib.review.session import ReviewSession
from HNTargetSegLib.review.visit import RunRecord
from HNTargetSegLib.web.desk import Desk
from HNTargetSegLib.web.state import PageState

GEOMETRY = Geometry((40, 30, 12), (4.0, 5.0, 6.0), (-78.0, -70.0, 0.0))


class IdleWorker:
    """A worker that takes requests and never answers."""

    def __init__(self) -> None:
        self.requests: list[Any] = []

    def segment(self, request: Any) -> str:
        self.requests.append(request)
        return f"job-{len(self.requests)}"

    def poll(self) -> list[Any]:
        return []

    def cancel(self, job: str) -> None:
        pass

    def close(self) -> None:
        pass


def image(name: str, seed: int) -> Volume:
    """Noise with a brighter body in the middle."""
    array = np.random.default_rng(seed).normal(20, 5, GEOMETRY.shape).astype(np.float32)
    array[:, 4:26, 4:36] += 200
    return Volume(array, GEOMETRY, name)


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings and kept reviews of this test alone."""
    monkeypatch.setenv("HNTARGETSEG_SETTINGS", str(tmp_path / "settings"))
    monkeypatch.setenv("HNTARGETSEG_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def worker() -> IdleWorker:
    """What the runs are asked of."""
    return IdleWorker()


@pytest.fixture
def desk(worker: IdleWorker) -> Iterator[Desk]:
    """The desk on the first screen."""
    from dataclasses import asdict

    from trame_server.state import State

    session = ReviewSession("a reviewer")
    state = State(ready=True)
    state.update(asdict(PageState()))
    segmenting = Segmenting(session, worker)
    looked_at: list[Any] = []
    yield Desk(
        SimpleNamespace(state=state),
        session,
        segmenting,
        core=None,
        scene=SimpleNamespace(
            follow_edits=lambda visit: (),
            process_pending=lambda: None,
            overlaps=dict,
            look_at=looked_at.append,
            looked_at=looked_at,
        ),
        views=None,
    )
    segmenting.close()


@pytest.fixture
def open_desk(desk: Desk) -> Desk:
    """The desk with both visits, and GTVp, GTVn1 and GTVn2 (ids 1 to 3) proposed at mid-RT."""
    desk.session.open(
        ReviewCase("7", {Visit.PRE: VisitImage(image("7_preRT_T2", 1)), Visit.MID: VisitImage(image("7_midRT_T2", 2))})
    )
    labels = np.zeros(GEOMETRY.shape, np.uint8)
    labels[2:7, 5:13, 4:14], labels[2:8, 16:24, 4:12], labels[2:5, 16:20, 30:34] = 1, 2, 2
    then = datetime.datetime(2026, 3, 2, 10, 0, tzinfo=datetime.timezone.utc)
    run = RunRecord(ModelRecord("tiny", "1.0", "ab" * 32), "cpu", {}, then, then)
    desk.session.take_proposal(Visit.MID, find_lesions(Volume(labels, GEOMETRY, "labels")), run)
    return desk


@pytest.fixture
def patient_folder(tmp_path: Path) -> Path:
    """Folder of a patient with two visits."""
    folder = tmp_path / "patients" / "7"
    for visit, seed in (("pre", 1), ("mid", 2)):
        write_volume(image(f"7_{visit}", seed), folder / f"7_{visit}RT_T2.nii.gz")
    return folder


def said(desk: Desk) -> list[str]:
    """Messages so far."""
    return [str(message) for message in desk.session.said]
