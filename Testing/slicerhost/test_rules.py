"""The static check finds each kind of breach and leaves good code alone; the module's files are clean."""

from __future__ import annotations

from pathlib import Path

import pytest
from Testing.slicerhost import rules

BREACHES = {
    "custom signal": ("import qt\nclass A:\n    done = qt.Signal(int)", "custom Qt signals"),
    "imported signal": ("from qt import Signal", "custom Qt signals"),
    "other binding": ("from PySide6 import QtWidgets", "import qt"),
    "string signal": ("def f(button, slot):\n    button.connect('clicked()', slot)", "not with a string"),
    "lambda": ("def f(self, button):\n    button.clicked.connect(lambda: self.go())", "not a lambda"),
    "exec": ("import qt\nbox = qt.QMessageBox()\nbox.exec()", "exec_"),
    "written": ("import qt\nbox = qt.QSpinBox()\nbox.value = 5", "write value with setValue"),
    "written in the ui": ("def f(self):\n    self.ui.applyButton.enabled = False", "setEnabled"),
    "written with +=": ("def f(self):\n    self.ui.box.value += 1", "setValue"),
    "read": ("def f(self):\n    return self.ui.box.value", "is read directly"),
    "called": ("def f(self):\n    return self.ui.nameEdit.text()", "is called directly"),
    "read from an annotated argument": ("def f(box: qt.QCheckBox):\n    return box.checked", "value_of"),
    "read from the application": ("import slicer\nprint(slicer.app.majorVersion)", "value_of"),
    "read from a found child": ("def f(panel):\n    b = panel.findChild('x')\n    return b.text", "value_of"),
    "scoped value": ("import qt\nx = qt.Qt.AlignmentFlag.AlignLeft", "qt.Qt.AlignLeft"),
    "keywords": ("import qt\nb = qt.QPushButton('x', enabled=False)", "keyword arguments"),
    "host's name": ("def f(layout):\n    layout.host_views()", "test host's"),
}


@pytest.mark.parametrize("name", BREACHES)
def test_breach_is_found(name: str):
    source, words = BREACHES[name]
    assert any(words in finding.text for finding in rules.check_source(source))


def test_good_code_is_left_alone():
    source = """
import qt
import slicer

class Widget:
    def __init__(self, parent):
        self.parent = parent
        self.parent.title = "HNTargetSeg"
        self.text = "mine"
        self.box = qt.QCheckBox("Accept")
        self.box.setChecked(True)
        self.box.toggled.connect(self.on_toggled)
        self.timer = qt.QTimer()
        self.timer.timeout.connect(self.on_timer)
        self.box.setToolTip(qt.Qt.AlignLeft)

        self.cell = qt.QTableWidgetItem("x")
        self.cell.setText(self.cell.text())
        self.forget = self.review.changed.connect(lambda message: self.say(message))

    def on_toggled(self, checked):
        self.accepted = value_of(self.box, "checked") and self.box.isVisible()

    def on_timer(self):
        self.record.text = self.text
        qt.QMessageBox().exec_()
        sorted(self.record.items, key=lambda item: item.value)
"""
    assert rules.check_source(source) == []


def test_finding_names_file_and_line(tmp_path: Path):
    file = tmp_path / "panel.py"
    file.write_text("import qt\n\nbox = qt.QSpinBox()\nbox.value = 5\n")
    assert [str(finding) for finding in rules.check([file])] == [f"{file}:4: write value with setValue(...)"]


def test_files_of_the_module_keep_the_rules(repository: Path):
    files = rules.module_files(repository)
    if not files:
        pytest.skip("the module is not there yet")
    assert [str(finding) for finding in rules.check(files)] == []


def test_sample_module_keeps_the_rules(plain: Path):
    assert rules.check([plain]) == []
