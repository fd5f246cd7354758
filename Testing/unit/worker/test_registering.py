"""Registrations by the worker: what travels, what comes back, and every way to stop half-way."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.errors import BadInputError, CancelledError, ErrorCode, GeometryError, OutOfMemoryError
from HNTargetSegLib.lesions.find import find_lesions
from HNTargetSegLib.lesions.lesion import State
from HNTargetSegLib.phantom.patient import PhantomPatient
from HNTargetSegLib.worker import registering
from HNTargetSegLib.worker.answers import event_from_json, event_to_json
from HNTargetSegLib.worker.calls import Call
from HNTargetSegLib.worker.client import WorkerClient
from HNTargetSegLib.worker.messages import ErrorEvent, Event, LogEvent, ProgressEvent, ResultEvent
from HNTargetSegLib.worker.register_calls import register_call, register_request
from HNTargetSegLib.worker.register_messages import RegisterRequest
from HNTargetSegLib.worker.registering import register_visits

Wait = Callable[..., list[Event]]
GRID = Geometry((40, 40, 16), (4.0, 4.0, 6.0), (-80.0, -80.0, 0.0))
SHIFT = (8.0, -4.0, 6.0)


def head(name: str, seed: int = 1) -> Volume:
    """A bright body with structure in it, in air."""
    rng = np.random.default_rng(seed)
    array = np.zeros(GRID.shape, np.float32)
    array[:, 6:34, 6:34] = 300 + np.kron(rng.normal(0, 60, (4, 7, 7)), np.ones((4, 4, 4)))
    return Volume(array, GRID, name)


@pytest.fixture
def request_() -> RegisterRequest:
    """A given shift between a head and itself, with a tumour and two nodes, one of which leaves the field of view."""
    labels = np.zeros(GRID.shape, np.uint8)
    labels[4:8, 12:18, 12:18], labels[6:10, 22:27, 24:28], labels[0:1, 8:10, 8:10] = 1, 2, 2
    lesions = find_lesions(head("pre").with_array(labels))
    shift = sitk.TranslationTransform(3, SHIFT)
    moving = replace(GRID, origin=tuple(np.add(GRID.origin, SHIFT).tolist()))
    pre = Volume(head("pre").array, moving, "pre")
    ids = Volume(lesions.ids.array, moving, "ids")
    return RegisterRequest(head("mid"), pre, replace(lesions, ids=ids), device="cpu", transform=shift)


def test_a_request_is_the_same_behind_the_pipe(request_: RegisterRequest, tmp_path: Path) -> None:
    line = register_call("job-1", request_, tmp_path).to_line()
    content = json.loads(line)
    read = register_request(
        Call("register", "job-1", {k: v for k, v in content.items() if k not in ("request", "job")}), tmp_path
    )
    assert (read.engine, read.device) == ("descriptor", "cpu")
    assert np.array_equal(read.moving.array, request_.moving.array)
    assert read.moving.geometry == request_.moving.geometry
    assert read.lesions.lesions == request_.lesions.lesions
    assert read.transform.TransformPoint((1.0, 2.0, 3.0)) == pytest.approx((9.0, -2.0, 9.0))


@pytest.mark.parametrize(
    "change", [{"engine": "magic"}, {"device": 3}, {"given": None}, {"lesions": []}, {"fixed": {"file": "../x.npy"}}]
)
def test_a_request_that_is_not_as_it_should_be_is_refused(
    request_: RegisterRequest, tmp_path: Path, change: dict[str, object]
) -> None:
    call = register_call("job-1", request_, tmp_path)
    with pytest.raises(BadInputError):
        register_request(Call("register", "job-1", {**call.content, **change}), tmp_path)


def test_lesions_on_another_grid_than_their_image_are_refused(request_: RegisterRequest) -> None:
    with pytest.raises(GeometryError):
        RegisterRequest(request_.fixed, request_.fixed, request_.lesions)


def test_a_given_transform_carries_the_lesions_and_is_judged(request_: RegisterRequest, tmp_path: Path) -> None:
    told: list[Event] = []
    event = register_visits("job-1", request_, told.append, lambda: False)
    plain = json.loads(json.dumps(event_to_json(event, tmp_path), allow_nan=False))
    outcome = event_from_json(plain, tmp_path).registration  # type: ignore[union-attr]
    assert outcome is not None
    assert outcome.engine == "given"
    # The images are equal, voxel by voxel: the shift is the whole of it.
    assert np.array_equal(outcome.registered.lesions.ids.array, request_.lesions.ids.array)
    assert outcome.registered.native_cc == {x.id: pytest.approx(x.volume_cc) for x in request_.lesions}
    assert outcome.quality.body_dsc_after > 0.99
    assert outcome.transform.TransformPoint((0.0, 0.0, 0.0)) == pytest.approx(SHIFT)
    assert [e.stage for e in told if isinstance(e, ProgressEvent)][-2:] == ["carry", "carry"]


def test_rejected_lesions_stay_behind_and_nothing_to_carry_is_a_clear_error(request_: RegisterRequest) -> None:
    rejected = [replace(lesion, state=State.REJECTED) for lesion in request_.lesions]
    some = replace(request_, lesions=request_.lesions.with_lesions(*rejected[1:]))
    event = register_visits("job-1", some, lambda event: None, lambda: False)
    assert [x.name for x in event.registration.registered.lesions] == ["GTVp"]  # type: ignore[union-attr]
    none = replace(request_, lesions=request_.lesions.with_lesions(*rejected))
    with pytest.raises(BadInputError, match="no lesion to carry"):
        register_visits("job-1", none, lambda event: None, lambda: False)


def test_a_gpu_without_memory_leaves_it_to_the_cpu_and_says_so(
    request_: RegisterRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, devices = registering.take_transform, []

    def full(*arguments, **options):  # type: ignore[no-untyped-def]
        devices.append(arguments[3].deform.device)
        if devices[-1] != "cpu":
            raise RuntimeError("CUDA out of memory")
        return real(*arguments, **options)

    monkeypatch.setattr(registering, "take_transform", full)
    monkeypatch.setattr(registering, "torch_device", lambda wanted: "cuda")
    told: list[Event] = []
    register_visits("job-1", request_, told.append, lambda: False)
    assert devices == ["cuda", "cpu"]
    assert ["the CPU does it" in e.message for e in told if isinstance(e, LogEvent)] == [True]


def test_too_little_memory_on_the_cpu_is_an_error(request_: RegisterRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments, **options):  # type: ignore[no-untyped-def]
        raise OutOfMemoryError("full")

    monkeypatch.setattr(registering, "take_transform", full)
    with pytest.raises(OutOfMemoryError):
        register_visits("job-1", request_, lambda event: None, lambda: False)


def test_cancelling_after_the_measurement_brings_no_result(request_: RegisterRequest) -> None:
    told: list[str] = []
    with pytest.raises(CancelledError):
        register_visits(
            "job-1",
            request_,
            lambda event: told.append(getattr(event, "stage", "")),
            lambda: "carry" in told,
        )


def test_a_real_worker_registers_cancels_half_way_and_goes_on(
    make_client: Callable[..., WorkerClient], wait_for: Wait, patient: PhantomPatient, request_: RegisterRequest
) -> None:
    client = make_client()
    lesions = find_lesions(patient.pre.mask)
    job = client.register(RegisterRequest(patient.mid.image, patient.pre.image, lesions, device="cpu"))

    def deforming(event: Event) -> bool:
        return isinstance(event, ProgressEvent) and event.stage == "deformable" and event.done > 2

    wait_for(client, job, until=deforming)
    pid = client.pid
    client.cancel(job)
    error = next(event for event in wait_for(client, job) if isinstance(event, ErrorEvent))
    assert error.code is ErrorCode.CANCELLED
    job = client.register(request_)
    result = next(event for event in wait_for(client, job) if isinstance(event, ResultEvent))
    assert result.registration is not None
    assert client.pid == pid
    assert not client.busy
