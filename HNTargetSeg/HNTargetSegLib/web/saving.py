"""The review on disk: written before it ends, and offered to go on with."""

from __future__ import annotations

from typing import Any

from HNTargetSegLib.review.autosave import SavedReview, save_review
from HNTargetSegLib.review.change import Change, Part
from HNTargetSegLib.web.desk import Desk

_WORK = frozenset({Part.VOXELS, Part.LESIONS})


class Saving:
    """Knows whether there is something to keep: a review in which nothing was done never replaces one on disk.

    Parameters
    ----------
    desk
        The review.

    Attributes
    ----------
    unsaved
        Whether something was done since the patient was opened or saved.
    """

    def __init__(self, desk: Desk) -> None:
        self.unsaved = False
        self._desk = desk
        desk.session.changed.connect(self._on_change)

    def save(self) -> SavedReview | None:
        """Write the review if something is unsaved; None otherwise.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        # The last stroke may not have been read yet.
        self._desk.scene.process_pending()
        if not self.unsaved:
            return None
        saved = save_review(self._desk.session)
        self.unsaved = False
        return saved

    def _on_change(self, change: Change) -> None:
        if change.part is Part.CASE:
            self.unsaved = False
        elif change.part in _WORK:
            self.unsaved = True


def saved_item(saved: SavedReview) -> dict[str, Any]:
    """A review on disk as the page shows it."""
    lesions = "1 lesion" if saved.lesions == 1 else f"{saved.lesions} lesions"
    return {
        "key": saved.folder.name,
        "patient": saved.patient,
        "time": saved.saved.strftime("%Y-%m-%d %H:%M"),
        "lesions": lesions,
    }
