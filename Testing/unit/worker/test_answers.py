"""Events survive the pipe."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.errors import BadInputError, ErrorCode, GeometryError
from HNTargetSegLib.export.manifest import ModelRecord
from HNTargetSegLib.lesions.find import find_lesions
from HNTargetSegLib.models.options import PredictOptions
from HNTargetSegLib.worker.answers import error_event, event_from_json, event_to_json
from HNTargetSegLib.worker.arrays import write_array
from HNTargetSegLib.worker.messages import (
    ErrorEvent,
    Event,
    LogEvent,
    ProgressEvent,
    ReadyEvent,
    ResultEvent,
    VisitOutcome,
)


def through(event: Event, folder: Path) -> Event:
    return event_from_json(json.loads(json.dumps(event_to_json(event, folder), allow_nan=False)), folder)


@pytest.mark.parametrize(
    "event",
    [
        ReadyEvent("0.1.0", "3.12.1", 77),
        ProgressEvent("job-1", "mid", "network", 3, 18),
        ProgressEvent("job-1", None, "load", 0, 1),
        LogEvent("warning", "Größere Kacheln", "job-1"),
        ErrorEvent(None, ErrorCode.OUT_OF_MEMORY, "Too little", "Get more", "/a b/ü.nii"),
    ],
)
def test_an_event_comes_back(tmp_path: Path, event: Event) -> None:
    back = through(event, tmp_path)
    assert back == event
    assert type(back) is type(event)


def test_a_result_comes_back_with_lesions_map_and_probability(
    tmp_path: Path, head_with_blobs: Callable[..., Volume]
) -> None:
    image = head_with_blobs()
    labels = image.with_array(np.where(image.array > 800, 1, np.where(image.array < 10, 2, 0)).astype(np.uint8))
    lesions = find_lesions(labels)
    likely = np.linspace(0, 1, image.array.size, dtype=np.float16).reshape(image.array.shape)
    write_array(tmp_path / "job-1" / "mid-PT.npy", likely)
    outcome = VisitOutcome(
        visit="mid",
        lesions=lesions,
        candidates=lesions.lesions[:1],
        seconds={"network": 1 / 3},
        warnings=("It is small.",),
        engine="OpenVINO, cpu, f32",
        predict=PredictOptions(device="cpu", folds=("0",)),
        model=ModelRecord("blobs", "1", "ab" * 32),
        probability_files={Target.PT: tmp_path / "job-1" / "mid-PT.npy"},
    )
    event = through(ResultEvent("job-1", "segment", (outcome,)), tmp_path)
    assert isinstance(event, ResultEvent)
    (back,) = event.visits
    for name in ("visit", "candidates", "seconds", "warnings", "engine", "predict", "model", "probability_files"):
        assert getattr(back, name) == getattr(outcome, name), name
    assert back.lesions.lesions == lesions.lesions
    assert np.array_equal(back.lesions.ids.array, lesions.ids.array)
    assert back.lesions.ids.geometry == image.geometry
    assert np.array_equal(back.probability(Target.PT), likely)
    with pytest.raises(BadInputError, match="LN was not kept"):
        back.probability(Target.LN)


def test_one_of_our_errors_keeps_its_words() -> None:
    event = error_event("job-1", GeometryError("Two grids", path="mask.nii", remedy="Give one"))
    assert event == ErrorEvent("job-1", ErrorCode.BAD_INPUT, "Two grids", "Give one", "mask.nii")


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"event": "party"},
        {"event": "ready"},
        {"event": "progress", "job": "a", "colour": 3},
        {"event": "error", "job": "a", "code": 99, "message": "x"},
        {"event": "result", "job": "a", "request": "segment", "content": {}, "visits": [3]},
        {"event": ["result"]},
    ],
)
def test_what_is_no_event_is_refused(tmp_path: Path, content: dict[str, Any]) -> None:
    with pytest.raises(BadInputError, match="no event"):
        event_from_json(content, tmp_path)
