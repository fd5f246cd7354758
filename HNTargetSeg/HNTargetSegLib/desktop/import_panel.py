"""Lesions from an RTSTRUCT, SEG or mask: as the pre-RT delineation, or to be reviewed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.desktop.desk import ReviewDesk
from HNTargetSegLib.desktop.dialogs import ask_file, confirm
from HNTargetSegLib.desktop.qt_values import value_of
from HNTargetSegLib.desktop.texts import tr as _
from HNTargetSegLib.desktop.ui_files import load_ui
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.review.change import Change, Level, Part
from HNTargetSegLib.review.importing import FoundDelineation, decided_names, find_confirmed, take_delineation

_KINDS: tuple[Target | None, ...] = (None, Target.PT, Target.LN)


class ImportPanel:
    """Reads a delineation and lets the user say what its structures are.

    Parameters
    ----------
    desk
        The review.
    """

    def __init__(self, desk: ReviewDesk) -> None:
        self.widget, self._ui = load_ui("Import")
        self._desk = desk
        self._found: FoundDelineation | None = None
        self._kinds: list[Any] = []
        self._visits: list[Visit] = []
        self._ui.readButton.clicked.connect(self._on_read)
        self._ui.importButton.clicked.connect(self._on_import)
        self._disconnect = desk.session.changed.connect(self._on_change)
        self._refresh()

    def close(self) -> None:
        """Stop listening."""
        self._disconnect()

    def _refresh(self) -> None:
        """Offer the visits that are open."""
        self._visits = list(self._desk.session.visits)
        combo = self._ui.visitCombo
        combo.clear()
        combo.addItems([visit.title for visit in self._visits])
        self.widget.setVisible(bool(self._visits))
        self._show(None)

    def _show(self, found: FoundDelineation | None) -> None:
        """List the structures of a file, or none."""
        self._found = found
        self._ui.foundArea.setVisible(found is not None)
        if found is None:
            return
        name = Path(found.given.path).name
        self._ui.structureTable.setVisible(found.mask is None)
        self._ui.foundLabel.setText(
            _("{file} is a mask on the {visit} image").format(file=name, visit=found.visit.title)
            if found.mask is not None
            else _("Structures of {file} on the {visit} image").format(file=name, visit=found.visit.title)
        )
        self._fill_table(found)

    def _fill_table(self, found: FoundDelineation) -> None:
        import qt

        table, voxel_cc = self._ui.structureTable, found.voxel_cc
        table.setColumnCount(3)
        table.setHorizontalHeaderLabels([_("Structure"), _("cc"), _("Take as")])
        table.setRowCount(len(found.structures))
        self._kinds = []
        for row, structure in enumerate(found.structures):
            table.setItem(row, 0, qt.QTableWidgetItem(structure.name))
            table.setItem(row, 1, qt.QTableWidgetItem(f"{structure.voxels * voxel_cc:.2f}"))
            combo = qt.QComboBox()
            combo.addItems([_("leave out") if kind is None else kind.structure_name for kind in _KINDS])
            combo.setCurrentIndex(_KINDS.index(structure.target))
            table.setCellWidget(row, 2, combo)
            self._kinds.append(combo)

    def _on_read(self) -> None:
        import slicer

        index = int(value_of(self._ui.visitCombo, "currentIndex"))
        path = ask_file(_("Delineation"), "", _("Delineations (*.dcm *.nii.gz *.nii *.nrrd *.mha);;All files (*)"))
        if not path or not 0 <= index < len(self._visits):
            return
        with self._desk.telling(), slicer.util.WaitCursor():
            self._show(find_confirmed(self._desk.session, self._visits[index], path, self._agree))

    def _agree(self, question: str) -> bool:
        return confirm(question, _("Does the delineation belong to this image?"))

    def _on_import(self) -> None:
        found = self._found
        if found is None:
            return
        with self._desk.telling():
            self._desk.require_edits()
            decided = decided_names(self._desk.session, found.visit)
            question = _("Lesions that were decided about are replaced: {names}").format(names=", ".join(decided))
            if decided and not confirm(question, _("Replace the lesions?")):
                return
            kinds = [_KINDS[int(value_of(combo, "currentIndex"))] for combo in self._kinds]
            wanted = {s.number: kind for s, kind in zip(found.structures, kinds, strict=True) if kind is not None}
            if not wanted and found.mask is None:
                raise BadInputError("No structure is to be taken", remedy="Say of one at least what it is taken as")
            take_delineation(self._desk.session, found, wanted, replacing=True)
            count = len(self._desk.session.lesions(found.visit))
            self._desk.session.say(
                Level.INFO, _("{visit}: {count} lesions were read.").format(visit=found.visit.title, count=count)
            )
            self._show(None)

    def _on_change(self, change: Change) -> None:
        if change.part is Part.CASE:
            self._refresh()
