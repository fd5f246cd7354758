"""What the tests of the worker share: clients that are closed, a small patient, and the wait for a job."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.models.options import PredictOptions
from HNTargetSegLib.phantom import PhantomOptions, generate_patient
from HNTargetSegLib.phantom.patient import PhantomPatient
from HNTargetSegLib.worker.client import WorkerClient
from HNTargetSegLib.worker.messages import ErrorEvent, Event, ResultEvent, SegmentRequest, VisitRequest

Wait = Callable[..., list[Event]]
PATIENCE = 60.0


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Private folders and logs of these tests lie apart from those of the user."""
    import tempfile

    folder = tmp_path_factory.mktemp("temporary")
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    # As one_thread, for processes that are started.
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("HNTARGETSEG_CACHE", str(_cache(tmp_path_factory)))
    return folder


def _cache(factory: pytest.TempPathFactory) -> Path:
    # One for all tests: a converted network is used again.
    return factory.getbasetemp() / "worker-cache"


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """PyTorch computes on one thread in this process: more only wait for each other on so small a network."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def make_client() -> Iterator[Callable[..., WorkerClient]]:
    """Maker of clients, which are closed at the end."""
    made: list[WorkerClient] = []

    def make(*arguments: Any, **options: Any) -> WorkerClient:
        made.append(WorkerClient(*arguments, **options))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def blob_client(make_client: Callable[..., WorkerClient], blob_model: Path) -> WorkerClient:
    """A client whose worker knows the model ``blobs``."""
    return make_client(environment={**os.environ, "HNTARGETSEG_MODELS": str(blob_model)})


@pytest.fixture(scope="session")
def wait_for() -> Wait:
    """``wait_for(client, job)``: events up to the end of a job; ``until`` names another event to wait for."""

    def wait(client: WorkerClient, job: str, until: Callable[[Event], bool] | None = None) -> list[Event]:
        seen: list[Event] = []
        limit = time.monotonic() + PATIENCE
        while time.monotonic() < limit:
            for event in client.poll():
                seen.append(event)
                ended = isinstance(event, (ResultEvent, ErrorEvent)) and event.job == job
                if ended or (until is not None and until(event)):
                    # Events of the same poll that come later are for the next call.
                    return seen
            time.sleep(0.01)
        raise AssertionError(f"nothing after {PATIENCE} s but {seen}")

    return wait


@pytest.fixture(scope="session")
def patient() -> PhantomPatient:
    """A synthetic patient on a coarse grid."""
    return generate_patient(2028, 0, PhantomOptions(size=(96, 96, 32), spacing=(2.2, 2.6, 5.0)))


@pytest.fixture(scope="session")
def blob_request(head_with_blobs: Callable[..., Volume]) -> Callable[..., SegmentRequest]:
    """Maker of a request for the mid-RT visit of the blobs, with the model ``blobs``."""

    def make(image: Volume | None = None, *, visit: dict[str, Any] | None = None, **options: Any) -> SegmentRequest:
        image = image or head_with_blobs()
        given = {"model": "blobs", "predict": PredictOptions(device="cpu", backend="torch"), **options}
        return SegmentRequest((VisitRequest("mid", image, **(visit or {})),), **given)

    return make
