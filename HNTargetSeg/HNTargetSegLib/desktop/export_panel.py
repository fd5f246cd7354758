"""Export: what leaves, what does not, and where to."""

from __future__ import annotations

from pathlib import Path

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.desktop.desk import ReviewDesk
from HNTargetSegLib.desktop.dialogs import ask_folder, show_folder
from HNTargetSegLib.desktop.findings_list import FindingsList
from HNTargetSegLib.desktop.format_boxes import FormatBoxes
from HNTargetSegLib.desktop.qt_values import value_of
from HNTargetSegLib.desktop.texts import tr as _
from HNTargetSegLib.desktop.ui_files import load_ui
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.export.format import REPORT_HTML, REPORT_PDF
from HNTargetSegLib.review.change import Change, Level, Part
from HNTargetSegLib.review.visit import VisitReview


class ExportPanel:
    """Writes the decided lesions; undecided ones only where each was ticked.

    Parameters
    ----------
    desk
        The review.
    """

    def __init__(self, desk: ReviewDesk) -> None:
        self.widget, self._ui = load_ui("Export")
        self._desk = desk
        self._undecided: list[tuple[Visit, str]] = []
        self._written = ""
        ui = self._ui
        ui.browseButton.clicked.connect(self._on_browse)
        ui.exportButton.clicked.connect(self._on_export)
        ui.openButton.clicked.connect(self._on_open)
        self._formats = FormatBoxes(ui, desk)
        self._findings = FindingsList(ui, desk, self._chosen)
        for box in (ui.preCheck, ui.midCheck):
            box.toggled.connect(self.refresh)
        ui.filesGroup.setVisible(False)
        self._disconnect = desk.session.changed.connect(self._on_change)
        self.refresh()

    def close(self) -> None:
        """Stop listening."""
        self._disconnect()

    def refresh(self) -> None:
        """List what is undecided and what is rejected; ticks of lesions that are still undecided stay."""
        import qt

        ui, ticked = self._ui, self._confirmed()
        for visit, box in ((Visit.PRE, ui.preCheck), (Visit.MID, ui.midCheck)):
            box.setEnabled(self._exportable(visit) is not None)
        self._formats.refresh(self._chosen())
        reviews = [(visit, self._desk.session.visits[visit]) for visit in self._chosen()]
        self._undecided = [(visit, lesion.name) for visit, review in reviews for lesion in review.unreviewed]
        ui.undecidedList.clear()
        for visit, name in self._undecided:
            item = qt.QListWidgetItem(f"{visit.title}: {name}")
            item.setFlags(qt.Qt.ItemIsEnabled | qt.Qt.ItemIsUserCheckable)
            item.setCheckState(qt.Qt.Checked if (visit, name) in ticked else qt.Qt.Unchecked)
            ui.undecidedList.addItem(item)
        ui.undecidedGroup.setVisible(bool(self._undecided))
        rejected = [f"{visit.title} {lesion.name}" for visit, review in reviews for lesion in review.rejected]
        ui.rejectedLabel.setText(_("Rejected, never leave: {names}").format(names=", ".join(rejected)))
        ui.rejectedLabel.setVisible(bool(rejected))
        ui.exportButton.setEnabled(bool(reviews))
        ui.exportButton.setToolTip("" if reviews else _("Segment a visit first"))

    def check(self) -> None:
        """Look for what should be looked at before the lesions leave."""
        self._findings.check()

    def _exportable(self, visit: Visit) -> VisitReview | None:
        review = self._desk.session.visits.get(visit)
        return review if review is not None and review.lesions is not None else None

    def _chosen(self) -> tuple[Visit, ...]:
        boxes = ((Visit.PRE, self._ui.preCheck), (Visit.MID, self._ui.midCheck))
        return tuple(visit for visit, box in boxes if self._exportable(visit) and value_of(box, "checked"))

    def _confirmed(self) -> set[tuple[Visit, str]]:
        import qt

        ticks = [self._ui.undecidedList.item(row).checkState() == qt.Qt.Checked for row in range(len(self._undecided))]
        return {lesion for lesion, ticked in zip(self._undecided, ticks, strict=True) if ticked}

    def _on_browse(self) -> None:
        folder = ask_folder(_("Folder for the export"), str(value_of(self._ui.folderEdit, "text")))
        if folder:
            self._ui.folderEdit.setText(folder)

    def _on_export(self) -> None:
        import slicer

        folder = str(value_of(self._ui.folderEdit, "text")).strip()
        with self._desk.telling(), slicer.util.WaitCursor():
            if not folder:
                raise BadInputError("No folder was chosen", remedy="Name the folder that the files shall go to")
            # Reads what the pictures need, which takes its time.
            from HNTargetSegLib.review.exporting import export_review

            self._desk.require_edits()
            chosen = self._chosen()
            written = export_review(
                self._desk.session,
                folder,
                visits=chosen,
                confirmed=self._confirmed(),
                formats=self._formats.ticked(),
                series=self._formats.series(),
            )
            self._show_written(folder, list(written.values()))
            self._desk.session.say(Level.INFO, _("Exported into {folder}.").format(folder=folder))

    def _show_written(self, folder: str, places: list[Path]) -> None:
        ui, home = self._ui, Path(folder)
        found = {file for place in places for file in place.rglob("*") if file.is_file()}
        files = sorted(found | {home / name for name in (REPORT_HTML, REPORT_PDF) if (home / name).is_file()})
        ui.fileList.clear()
        ui.fileList.addItems([str(file.relative_to(home)) for file in files])
        ui.filesGroup.setTitle(_("Written into {folder}").format(folder=home.name))
        ui.filesGroup.setVisible(True)
        self._written = folder
        ui.openButton.setEnabled(True)

    def _on_open(self) -> None:
        show_folder(self._written)

    def _on_change(self, change: Change) -> None:
        if change.part is Part.CASE:
            # Another patient's files shall not go where this one's went.
            self._ui.folderEdit.setText("")
            self._ui.filesGroup.setVisible(False)
            self._ui.openButton.setEnabled(False)
            self._formats.forget()
        if change.part in (Part.CASE, Part.VOXELS, Part.LESIONS):
            self._findings.forget()
        if change.part is Part.CASE or (change.part is Part.VOXELS and not change.ids):
            # A tick is for the lesion that had the name, not for one of another run or patient.
            self._undecided = []
        if change.part in (Part.CASE, Part.VOXELS, Part.LESIONS):
            self.refresh()
