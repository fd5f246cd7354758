"""What to do about a review on disk when its patient is opened; both faces ask the same."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from HNTargetSegLib.review.autosave import SavedReview


class GoOn(str, Enum):
    """What a person says about a review that is kept of the images at hand."""

    CONTINUE = "continue"
    ANEW = "anew"
    CANCEL = "cancel"


Resume = Callable[[SavedReview], GoOn]


def begin_anew(saved: SavedReview) -> GoOn:
    """Answer of somebody who does not ask; the review on disk stays."""
    return GoOn.ANEW
