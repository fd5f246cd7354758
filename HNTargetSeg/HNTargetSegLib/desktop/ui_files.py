"""The .ui files of the panels, and the other resources of the module."""

from __future__ import annotations

from pathlib import Path
from typing import Any

RESOURCES = Path(__file__).resolve().parents[2] / "Resources"


def load_ui(name: str) -> tuple[Any, Any]:
    """Make the widgets of ``Resources/UI/<name>.ui``.

    Returns
    -------
    QWidget, object
        The outermost widget, and an object that has each named child as an attribute.
    """
    import slicer

    widget = slicer.util.loadUI(str(RESOURCES / "UI" / f"{name}.ui"))
    return widget, slicer.util.childWidgetVariables(widget)


def icon(name: str) -> Any:
    """Icon of ``Resources/Icons/<name>.png``."""
    import qt

    return qt.QIcon(str(RESOURCES / "Icons" / f"{name}.png"))
