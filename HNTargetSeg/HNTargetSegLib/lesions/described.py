"""What is said of a lesion in a sentence of a DICOM object, and read back from it."""

from __future__ import annotations

import re

from HNTargetSegLib.lesions.lesion import Lesion, Origin, State

_UNDECIDED = "not reviewed"
_END = "research use only"
_DESCRIPTION = re.compile(rf"(?:[A-Za-z ]+), (?:[a-z]+), (?P<said>[a-z ]+), {_END}")


def description(lesion: Lesion) -> str:
    """What was said about a lesion, for ROIDescription (3006,0028) and SegmentDescription (0062,0006)."""
    said = _UNDECIDED if lesion.state is State.PROPOSED else lesion.state.value
    return f"{lesion.label.title}, {lesion.side.value}, {said}, {_END}"


def state_described(text: str) -> State | None:
    """State that a :func:`description` names; None for the words of another system."""
    found = _DESCRIPTION.fullmatch(text.strip())
    if found is None:
        return None
    said = found["said"]
    return State.PROPOSED if said == _UNDECIDED else next((state for state in State if state.value == said), None)


def origin_made(made: str, state: State | None) -> Origin:
    """Who drew a structure first, by its generation algorithm (AUTOMATIC, SEMIAUTOMATIC, MANUAL; else a hand)."""
    if made == "AUTOMATIC" or (made == "SEMIAUTOMATIC" and state is State.EDITED):
        return Origin.MODEL
    return Origin.PROMPT if made == "SEMIAUTOMATIC" else Origin.HAND
