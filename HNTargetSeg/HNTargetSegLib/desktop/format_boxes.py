"""Which formats an export has, and the DICOM series for those that need one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.desktop.desk import ReviewDesk
from HNTargetSegLib.desktop.dialogs import ask_folder
from HNTargetSegLib.desktop.dicom_folder import series_folder
from HNTargetSegLib.desktop.qt_values import value_of
from HNTargetSegLib.desktop.texts import tr as _
from HNTargetSegLib.export.format import Format
from HNTargetSegLib.review.dicom_source import without_series


class FormatBoxes:
    """Check boxes of the formats; those of DICOM can be ticked where each chosen visit has a series.

    Parameters
    ----------
    ui
        Widgets of Export.ui.
    desk
        The review.
    """

    def __init__(self, ui: Any, desk: ReviewDesk) -> None:
        self._ui, self._desk, self._session = ui, desk, desk.session
        self._visits: tuple[Visit, ...] = ()
        self._boxes = {kind: getattr(ui, f"{kind.value}Check") for kind in Format}
        self._rows = {
            Visit.PRE: (ui.preSeriesLabel, ui.preSeriesRow, ui.preSeriesEdit),
            Visit.MID: (ui.midSeriesLabel, ui.midSeriesRow, ui.midSeriesEdit),
        }
        ui.preSeriesButton.clicked.connect(self._on_browse_pre)
        ui.midSeriesButton.clicked.connect(self._on_browse_mid)
        for _label, _row, edit in self._rows.values():
            edit.textChanged.connect(self._on_edited)

    def refresh(self, visits: Iterable[Visit]) -> None:
        """Offer what can be written of these visits."""
        self._visits = tuple(visits)
        reasons = {visit: without_series(self._session.visits[visit]) for visit in self._visits}
        for visit, widgets in self._rows.items():
            for widget in widgets[:2]:
                widget.setVisible(bool(reasons.get(visit)))
        named = self.series()
        lacking = [
            _("{visit}: {reason}").format(visit=v.title, reason=r) for v, r in reasons.items() if r and v not in named
        ]
        for kind, box in self._boxes.items():
            if kind.is_dicom:
                box.setEnabled(bool(self._visits) and not lacking)
        self._ui.dicomLabel.setVisible(bool(lacking))
        self._ui.dicomLabel.setText(
            _("DICOM needs the series of the image. {reasons}.").format(reasons="; ".join(lacking))
        )

    def ticked(self) -> tuple[Format, ...]:
        """Formats that are ticked and can be written."""
        on = [kind for kind, box in self._boxes.items() if value_of(box, "checked") and value_of(box, "enabled")]
        return tuple(on)

    def series(self) -> dict[Visit, str]:
        """DICOM folder by visit, where one was named."""
        texts = {visit: str(value_of(widgets[2], "text")).strip() for visit, widgets in self._rows.items()}
        return {visit: text for visit, text in texts.items() if text}

    def forget(self) -> None:
        """Another patient: the folders are not theirs; those that Slicer's DICOM database knows are put there."""
        import slicer

        database = getattr(slicer, "dicomDatabase", None)
        for visit, widgets in self._rows.items():
            node = self._desk.review_scene.volume_node(visit) if visit in self._session.visits else None
            widgets[2].setText(series_folder(node, database))

    def _on_browse_pre(self) -> None:
        self._browse(Visit.PRE)

    def _on_browse_mid(self) -> None:
        self._browse(Visit.MID)

    def _browse(self, visit: Visit) -> None:
        edit = self._rows[visit][2]
        folder = ask_folder(
            _("DICOM folder of the {visit} image").format(visit=visit.title), str(value_of(edit, "text"))
        )
        if folder:
            edit.setText(folder)

    def _on_edited(self, text: str) -> None:
        self.refresh(self._visits)
