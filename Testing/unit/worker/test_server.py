"""The worker's side of the protocol, in this process on real pipes: it answers everything and nothing ends it early."""

from __future__ import annotations

import json
import os
import queue
import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from HNTargetSegLib import __version__
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.models.options import PredictOptions
from HNTargetSegLib.models.stored import StoredModel
from HNTargetSegLib.pipeline import LoadedModel
from HNTargetSegLib.worker.calls import Call, segment_call
from HNTargetSegLib.worker.messages import SegmentRequest
from HNTargetSegLib.worker.server import Server

pytestmark = pytest.mark.usefixtures("one_thread")
Request = Callable[..., SegmentRequest]
SECONDS = 30.0


class Dialogue:
    """A server in a thread, and the two ends of its pipes."""

    def __init__(self, folder: Path, load: Any = None) -> None:
        self.folder = folder
        self.left: queue.Queue[bool] = queue.Queue()
        self._answers: queue.Queue[dict[str, Any] | None] = queue.Queue()
        (read_requests, write_requests), (read_events, write_events) = os.pipe(), os.pipe()
        self._streams = [os.fdopen(read_requests, "rb"), os.fdopen(write_events, "wb")]
        self._out, self._in = os.fdopen(write_requests, "wb"), os.fdopen(read_events, "rb")
        server = Server(*self._streams, folder, self.left.put, load)
        self._threads = [threading.Thread(target=work, daemon=True) for work in (server.run, self._listen)]
        for thread in self._threads:
            thread.start()

    def say(self, line: bytes | Call | dict[str, Any]) -> None:
        if isinstance(line, Call):
            line = line.to_line()
        self._out.write(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n")
        self._out.flush()

    def hear(self) -> dict[str, Any]:
        answer = self._answers.get(timeout=SECONDS)
        assert answer is not None, "the server has hung up"
        return answer

    def hear_end(self, job: str) -> list[dict[str, Any]]:
        """Events up to the result or error of a job."""
        seen = [self.hear()]
        while seen[-1]["event"] not in ("result", "error") or seen[-1]["job"] != job:
            seen.append(self.hear())
        return seen

    def _listen(self) -> None:
        for line in self._in:
            self._answers.put(json.loads(line))

    def close(self) -> None:
        self._out.close()
        self._threads[0].join(SECONDS)
        assert not self._threads[0].is_alive(), "the server has ended"
        for stream in self._streams:
            stream.close()
        self._threads[1].join(SECONDS)
        self._in.close()


@pytest.fixture
def dialogue(tmp_path: Path, blob_model: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Dialogue]:
    monkeypatch.setenv("HNTARGETSEG_MODELS", str(blob_model))
    server = Dialogue(tmp_path)
    assert server.hear()["event"] == "ready"
    yield server
    server.close()


def test_it_says_who_it_is_and_answers(tmp_path: Path) -> None:
    server = Dialogue(tmp_path)
    ready = server.hear()
    assert (ready["event"], ready["version"], ready["pid"]) == ("ready", __version__, os.getpid())
    server.say({"request": "ping", "job": "a"})
    assert server.hear() == {"event": "result", "job": "a", "request": "ping", "content": {}, "visits": []}
    server.close()
    assert server.left.get(timeout=SECONDS) is True


def test_quitting_leaves_at_once(dialogue: Dialogue) -> None:
    dialogue.say({"request": "quit"})
    assert dialogue.left.get(timeout=SECONDS) is False


def test_models_are_listed_with_cards_and_with_what_is_wrong(
    dialogue: Dialogue, tmp_path: Path, blob_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "store"
    (store / "broken").mkdir(parents=True)
    (store / "broken" / "card.json").write_text("{")
    (store / "blobs").symlink_to(blob_model / "blobs")
    monkeypatch.setenv("HNTARGETSEG_MODELS", str(store))
    dialogue.say({"request": "models", "job": "a"})
    content = dialogue.hear()["content"]
    models = {model["name"]: model for model in content["models"]}
    assert models["phantom-baseline"]["shipped"] is True
    assert models["phantom-baseline"]["default"] is True
    assert models["blobs"]["shipped"] is False
    assert "limits" in models["blobs"]["card"]["basics"]
    (broken,) = content["unreadable"]
    assert "broken" in broken["path"]
    assert broken["remedy"]


def test_the_doctor_says_what_is_there(dialogue: Dialogue) -> None:
    dialogue.say({"request": "doctor", "job": "a"})
    report = dialogue.hear()["content"]
    assert report["version"] == __version__
    assert "torch" in [package["name"] for package in report["packages"]]


def test_a_segmentation_reports_and_leaves_its_map_in_the_jobs_folder(
    dialogue: Dialogue, blob_request: Request
) -> None:
    dialogue.say(segment_call("job-1", blob_request(), dialogue.folder))
    *progress, result = dialogue.hear_end("job-1")
    assert {event["stage"] for event in progress} == {"load", "preprocess", "network", "labels", "lesions"}
    (visit,) = result["visits"]
    assert visit["ids"]["file"] == "job-1/mid-ids.npy"
    assert (dialogue.folder / visit["ids"]["file"]).is_file()
    assert [lesion["name"] for lesion in visit["lesions"]] == ["GTVp", "GTVn1"]


def test_a_job_is_cancelled_while_it_runs_and_one_that_waits_never_starts(
    tmp_path: Path, blob_model: Path, blob_request: Request, head_with_blobs: Callable[..., Volume], monkeypatch: Any
) -> None:
    monkeypatch.setenv("HNTARGETSEG_MODELS", str(blob_model))
    loads: list[PredictOptions] = []

    def load(stored: StoredModel, options: PredictOptions) -> LoadedModel:
        loads.append(options)
        return LoadedModel.load(stored, options)

    server = Dialogue(tmp_path, load)
    large = blob_request(head_with_blobs((120, 90, 40)), predict=PredictOptions("cpu", backend="torch", step=0.2))
    server.say(segment_call("runs", large, tmp_path))
    server.say(segment_call("waits", large, tmp_path))
    while server.hear().get("stage") != "network":
        pass
    server.say({"request": "cancel", "job": "waits"})
    server.say({"request": "cancel", "job": "runs"})
    server.say({"request": "cancel", "job": "nobody"})
    ends = [event for event in server.hear_end("runs") if event["event"] == "error"]
    assert [(event["job"], event["code"]) for event in ends] == [("waits", 4), ("runs", 4)]
    small = blob_request(predict=large.predict)
    server.say(segment_call("next", small, tmp_path))
    assert server.hear_end("next")[-1]["event"] == "result"
    assert len(loads) == 1
    server.close()


def test_an_id_that_was_cancelled_can_be_used_again(dialogue: Dialogue) -> None:
    dialogue.say({"request": "cancel", "job": "a"})
    dialogue.say({"request": "ping", "job": "a"})
    assert dialogue.hear()["event"] == "result"


def test_wrong_input_is_an_error_of_its_job_with_path_and_remedy(dialogue: Dialogue, blob_request: Request) -> None:
    dialogue.say(segment_call("a", blob_request(model="blob"), dialogue.folder))
    error = dialogue.hear_end("a")[-1]
    assert (error["code"], error["message"]) == (2, "There is no model 'blob'")
    assert "blobs" in error["remedy"]
    call = segment_call("b", blob_request(), dialogue.folder)
    (dialogue.folder / "b" / "mid-image.npy").unlink()
    dialogue.say(call)
    error = dialogue.hear_end("b")[-1]
    assert error["code"] == 2
    assert error["path"].endswith("mid-image.npy")


def test_what_nobody_foresaw_is_code_1_and_goes_to_the_log(
    tmp_path: Path, blob_model: Path, blob_request: Request, monkeypatch: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HNTARGETSEG_MODELS", str(blob_model))

    def load(stored: StoredModel, options: PredictOptions) -> LoadedModel:
        raise ZeroDivisionError("a bug")

    server = Dialogue(tmp_path, load)
    server.say(segment_call("a", blob_request(), tmp_path))
    error = server.hear_end("a")[-1]
    assert (error["code"], error["message"]) == (1, "Something unexpected happened (ZeroDivisionError: a bug)")
    server.say({"request": "ping", "job": "b"})
    assert server.hear()["event"] == "result"
    server.close()
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_hundreds_of_random_lines_neither_stop_it_nor_go_unanswered(dialogue: Dialogue) -> None:
    draw = random.Random(7)
    expected = 0
    for number in range(400):
        line, answered = _random_line(draw, number)
        dialogue.say(line)
        expected += answered
    dialogue.say({"request": "ping", "job": "last"})
    heard = dialogue.hear_end("last")
    errors = [event for event in heard if event["event"] == "error"]
    assert len(errors) == expected > 200
    # A wrong job that was still waiting may be cancelled by a later line.
    assert {error["code"] for error in errors} <= {2, 4}, errors
    assert all(error["message"] for error in errors)
    assert heard[-1]["event"] == "result"
    assert dialogue.left.empty()


def _random_line(draw: random.Random, number: int) -> tuple[bytes, bool]:
    """A line that is wrong in some way, and whether it asks for an answer."""
    whole = json.dumps({"request": "segment", "job": f"j{number}", "visits": [], "keep_probability": False}).encode()
    kind = draw.randrange(6)
    if kind == 0:
        noise = bytes(draw.randrange(256) for _ in range(draw.randrange(1, 60))).replace(b"\n", b"x")
        return noise.strip(b"\r\t\v\f ") + b"?\n", True
    if kind == 1:
        return whole[: draw.randrange(1, len(whole))] + b"\n", True
    if kind == 2:
        values = [None, True, -1, 1e308, "\ud800", [], {}, [[[]]], "x" * 2000]
        content = {name: draw.choice(values) for name in ("visits", "model", "predict", "keep_probability")}
        return json.dumps({"request": "segment", "job": f"j{number}", **content}).encode() + b"\n", True
    if kind == 3:
        values = [None, 7, [], {"a": 1}, "no-such-request", ""]
        return json.dumps({"request": draw.choice(values), "job": draw.choice(values)}).encode() + b"\n", True
    if kind == 4:
        return draw.choice([b"\n", b"   \n", b"\r\n"]), False
    return json.dumps({"request": "cancel", "job": f"j{draw.randrange(number + 1)}"}).encode() + b"\n", False
