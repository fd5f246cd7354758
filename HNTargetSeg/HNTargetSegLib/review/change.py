"""What a session tells its listeners: which part of the review has changed, and messages for the user."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.errors import TargetSegError


class Part(str, Enum):
    """Part of a review.

    * ``CASE``: another patient was opened, or the case was closed.
    * ``VOXELS``: a visit's lesion-id map is new, and its records with it.
    * ``LESIONS``: records of some lesions (state, name, label, fate); the map is as it was.
    * ``SELECTION``: the selected lesion, or the active visit.
    * ``SHOWN``: which lesions are hidden.
    * ``JUMP``: the views shall go to a lesion.
    * ``RUN``: the progress of a segmentation, of a registration or of a box.
    * ``HISTORY``: what can be undone and redone.
    * ``PROMPTS``: the list of boxes of a visit.
    * ``PRIOR``: the pre-RT lesions on the mid-RT grid, which are used or offered.
    """

    CASE = "case"
    VOXELS = "voxels"
    LESIONS = "lesions"
    SELECTION = "selection"
    SHOWN = "shown"
    JUMP = "jump"
    RUN = "run"
    HISTORY = "history"
    PRIOR = "prior"
    PROMPTS = "prompts"


@dataclass(frozen=True)
class Change:
    """One change.

    Attributes
    ----------
    part
        What has changed.
    visit
        Whose; None where it concerns the whole review.
    ids
        Ids of the lesions concerned; empty means all of the visit.
    step
        Whether a box has changed some lesions, the ids of the others being what they were: one step to take back.
    back
        Whether an earlier review of the visit was put back; no run has brought its lesions.
    """

    part: Part
    visit: Visit | None = None
    ids: tuple[int, ...] = ()
    step: bool = False
    back: bool = False


class Level(str, Enum):
    """How much a message matters."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Message:
    """A sentence for the user, and what can be done about it."""

    level: Level
    text: str
    remedy: str = ""

    @classmethod
    def of(cls, error: TargetSegError) -> Message:
        """An error as a message: its file and what is wrong, and the remedy apart."""
        place = f"{error.path}: " if error.path else ""
        return cls(Level.ERROR, f"{place}{error.what}.", f"{error.remedy}." if error.remedy else "")

    def __str__(self) -> str:
        return f"{self.text} {self.remedy}".strip()
