"""Export from the page: into a folder of the server, or as a zip for the browser."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.export.format import DEFAULT_FORMATS, REPORT_HTML, REPORT_PDF, Format
from HNTargetSegLib.review.change import Level
from HNTargetSegLib.review.dicom_source import without_series
from HNTargetSegLib.review.exporting import export_review
from HNTargetSegLib.review.final_check import VisitFinding, final_check, show_finding
from HNTargetSegLib.web.access_folders import AllowedFolders
from HNTargetSegLib.web.desk import Desk, told
from HNTargetSegLib.web.shown import rejected_items, undecided_items


class Exporting:
    """The export dialog.

    Parameters
    ----------
    desk
        The review.
    allowed
        Folders of the server that the page may write into.
    """

    def __init__(self, desk: Desk, allowed: AllowedFolders) -> None:
        self.desk = desk
        self._allowed = allowed
        self._findings: tuple[VisitFinding, ...] = ()
        desk.state.change("export_visits", "export_series_pre", "export_series_mid")(lambda **_: self._list())
        desk.state.formats = [{"value": kind.value, "title": kind.title, "dicom": kind.is_dicom} for kind in Format]
        desk.state.export_formats = [kind.value for kind in DEFAULT_FORMATS]

    @told
    def open(self) -> None:
        """Show the dialog with what would leave."""
        session, state = self.desk.session, self.desk.state
        segmented = [visit for visit, review in session.visits.items() if review.lesions is not None]
        if not segmented:
            raise BadInputError("There are no lesions to export", remedy="Segment a visit first")
        state.export_visits = [visit.value for visit in segmented]
        state.confirmed, state.export_files = [], []
        if not state.export_folder:
            name = session.case.name if session.case is not None else "patient"
            state.export_folder = str(self._allowed.roots[0] / f"HNTargetSeg-{name}")
        self._list()
        state.findings, state.checked = [], False
        state.dialog = "export"

    @told
    async def check_export(self) -> None:
        """Look for what should be looked at before the lesions leave."""
        session, state = self.desk.session, self.desk.state
        for visit in tuple(session.visits):
            self.desk.scene.follow_edits(visit)
        overlaps = self.desk.scene.overlaps()
        visits = self._visits()
        self._findings = await self.desk.wait(
            "Checking the lesions ...", lambda: final_check(session, visits, overlaps)
        )
        state.findings = [{"number": n, "text": found.text} for n, found in enumerate(self._findings)]
        state.checked = True

    @told
    def show_finding(self, number: int) -> None:
        """Close the dialog and move the views to a finding."""
        self.desk.state.dialog = ""
        show_finding(self.desk.session, self._findings[int(number)], self.desk.scene.look_at)

    @told
    async def write(self) -> None:
        """Write into the folder."""
        state = self.desk.state
        target = Path(str(state.export_folder)).expanduser()
        if not target.is_absolute():
            raise BadInputError("The folder is not given in full", path=target, remedy="Begin with / or a drive")
        # The folder itself may be new: the nearest one that exists decides, once every ".." and link is followed.
        target = target.resolve()
        existing = next(folder for folder in (target, *target.parents) if folder.exists())
        self._allowed.checked(existing)
        folders = await self._export(target)
        found = {path for folder in folders.values() for path in folder.rglob("*") if path.is_file()}
        reports = (target / name for name in (REPORT_HTML, REPORT_PDF))
        files = sorted(str(path) for path in found | {path for path in reports if path.is_file()})
        state.export_files = files
        self.desk.session.say(Level.INFO, f"{len(files)} files were written into {target}.")

    @told
    async def download(self) -> bytes | None:
        """The export as a zip; None, with a message, where it is refused."""
        with tempfile.TemporaryDirectory(prefix="hntargetseg-export-") as temporary:
            home = Path(temporary)
            await self._export(home)
            stream = io.BytesIO()
            with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
                for path in sorted(path for path in home.rglob("*") if path.is_file()):
                    archive.write(path, path.relative_to(home).as_posix())
        self.desk.session.say(Level.INFO, "The export was sent to the browser.")
        return stream.getvalue()

    async def _export(self, folder: Path) -> dict[Visit, Path]:
        """Write the files while the page waits: the pictures take seconds, and the views shall not stand still."""
        chosen, confirmed, formats, series = self._visits(), self._confirmed(), self._formats(), self._series()
        if not formats:
            raise BadInputError("No format is chosen", remedy="Choose one at least")
        for visit in chosen:
            # A segmentation that cannot be read ends it here: what is on screen is not what would leave.
            self.desk.scene.follow_edits(visit)
        return await self.desk.wait(
            "Writing the export ...",
            lambda: export_review(
                self.desk.session, folder, visits=chosen, confirmed=confirmed, formats=formats, series=series
            ),
        )

    def _formats(self) -> list[Format]:
        return [kind for kind in Format if kind.value in (self.desk.state.export_formats or [])]

    def _series(self) -> dict[Visit, Path]:
        """DICOM folder by visit, where one was named; checked as what the page may open."""
        texts = {visit: str(self.desk.state[f"export_series_{visit.value}"] or "").strip() for visit in Visit}
        return {visit: self._allowed.checked(Path(text).expanduser()) for visit, text in texts.items() if text}

    def _visits(self) -> list[Visit]:
        chosen = [Visit(value) for value in self.desk.state.export_visits]
        return [visit for visit in self.desk.session.visits if visit in chosen]

    def _confirmed(self) -> set[tuple[Visit, str]]:
        return {
            (Visit(visit), name)
            for visit, name in (str(value).split(":", 1) for value in self.desk.state.confirmed or [])
        }

    def _list(self) -> None:
        session, state = self.desk.session, self.desk.state
        visits = self._visits()
        undecided = undecided_items(session, visits)
        values = {item["value"] for item in undecided}
        state.confirmed = [value for value in state.confirmed or [] if value in values]
        state.leaving = {
            "visits": [
                {"value": visit.value, "title": visit.title}
                for visit, review in session.visits.items()
                if review.lesions is not None
            ],
            "undecided": undecided,
            "rejected": rejected_items(session, visits),
            "series": self._lacking_series(visits),
        }
        if any(not item["named"] for item in state.leaving["series"]):
            dicom = {kind.value for kind in Format if kind.is_dicom}
            state.export_formats = [value for value in state.export_formats if value not in dicom]

    def _lacking_series(self, visits: list[Visit]) -> list[dict[str, Any]]:
        """Visits whose series has to be named before DICOM can be written, and why."""
        state, found = self.desk.state, []
        for visit in visits:
            if reason := without_series(self.desk.session.visits[visit]):
                named = bool(str(state[f"export_series_{visit.value}"] or "").strip())
                item: dict[str, Any] = {"value": visit.value, "title": visit.title, "reason": reason, "named": named}
                found.append(item)
        return found
