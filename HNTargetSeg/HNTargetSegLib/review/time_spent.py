"""Seconds spent on each lesion, from what the session tells: time between two events belongs to the lesion in hand."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.review.change import Change, Part
from HNTargetSegLib.review.signal import Signal
from HNTargetSegLib.review.visit import VisitReview

IDLE_SECONDS = 30.0
"""A longer pause is not work on a lesion."""

_WORK = frozenset({Part.SELECTION, Part.JUMP, Part.SHOWN, Part.LESIONS, Part.VOXELS})


class Reviewed(Protocol):
    """What of a session its time is taken by: events, reviews and the lesion in hand."""

    changed: Signal[Change]
    visits: dict[Visit, VisitReview]
    selected: tuple[Visit, int] | None


class TimeSpent:
    """Adds up the time of a session's lesions in ``VisitReview.seconds``.

    Time before an edit of one lesion, or a verdict on it, belongs to that lesion; time before anything else to the
    lesion that was selected meanwhile. Pauses over ``IDLE_SECONDS``, and the time before the first event after a case
    was opened or a run was taken over, belong to none.

    Parameters
    ----------
    session
        Its events are listened to, for good.
    clock
        Seconds from any point of time on.
    """

    def __init__(self, session: Reviewed, clock: Callable[[], float] = time.monotonic) -> None:
        self._session, self._clock = session, clock
        self._in_hand: tuple[Visit, int] | None = None
        self._last: float | None = None
        session.changed.connect(self._on_change)

    def _on_change(self, change: Change) -> None:
        if change.part is Part.CASE or (change.part is Part.VOXELS and not change.ids):
            self._last, self._in_hand = None, self._session.selected
        elif change.part in _WORK:
            now = self._clock()
            spent = 0.0 if self._last is None else now - self._last
            if 0 < spent <= IDLE_SECONDS:
                self._add(self._worked_on(change), spent)
            self._last, self._in_hand = now, self._session.selected

    def _worked_on(self, change: Change) -> tuple[Visit, int] | None:
        if change.visit is not None and len(change.ids) == 1 and change.part in (Part.LESIONS, Part.VOXELS):
            return change.visit, change.ids[0]
        return self._in_hand

    def _add(self, lesion: tuple[Visit, int] | None, spent: float) -> None:
        review = None if lesion is None else self._session.visits.get(lesion[0])
        if lesion is not None and review is not None:
            seconds = {**review.seconds, lesion[1]: review.seconds.get(lesion[1], 0.0) + spent}
            self._session.visits[lesion[0]] = replace(review, seconds=seconds)
