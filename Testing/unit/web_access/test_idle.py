"""A review that nobody uses."""

from __future__ import annotations

import asyncio

from HNTargetSegLib.web.access_idle import IdleClock


class _Clock:
    def __init__(self):
        self.time = 0.0

    def __call__(self):
        return self.time


def test_the_time_runs_out_without_use():
    now = _Clock()
    clock = IdleClock(60.0, now=now)
    now.time = 45.0
    assert clock.left() == 15.0
    now.time = 61.0
    assert clock.left() == 0.0


def test_use_begins_the_time_anew():
    now = _Clock()
    clock = IdleClock(60.0, now=now)
    now.time = 59.0
    clock.used()
    now.time = 100.0
    assert clock.left() == 19.0


def test_work_that_goes_on_keeps_the_review_alive():
    now = _Clock()
    running = [True]
    clock = IdleClock(60.0, busy=lambda: running[0], now=now)
    now.time = 1000.0
    assert clock.left() == 60.0
    running[0] = False
    now.time = 1059.0
    assert clock.left() == 1.0


def test_zero_is_never():
    now = _Clock()
    clock = IdleClock(0.0, now=now)
    now.time = 1e9
    assert clock.left() == float("inf")


def test_waiting_ends_when_the_time_is_up():
    asyncio.run(asyncio.wait_for(IdleClock(0.05).run_out(), timeout=5.0))
