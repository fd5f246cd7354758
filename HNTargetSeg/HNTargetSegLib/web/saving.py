"""The review on disk, from the page: what is on screen is taken in first."""

from __future__ import annotations

from typing import Any

from HNTargetSegLib.review.autosave import SavedReview
from HNTargetSegLib.review.autosaving import Autosave, tell_of_unended
from HNTargetSegLib.review.case import ReviewCase
from HNTargetSegLib.web.desk import Desk


class Saving:
    """Keeps the page's review; errors are those of :class:`HNTargetSegLib.review.autosaving.Autosave`.

    Parameters
    ----------
    desk
        The review.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._autosave = Autosave(desk.session)
        tell_of_unended(desk.session)

    @property
    def unsaved(self) -> bool:
        """Whether something is not on disk yet."""
        return self._autosave.unsaved

    def open(self, case: ReviewCase, saved: SavedReview | None = None) -> None:
        """Begin a review, or go on with a saved one; the open one is kept first."""
        self._desk.scene.process_pending()
        self._autosave.open(case, saved)

    def save(self) -> SavedReview | None:
        """Write the review, which ends; None where nothing was done since it was saved."""
        # The last stroke may not have been read yet.
        self._desk.scene.process_pending()
        return self._autosave.save(ended=True)

    def leave(self) -> None:
        """Keep the review before the patient is closed."""
        self._desk.scene.process_pending()
        self._autosave.leave()

    def tick(self) -> None:
        """Save what has been unsaved for a minute."""
        self._autosave.tick()


def saved_item(saved: SavedReview) -> dict[str, Any]:
    """A review on disk as the page shows it."""
    lesions = "1 lesion" if saved.lesions == 1 else f"{saved.lesions} lesions"
    return {
        "key": saved.folder.name,
        "patient": saved.patient,
        "time": saved.saved.strftime("%Y-%m-%d %H:%M"),
        "lesions": lesions,
    }
