"""The lesions of the active visit: the table, the verdicts, and the keys for them."""

from __future__ import annotations

from collections.abc import Callable

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.desktop.desk import ReviewDesk
from HNTargetSegLib.desktop.lesion_table import LesionTable, TableActions
from HNTargetSegLib.desktop.qt_values import value_of
from HNTargetSegLib.desktop.shortcuts import Binding
from HNTargetSegLib.desktop.texts import tr as _
from HNTargetSegLib.desktop.ui_files import load_ui
from HNTargetSegLib.lesions.lesion import Fate, Lesion
from HNTargetSegLib.review.change import Change, Part
from HNTargetSegLib.scene.style import SegmentStyle
from HNTargetSegLib.scene.window import PRESETS

FATES = tuple(Fate)
WINDOWS = tuple(PRESETS)


class LesionsPanel:
    """Says what the reviewer says about lesions, and shows what was said.

    Parameters
    ----------
    desk
        The review.
    """

    def __init__(self, desk: ReviewDesk) -> None:
        self.widget, self._ui = load_ui("Lesions")
        self._desk = desk
        # Both visits count their lesions from 1: ids do not tell whose rows the table shows.
        self._filled_with = desk.session.active
        actions = TableActions(self._on_picked, self._on_renamed, self._on_shown, self._fill)
        self.table = LesionTable(self._ui.table, actions)
        self._ui.fateCombo.addItems([_(fate.value) for fate in FATES])
        self._ui.windowCombo.addItems([_(name) for name in WINDOWS])
        self._connect()
        self._disconnect = desk.session.changed.connect(self._on_change)
        self._fill()

    def close(self) -> None:
        """Stop listening."""
        self._disconnect()

    def bindings(self) -> tuple[Binding, ...]:
        """Keys of this panel."""
        return (
            ("A", self.accept),
            ("X", self.reject),
            ("U", self.reset),
            ("N", self.select_next),
            ("P", self.select_previous),
            ("H", self.toggle_shown),
            ("Z", self.undo),
            ("Y", self.redo),
            ("F2", self.rename),
        )

    def set_keys_live(self, live: bool) -> None:
        """Say whether the keys work now."""
        keys = _("Keys: A accept, X reject, U undecided, N next, P previous, H show or hide, Z undo, Y redo, F2 rename")
        self._ui.shortcutLabel.setText(keys if live else _("The keys of the Segment Editor are live."))

    def accept(self) -> None:
        """Accept the chosen lesions."""
        self._say(self._desk.session.accept)

    def reject(self) -> None:
        """Reject the chosen lesions."""
        self._say(self._desk.session.reject)

    def reset(self) -> None:
        """Take the verdict on the chosen lesions back."""
        self._say(self._desk.session.reset)

    def select_next(self) -> None:
        """Go to the row below."""
        with self._desk.telling():
            self._desk.session.select_next(1, order=self.table.ids)

    def select_previous(self) -> None:
        """Go to the row above."""
        with self._desk.telling():
            self._desk.session.select_next(-1, order=self.table.ids)

    def toggle_shown(self) -> None:
        """Show or hide the chosen lesions in the views."""
        session, ids = self._desk.session, self.table.chosen()
        if session.active in session.visits and ids:
            hidden = session.visits[session.active].hidden
            session.set_shown(session.active, ids, all(lesion_id in hidden for lesion_id in ids))

    def undo(self) -> None:
        """Take back what was said last."""
        self._desk.session.undo()

    def redo(self) -> None:
        """Say again what was taken back."""
        self._desk.session.redo()

    def rename(self) -> None:
        """Let the user type a name into the row of the selected lesion."""
        lesion = self._selected()
        if lesion is not None:
            self.table.edit_name(lesion.id)

    def _connect(self) -> None:
        ui = self._ui
        for button, slot in (
            (ui.acceptButton, self.accept),
            (ui.rejectButton, self.reject),
            (ui.resetButton, self.reset),
            (ui.previousButton, self.select_previous),
            (ui.nextButton, self.select_next),
            (ui.renameButton, self.rename),
            (ui.labelButton, self._on_label),
            (ui.showAllButton, self._on_show_all),
            (ui.hideAllButton, self._on_hide_all),
            (ui.undoButton, self.undo),
            (ui.redoButton, self.redo),
        ):
            button.clicked.connect(slot)
        ui.fateCombo.activated.connect(self._on_fate)
        ui.fillCheck.toggled.connect(self._on_style)
        ui.opacitySlider.valueChanged.connect(self._on_style)
        ui.surfaceCheck.toggled.connect(self._on_surfaces)
        ui.windowCombo.activated.connect(self._on_window)

    def _say(self, verdict: Callable[..., None]) -> None:
        ids = self.table.chosen()
        if ids:
            with self._desk.telling():
                verdict(self._desk.session.active, *ids)

    def _selected(self) -> Lesion | None:
        session = self._desk.session
        if session.selected is None or session.selected[0] is not session.active:
            return None
        return next((lesion for lesion in session.lesions() if lesion.id == session.selected[1]), None)

    def _on_picked(self, lesion_id: int) -> None:
        with self._desk.telling():
            self._desk.session.select(self._desk.session.active, lesion_id)

    def _on_renamed(self, lesion_id: int, name: str) -> None:
        session = self._desk.session
        with self._desk.telling():
            session.rename(session.active, lesion_id, name)
        self._update((lesion_id,))

    def _on_shown(self, lesion_id: int, shown: bool) -> None:
        with self._desk.telling():
            self._desk.session.set_shown(self._desk.session.active, (lesion_id,), shown)

    def _on_label(self) -> None:
        lesion = self._selected()
        if lesion is not None:
            other = Target.LN if lesion.label is Target.PT else Target.PT
            with self._desk.telling():
                self._desk.session.relabel(self._desk.session.active, lesion.id, other)

    def _on_fate(self) -> None:
        lesion = self._selected()
        index = int(value_of(self._ui.fateCombo, "currentIndex"))
        if lesion is not None and index >= 0:
            with self._desk.telling():
                self._desk.session.overrule(self._desk.session.active, lesion.id, FATES[index])
        self._refresh_selected()

    def _on_show_all(self) -> None:
        self._show_all(True)

    def _on_hide_all(self) -> None:
        self._show_all(False)

    def _show_all(self, shown: bool) -> None:
        session = self._desk.session
        with self._desk.telling():
            session.set_shown(session.active, [lesion.id for lesion in session.lesions()], shown)

    def _on_style(self) -> None:
        fill = bool(value_of(self._ui.fillCheck, "checked"))
        opacity = int(value_of(self._ui.opacitySlider, "value")) / 100
        self._ui.opacitySlider.setEnabled(fill)
        self._desk.review_scene.set_style(SegmentStyle(outline=True, fill=fill, opacity=opacity))

    def _on_surfaces(self) -> None:
        import slicer

        with self._desk.telling(), slicer.util.WaitCursor():
            self._desk.review_scene.set_surfaces(bool(value_of(self._ui.surfaceCheck, "checked")))

    def _on_window(self) -> None:
        index = int(value_of(self._ui.windowCombo, "currentIndex"))
        self._desk.review_scene.set_window(WINDOWS[index])

    def _on_change(self, change: Change) -> None:
        active = self._desk.session.active
        if change.part is Part.CASE or (change.part is Part.VOXELS and change.visit is active):
            self._fill()
        elif change.part in (Part.LESIONS, Part.SHOWN) and change.visit is active:
            self._update(change.ids)
        elif change.part is Part.SELECTION:
            if active is not self._filled_with or not change.ids:
                self._fill()
            else:
                self.table.select(change.ids[0])
                self._refresh_selected()
        elif change.part is Part.HISTORY:
            self._refresh_history()

    def _fill(self) -> None:
        session = self._desk.session
        review = session.visits.get(session.active)
        lesion, self._filled_with = self._selected(), session.active
        self.table.fill(session.lesions(), () if review is None else review.hidden, lesion.id if lesion else None)
        self._refresh_selected()
        self._refresh_history()
        self._refresh_summary()

    def _update(self, ids: tuple[int, ...]) -> None:
        session = self._desk.session
        review = session.visits.get(session.active)
        if review is not None:
            self.table.update(review.records, review.hidden, ids)
        self._refresh_selected()
        self._refresh_summary()

    def _refresh_selected(self) -> None:
        ui, lesion = self._ui, self._selected()
        for button in (ui.acceptButton, ui.rejectButton, ui.resetButton, ui.renameButton, ui.labelButton, ui.fateCombo):
            button.setEnabled(lesion is not None)
        ui.labelButton.setText(_("Make PT") if lesion is not None and lesion.label is Target.LN else _("Make LN"))
        fate = None if lesion is None else lesion.fate
        ui.fateCombo.setCurrentIndex(-1 if fate is None else FATES.index(fate))

    def _refresh_history(self) -> None:
        ui, session = self._ui, self._desk.session
        for button, word, what in (
            (ui.undoButton, _("Undo"), session.next_undo),
            (ui.redoButton, _("Redo"), session.next_redo),
        ):
            button.setEnabled(bool(what))
            button.setText(f"{word} {what}".strip())

    def _refresh_summary(self) -> None:
        session, ui = self._desk.session, self._ui
        review = session.visits.get(session.active)
        lesions = () if review is None else [lesion for lesion in review.records if lesion.voxels]
        for button in (ui.previousButton, ui.nextButton, ui.showAllButton, ui.hideAllButton):
            button.setEnabled(bool(lesions))
        if review is None:
            ui.summaryLabel.setText(_("Open a patient in the tab Patient."))
        elif review.lesions is None:
            ui.summaryLabel.setText(_("The {visit} visit is not segmented yet.").format(visit=session.active.title))
        else:
            decided = sum(lesion.state.reviewed for lesion in lesions)
            text = _("{visit}: {decided} of {total} lesions decided")
            ui.summaryLabel.setText(text.format(visit=session.active.title, decided=decided, total=len(lesions)))
