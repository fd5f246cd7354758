"""The desk of one scene: review session, scene side, worker and settings, wired together."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.patient import PatientFiles, Visit
from HNTargetSegLib.desktop.opening import Decide, settled
from HNTargetSegLib.errors import BadInputError, MissingDependencyError, TargetSegError
from HNTargetSegLib.models.options import PredictOptions
from HNTargetSegLib.review.autosave import SavedReview, case_of_saved
from HNTargetSegLib.review.autosaving import Autosave, tell_of_unended
from HNTargetSegLib.review.case import ReviewCase, case_of_files
from HNTargetSegLib.review.change import Change, Level, Message, Part
from HNTargetSegLib.review.going_on import GoOn, Resume, begin_anew
from HNTargetSegLib.review.segmenting import Segmenting
from HNTargetSegLib.review.session import ReviewSession
from HNTargetSegLib.review.settings import Settings, load_settings, save_settings
from HNTargetSegLib.scene.given import case_of_nodes
from HNTargetSegLib.scene.logics import SceneLogics
from HNTargetSegLib.scene.review_scene import ReviewScene
from HNTargetSegLib.worker.client import WorkerClient

_LEVELS = {Level.INFO: logging.INFO, Level.WARNING: logging.WARNING, Level.ERROR: logging.ERROR}


class ReviewDesk:
    """All that a panel or a console needs to review the patient of one scene.

    Parameters
    ----------
    scene
        ``vtkMRMLScene``; a review that is stored in it is gone on with.
    logics
        Logics of the scene.
    environment
        Gives the environment variables for an interpreter that is not Slicer's own.

    Attributes
    ----------
    session
        The review.
    autosave
        Keeps it on disk.
    review_scene
        Its scene side.
    worker, segmenting
        The process that owns the model, and its runs; both change with :meth:`use_interpreter`.
    settings
        Choices of the user, as stored.
    """

    def __init__(
        self,
        scene: Any,
        logics: SceneLogics | None = None,
        *,
        environment: Callable[[], Mapping[str, str] | None] = lambda: None,
    ) -> None:
        self._environment = environment
        self.settings, problem = _stored_settings()
        self.session = ReviewSession(self.settings.reviewer)
        self.session.messages.connect(_log)
        self.session.changed.connect(self._on_change)
        self.autosave = Autosave(self.session)
        self.review_scene = ReviewScene(self.session, scene, logics=logics)
        self.worker = self._new_worker()
        self.segmenting = Segmenting(self.session, self.worker)
        if problem is not None:
            self.session.tell_user(problem)
        tell_of_unended(self.session)

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Run a block whose errors are for the user: they become messages, with what can be done."""
        try:
            yield
        except TargetSegError as error:
            self.session.tell_user(error)
        except ImportError as error:
            self.session.tell_user(
                MissingDependencyError(
                    f"The Python package {error.name or error} is not installed",
                    remedy="Install what is missing in the tab Segment, or give the settings a Python that has it",
                )
            )

    def open_files(self, files: PatientFiles, decide: Decide, resume: Resume = begin_anew) -> bool:
        """Read a patient and begin the review, or go on with the one on disk; the open one is kept first.

        Parameters
        ----------
        decide
            Answers what speaks against the pair of images.
        resume
            Answers what to do about a review of these images that is on disk.

        Returns
        -------
        bool
            False where the user did not want it after all.

        Raises
        ------
        BadInputError, GeometryError
            If the images cannot be used.
        OutputError
            If the open review cannot be kept; at the next call it is closed all the same.
        """
        return self._open(case_of_files(files), decide, resume)

    def open_nodes(self, pre: Any | None, mid: Any | None, decide: Decide, resume: Resume = begin_anew) -> bool:
        """Begin the review of volumes of the scene; as :meth:`open_files`."""
        return self._open(case_of_nodes(pre, mid), decide, resume)

    def open_saved(self, saved: SavedReview) -> None:
        """Go on with a review on disk; errors as :func:`~HNTargetSegLib.review.autosave.case_of_saved` and above."""
        case = case_of_saved(saved)
        self.follow_edits()
        self.autosave.open(case, saved)

    def remember(self, folder: str | Path) -> None:
        """Put a folder at the top of those opened before."""
        with suppress(TargetSegError):  # the list is a comfort, and settings that cannot be written are told elsewhere
            self.change_settings(recent=self.settings.with_recent(folder).recent)

    def segment(
        self,
        visits: Iterable[Visit] | None = None,
        *,
        model: str | None = None,
        predict: PredictOptions | None = None,
        register: bool = True,
    ) -> None:
        """Begin a run; parameters as :meth:`HNTargetSegLib.review.segmenting.Segmenting.start`.

        Raises
        ------
        ModelError
            If there is no such model any more.
        BadInputError
            As :meth:`HNTargetSegLib.review.segmenting.Segmenting.start`.
        MissingDependencyError
            If the interpreter does not exist.
        """
        if model is not None:
            from HNTargetSegLib.models.store import ModelStore

            ModelStore.default_store().get(model)
        self.follow_edits()
        self.segmenting.start(visits, model=model, predict=predict, register=register)

    def follow_edits(self) -> None:
        """Take in what was changed in the scene, before something is done with the lesions."""
        if self.review_scene.pending:
            self.review_scene.process_pending()

    def require_edits(self) -> None:
        """Take in what was changed in the scene, all of it, before lesions leave.

        Raises
        ------
        BadInputError, GeometryError
            If segments cannot be read: what is on screen is not what would leave.
        """
        self.follow_edits()
        for visit in tuple(self.session.visits):
            self.review_scene.follow_edits(visit)

    def poll(self) -> bool:
        """Follow the worker and the scene; returns whether a run is at work or has yet to stop. Never waits."""
        with self.telling():
            self.follow_edits()
        # One whose images were closed is ended by the worker's client, which is only told the time here.
        return self.segmenting.poll() or self.worker.busy

    def lesion_id(self, visit: Visit, lesion: int | str) -> int:
        """Id of a lesion that is given by its id or its name.

        Raises
        ------
        BadInputError
            If the visit has no such lesion.
        """
        for record in self.session.lesions(visit):
            if lesion in (record.id, record.name):
                return record.id
        names = ", ".join(record.name for record in self.session.lesions(visit)) or "none"
        raise BadInputError(f"The {visit.title} visit has no lesion {lesion}", remedy=f"There are: {names}")

    def add_lesion(self, label: Target) -> str:
        """Begin a lesion of the active visit by hand; returns the id of its empty segment."""
        self.session.require(self.session.active)
        return self.review_scene.new_segment(self.session.active, label)

    def change_settings(self, **changes: Any) -> None:
        """Change some of the settings and store them.

        Raises
        ------
        OutputError
            If they cannot be stored; they hold until Slicer ends.
        """
        self.settings = replace(self.settings, **changes)
        self.session.reviewer = self.settings.reviewer
        save_settings(self.settings)

    def use_interpreter(self, interpreter: str) -> None:
        """Run models with another Python from now on; empty takes Slicer's own.

        Raises
        ------
        BadInputError
            If a run is at work.
        """
        if interpreter == self.settings.interpreter:
            return
        self.segmenting.require_idle()
        self.segmenting.close()
        self.settings = replace(self.settings, interpreter=interpreter)
        self.worker = self._new_worker()
        self.segmenting = Segmenting(self.session, self.worker)
        self.change_settings()

    def worker_environment(self) -> Mapping[str, str] | None:
        """Environment variables for the interpreter that is chosen; None where those of this process will do."""
        return self._environment() if self.settings.interpreter else None

    def close(self) -> None:
        """Keep the review on disk, end the worker and let go of the scene, which keeps the review too."""
        with self.telling():
            self.follow_edits()
            self.autosave.leave()
        self.autosave.close()
        self.segmenting.close()
        self.review_scene.dispose()

    def _open(self, case: ReviewCase, decide: Decide, resume: Resume) -> bool:
        wanted = settled(case, decide)
        if wanted is None:
            return False
        saved = self.autosave.saved_of(wanted)
        answer = GoOn.ANEW if saved is None else resume(saved)
        if answer is GoOn.CANCEL:
            return False
        self.follow_edits()
        self.autosave.open(wanted, saved if answer is GoOn.CONTINUE else None)
        return True

    def _new_worker(self) -> WorkerClient:
        interpreter = Path(self.settings.interpreter) if self.settings.interpreter else None
        return WorkerClient(interpreter, environment=self.worker_environment())

    def _on_change(self, change: Change) -> None:
        """The reviewer of a saved scene does not replace the one who sits here."""
        if change.part is Part.CASE and self.settings.reviewer:
            self.session.reviewer = self.settings.reviewer


def _stored_settings() -> tuple[Settings, TargetSegError | None]:
    try:
        return load_settings(), None
    except TargetSegError as error:
        return Settings(), error


def _log(message: Message) -> None:
    logging.log(_LEVELS[message.level], "HNTargetSeg: %s", message)
