"""``qt.QUiLoader``: reads Slicer's .ui files and makes Slicer's widgets by their names."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from PySide6 import QtCore, QtUiTools, QtWidgets

from . import ctk_widgets, mrml_widgets, segment_editor


class UnknownWidget(LookupError):
    """A .ui file names a widget of Slicer or CTK that has no stand-in."""


def slicers_widgets() -> dict[str, type]:
    """Stand-ins of the widgets of Slicer and CTK by class name."""
    found = {}
    for module in (ctk_widgets, mrml_widgets, segment_editor):
        for name, item in vars(module).items():
            if isinstance(item, type) and issubclass(item, QtWidgets.QWidget) and item.__module__ == module.__name__:
                found[name] = item
    return found


class QUiLoader(QtUiTools.QUiLoader):
    """Qt's loader, which also knows the widgets of Slicer and CTK and connects their signals."""

    def load(self, device: QtCore.QIODevice, parentWidget: QtWidgets.QWidget | None = None) -> QtWidgets.QWidget:
        text = bytes(device.readAll().data())
        tree = ElementTree.fromstring(text)
        connections = _take_slicers_connections(tree)
        buffer = QtCore.QBuffer()
        buffer.setData(ElementTree.tostring(tree))
        buffer.open(QtCore.QIODevice.OpenModeFlag.ReadOnly)
        widget = super().load(buffer, parentWidget)
        for sender, signal, receiver, slot in connections:
            _connect(_named(widget, sender), signal, _named(widget, receiver), slot)
        return widget

    def createWidget(
        self, className: str, parent: QtWidgets.QWidget | None = None, name: str = ""
    ) -> QtWidgets.QWidget | None:
        kind = slicers_widgets().get(className)
        if kind is None:
            if className.startswith(("qMRML", "qSlicer", "ctk")):
                raise UnknownWidget(f"{className} ({name}) has no stand-in: add it, and list it in API.md")
            return super().createWidget(className, parent, name)
        widget = kind(parent)
        widget.setObjectName(name)
        return widget


def _take_slicers_connections(tree: ElementTree.Element) -> list[tuple[str, str, str, str]]:
    """Connections that Qt cannot make, because their arguments are Slicer's classes: taken out and returned."""
    taken = []
    for group in tree.iter("connections"):
        for connection in list(group):
            sender, signal, receiver, slot = (
                connection.findtext(part, "") for part in ("sender", "signal", "receiver", "slot")
            )
            if "vtk" in signal or "vtk" in slot:
                group.remove(connection)
                taken.append((sender, signal, receiver, slot))
    return taken


def _connect(sender: Any, signal: str, receiver: Any, slot: str) -> None:
    getattr(sender, signal.split("(")[0]).connect(getattr(receiver, slot.split("(")[0]))


def _named(widget: QtWidgets.QWidget, name: str) -> Any:
    return widget if widget.objectName() == name else widget.findChild(QtCore.QObject, name)
