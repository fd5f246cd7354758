"""Opening a patient: a folder, the sample patient, or volumes that are in the scene."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from HNTargetSegLib.case.layout import discover
from HNTargetSegLib.case.patient import PatientFiles
from HNTargetSegLib.desktop.desk import ReviewDesk
from HNTargetSegLib.desktop.dialogs import ask_about_case, ask_about_saved, ask_folder, confirm
from HNTargetSegLib.desktop.qt_values import value_of
from HNTargetSegLib.desktop.texts import tr as _
from HNTargetSegLib.desktop.ui_files import load_ui
from HNTargetSegLib.review.autosave import SavedReview, delete_saved, saved_reviews
from HNTargetSegLib.review.case import VisitImage
from HNTargetSegLib.review.change import Change, Part


class CasePanel:
    """Where a review begins.

    Parameters
    ----------
    desk
        The review.
    """

    def __init__(self, desk: ReviewDesk) -> None:
        self.widget, self._ui = load_ui("Case")
        self._desk = desk
        self._found: list[PatientFiles] = []
        self._saved: tuple[SavedReview, ...] = ()
        ui = self._ui
        ui.folderButton.clicked.connect(self._on_folder)
        ui.sampleButton.clicked.connect(self._on_sample)
        ui.recentButton.clicked.connect(self._on_recent)
        ui.patientButton.clicked.connect(self._on_patient)
        ui.volumesButton.clicked.connect(self._on_volumes)
        ui.savedButton.clicked.connect(self._on_saved)
        ui.deleteReviewButton.clicked.connect(self._on_forget)
        ui.patientsRow.setVisible(False)
        self._disconnect = desk.session.changed.connect(self._on_change)
        self._refresh()

    @property
    def import_place(self) -> Any:
        """Where the panel belongs that reads delineations into the open patient."""
        return self._ui.importPlace

    def set_scene(self, scene: Any) -> None:
        """Offer the volumes of a scene."""
        for combo in (self._ui.preCombo, self._ui.midCombo):
            combo.setMRMLScene(scene)

    def close(self) -> None:
        """Stop listening."""
        self._disconnect()

    def open_folder(self, folder: str) -> None:
        """Open the patient of a folder; several are offered by name."""
        import slicer

        with self._desk.telling(), slicer.util.WaitCursor():
            self._found = discover(folder)
            self._desk.remember(folder)
            if len(self._found) == 1:
                self._desk.open_files(self._found[0], ask_about_case, ask_about_saved)
        self._offer_patients()
        self._refresh()

    def _on_folder(self) -> None:
        recent = self._desk.settings.recent
        folder = ask_folder(_("Folder of a patient"), recent[0] if recent else "")
        if folder:
            self.open_folder(folder)

    def _on_recent(self) -> None:
        index = int(value_of(self._ui.recentCombo, "currentIndex"))
        if 0 <= index < len(self._desk.settings.recent):
            self.open_folder(self._desk.settings.recent[index])

    def _on_patient(self) -> None:
        import slicer

        index = int(value_of(self._ui.patientCombo, "currentIndex"))
        if 0 <= index < len(self._found):
            with self._desk.telling(), slicer.util.WaitCursor():
                self._desk.open_files(self._found[index], ask_about_case, ask_about_saved)

    def _on_sample(self) -> None:
        import slicer

        from HNTargetSegLib.phantom.sample import sample_patient

        with self._desk.telling(), slicer.util.WaitCursor():
            self._desk.open_files(sample_patient(), ask_about_case, ask_about_saved)

    def _on_volumes(self) -> None:
        import slicer

        with self._desk.telling(), slicer.util.WaitCursor():
            pre, mid = self._ui.preCombo.currentNode(), self._ui.midCombo.currentNode()
            self._desk.open_nodes(pre, mid, ask_about_case, ask_about_saved)

    def _on_saved(self) -> None:
        import slicer

        saved = self._chosen_review()
        if saved is not None:
            with self._desk.telling(), slicer.util.WaitCursor():
                self._desk.open_saved(saved)
        self._refresh()

    def _on_forget(self) -> None:
        saved = self._chosen_review()
        if saved is not None and confirm(
            _("Delete the review {name} from this computer? The images stay.").format(name=_title(saved)),
            _("Delete a kept review"),
        ):
            with self._desk.telling():
                delete_saved(saved)
            self._refresh()

    def _chosen_review(self) -> SavedReview | None:
        index = int(value_of(self._ui.savedCombo, "currentIndex"))
        return self._saved[index] if 0 <= index < len(self._saved) else None

    def _on_change(self, change: Change) -> None:
        if change.part is Part.CASE:
            self._refresh()

    def _offer_patients(self) -> None:
        combo = self._ui.patientCombo
        combo.clear()
        combo.addItems([files.name for files in self._found])
        self._ui.patientsRow.setVisible(len(self._found) > 1)

    def _refresh(self) -> None:
        recent = self._desk.settings.recent
        self._ui.recentCombo.clear()
        self._ui.recentCombo.addItems([_short(folder) for folder in recent])
        self._ui.recentRow.setVisible(bool(recent))
        self._saved = saved_reviews(self._desk.autosave.home)
        self._ui.savedCombo.clear()
        self._ui.savedCombo.addItems([_title(saved) for saved in self._saved])
        self._ui.savedRow.setVisible(bool(self._saved))
        session = self._desk.session
        if session.case is None:
            self._ui.caseLabel.setText(_("No patient is open."))
            return
        lines = [_described(visit.title, review.image) for visit, review in session.visits.items()]
        lines += [_("Warning: {text}").format(text=text) for text in session.case.warnings]
        self._ui.caseLabel.setText("\n".join(lines))


def _described(title: str, image: VisitImage) -> str:
    k, j, i = image.image.array.shape
    spacing = " \u00d7 ".join(f"{value:.3g}" for value in image.image.spacing)
    parts = [Path(image.image.name).name, image.date, f"{i} \u00d7 {j} \u00d7 {k}", f"{spacing} mm"]
    return f"{title}: " + ", ".join(part for part in parts if part)


def _title(saved: SavedReview) -> str:
    text = _("{patient}, {time}, {count} lesions")
    return text.format(patient=saved.patient, time=saved.saved.strftime("%Y-%m-%d %H:%M"), count=saved.lesions)


def _short(folder: str, longest: int = 48) -> str:
    return folder if len(folder) <= longest else "..." + folder[-longest:]
