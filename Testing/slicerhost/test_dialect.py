"""Each Qt property answers in the dialect of the code that asks."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
from PySide6 import QtWidgets
from Testing.slicerhost.dialect import Dialect, PropertyWritten
from Testing.slicerhost.host import Host
from Testing.slicerhost.standins.ctk_widgets import ctkCollapsibleButton, ctkSliderWidget
from Testing.slicerhost.standins.mrml_widgets import qMRMLNodeComboBox

CODE = """
def read(thing, name):
    return getattr(thing, name)

def write(thing, name, value):
    setattr(thing, name, value)

def connect_by_string(button, slot):
    button.connect("clicked()", slot)
"""


def code_called(name: str) -> Any:
    """The same few functions in a module called ``name``."""
    module = ModuleType(name)
    exec(compile(CODE, f"{name}.py", "exec"), vars(module))
    return module


MODULE, SLICERS = code_called("HNTargetSeg"), code_called("slicer.util")
PROPERTIES = [
    (lambda: QtWidgets.QCheckBox("Accept"), "checked", False),
    (lambda: QtWidgets.QCheckBox("Accept"), "text", "Accept"),
    (lambda: QtWidgets.QLineEdit("GTVn1"), "text", "GTVn1"),
    (QtWidgets.QSpinBox, "maximum", 99),
    (QtWidgets.QWidget, "enabled", True),
    (lambda: ctkCollapsibleButton("Inputs"), "collapsed", False),
    (ctkSliderWidget, "value", 0.0),
    (qMRMLNodeComboBox, "noneEnabled", False),
]
NAMES = [f"{name} of {number}" for number, (_, name, _) in enumerate(PROPERTIES)]


@pytest.mark.dialect("attributes")
@pytest.mark.parametrize(("make", "name", "value"), PROPERTIES, ids=NAMES)
def test_property_is_a_value_under_pythonqt(host: Host, make: Any, name: str, value: Any):
    assert MODULE.read(make(), name) == value


@pytest.mark.dialect("methods")
@pytest.mark.parametrize(("make", "name", "value"), PROPERTIES, ids=NAMES)
def test_property_is_a_method_under_pyside(host: Host, make: Any, name: str, value: Any):
    assert MODULE.read(make(), name)() == value


@pytest.mark.parametrize(("make", "name", "value"), PROPERTIES, ids=NAMES)
def test_slicers_own_files_always_get_a_value(host: Host, make: Any, name: str, value: Any):
    assert SLICERS.read(make(), name) == value


@pytest.mark.parametrize(("make", "name", "value"), PROPERTIES, ids=NAMES)
def test_module_cannot_assign_to_a_property(host: Host, make: Any, name: str, value: Any):
    with pytest.raises(PropertyWritten, match=r"with set\w+\("):
        MODULE.write(make(), name, value)


def test_set_property_is_as_good_as_a_set_function(host: Host):
    box = qMRMLNodeComboBox()
    box.setProperty("noneEnabled", True)
    assert SLICERS.read(box, "noneEnabled") is True


def test_slicers_own_files_may_assign(host: Host):
    spin = QtWidgets.QSpinBox()
    SLICERS.write(spin, "value", 5)
    assert spin.value() == 5


def test_set_function_that_is_no_slot_does_not_exist(host: Host):
    assert not hasattr(qMRMLNodeComboBox(), "setNodeTypes")


def test_string_signal_is_refused(host: Host):
    with pytest.raises(TypeError, match="SIGNAL"):
        MODULE.connect_by_string(QtWidgets.QPushButton(), print)


def test_object_name_has_its_short_name_in_pythonqt_only(host: Host, spoken: Dialect):
    button = QtWidgets.QPushButton()
    button.setObjectName("accept")
    if spoken is Dialect.ATTRIBUTES:
        assert MODULE.read(button, "name") == "accept"
    else:
        with pytest.raises(AttributeError):
            MODULE.read(button, "name")


def test_child_widgets_are_found_by_name_in_both(host: Host):
    import slicer

    panel = QtWidgets.QWidget()
    child = QtWidgets.QPushButton(panel)
    child.setObjectName("accept")
    assert slicer.util.childWidgetVariables(panel).accept is child
