"""Requests survive the pipe, and nothing that comes in is taken on trust."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.lesions.find import find_lesions
from HNTargetSegLib.lesions.lesion import LesionSet
from HNTargetSegLib.models.options import PredictOptions
from HNTargetSegLib.pipeline import SegmentOptions
from HNTargetSegLib.worker.calls import Call, predict_options, read_call, read_object, segment_call, segment_request
from HNTargetSegLib.worker.messages import SegmentRequest, VisitRequest

Make = Callable[..., Volume]


def through(request: SegmentRequest, folder: Path) -> SegmentRequest:
    return segment_request(read_call(read_object(segment_call("job-1", request, folder).to_line())), folder)


@pytest.fixture
def prior(head_with_blobs: Make) -> Volume:
    image = head_with_blobs()
    return image.with_array(np.where(image.array > 800, 1, np.where(image.array < 10, 2, 0)).astype(np.uint8), "prior")


def test_a_whole_request_comes_back(tmp_path: Path, head_with_blobs: Make, prior: Volume) -> None:
    request = SegmentRequest(
        visits=(
            VisitRequest("pre", head_with_blobs()),
            VisitRequest(Visit.MID, head_with_blobs(), find_lesions(prior), {1: 1 / 3, 2: 5.0}),  # type: ignore[arg-type]
        ),
        model="my model – ü",
        predict=PredictOptions(device="cpu", folds=("0", "all"), step=0.75, mirror=True, mode="fast"),
        options=SegmentOptions(minimum_cc=0.1, candidates=True),
        keep_probability=True,
    )
    back = through(request, tmp_path)
    for name in ("model", "predict", "options", "keep_probability"):
        assert getattr(back, name) == getattr(request, name)
    assert [visit.visit for visit in back.visits] == ["pre", "mid"]
    for ours, theirs in zip(request.visits, back.visits, strict=True):
        assert np.array_equal(ours.image.array, theirs.image.array)
        assert ours.image.geometry == theirs.image.geometry
    mid = back.visits[1]
    assert mid.native_cc == {1: 1 / 3, 2: 5.0}
    assert isinstance(mid.prior, LesionSet)
    assert mid.prior.lesions == find_lesions(prior).lesions
    assert np.array_equal(mid.prior.ids.array, find_lesions(prior).ids.array)


def test_a_prior_of_labels_stays_one_of_labels(tmp_path: Path, head_with_blobs: Make, prior: Volume) -> None:
    back = through(SegmentRequest((VisitRequest("mid", head_with_blobs(), prior),)), tmp_path).visits[0]
    assert isinstance(back.prior, Volume)
    assert np.array_equal(back.prior.array, prior.array)
    assert back.native_cc is None


def test_what_is_left_out_keeps_its_default(tmp_path: Path, head_with_blobs: Make) -> None:
    back = through(SegmentRequest((VisitRequest("mid", head_with_blobs()),)), tmp_path)
    assert (back.model, back.predict, back.options, back.keep_probability) == (None, PredictOptions(), None, False)


def test_a_model_in_a_folder_is_told_from_one_in_the_store(tmp_path: Path, head_with_blobs: Make) -> None:
    visits = (VisitRequest("mid", head_with_blobs()),)
    assert through(SegmentRequest(visits, model=tmp_path / "a b"), tmp_path).model == tmp_path / "a b"
    assert through(SegmentRequest(visits, model="a b"), tmp_path).model == "a b"


def test_a_line_is_ascii_and_has_one_end(tmp_path: Path, head_with_blobs: Make) -> None:
    image = head_with_blobs().with_array(np.zeros((20, 36, 40)), "Größe\n\udcff")
    line = segment_call("job-1", SegmentRequest((VisitRequest("mid", image),), model="é\n"), tmp_path).to_line()
    assert line.isascii()
    assert line.count(b"\n") == 1
    assert read_object(line)["visits"][0]["image"]["name"] == "Größe\n\udcff"


@pytest.mark.parametrize("line", [b"", b"x", b"3", b"[]", b'"ping"', b"{", b"\xff\xfe", b"[" * 100_000, b"9" * 5000])
def test_what_is_no_object_is_refused(line: bytes) -> None:
    with pytest.raises(BadInputError, match="no JSON"):
        read_object(line)


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"request": "format disk", "job": "a"},
        {"request": ["ping"], "job": "a"},
        {"request": "ping"},
        {"request": "ping", "job": ""},
        {"request": "ping", "job": 3},
        {"request": "ping", "job": "../a"},
        {"request": "cancel", "job": "a" * 41},
    ],
)
def test_a_wrong_request_is_refused(content: dict[str, Any]) -> None:
    with pytest.raises(BadInputError, match=r"There is no request|no job id"):
        read_call(content)


def test_quitting_needs_no_job() -> None:
    call = read_call({"request": "quit"})
    assert (call.request, call.is_job) == ("quit", False)
    assert read_call(json.loads(Call("ping", "a").to_line())).is_job


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("visits", None),
        ("visits", []),
        ("visits", [None]),
        ("visits", [{"visit": "mid"}]),
        ("model", "blobs"),
        ("model", {"name": 3}),
        ("model", {"folder": ""}),
        ("model", {"name": "a", "more": 1}),
        ("predict", None),
        ("predict", {"device": "toaster"}),
        ("predict", {"step": "0.5"}),
        ("predict", {"step": True}),
        ("predict", {"mirror": 1}),
        ("predict", {"folds": [0]}),
        ("predict", {"folds": "0"}),
        ("predict", {"colour": "red"}),
        ("options", {"minimum_cc": None}),
        ("options", {"candidates": "yes"}),
        ("options", 3),
        ("keep_probability", 1),
    ],
)
def test_a_wrong_value_in_a_request_is_refused(tmp_path: Path, head_with_blobs: Make, name: str, value: Any) -> None:
    call = segment_call("job-1", SegmentRequest((VisitRequest("mid", head_with_blobs()),)), tmp_path)
    with pytest.raises(BadInputError):
        segment_request(Call("segment", "job-1", {**call.content, name: value}), tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("native_cc", {"1": 2.0}),
        ("native_cc", [[1]]),
        ("native_cc", [["1", 2.0]]),
        ("native_cc", [[1, 0]]),
        ("native_cc", [[1, None]]),
        ("prior", 3),
        ("prior", {"map": None}),
        ("visit", "later"),
        ("visit", ["mid"]),
    ],
)
def test_a_wrong_value_in_a_visit_is_refused(
    tmp_path: Path, head_with_blobs: Make, prior: Volume, name: str, value: Any
) -> None:
    request = SegmentRequest((VisitRequest("mid", head_with_blobs(), prior, {1: 2.0}),))
    call = segment_call("job-1", request, tmp_path)
    visit = {**call.content["visits"][0], name: value}
    with pytest.raises(BadInputError):
        segment_request(Call("segment", "job-1", {**call.content, "visits": [visit]}), tmp_path)


def test_options_come_back_from_json_with_their_tuples() -> None:
    assert predict_options({"folds": ["1"], "mode": "fast"}) == PredictOptions(folds=("1",), mode="fast")
