"""The line that is always on screen: patient, visits with their dates, research use only."""

from __future__ import annotations

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.desktop.desk import ReviewDesk
from HNTargetSegLib.desktop.qt_values import value_of
from HNTargetSegLib.desktop.texts import tr as _
from HNTargetSegLib.desktop.ui_files import load_ui
from HNTargetSegLib.desktop.view_layout import ViewLayout
from HNTargetSegLib.review.change import Change, Part


class HeaderPanel:
    """Patient and visits; a press on a visit shows it in the table and the views.

    Parameters
    ----------
    desk
        The review.
    """

    def __init__(self, desk: ReviewDesk) -> None:
        self.widget, self._ui = load_ui("Header")
        self._desk = desk
        self._views = ViewLayout(desk.review_scene)
        self._ui.preButton.clicked.connect(self._on_pre)
        self._ui.midButton.clicked.connect(self._on_mid)
        self._ui.compareButton.clicked.connect(self._on_compare)
        self._disconnect = desk.session.changed.connect(self._on_change)
        self._refresh()

    def close(self) -> None:
        """Stop listening."""
        self._disconnect()

    def _on_pre(self) -> None:
        self._activate(Visit.PRE)

    def _on_mid(self) -> None:
        self._activate(Visit.MID)

    def _on_compare(self) -> None:
        with self._desk.telling():
            self._views.show(compare=bool(value_of(self._ui.compareButton, "checked")))
            if self._desk.session.selected is not None:
                self._desk.session.select(*self._desk.session.selected)

    def _activate(self, visit: Visit) -> None:
        with self._desk.telling():
            self._desk.session.activate(visit)
        self._refresh()

    def _on_change(self, change: Change) -> None:
        if change.part is Part.CASE:
            self._refresh()
            with self._desk.telling():
                self._views.show(compare=False)
        elif change.part is Part.SELECTION:
            self._refresh()

    def _refresh(self) -> None:
        session, ui = self._desk.session, self._ui
        name = "" if session.case is None else session.case.name
        ui.patientLabel.setText(_("Patient {name}").format(name=name) if name else _("No patient"))
        for visit, button in ((Visit.PRE, ui.preButton), (Visit.MID, ui.midButton)):
            review = session.visits.get(visit)
            date = "" if review is None else review.image.date
            button.setText(f"{visit.title}  {date}".strip())
            button.setEnabled(review is not None)
            button.setChecked(review is not None and visit is session.active)
        ui.compareButton.setEnabled(len(session.visits) == 2)
        if len(session.visits) < 2:
            ui.compareButton.setChecked(False)
