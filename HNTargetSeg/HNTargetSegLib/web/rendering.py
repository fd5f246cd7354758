"""From a render window to the browser: one frame at a time, at once, and never an outdated one."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import numpy as np

QUALITY = 92
"""JPEG quality of every frame. None is sent twice in another quality, so that the first picture is the final one."""

FRAMES_PER_SECOND = 40.0

_ENCODING = ThreadPoolExecutor(2, thread_name_prefix="encode")


def encode_jpeg(pixels: np.ndarray, quality: int = QUALITY) -> bytes:
    """A frame as JPEG, with full resolution of the colours, as thin coloured outlines are what the picture is about.

    Parameters
    ----------
    pixels
        uint8, (rows, columns, 3), first row on top.
    """
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "jpeg", quality=quality, subsampling=0)
    return stream.getvalue()


class FrameScheduler:
    """Renders a window when asked, and hands the encoded frame on.

    Requests that arrive while a frame is drawn or encoded become one further frame. The first request after a pause is
    drawn at once. trame-rca calls the methods (its ``RcaRenderSchedulerProtocol``).

    Parameters
    ----------
    window
        The remote-controlled area; gives pixels as ``img_cols_rows``.
    frames_per_second
        Highest rate.
    """

    def __init__(self, window: Any, frames_per_second: float = FRAMES_PER_SECOND) -> None:
        from trame.app import asynchronous

        self._window = window
        self._push: Callable[[bytes, dict[str, Any]], None] | None = None
        self._shown: np.ndarray | None = None
        self._wanted = asyncio.Event()
        self.target_fps = frames_per_second
        self.frames = 0
        self._task = asynchronous.create_task(self._run())

    @property
    def rca(self) -> Any:
        """The window."""
        return self._window

    def set_push_callback(self, callback: Callable[[bytes, dict[str, Any]], None]) -> None:
        """Where encoded frames go."""
        self._push = callback

    def schedule_render(self) -> None:
        """Ask for a frame; returns at once."""
        self._wanted.set()

    def reset(self) -> None:
        """Send the next frame even if it is the one that was sent last: another page wants to see it."""
        self._shown = None
        self._wanted.set()

    async def close(self) -> None:
        """End the task."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            begun = time.monotonic()
            pixels, columns, rows = self._window.img_cols_rows
            # Hovering and state changes ask for frames that look the same.
            if columns and rows and not (self._shown is not None and np.array_equal(pixels, self._shown)):
                self._shown = pixels
                content = await loop.run_in_executor(_ENCODING, encode_jpeg, pixels)
                self.frames += 1
                if self._push is not None:
                    self._push(content, _description(columns, rows))
            await asyncio.sleep(max(0.0, 1.0 / self.target_fps - (time.monotonic() - begun)))


def _description(columns: int, rows: int) -> dict[str, Any]:
    now = time.time_ns() // 1_000_000
    return {
        "type": "image/jpeg",
        "codec": "",
        "w": columns,
        "h": rows,
        "st": now,
        "key": "key",
        "quality": QUALITY,
    }
