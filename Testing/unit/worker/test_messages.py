"""Requests refuse what makes no sense, and events speak for themselves."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.errors import BadInputError, ErrorCode
from HNTargetSegLib.worker.messages import ErrorEvent, SegmentRequest, VisitRequest

Make = Callable[..., Volume]


def test_a_visit_is_named_by_its_word_or_its_enum(head_with_blobs: Make) -> None:
    image = head_with_blobs()
    assert VisitRequest(Visit.PRE, image).visit == VisitRequest("pre", image).visit  # type: ignore[arg-type]
    with pytest.raises(BadInputError, match=r"no visit 'post'. Choose from pre, mid"):
        VisitRequest("post", image)  # type: ignore[arg-type]


def test_only_the_mid_visit_has_a_prior(head_with_blobs: Make) -> None:
    image = head_with_blobs()
    with pytest.raises(BadInputError, match="pre-RT visit has no prior"):
        VisitRequest("pre", image, prior=image)
    with pytest.raises(BadInputError, match="without the prior"):
        VisitRequest("mid", image, native_cc={1: 2.0})


def test_a_request_has_each_visit_at_most_once(head_with_blobs: Make) -> None:
    visit = VisitRequest("mid", head_with_blobs())
    with pytest.raises(BadInputError, match="no image"):
        SegmentRequest(())
    with pytest.raises(BadInputError, match="given twice"):
        SegmentRequest((visit, visit))


def test_an_error_reads_as_the_errors_of_the_library_do() -> None:
    event = ErrorEvent("job-1", ErrorCode.BAD_INPUT, "It is empty", "Fill it", "a.nii")
    assert str(event) == "a.nii: It is empty. Fill it."
    assert not event.cancelled
    assert ErrorEvent("job-1", ErrorCode.CANCELLED, "Stopped").cancelled


def test_the_client_is_imported_quickly_and_brings_no_package_along(repository: Path) -> None:
    code = (
        "import sys, time; begin = time.process_time(); import HNTargetSegLib.worker.client;"
        "seconds = time.process_time() - begin;"
        "heavy = {'numpy', 'scipy', 'torch', 'SimpleITK', 'pydicom', 'psutil'} & set(sys.modules);"
        "print(seconds); assert not heavy, heavy"
    )
    times = []
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=repository / "HNTargetSeg", capture_output=True, text=True, check=True
        )
        times.append(float(done.stdout))
    assert min(times) < 0.1
