"""The final check before an export, as a list: a click selects the lesion and moves the views to the place."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.desktop.desk import ReviewDesk
from HNTargetSegLib.desktop.qt_values import value_of
from HNTargetSegLib.desktop.texts import tr as _
from HNTargetSegLib.review.final_check import VisitFinding, final_check, show_finding


class FindingsList:
    """What was found when the lesions were checked last.

    Parameters
    ----------
    ui
        Widgets of Export.ui.
    desk
        The review.
    visits
        Gives the visits that are to leave.
    """

    def __init__(self, ui: Any, desk: ReviewDesk, visits: Callable[[], Iterable[Visit]]) -> None:
        self._ui, self._desk, self._visits = ui, desk, visits
        self._found: tuple[VisitFinding, ...] = ()
        ui.finalCheckButton.clicked.connect(self.check)
        ui.findingsList.itemClicked.connect(self._on_clicked)
        self.forget()

    def check(self) -> None:
        """Check the lesions that are to leave."""
        import slicer

        with self._desk.telling(), slicer.util.WaitCursor():
            self._desk.require_edits()
            self._found = final_check(self._desk.session, self._visits(), self._desk.review_scene.overlaps())
            self._ui.findingsList.clear()
            self._ui.findingsList.addItems([found.text for found in self._found])
            count = len(self._found)
            self._ui.findingsLabel.setText(
                _("{count} to look at; none of them forbids the export").format(count=count)
                if count
                else _("Nothing was found")
            )

    def forget(self) -> None:
        """The lesions are others by now."""
        self._found = ()
        self._ui.findingsList.clear()
        self._ui.findingsLabel.setText(_("Not checked yet"))

    def _on_clicked(self) -> None:
        row = int(value_of(self._ui.findingsList, "currentRow"))
        if 0 <= row < len(self._found):
            with self._desk.telling():
                show_finding(self._desk.session, self._found[row], self._desk.review_scene.look_at)
