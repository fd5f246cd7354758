"""Errors that would only be printed: VTK's, Qt's, and Python's from inside a callback. The host collects them."""

from __future__ import annotations

import sys
import traceback
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from PySide6 import QtCore

# Said by every Qt program on the offscreen platform.
_HARMLESS = ("This plugin does not support", "QSocketNotifier", "propagateSizeHints")


@dataclass
class Messages:
    """What went wrong where nobody catches it.

    Attributes
    ----------
    errors
        VTK and MRML errors and warnings, Qt warnings, and Python exceptions raised in slots and observers.
    """

    errors: list[str] = field(default_factory=list)
    _expected: list[str] = field(default_factory=list)

    def expect(self, words: str) -> None:
        """A message that says ``words`` is part of the test."""
        self._expected.append(words)

    def unexpected(self) -> list[str]:
        """The messages that the test did not foresee."""
        return [error for error in self.errors if not any(words in error for words in self._expected)]

    def clear(self) -> None:
        """Forget everything."""
        self.errors.clear()
        self._expected.clear()

    def install(self) -> None:
        """Listen to VTK, Qt and Python."""
        from vtkmodules.vtkCommonCore import vtkOutputWindow

        window = vtkOutputWindow()
        window.SetDisplayModeToAlwaysStdErr()
        for event in ("ErrorEvent", "WarningEvent"):
            window.AddObserver(event, _with_text(self._from_vtk))
        vtkOutputWindow.SetInstance(window)
        QtCore.qInstallMessageHandler(self._from_qt)
        sys.excepthook = self._from_python
        sys.unraisablehook = lambda thing: self._from_python(thing.exc_type, thing.exc_value, thing.exc_traceback)

    def _from_vtk(self, caller: Any, event: str, text: str) -> None:
        self.errors.append(f"VTK {event}: {text.strip()}")

    def _from_qt(self, kind: QtCore.QtMsgType, context: Any, text: str) -> None:
        quiet = (QtCore.QtMsgType.QtDebugMsg, QtCore.QtMsgType.QtInfoMsg)
        if kind not in quiet and not any(words in text for words in _HARMLESS):
            self.errors.append(f"Qt: {text}")

    def _from_python(self, kind: type[BaseException], error: BaseException | None, place: TracebackType | None) -> None:
        text = "".join(traceback.format_exception(kind, error, place))
        self.errors.append(f"Python: {text}")
        print(text, file=sys.stderr)


def _with_text(callback: Any) -> Any:
    """Ask VTK for the message itself as the third argument."""

    def observer(caller: Any, event: str, text: str) -> None:
        callback(caller, event, text)

    observer.CallDataType = "string0"  # type: ignore[attr-defined]
    return observer
