"""A signal: what happened is told to all who asked to hear of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Signal(Generic[T]):
    """Listeners of one kind of event, called in the order in which they were connected.

    Neither Qt's nor VTK's: the session must run under a Slicer panel, a web page and a test alike.
    """

    def __init__(self) -> None:
        self._listeners: list[Callable[[T], object]] = []

    def connect(self, listener: Callable[[T], object]) -> Callable[[], None]:
        """Call ``listener`` with each event from now on; returns the function that ends it (twice does no harm)."""
        self._listeners.append(listener)

        def disconnect() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return disconnect

    def emit(self, event: T) -> None:
        """Tell all listeners; one that is disconnected while this goes on is not called any more."""
        for listener in tuple(self._listeners):
            if listener in self._listeners:
                listener(event)
