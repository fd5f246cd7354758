"""Reading Qt properties: they are attributes in PythonQt, which is Slicer's, and methods in PySide6."""

from __future__ import annotations

from typing import Any


def value_of(widget: Any, name: str) -> Any:
    """Value of a property such as ``checked``, ``text`` or ``currentIndex``."""
    value = getattr(widget, name, None)
    if callable(value):
        return value()
    return widget.property(name) if value is None else value
