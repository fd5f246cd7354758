"""When a review is kept on disk: at each step, each minute, and before anything else takes its place."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.errors import TargetSegError
from HNTargetSegLib.review.autosave import SavedReview, end_saved, go_on, save_review, saved_of, saved_reviews
from HNTargetSegLib.review.case import ReviewCase
from HNTargetSegLib.review.change import Change, Level, Part
from HNTargetSegLib.review.session import ReviewSession

FLUSH_SECONDS = 60.0
"""How old what a power cut would leave may become."""

_WORK = frozenset({Part.VOXELS, Part.LESIONS})
_LOOKING = frozenset({Part.SELECTION, Part.SHOWN, Part.JUMP})
_NOTHING = frozenset({Part.RUN, Part.HISTORY})


class Autosave:
    """Keeps the review of a session.

    A review in which nothing was done is not kept. One that is begun anew gets a place of its own: what was kept of
    the same images before stays.

    Parameters
    ----------
    session
        The review; it is listened to until :meth:`close`.
    home
        Folder of all reviews; the user's own by default.
    clock
        Seconds from any point of time on.

    Attributes
    ----------
    home
        Where reviews are kept; None for the user's own folder.
    unsaved
        Whether something is not on disk yet.
    """

    def __init__(
        self, session: ReviewSession, home: Path | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.unsaved = False
        self.home = home
        self._session, self._clock = session, clock
        self._folder: Path | None = None
        self._images: frozenset[int] = frozenset()
        self._decided: frozenset[Visit] = frozenset()
        self._unflushed, self._flushed = False, clock()
        self._failing = self._let_go = self._opening = self._ended = False
        self._disconnect = session.changed.connect(self._on_change)

    def open(self, case: ReviewCase, saved: SavedReview | None = None) -> None:
        """Begin a review, or go on with a saved one; the open one is kept first.

        Raises
        ------
        OutputError
            As :meth:`leave`.
        BadInputError, GeometryError
            If the saved one cannot be used. The session is as it was.
        """
        self.leave()
        self._opening = True
        try:
            if saved is None:
                self._session.open(case)
                return
            go_on(self._session, case, saved)
        finally:
            self._opening = False
        self._folder, self._decided = saved.folder, self._with_decisions()

    def saved_of(self, case: ReviewCase) -> SavedReview | None:
        """The latest review of these very images; None where there is none."""
        return saved_of(case, self.home)

    def save(self, *, ended: bool = False) -> SavedReview | None:
        """Make sure that all is on the disk itself; None where it was already.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        ends = ended and not self._ended and self._folder is not None
        if not (self.unsaved or self._unflushed or ends):
            return None
        return self._write(flush=True, ended=ended)

    def tick(self) -> None:
        """Save what has been unsaved for a minute; call every now and then. Never raises, the user is told."""
        if self._clock() - self._flushed >= FLUSH_SECONDS and (self.unsaved or self._unflushed):
            self._flushed = self._clock()
            self._told(flush=True)

    def leave(self) -> None:
        """Keep the review that is about to be closed.

        Raises
        ------
        OutputError
            If it cannot be written. At the next call it is let go all the same: the user has been told.
        """
        try:
            self.save(ended=True)
        except TargetSegError:
            self._let_go = not self._let_go
            if self._let_go:
                raise

    def close(self) -> None:
        """Stop listening."""
        self._disconnect()

    def _on_change(self, change: Change) -> None:
        if change.part is Part.CASE:
            if self._goes_on():
                self._step(flush=True)
            else:
                self._end()
                self._begin()
        elif change.part in _LOOKING:
            # What is hidden, and time spent on lesions.
            self.unsaved = self.unsaved or self._folder is not None
        elif change.part in _WORK:
            if change.back and self._lost_decisions():
                # The lesions were removed, with all that was said of them: what is on disk stays as it is.
                self._leave_on_disk()
            else:
                self._step(flush=change.part is Part.VOXELS and not change.ids)
        elif change.part not in _NOTHING and self._folder is not None:
            # Alone, it is no review yet.
            self._step(flush=change.part is Part.PRIOR)

    def _end(self) -> None:
        """The scene was closed, or took another review in: all is on disk, but nobody has said that it ends."""
        if self._folder is not None and not self._ended:
            saved = self._leave_on_disk()
            if saved is not None and self._session.case is None:
                text = f"The review of patient {saved.patient} was closed; it is kept on this computer."
                self._session.say(Level.INFO, text, "Open the patient again to go on with it.")

    def _leave_on_disk(self) -> SavedReview | None:
        """What is done from now on is kept elsewhere; the review that ends here, None with a message if that fails."""
        folder, self._folder, self._decided = self._folder, None, frozenset()
        try:
            return None if folder is None else end_saved(folder)
        except TargetSegError as error:
            self._session.tell_user(error)
            return None

    def _begin(self) -> None:
        self._folder = None
        self.unsaved = self._unflushed = self._let_go = self._ended = False
        self._decided = frozenset()
        case = self._session.case
        self._images = frozenset() if case is None else frozenset(id(image.image) for image in case.visits.values())

    def _goes_on(self) -> bool:
        """Whether the case is told of anew, as when its visits were registered, and is the one that is kept."""
        case = self._session.case
        if case is None or self._folder is None or self._opening:
            return False
        return self._images == frozenset(id(image.image) for image in case.visits.values())

    def _with_decisions(self) -> frozenset[Visit]:
        reviews = self._session.visits.items()
        return frozenset(visit for visit, review in reviews if any(x.state.reviewed for x in review.records))

    def _lost_decisions(self) -> bool:
        reviews = self._session.visits
        return any(visit in reviews and reviews[visit].lesions is None for visit in self._decided)

    def _step(self, *, flush: bool) -> None:
        self.unsaved = True
        self._told(flush=flush)

    def _told(self, *, flush: bool) -> None:
        """Write; the user is told once of what goes wrong each time."""
        try:
            self._write(flush=flush)
            self._failing = False
        except TargetSegError as error:
            if not self._failing:
                self._failing = True
                self._session.tell_user(error)

    def _write(self, *, flush: bool, ended: bool = False) -> SavedReview | None:
        saved = save_review(self._session, self.home, folder=self._folder, flush=flush, ended=ended)
        if saved is not None:
            self._folder = saved.folder
        self.unsaved, self._unflushed, self._let_go, self._ended = False, not flush, False, ended
        if flush:
            self._flushed = self._clock()
        self._decided = self._with_decisions()
        return saved


def tell_of_unended(session: ReviewSession, home: Path | None = None) -> SavedReview | None:
    """Tell the user of the latest review if its program ended without closing it; None where it was closed."""
    latest = next(iter(saved_reviews(home)), None)
    if latest is None or latest.ended:
        return None
    text = f"The review of patient {latest.patient} ({latest.saved:%Y-%m-%d %H:%M}) was not closed; it is kept."
    session.say(Level.WARNING, text, "Go on with it where patients are opened.")
    return latest
