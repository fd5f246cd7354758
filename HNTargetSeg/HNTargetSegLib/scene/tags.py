"""What a segment says about its lesion, as tags that travel with it through undo, copy and files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.lesions.lesion import Lesion, Origin, State

TERMINOLOGY = "TerminologyEntry"
STATUS = "Segmentation.Status"
ALGORITHM_TYPE = "DICOM.SegmentAlgorithmType"
ALGORITHM_NAME = "DICOM.SegmentAlgorithmName"
LESION = "HNTargetSeg.Lesion"
LABEL = "HNTargetSeg.Label"
NAME = "HNTargetSeg.Name"
STATE = "HNTargetSeg.State"
RUN = "HNTargetSeg.Run"

_STATUS = {
    State.PROPOSED: "inprogress",
    State.ACCEPTED: "completed",
    State.EDITED: "completed",
    State.ADDED: "completed",
    State.REJECTED: "flagged",
}


@dataclass(frozen=True)
class Written:
    """What the review wrote into a segment last; what the segment says otherwise, a hand has changed.

    Attributes
    ----------
    lesion
        Id of its lesion.
    label, name
        Of the lesion.
    run
        Which proposal the ids are of; see :mod:`HNTargetSegLib.scene.history`.
    """

    lesion: int
    label: Target
    name: str
    run: str


def written(segment: Any) -> Written | None:
    """What the review wrote into a segment; None for one that it has not written."""
    try:
        return Written(
            int(tag(segment, LESION)),
            Target(int(tag(segment, LABEL))),
            unquote(tag(segment, NAME)),
            tag(segment, RUN),
        )
    except ValueError:
        return None


def write(segment: Any, lesion: Lesion, run: str) -> None:
    """Write what :func:`written` reads."""
    set_tag(segment, LESION, str(lesion.id))
    set_tag(segment, LABEL, str(int(lesion.label)))
    # Files of segmentations separate tags by characters that a name may hold.
    set_tag(segment, NAME, quote(lesion.name))
    set_tag(segment, STATE, lesion.state.value)
    set_tag(segment, RUN, run)
    set_tag(segment, STATUS, _STATUS[lesion.state])


def write_algorithm(segment: Any, lesion: Lesion, *, touched: bool, model: str) -> None:
    """Who drew the segment: Segment Algorithm Type (0062,0008) and Name (0062,0009)."""
    if lesion.origin is Origin.HAND:
        set_tag(segment, ALGORITHM_TYPE, "MANUAL")
        if tag(segment, ALGORITHM_NAME):
            segment.RemoveTag(ALGORITHM_NAME)
        return
    changed = touched or lesion.origin is Origin.PROMPT or lesion.state in (State.EDITED, State.ADDED)
    set_tag(segment, ALGORITHM_TYPE, "SEMIAUTOMATIC" if changed else "AUTOMATIC")
    set_tag(segment, ALGORITHM_NAME, model or "HNTargetSeg")


def tag(segment: Any, name: str) -> str:
    """Value of a tag; empty where there is none."""
    from vtkmodules.vtkCommonCore import reference

    value = reference("")
    return str(value) if segment.GetTag(name, value) else ""


def set_tag(segment: Any, name: str, value: str) -> None:
    """Set a tag; the segment counts as modified only if its value is new."""
    if tag(segment, name) != value:
        segment.SetTag(name, value)
