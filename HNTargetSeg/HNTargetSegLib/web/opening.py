"""Opening a patient from the page: a folder of the server, an upload, the recent ones, or the generated sample."""

from __future__ import annotations

from pathlib import Path

from HNTargetSegLib.case.layout import discover
from HNTargetSegLib.case.patient import PatientFiles, Visit
from HNTargetSegLib.errors import BadInputError, TargetSegError
from HNTargetSegLib.review.autosave import SavedReview, case_of_saved, saved_of, saved_reviews
from HNTargetSegLib.review.case import Concern, ReviewCase, case_of_files, case_of_images
from HNTargetSegLib.review.going_on import GoOn
from HNTargetSegLib.web.access_folders import AllowedFolders
from HNTargetSegLib.web.choosing import FoundImage, images_in
from HNTargetSegLib.web.desk import Desk, told
from HNTargetSegLib.web.saving import Saving, saved_item


class Opening:
    """The first screen, and the questions before a patient is opened.

    Parameters
    ----------
    desk
        The review.
    allowed
        Folders of the server that the page may look into.
    saving
        Keeps the open review before it is closed.
    """

    def __init__(self, desk: Desk, allowed: AllowedFolders, saving: Saving) -> None:
        self.desk = desk
        self._allowed, self._saving = allowed, saving
        self._found: list[PatientFiles] = []
        self._images: list[FoundImage] = []
        self._waiting: tuple[ReviewCase, Path | None] | None = None
        self._saved: SavedReview | None = None
        self._show_recent()

    @told
    def browse(self, folder: str = "") -> None:
        """List a folder, the first allowed one by default."""
        state = self.desk.state
        place = self._allowed.checked(folder or self._allowed.roots[0])
        above = self._allowed.parent(place)
        entries = [{"path": str(above), "name": "..", "icon": "mdi-arrow-up"}] if above is not None else []
        entries += [
            {"path": str(path), "name": path.name, "icon": "mdi-folder"} for path in self._allowed.subfolders(place)
        ]
        state.folder, state.folders = str(place), entries
        state.folder_files = [path.name for path in self._allowed.files(place)][:200]

    @told
    def open_browser(self) -> None:
        """Show the folder dialog."""
        self.browse(self.desk.state.folder)
        self.desk.state.dialog = "folder"

    @told
    async def open_folder(self, folder: str) -> None:
        """Open the patient in a folder; with several, a choice."""
        place = self._allowed.checked(folder)
        await self._open_patients_of(place)

    async def open_given(self, folder: Path) -> None:
        """Open the folder of the command line; the page shows what is wrong with it."""
        try:
            await self._open_patients_of(folder)
        except Exception as error:
            self.desk.report(error)

    @told
    async def open_upload(self, folder: Path) -> None:
        """Open what a browser has sent."""
        await self._open_patients_of(folder, remember=False)

    @told
    async def open_sample(self) -> None:
        """Generate the sample patient, or take the one that is there, and open it."""
        from HNTargetSegLib.phantom.sample import sample_patient

        files = await self.desk.wait("Generating a synthetic patient ...", sample_patient)
        await self._load(files, None)

    @told
    async def choose_patient(self, number: int) -> None:
        """Open one of several patients of a folder."""
        self.desk.state.dialog = ""
        files = self._found[int(number)]
        await self._load(files, _home_of(files))

    @told
    def assign(self, number: int, visit: str) -> None:
        """Say which visit an image is of; the one that was it before is none any more. Twice takes it back."""
        state = self.desk.state
        state.images = [
            {**item, "visit": ("" if item["visit"] == visit else visit)}
            if item["number"] == int(number)
            else {**item, "visit": "" if item["visit"] == visit else item["visit"]}
            for item in state.images
        ]

    @told
    async def open_assigned(self) -> None:
        """Open the images that were said to be of a visit."""
        chosen = {
            Visit(item["visit"]): self._images[item["number"]].path for item in self.desk.state.images if item["visit"]
        }
        pre, mid = chosen.get(Visit.PRE), chosen.get(Visit.MID)
        case = await self.desk.wait("Reading the images ...", case_of_images, pre, mid)
        self.desk.state.dialog = ""
        self._ask(case, None)

    @told
    def answer(self, choice: str) -> None:
        """Answer the questions about the images: ``continue``, ``swap`` or ``cancel``."""
        waiting, self._waiting = self._waiting, None
        self.desk.state.dialog = ""
        if waiting is None or choice == "cancel":
            return
        case, folder = waiting
        self._begin(case.swapped() if choice == "swap" else case, folder)

    @told
    def answer_saved(self, choice: str) -> None:
        """Say what to do about the review on disk, a value of :class:`HNTargetSegLib.review.going_on.GoOn`."""
        waiting, self._waiting = self._waiting, None
        saved, self._saved = self._saved, None
        self.desk.state.dialog = ""
        if waiting is not None and saved is not None and GoOn(choice) is not GoOn.CANCEL:
            self._open(*waiting, saved if GoOn(choice) is GoOn.CONTINUE else None)

    @told
    async def go_on_with(self, key: str) -> None:
        """Go on with one of the reviews of the first screen."""
        saved = next((saved for saved in self._resumable() if saved.folder.name == str(key)), None)
        if saved is None:
            self._show_recent()
            raise BadInputError("This review is not there any more", remedy="Open the patient's folder")
        case = await self.desk.wait(f"Reading the images of {saved.patient} ...", case_of_saved, saved)
        self._open(case, None, saved)

    @told
    def close_patient(self) -> None:
        """Keep the review, close the patient and show the first screen."""
        self.desk.state.dialog = ""
        self._saving.leave()
        self.desk.session.close()
        self._show_recent()

    async def _open_patients_of(self, folder: Path, *, remember: bool = True) -> None:
        state = self.desk.state
        try:
            self._found = await self.desk.wait("Looking for patients ...", discover, folder)
        except BadInputError as error:
            await self._ask_which(folder, error)
            return
        if len(self._found) == 1:
            state.dialog = ""
            await self._load(self._found[0], folder if remember else None)
            return
        state.folder_patients = [
            {"number": number, "name": files.name, "images": _images_of(files)}
            for number, files in enumerate(self._found)
        ]
        state.dialog = "patients"

    async def _load(self, files: PatientFiles, folder: Path | None) -> None:
        case = await self.desk.wait(f"Reading the images of {files.name} ...", case_of_files, files)
        self._ask(case, folder)

    async def _ask_which(self, folder: Path, error: BadInputError) -> None:
        """Let the user say which image is of which visit; raises the error where there is no image."""
        self._images = await self.desk.wait("Looking for images ...", images_in, folder)
        if not self._images:
            raise error
        state = self.desk.state
        state.images = [
            {"number": number, "name": image.name, "details": image.details, "visit": image.visit or ""}
            for number, image in enumerate(self._images)
        ]
        state.images_reason = f"{error.what}."
        state.dialog = "images"

    def _ask(self, case: ReviewCase, folder: Path | None) -> None:
        questions = case.questions()
        if not questions:
            self._begin(case, folder)
            return
        self._waiting = (case, folder)
        state = self.desk.state
        state.questions = [question.text for question in questions]
        state.can_swap = any(question.concern is Concern.SWAPPED for question in questions)
        state.dialog = "questions"

    def _begin(self, case: ReviewCase, folder: Path | None) -> None:
        saved = saved_of(case)
        if saved is None:
            self._open(case, folder)
            return
        self._waiting, self._saved = (case, folder), saved
        self.desk.state.saved = saved_item(saved)
        self.desk.state.dialog = "saved"

    def _open(self, case: ReviewCase, folder: Path | None, saved: SavedReview | None = None) -> None:
        self._saving.open(case, saved)
        if folder is not None:
            self.desk.keep_settings(self.desk.settings().with_recent(folder))

    def _show_recent(self) -> None:
        folders = [Path(text) for text in self.desk.settings().recent]
        self.desk.state.recent = [
            {"path": str(path), "name": path.name, "place": str(path.parent)} for path in folders if path.is_dir()
        ][:6]
        self.desk.state.saved_reviews = [saved_item(saved) for saved in self._resumable()[:3]]

    def _resumable(self) -> list[SavedReview]:
        """Reviews on disk whose images are still there, and where the page may look."""
        return [
            saved
            for saved in saved_reviews()
            if all(source is not None and self._is_open(source) for source in saved.sources.values())
        ]

    def _is_open(self, source: Path) -> bool:
        try:
            return self._allowed.checked(source).exists()
        except TargetSegError:
            return False


def _images_of(files: PatientFiles) -> str:
    visits = [title for title, path in (("pre-RT", files.pre), ("mid-RT", files.mid)) if path is not None]
    return " and ".join(visits)


def _home_of(files: PatientFiles) -> Path | None:
    image = files.pre or files.mid
    return image.parent if image is not None else None
