"""A review that nobody uses ends by itself, so that no patient stays open on an unattended machine."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable


class IdleClock:
    """Time since the page was last heard of.

    Parameters
    ----------
    limit
        Seconds without use after which the review ends; 0 for never.
    busy
        Whether work goes on that nobody needs to watch, such as a segmentation.
    now
        A clock in seconds.
    """

    def __init__(
        self,
        limit: float,
        *,
        busy: Callable[[], bool] = lambda: False,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit = limit
        self._busy = busy
        self._now = now
        self._last = now()

    def used(self) -> None:
        """Begin anew: the page asked for something."""
        self._last = self._now()

    def left(self) -> float:
        """Seconds until the end; infinity where there is none."""
        if not self._limit:
            return float("inf")
        if self._busy():
            self.used()
        return max(0.0, self._last + self._limit - self._now())

    async def run_out(self) -> None:
        """Return when the time is up."""
        while (left := self.left()) > 0:
            # In small steps: a laptop that slept is past its time when it wakes.
            await asyncio.sleep(min(left, 10.0))
