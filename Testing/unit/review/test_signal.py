"""Listeners of a signal."""

from __future__ import annotations

from HNTargetSegLib.review.signal import Signal


def test_listeners_hear_in_order_and_only_until_they_disconnect():
    signal: Signal[int] = Signal()
    heard = []
    first = signal.connect(lambda event: heard.append(("first", event)))
    signal.connect(lambda event: heard.append(("second", event)))
    signal.emit(1)
    first()
    first()
    signal.emit(2)
    assert heard == [("first", 1), ("second", 1), ("second", 2)]


def test_a_listener_disconnected_by_another_is_not_called_any_more():
    signal: Signal[str] = Signal()
    heard = []
    ends = []
    signal.connect(lambda event: ends[0]())
    ends.append(signal.connect(heard.append))
    signal.emit("now")
    assert heard == []
