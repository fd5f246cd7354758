"""Delineations from files: of the machine that runs the review, or sent by the browser."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from HNTargetSegLib.case.dicom_import import Allowed, OtherFrameError, OtherPatientError
from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.review.change import Level
from HNTargetSegLib.review.importing import FoundDelineation, decided_names, find_delineation, take_delineation
from HNTargetSegLib.web.access_folders import AllowedFolders
from HNTargetSegLib.web.desk import Desk, told


class Importing:
    """The import dialog.

    Parameters
    ----------
    desk
        The review.
    allowed
        Folders of the server that the page may look into.
    """

    def __init__(self, desk: Desk, allowed: AllowedFolders) -> None:
        self.desk = desk
        self._allowed = allowed
        self._confirmed = Allowed()
        self._file: Path | None = None
        self._found: FoundDelineation | None = None
        # What was read lies on the grid of one visit.
        desk.state.change("import_visit")(lambda **_: self._forget())

    @told
    def open_import(self) -> None:
        """Show the dialog."""
        session, state = self.desk.session, self.desk.state
        if session.case is None:
            raise BadInputError("No patient is open", remedy="Open a patient first")
        state.import_visits = [{"value": visit.value, "title": visit.title} for visit in session.visits]
        state.import_visit = next(iter(session.visits)).value
        self._forget()
        state.dialog = "import"

    @told
    async def read_import(self) -> None:
        """Read the file that the page names."""
        path = Path(str(self.desk.state.import_path).strip()).expanduser()
        if not path.is_absolute():
            raise BadInputError("The file is not given in full", path=path, remedy="Begin with / or a drive")
        self._forget()
        await self._read(self._allowed.checked(path))

    @told
    async def agree_import(self) -> None:
        """Confirm what the page asks, and read on."""
        if self._file is not None:
            await self._read(self._file)

    @told
    async def receive(self, folder: Path) -> None:
        """Read the one file that a browser has sent."""
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        self._forget()
        if len(files) != 1:
            what = f"{len(files)} files were sent"
            raise BadInputError(what, remedy="Send one RTSTRUCT, SEG or mask")
        await self._read(files[0])

    @told
    def set_import_kind(self, number: int, kind: str) -> None:
        """Say what a structure is taken as: ``PT``, ``LN``, or empty to leave it out."""
        state = self.desk.state
        state.import_structures = [
            {**item, "kind": kind} if item["number"] == int(number) else item for item in state.import_structures
        ]

    @told
    def take_import(self) -> None:
        """Make the structures the lesions of the visit."""
        state, found = self.desk.state, self._found
        if found is None:
            raise BadInputError("No file was read", remedy="Read a file first")
        self.desk.scene.follow_edits(found.visit)
        wanted = {item["number"]: Target[item["kind"]] for item in state.import_structures if item["kind"]}
        if not wanted and found.mask is None:
            raise BadInputError("No structure is to be taken", remedy="Say of one at least what it is taken as")
        # The dialog has named the lesions that this replaces.
        take_delineation(self.desk.session, found, wanted, replacing=True)
        count = len(self.desk.session.lesions(found.visit))
        self.desk.session.say(Level.INFO, f"{found.visit.title}: {count} lesions were read.")
        self._forget()
        state.dialog = ""

    async def _read(self, path: Path) -> None:
        session, state, visit = self.desk.session, self.desk.state, Visit(self.desk.state.import_visit)
        allowed = self._confirmed
        try:
            self._found = await self.desk.wait(
                f"Reading {path.name} ...", lambda: find_delineation(session, visit, path, allowed=allowed)
            )
        except (OtherPatientError, OtherFrameError) as doubt:
            kind = "other_patient" if isinstance(doubt, OtherPatientError) else "other_frame"
            self._confirmed, self._file = replace(allowed, **{kind: True}), path
            state.import_question = f"{doubt.what}."
            return
        state.import_question = ""
        state.import_file = path.name
        state.import_structures = [
            {
                "number": structure.number,
                "name": structure.name,
                "cc": f"{structure.voxels * self._found.voxel_cc:.2f}",
                "kind": "" if structure.target is None else structure.target.name,
            }
            for structure in self._found.structures
        ]
        state.import_replaces = list(decided_names(session, visit))

    def _forget(self) -> None:
        state = self.desk.state
        self._found, self._file, self._confirmed = None, None, Allowed()
        state.import_file, state.import_question = "", ""
        state.import_structures, state.import_replaces = [], []
