"""Frames on their way to the page."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import numpy as np
from PIL import Image

from HNTargetSegLib.web.rendering import FrameScheduler, encode_jpeg


class Window:
    """Gives frames of one grey, which the test sets; counts how often it was drawn."""

    def __init__(self) -> None:
        self.grey = 10
        self.drawn = 0

    @property
    def img_cols_rows(self) -> tuple[np.ndarray, int, int]:
        self.drawn += 1
        return np.full((8, 12, 3), self.grey, np.uint8), 12, 8


def frames_of(steps: Any) -> tuple[list[tuple[bytes, dict[str, Any]]], Window]:
    """Frames that are pushed while ``steps(scheduler, window)`` runs."""
    pushed: list[tuple[bytes, dict[str, Any]]] = []

    async def run() -> Window:
        window = Window()
        scheduler = FrameScheduler(window, frames_per_second=200)
        scheduler.set_push_callback(lambda content, meta: pushed.append((content, meta)))
        await steps(scheduler, window)
        await asyncio.sleep(0.15)
        await scheduler.close()
        return window

    return pushed, asyncio.run(run())


def test_a_thin_coloured_line_keeps_its_colour():
    pixels = np.zeros((16, 16, 3), np.uint8)
    pixels[:, 8] = (0, 200, 80)
    shown = np.asarray(Image.open(io.BytesIO(encode_jpeg(pixels))).convert("RGB")).astype(int)
    assert np.abs(shown[:, 8].mean(axis=0) - (0, 200, 80)).max() < 12
    assert shown[:, 6].max() < 30


def test_many_requests_at_once_become_one_frame():
    async def steps(scheduler, window):
        for _ in range(50):
            scheduler.schedule_render()

    pushed, window = frames_of(steps)
    assert (len(pushed), window.drawn) == (1, 1)
    assert (pushed[0][1]["w"], pushed[0][1]["h"], pushed[0][1]["type"]) == (12, 8, "image/jpeg")


def test_the_last_frame_is_the_newest():
    async def steps(scheduler, window):
        for grey in range(20, 220, 20):
            window.grey = grey
            scheduler.schedule_render()
            await asyncio.sleep(0.004)

    pushed, _ = frames_of(steps)
    last = np.asarray(Image.open(io.BytesIO(pushed[-1][0])))
    assert abs(int(last.mean()) - 200) <= 2


def test_a_frame_that_looks_the_same_is_not_sent_again():
    async def steps(scheduler, window):
        scheduler.schedule_render()
        await asyncio.sleep(0.05)
        scheduler.schedule_render()

    pushed, window = frames_of(steps)
    assert (len(pushed), window.drawn) == (1, 2)


def test_a_page_that_appears_gets_the_same_frame_again():
    async def steps(scheduler, window):
        scheduler.schedule_render()
        await asyncio.sleep(0.05)
        scheduler.reset()

    pushed, _ = frames_of(steps)
    assert len(pushed) == 2
