"""Undo of voxels: Slicer's own states of a segmentation, and the review that belongs to each proposal.

Ids of lesions mean other lesions after each run of a model. Segments therefore carry the name of the proposal that
they are of; when an undo, ours or the editor's, brings segments of another proposal back, its review is put back too.
"""

from __future__ import annotations

import uuid
from typing import Any

from HNTargetSegLib.review.visit import VisitReview
from HNTargetSegLib.scene.segments import SURFACE, no_new_state

STATES = 10
"""Number of states of a segmentation that can be undone."""


class VoxelHistory:
    """States of one segmentation.

    Parameters
    ----------
    segmentation
        ``vtkSegmentation``.

    Attributes
    ----------
    run
        Names the proposal that the segments are of.
    """

    def __init__(self, segmentation: Any) -> None:
        import slicer

        self.run = _new_run()
        self._reviews: dict[str, VisitReview] = {}
        self._followed: dict[str, str] = {}
        self._states = slicer.vtkSegmentationHistory()
        self._states.SetSegmentation(segmentation)
        self._states.SetMaximumNumberOfStates(STATES)

    def save(self) -> None:
        """Remember the segments as they are, before they are changed."""
        self._states.SaveState()

    def next_run(self, before: VisitReview) -> None:
        """Begin another proposal; ``before`` is the review that ends with it."""
        self._remember(self.run, before)
        left, self.run = self.run, _new_run()
        self._followed[self.run] = left

    def change_run(self, run: str, left: VisitReview) -> VisitReview | None:
        """Go to another proposal, whose segments are back; ``left`` is the review of the one that is left.

        Returns
        -------
        VisitReview or None
            The review as it was when that proposal was left; None if it is the present one or not known.
        """
        if run == self.run:
            return None
        found = self._reviews.get(run)
        if found is not None:
            self._remember(self.run, left)
        self.run = run
        return found

    @property
    def empty_before(self) -> str:
        """Name of the run before the present one, if there were no voxels then; empty otherwise."""
        before = self._followed.get(self.run, "")
        review = self._reviews.get(before)
        return before if review is not None and not any(lesion.voxels for lesion in review.records) else ""

    @property
    def can_undo(self) -> bool:
        """Whether an earlier state can be brought back."""
        return bool(self._states.IsRestorePreviousStateAvailable())

    @property
    def can_redo(self) -> bool:
        """Whether a state that was undone can be brought back."""
        return bool(self._states.IsRestoreNextStateAvailable())

    def undo(self) -> None:
        """Bring the state before back; surfaces are to be made anew."""
        self._drop_surfaces()
        self._states.RestorePreviousState()

    def redo(self) -> None:
        """Bring the state that was undone back; surfaces are to be made anew."""
        self._drop_surfaces()
        self._states.RestoreNextState()

    def dispose(self) -> None:
        """Let go of the segmentation and of all states."""
        self._states.SetSegmentation(None)
        self._reviews.clear()

    def _drop_surfaces(self) -> None:
        # A segment that a state adds is empty at first, and an empty one cannot be converted.
        segmentation = self._states.GetSegmentation()
        if segmentation.ContainsRepresentation(SURFACE):
            with no_new_state(segmentation):
                segmentation.RemoveRepresentation(SURFACE)

    def _remember(self, run: str, review: VisitReview) -> None:
        self._reviews.pop(run, None)
        self._reviews[run] = review
        for old in list(self._reviews)[:-STATES]:
            del self._reviews[old]


def _new_run() -> str:
    # Two modules may follow one segmentation: what one calls a run must not mean another run to the other.
    return uuid.uuid4().hex[:12]
