"""Keys that are live while the module is open and nobody is drawing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

Binding = tuple[str, Callable[[], object]]


class Shortcuts:
    """Keys and what they do, put into and taken out of the main window together.

    Parameters
    ----------
    bindings
        Key as Qt writes it, and the function that it calls.
    """

    def __init__(self, bindings: Sequence[Binding]) -> None:
        self._bindings = tuple(bindings)
        self._live: list[Any] = []

    @property
    def live(self) -> bool:
        """Whether the keys work now."""
        return bool(self._live)

    def install(self) -> None:
        """Make the keys work; twice does no harm."""
        import qt
        import slicer

        window = slicer.util.mainWindow()
        if self._live or window is None:
            return
        for key, slot in self._bindings:
            shortcut = qt.QShortcut(qt.QKeySequence(key), window)
            shortcut.activated.connect(slot)
            self._live.append(shortcut)

    def remove(self) -> None:
        """Give the keys back; twice does no harm."""
        for shortcut in self._live:
            shortcut.setEnabled(False)
            shortcut.setParent(None)
            shortcut.deleteLater()
        self._live.clear()
