"""A box through the worker: in this process, and in one of its own."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.errors import BadInputError, CancelledError, ErrorCode, TargetSegError
from HNTargetSegLib.models.options import PredictOptions
from HNTargetSegLib.prompts.prompt import Kind, Prompt
from HNTargetSegLib.worker.answers import event_from_json, event_to_json
from HNTargetSegLib.worker.calls import read_call, read_object
from HNTargetSegLib.worker.client import WorkerClient
from HNTargetSegLib.worker.content_key import content_key
from HNTargetSegLib.worker.job import Segmenter
from HNTargetSegLib.worker.messages import ErrorEvent, Event, ProgressEvent, ResultEvent, SegmentRequest
from HNTargetSegLib.worker.prompt_calls import prompt_call, prompt_request
from HNTargetSegLib.worker.prompt_messages import PromptRequest

Make = Callable[..., Volume]
Request = Callable[..., SegmentRequest]
pytestmark = pytest.mark.usefixtures("one_thread")
CPU = PredictOptions(device="cpu", backend="torch")
NODE = Prompt(Kind.LN, (-31.0, -31.0, 29.0), (-9.0, -9.0, 51.0))
EMPTY = Prompt(Kind.LN, (0.0, -31.0, 29.0), (9.0, -9.0, 35.0))


@pytest.fixture(autouse=True)
def _store(blob_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HNTARGETSEG_MODELS", str(blob_model))


def never() -> bool:
    return False


def asked(image: Volume, prompt: Prompt = NODE, **fields: object) -> PromptRequest:
    return PromptRequest("mid", image, prompt, model="blobs", predict=CPU, **fields)  # type: ignore[arg-type]


def ask(segmenter: Segmenter, folder: Path, request: PromptRequest, job: str = "job-9") -> ResultEvent:
    """The answer, with both ways between the processes."""
    call = read_call(read_object(prompt_call(job, request, folder).to_line()))
    event = event_from_json(json.loads(json.dumps(event_to_json(segmenter.prompt(call, never), folder))), folder)
    assert isinstance(event, ResultEvent)
    return event


def test_the_answer_holds_the_reach_alone(tmp_path: Path, head_with_blobs: Make) -> None:
    image = head_with_blobs()
    outcome = ask(Segmenter(tmp_path, lambda event: None), tmp_path, asked(image)).prompt
    assert outcome is not None
    answer = outcome.answer
    assert answer.prompt == NODE
    assert answer.labels.shape == tuple(part.stop - part.start for part in answer.extent.reach)
    assert answer.labels.size < image.array.size
    assert set(np.unique(answer.labels)) == {0, 2}
    assert (answer.probability[answer.labels > 0] >= 0.1 - 1e-3).all()
    assert (outcome.model.name, outcome.engine, outcome.predict) == ("blobs", "PyTorch, cpu, float32", CPU)


def test_after_a_segmentation_no_network_runs_and_no_model_is_loaded(
    tmp_path: Path, blob_request: Request, head_with_blobs: Make
) -> None:
    events: list[Event] = []
    segmenter = Segmenter(tmp_path, events.append)
    segmenter.segment("job-1", blob_request(), never)
    events.clear()
    # Another volume with the same content: what counts is what it holds.
    ask(segmenter, tmp_path, asked(head_with_blobs()))
    assert events == []


def test_another_image_is_looked_at_itself(tmp_path: Path, blob_request: Request, head_with_blobs: Make) -> None:
    events: list[Event] = []
    segmenter = Segmenter(tmp_path, events.append)
    segmenter.segment("job-1", blob_request(), never)
    events.clear()
    outcome = ask(segmenter, tmp_path, asked(head_with_blobs(blobs=False))).prompt
    assert outcome is not None
    assert not outcome.answer.labels.any()
    assert "network" in {event.stage for event in events if isinstance(event, ProgressEvent)}


def test_the_image_is_handed_over_once(tmp_path: Path, head_with_blobs: Make) -> None:
    image = head_with_blobs()
    first = prompt_call("job-1", asked(image), tmp_path).content["image"]
    (file,) = (tmp_path / "volumes").iterdir()
    written = file.stat().st_ino
    again = prompt_call("job-2", asked(head_with_blobs()), tmp_path).content["image"]
    assert first["file"] == again["file"]
    assert [path.stat().st_ino for path in (tmp_path / "volumes").iterdir()] == [written]


def test_no_more_than_the_volumes_of_a_patient_are_kept(tmp_path: Path, head_with_blobs: Make) -> None:
    image = head_with_blobs((8, 8, 8))
    for number in range(7):
        prompt_call(f"job-{number}", asked(image.with_array(image.array + number)), tmp_path)
        time.sleep(0.01)
    names = {path.stem for path in (tmp_path / "volumes").iterdir()}
    assert names == {content_key(image.with_array(image.array + number)) for number in range(3, 7)}


def test_the_key_tells_voxels_types_and_grids_apart(head_with_blobs: Make) -> None:
    image = head_with_blobs((8, 8, 8))
    array = image.array.copy()
    array[0, 0, 0] += 1
    moved = replace(image, geometry=replace(image.geometry, origin=(0.0, 0.0, 1.0)))
    others = [image.with_array(array), image.with_array(image.array.astype(np.float64)), moved]
    assert len({content_key(volume) for volume in (image, *others)}) == 4
    assert content_key(head_with_blobs((8, 8, 8))) == content_key(image)


def test_a_prior_goes_along(tmp_path: Path, head_with_blobs: Make) -> None:
    image = head_with_blobs((8, 8, 8))
    prior = image.with_array(np.ones((8, 8, 8), np.uint8))
    call = read_call(read_object(prompt_call("job-1", asked(image, prior=prior), tmp_path).to_line()))
    read = prompt_request(call, tmp_path, {})
    assert read.prior is not None
    assert np.array_equal(read.prior.array, prior.array)
    assert (read.prompt, read.model, read.predict) == (NODE, "blobs", CPU)


def test_cancelling_keeps_the_model(tmp_path: Path, head_with_blobs: Make) -> None:
    segmenter = Segmenter(tmp_path, lambda event: None)
    call = prompt_call("job-1", asked(head_with_blobs()), tmp_path)
    ask(segmenter, tmp_path, asked(head_with_blobs()))
    with pytest.raises(CancelledError):
        segmenter.prompt(call, lambda: True)
    assert ask(segmenter, tmp_path, asked(head_with_blobs())).prompt is not None


@pytest.mark.parametrize(
    "change",
    [{"image": None}, {"image": {"file": "../x.npy", "name": "x"}}, {"prompt": {}}, {"visit": "later"}, {"model": 3}],
)
def test_a_request_that_is_none_is_refused(tmp_path: Path, head_with_blobs: Make, change: dict[str, object]) -> None:
    call = prompt_call("job-1", asked(head_with_blobs((8, 8, 8))), tmp_path)
    with pytest.raises(TargetSegError):
        prompt_request(replace(call, content={**call.content, **change}), tmp_path, {})


def test_a_box_outside_the_image_is_refused_with_a_remedy(tmp_path: Path, head_with_blobs: Make) -> None:
    far = Prompt(Kind.LN, (900.0, 0.0, 0.0), (950.0, 10.0, 10.0))
    with pytest.raises(BadInputError, match="outside the volume"):
        ask(Segmenter(tmp_path, lambda event: None), tmp_path, asked(head_with_blobs(), far))


def test_fifty_boxes_in_a_process_of_its_own_are_answered_in_their_order(
    make_client: Callable[..., WorkerClient], blob_request: Request, head_with_blobs: Make
) -> None:
    client = make_client()
    image = head_with_blobs()
    jobs = [client.segment(blob_request())]
    jobs += [client.prompt(asked(image, NODE if number % 2 else EMPTY)) for number in range(50)]
    answered: list[Event] = []
    deadline = time.monotonic() + 100
    while client.busy and time.monotonic() < deadline:
        answered += [event for event in client.poll() if isinstance(event, (ResultEvent, ErrorEvent))]
        time.sleep(0.01)
    assert [event.job for event in answered] == jobs
    found = [
        event.prompt.answer.labels.any() for event in answered[1:] if isinstance(event, ResultEvent) and event.prompt
    ]
    assert found == [bool(number % 2) for number in range(50)]


def test_a_bad_box_does_not_end_the_worker(make_client: Callable[..., WorkerClient], head_with_blobs: Make) -> None:
    client = make_client()
    image = head_with_blobs()
    far = Prompt(Kind.LN, (900.0, 0.0, 0.0), (950.0, 10.0, 10.0))
    jobs = [client.prompt(asked(image, far)), client.prompt(asked(image))]
    answered: dict[str | None, Event] = {}
    deadline = time.monotonic() + 100
    while client.busy and time.monotonic() < deadline:
        answered |= {e.job: e for e in client.poll() if isinstance(e, (ResultEvent, ErrorEvent))}
        time.sleep(0.01)
    refused, found = (answered[job] for job in jobs)
    assert isinstance(refused, ErrorEvent)
    assert refused.code is ErrorCode.BAD_INPUT
    assert isinstance(found, ResultEvent)
