"""A model's result into a Slicer scene, and what one word of the reviewer costs there; without any view."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
from Testing.benchmarks.balls import GEOMETRY, balls
from Testing.benchmarks.setting import Setting
from Testing.benchmarks.table import Row, at_most
from Testing.slicerhost.core import start_core

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.export.manifest import ModelRecord
from HNTargetSegLib.lesions.find import find_lesions
from HNTargetSegLib.lesions.lesion import LesionSet
from HNTargetSegLib.review.case import ReviewCase, VisitImage
from HNTargetSegLib.review.session import ReviewSession
from HNTargetSegLib.review.visit import RunRecord
from HNTargetSegLib.scene.review_scene import ReviewScene

_WORDS = 10


def run(setting: Setting) -> list[Row]:
    """Measure on 512 x 512 x 120 voxels with 10 lesions, and with 40."""
    temporary = setting.folder / "slicer"
    temporary.mkdir(exist_ok=True)
    core = start_core(temporary)
    image = Volume(np.random.default_rng(0).normal(300, 60, GEOMETRY.shape).astype(np.float32), GEOMETRY)
    few, many = (find_lesions(image.with_array(balls(count))) for count in (10, 40))
    rows = [at_most("image of 512x512x120 into the scene", _median(setting, lambda: opened(core, image)[2]), 2, "s")]
    session, review, _ = opened(core, image)
    seconds = _median(setting, lambda: proposed(session, few))
    rows.append(at_most("result with 10 lesions into the scene", seconds, 2, "s"))
    review.dispose()
    return [*rows, *_words(core, image, many)]


def _words(core: Any, image: Volume, lesions: LesionSet) -> list[Row]:
    """What the reviewer says, with 40 lesions."""
    session, review, _ = opened(core, image)
    proposed(session, lesions)
    visit = Visit.MID
    ids = [lesion.id for lesion in session.lesions(visit)][:_WORDS]
    accept = [_timed(lambda number=number: session.accept(visit, number)) for number in ids]  # type: ignore[misc]
    hide = [_timed(lambda number=number: session.set_shown(visit, [number], False)) for number in ids]  # type: ignore[misc]
    segment = review.segmentation_node(visit).GetSegmentation().GetSegment(review.segment_id(visit, 1))
    segment.SetName("renamed")
    rename = _timed(review.process_pending)
    strokes = [_stroke(review, segment, n) for n in range(_WORDS)]
    review.dispose()
    return [
        at_most(f"accept one of {len(lesions)} lesions to the scene", 1000 * median(accept), 100, "ms"),
        at_most(f"hide one of {len(lesions)} lesions", 1000 * median(hide), 100, "ms"),
        at_most("follow a new name", 1000 * rename, 100, "ms"),
        Row("follow a stroke of the brush", 1000 * median(strokes), "ms"),
    ]


def _stroke(review: ReviewScene, segment: Any, number: int) -> float:
    """Seconds from a changed voxel to the lesion's new record."""
    labelmap = segment.GetRepresentation("Binary labelmap")
    i, j, k = labelmap.GetExtent()[::2]
    labelmap.SetScalarComponentFromDouble(i + number, j, k, 0, segment.GetLabelValue())
    labelmap.Modified()
    return _timed(review.process_pending)


def opened(core: Any, image: Volume) -> tuple[ReviewSession, ReviewScene, float]:
    """A review of an image in an empty scene, and the seconds that it took to show it."""
    core.scene.Clear(0)
    session = ReviewSession()
    review = ReviewScene(session, core.scene)
    case = ReviewCase("speed", {Visit.MID: VisitImage(image)})
    return session, review, _timed(lambda: session.open(case))


def proposed(session: ReviewSession, lesions: LesionSet) -> float:
    """Seconds from the result to the scene; each run has ids of its own to be written."""
    now = datetime.datetime.now(datetime.timezone.utc)
    record = RunRecord(ModelRecord("speed", "1", "0" * 64), "cpu", {}, now, now)
    empty = lesions.ids.with_array(np.zeros_like(lesions.ids.array))
    session.take_proposal(Visit.MID, LesionSet(empty, ()), record)
    return _timed(lambda: session.take_proposal(Visit.MID, lesions, record))


def _median(setting: Setting, measure: Callable[[], float]) -> float:
    return median(measure() for _ in range(setting.repeats))


def _timed(action: Callable[[], object]) -> float:
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin
