"""The timer that follows worker and scene, while there is something to follow."""

from __future__ import annotations

from HNTargetSegLib.desktop.desk import ReviewDesk
from HNTargetSegLib.review.change import Change, Part

INTERVAL_MS = 100
SAVING_MS = 5000
"""How often it is looked whether a minute is over since something was left unsaved."""


class Polling:
    """Calls ``desk.poll()`` while a run is at work, and once after the scene was changed; has the review saved.

    Parameters
    ----------
    desk
        What is polled.
    """

    def __init__(self, desk: ReviewDesk) -> None:
        import qt

        self._desk = desk
        self._timer = qt.QTimer()
        self._timer.setInterval(INTERVAL_MS)
        self._timer.timeout.connect(self._tick)
        self._saving = qt.QTimer()
        self._saving.setInterval(SAVING_MS)
        self._saving.timeout.connect(desk.autosave.tick)
        self._saving.start()
        self._disconnect = desk.session.changed.connect(self._on_change)
        desk.review_scene.on_pending = self._start
        if desk.review_scene.pending:
            self._start()

    @property
    def active(self) -> bool:
        """Whether the timer runs."""
        return bool(self._timer.isActive())

    def close(self) -> None:
        """Stop for good."""
        self._disconnect()
        self._desk.review_scene.on_pending = None
        self._timer.stop()
        self._saving.stop()

    def _start(self) -> None:
        if not self.active:
            self._timer.start()

    def _tick(self) -> None:
        if not self._desk.poll() and not self._desk.review_scene.pending:
            self._timer.stop()

    def _on_change(self, change: Change) -> None:
        if change.part is Part.RUN and self._desk.segmenting.working:
            self._start()
