"""The review page beside trame-slicer's own viewer: wheel, memory and first picture, in Chromium on one machine."""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from Testing.benchmarks.setting import SEED, Setting
from Testing.benchmarks.table import Row, at_most, below_peer
from Testing.browser.chromium import SMALL, chromium, new_page
from Testing.browser.frames import RECORDER, Burst, Step, wheel_burst, wheel_steps
from Testing.browser.review_process import ServedPage, start_review
from Testing.system_packages import missing

from HNTargetSegLib.phantom import PhantomOptions
from HNTargetSegLib.phantom.sample import sample_patient

_SPACING = (1.0, 1.0, 3.0)
_ROUNDS, _STEPS = 4, 8
_PICTURES = "[...document.querySelectorAll('img')].filter(i => i.src.startsWith('blob:') && i.naturalWidth > 50)"


@dataclass
class _Viewer:
    """A page with a patient on screen.

    Attributes
    ----------
    x, y
        Middle of its first view, which is axial.
    """

    served: ServedPage
    page: Any
    x: float = 0.0
    y: float = 0.0
    steps: list[Step] = field(default_factory=list)
    bursts: list[Burst] = field(default_factory=list)


def run(setting: Setting) -> list[Row]:
    """Open a pair of ``setting.size`` in ours and its mid-RT image in the peer's, and turn the wheel in turn."""
    lacking = _lacking()
    if lacking:
        return [Row(f"review: not measured, {' and '.join(lacking)} missing", None, "ms")]
    options = PhantomOptions(size=setting.size, spacing=_SPACING)
    patient = sample_patient(setting.folder / "review" / "patient", SEED, options)
    if patient.mid is None:
        raise RuntimeError("The generated patient has no mid-RT image")
    with ExitStack() as stack:
        browser = stack.enter_context(chromium())
        ours, first = _open_ours(stack, browser, patient.mid.parent.parent, setting.folder / "review" / "ours")
        peer = _open_peer(stack, browser, patient.mid, setting.folder / "review" / "peer")
        for number in range(_ROUNDS):
            # In turn, so that whatever else the machine does falls on both.
            direction = 1 if number % 2 == 0 else -1
            for viewer in (ours, peer):
                viewer.page.bring_to_front()
                viewer.steps += wheel_steps(viewer.page, viewer.x, viewer.y, direction, _STEPS)
                viewer.bursts.append(wheel_burst(viewer.page, viewer.x, viewer.y, direction))
        return [*_rows(ours, peer), at_most("review: link to first picture of both visits", first, 5.0, "s")]


def _lacking() -> list[str]:
    packages = [name for name in ("trame_slicer", "playwright") if importlib.util.find_spec(name) is None]
    return [*packages, *(component.name for component in missing() if component.name in ("egl", "chromium"))]


def _rows(ours: _Viewer, peer: _Viewer) -> list[Row]:
    more = (ours.served.memory() - peer.served.memory()) / 1e6

    def compared(name: str, figure: Callable[[_Viewer], list[float]], times: float | None) -> Row:
        return below_peer(f"review: {name}", median(figure(ours)), median(figure(peer)), times, "ms")

    return [
        compared("wheel to first picture", lambda v: [step.to_first for step in v.steps], 1 / 0.8),
        compared("wheel to final picture", lambda v: [step.to_final for step in v.steps], None),
        compared("30 steps in 2 s: lag to the last slice", lambda v: [b.to_slice for b in v.bursts], None),
        compared("30 steps in 2 s: lag to the final picture", lambda v: [b.to_final for b in v.bursts], 1 / 0.3),
        Row(
            "review: pictures shown in 30 steps",
            median(b.pictures for b in ours.bursts),
            "",
            median(b.pictures for b in peer.bursts),
        ),
        at_most("review: memory beyond the peer's", more, 300.0, "MB"),
    ]


def _open_ours(stack: ExitStack, browser: Any, patient: Path, folder: Path) -> tuple[_Viewer, float]:
    served = start_review(folder, patient)
    stack.callback(served.stop)
    page, _ = new_page(browser, SMALL, RECORDER)
    begin = time.perf_counter()
    page.goto(served.url)
    page.wait_for_function(f"{_PICTURES}.length >= 2", timeout=60_000)
    first = time.perf_counter() - begin
    return _settled(_Viewer(served, page)), first


def _open_peer(stack: ExitStack, browser: Any, image: Path, folder: Path) -> _Viewer:
    served = ServedPage([sys.executable, "-m", "Testing.browser.stock_viewer", "viewer"], folder)
    stack.callback(served.stop)
    page, _ = new_page(browser, SMALL, RECORDER)
    page.goto(served.url)
    page.locator("input[type=file]").first.set_input_files(image, timeout=60_000)
    page.wait_for_function(f"{_PICTURES}.length >= 2", timeout=60_000)
    return _settled(_Viewer(served, page))


def _settled(viewer: _Viewer) -> _Viewer:
    """With the place of its first view, once nothing more comes."""
    time.sleep(5.0)
    box = viewer.page.evaluate(f"{_PICTURES}[0].getBoundingClientRect().toJSON()")
    viewer.x, viewer.y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    return viewer
