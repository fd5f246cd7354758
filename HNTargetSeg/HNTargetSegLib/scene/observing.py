"""Observers on VTK objects that can be ended all at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Observers:
    """Observers of one owner.

    Each callback is called without arguments; one that comes after :meth:`clear` is dropped.
    """

    def __init__(self) -> None:
        self._tags: list[tuple[Any, int]] = []

    def add(self, subject: Any, event: int | str, callback: Callable[[], object]) -> None:
        """Call ``callback`` on an event of a VTK object."""
        tags = self._tags

        def called(_caller: Any, _event: str) -> None:
            # VTK calls on those that an earlier observer of the same event has just ended.
            if self._tags is tags:
                callback()

        self._tags.append((subject, subject.AddObserver(event, called)))

    def clear(self) -> None:
        """End all observers."""
        ended, self._tags = self._tags, []
        for subject, number in ended:
            subject.RemoveObserver(number)

    def __len__(self) -> int:
        return len(self._tags)
