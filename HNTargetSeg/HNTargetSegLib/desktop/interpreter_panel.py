"""The Python that runs the models: which one, and whether it can."""

from __future__ import annotations

from typing import Any

from HNTargetSegLib.desktop.desk import ReviewDesk
from HNTargetSegLib.desktop.dialogs import ask_file
from HNTargetSegLib.desktop.interpreter_check import InterpreterCheck, report_text
from HNTargetSegLib.desktop.qt_values import value_of
from HNTargetSegLib.desktop.texts import tr as _
from HNTargetSegLib.errors import TargetSegError

INTERVAL_MS = 200


class InterpreterPanel:
    """The part of the settings about the interpreter.

    Parameters
    ----------
    desk
        Whose worker it is.
    ui
        Widgets of ``Settings.ui``.
    """

    def __init__(self, desk: ReviewDesk, ui: Any) -> None:
        import qt

        self._desk = desk
        self._ui = ui
        self._check: InterpreterCheck | None = None
        self._timer = qt.QTimer()
        self._timer.setInterval(INTERVAL_MS)
        self._timer.timeout.connect(self._on_tick)
        ui.interpreterEdit.setText(desk.settings.interpreter)
        ui.interpreterEdit.editingFinished.connect(self._on_edited)
        ui.interpreterButton.clicked.connect(self._on_browse)
        ui.checkButton.clicked.connect(self._on_check)

    def close(self) -> None:
        """Stop waiting for a check."""
        self._timer.stop()
        self._check = None

    def _on_edited(self) -> None:
        interpreter = str(value_of(self._ui.interpreterEdit, "text")).strip()
        if interpreter != self._desk.settings.interpreter:
            with self._desk.telling():
                self._desk.use_interpreter(interpreter)
            self._ui.interpreterLabel.setText(_("Not checked."))
        self._ui.interpreterEdit.setText(self._desk.settings.interpreter)

    def _on_browse(self) -> None:
        path = ask_file(_("Python of an environment with PyTorch and nnU-Net"), self._desk.settings.interpreter)
        if path:
            self._ui.interpreterEdit.setText(path)
            self._on_edited()

    def _on_check(self) -> None:
        self._on_edited()
        self._ui.checkButton.setEnabled(False)
        self._ui.interpreterLabel.setText(_("Checking..."))
        self._check = InterpreterCheck(self._desk.settings.interpreter, self._desk.worker_environment())
        self._timer.start()

    def _on_tick(self) -> None:
        result = None if self._check is None else self._check.result
        if result is None:
            return
        self._timer.stop()
        self._check = None
        self._ui.checkButton.setEnabled(True)
        if isinstance(result, TargetSegError):
            self._ui.interpreterLabel.setText(str(result))
            self._desk.session.tell_user(result)
        else:
            self._ui.interpreterLabel.setText(report_text(result))
