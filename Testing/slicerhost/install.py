"""Puts the stand-ins where a Slicer module looks for them: ``qt``, ``ctk``, ``slicer.*`` and ``SampleData``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from PySide6 import QtCore, QtGui, QtNetwork, QtSvg, QtUiTools, QtWidgets
from Testing.slicerhost import dialect
from Testing.slicerhost.standins import (
    application,
    ctk_widgets,
    i18n,
    layout,
    main_window,
    modules,
    mrml_widgets,
    packaging,
    sample_data,
    scripted_module,
    segment_editor,
    ui_loader,
    views,
)

STANDINS = (
    application,
    ctk_widgets,
    i18n,
    layout,
    main_window,
    modules,
    mrml_widgets,
    packaging,
    sample_data,
    scripted_module,
    segment_editor,
    ui_loader,
    views,
)
# What PySide6 has and PythonQt has not, or has in another way.
_PYSIDE_ONLY = frozenset(
    {"Signal", "SignalInstance", "Slot", "Property", "SIGNAL", "SLOT", "ClassInfo", "QEnum", "QFlag"}
)


def install() -> None:
    """Make ``import qt, ctk, slicer, SampleData`` work; once a process."""
    dialect.install()
    sys.modules["qt"] = _qt()
    sys.modules["ctk"] = _module("ctk", ctk_widgets)
    sys.modules["SampleData"] = sample_data
    import slicer
    import slicer.util

    for name, part in (
        ("ScriptedLoadableModule", scripted_module),
        ("i18n", i18n),
        ("packaging", packaging),
    ):
        sys.modules[f"slicer.{name}"] = part
        setattr(slicer, name, part)
    for kind in standin_classes():
        if kind.__name__.startswith(("qMRML", "qSlicer")):
            setattr(slicer, kind.__name__, kind)
    slicer.util.pip_install = packaging.pip_install
    slicer.util.pip_uninstall = packaging.pip_uninstall


def standin_classes() -> Iterator[type]:
    """All public classes of the stand-ins."""
    for part in STANDINS:
        for name, item in vars(part).items():
            if isinstance(item, type) and item.__module__ == part.__name__ and not name.startswith("_"):
                yield item


def _qt() -> ModuleType:
    qt = ModuleType("qt", "PySide6 in PythonQt's flat namespace.")
    for part in (QtCore, QtGui, QtWidgets, QtNetwork, QtSvg, QtUiTools):
        for name in dir(part):
            if not name.startswith("_") and name not in _PYSIDE_ONLY:
                setattr(qt, name, getattr(part, name))
    qt.QUiLoader = ui_loader.QUiLoader  # type: ignore[attr-defined]
    return qt


def _module(name: str, part: Any) -> ModuleType:
    made = ModuleType(name, part.__doc__)
    for item in vars(part).values():
        if isinstance(item, type) and item.__module__ == part.__name__:
            setattr(made, item.__name__, item)
    return made
