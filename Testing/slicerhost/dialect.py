"""Qt properties as the code under test meets them: attributes as in PythonQt, or methods as in PySide6.

Slicer's Qt is PythonQt: ``checkBox.checked`` is a value. PySide6 has methods, and an assignment to ``spinBox.value``
silently hides one. Here each Qt property answers by who asks: the host and its tests get PySide6 as it is, Slicer's own
Python files get PythonQt, and the module under test gets the dialect that the test chose. Code that is written by the
rules (read through one helper, write with ``setX``) runs in both.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets


class Dialect(Enum):
    """What the code under test gets for a Qt property."""

    ATTRIBUTES = "attributes"
    METHODS = "methods"


class PropertyWritten(AttributeError):
    """The module assigned to a Qt property: PySide6 would hide the method and change nothing."""


HOST_FOLDER = str(Path(__file__).resolve().parents[1]) + os.sep
SAMPLE_MODULES = str(Path(__file__).resolve().parent / "sample_modules") + os.sep
HOST_PACKAGES = ("PySide6", "shiboken6", "shibokensupport", "pytest", "_pytest")
SLICERS_MODULES = ("slicer.",)
# Virtual functions of C++: Qt itself looks them up on the Python class.
_VIRTUAL = frozenset({"sizeHint", "minimumSizeHint"})


@dataclass
class _Now:
    """What holds at the moment: the dialect, and whether QObject.setProperty is at work (as good as a set function)."""

    speaking: Dialect = Dialect.ATTRIBUTES
    by_function: bool = False


_now = _Now()


def speak(dialect: Dialect) -> None:
    """Choose what the code under test gets from now on."""
    _now.speaking = dialect


@contextmanager
def speaking(dialect: Dialect) -> Any:
    """Choose for a while."""
    before = _now.speaking
    speak(dialect)
    try:
        yield
    finally:
        speak(before)


def install() -> None:
    """Give the properties of all of Qt's classes their dialects; once a process."""
    if isinstance(QtCore.QObject.__dict__.get("objectName"), _QtProperty):
        return
    for module in (QtCore, QtGui, QtWidgets):
        for name in dir(module):
            item = getattr(module, name)
            if isinstance(item, type) and issubclass(item, QtCore.QObject) and not name.startswith("QGraphics"):
                adapt(item)
    QtCore.QObject.name = _OnlyPythonQt(_object_name, _set_object_name)
    QtCore.QObject.className = _class_name
    QtCore.QObject.setProperty = _set_property(QtCore.QObject.setProperty)
    QtWidgets.QWidget.delete = _OnlyPythonQt(lambda widget: widget.deleteLater, None)
    for searching in ("findChild", "findChildren"):
        setattr(QtCore.QObject, searching, _FindByClassName(QtCore.QObject.__dict__[searching]))


def adapt(kind: type) -> None:
    """Give the Qt properties that ``kind`` itself declares their dialects."""
    described = kind.staticMetaObject
    for index in range(described.propertyOffset(), described.propertyCount()):
        name = described.property(index).name()
        original = kind.__dict__.get(name)
        if name not in _VIRTUAL and not isinstance(original, _QtProperty):
            setattr(kind, name, _QtProperty(name, original))


class StandinProperty(QtCore.Property):
    """A Qt property of a stand-in, which speaks the dialects as those of Qt's own classes do."""

    def __init__(self, kind: Any, read: Callable[[Any], Any], write: Any = None, **more: Any) -> None:
        def written(widget: Any, value: Any) -> None:
            if not (_now.by_function or _is_slicers(caller := sys._getframe(1)) or _is_host(caller)):
                raise PropertyWritten(f"{type(widget).__name__}: write this property with {_advice(write)}")
            write(widget, value)

        super().__init__(kind, read, None if write is None else written, **more)

    def __get__(self, widget: Any, owner: type) -> Any:
        if widget is None:
            return self
        if _dialect_of(sys._getframe(1)) is Dialect.METHODS:
            return partial(self.fget, widget)
        return self.fget(widget)


class _QtProperty:
    """Descriptor of one property of Qt's own classes."""

    def __init__(self, name: str, original: Any) -> None:
        self.name = name
        self.original = original

    def __get__(self, widget: Any, owner: type) -> Any:
        if widget is None:
            return self if self.original is None else self.original.__get__(None, owner)
        read = self._reader(widget, owner)
        if _dialect_of(sys._getframe(1)) is Dialect.METHODS:
            return read
        return read()

    def __set__(self, widget: Any, value: Any) -> None:
        caller = sys._getframe(1)
        if not _is_slicers(caller):
            raise PropertyWritten(
                f"{type(widget).__name__}.{self.name} is a Qt property: write it with "
                f"set{self.name[0].upper()}{self.name[1:]}(...)"
            )
        setter = getattr(widget, f"set{self.name[0].upper()}{self.name[1:]}", partial(widget.setProperty, self.name))
        setter(value)

    def _reader(self, widget: Any, owner: type) -> Callable[..., Any]:
        if self.original is not None:
            return self.original.__get__(widget, owner)
        inherited = next((base.__dict__[self.name] for base in owner.__mro__[1:] if _plain(base, self.name)), None)
        return inherited.__get__(widget, owner) if inherited is not None else partial(widget.property, self.name)


class _OnlyPythonQt:
    """Something that PythonQt adds: the code under test finds it only where Qt speaks PythonQt."""

    def __init__(self, read: Callable[[Any], Any], write: Callable[[Any, Any], None] | None) -> None:
        self.read, self.write = read, write

    def __get__(self, widget: Any, owner: type) -> Any:
        if widget is None:
            return self
        if _dialect_of(sys._getframe(1)) is Dialect.METHODS:
            raise AttributeError(f"{owner.__name__} has this attribute in PythonQt only")
        return self.read(widget)

    def __set__(self, widget: Any, value: Any) -> None:
        if self.write is None or not _is_slicers(sys._getframe(1)):
            raise PropertyWritten(f"{type(widget).__name__}: write object names with setObjectName(...)")
        self.write(widget, value)


class _FindByClassName:
    """``widget.findChildren("QToolBar")``: PythonQt takes the name of a class, PySide6 the class."""

    def __init__(self, original: Any) -> None:
        self.original = original

    def __get__(self, widget: Any, owner: type) -> Any:
        search = self.original.__get__(widget, owner)
        if widget is None or not _is_slicers(sys._getframe(1)):
            return search
        return lambda kind, *names: search(getattr(QtWidgets, kind) if isinstance(kind, str) else kind, *names)


def _advice(write: Any) -> str:
    # Not every set function of C++ is a slot: PythonQt does not see the others.
    return 'setProperty("name", value)' if write.__name__.startswith("_") else f"{write.__name__}(...)"


def _set_property(original: Any) -> Callable[[Any, str, Any], bool]:
    def set_property(thing: Any, name: str, value: Any) -> bool:
        _now.by_function = True
        try:
            return bool(original(thing, name, value))
        finally:
            _now.by_function = False

    return set_property


def _dialect_of(caller: FrameType) -> Dialect:
    if _is_slicers(caller):
        return Dialect.ATTRIBUTES
    return Dialect.METHODS if _is_host(caller) else _now.speaking


def _is_host(caller: FrameType) -> bool:
    file = caller.f_code.co_filename
    ours = file.startswith(HOST_FOLDER) and not file.startswith(SAMPLE_MODULES)
    return ours or _name(caller).startswith(HOST_PACKAGES)


def _is_slicers(caller: FrameType) -> bool:
    return _name(caller).startswith(SLICERS_MODULES)


def _name(caller: FrameType) -> str:
    return caller.f_globals.get("__name__") or ""


def _plain(base: type, name: str) -> bool:
    return name in base.__dict__ and not isinstance(base.__dict__[name], _QtProperty)


def _object_name(thing: QtCore.QObject) -> str:
    return thing.objectName()


def _set_object_name(thing: QtCore.QObject, name: str) -> None:
    thing.setObjectName(name)


def _class_name(thing: QtCore.QObject) -> str:
    return thing.metaObject().className()
