"""From the review to what the page shows: plain values that can be sent to a browser."""

from __future__ import annotations

from typing import Any

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.lesions.lesion import Fate, Lesion, State
from HNTargetSegLib.review.change import Message
from HNTargetSegLib.review.rows import COLUMNS, sorted_lesions
from HNTargetSegLib.review.segmenting import REGISTER, RunState
from HNTargetSegLib.review.session import ReviewSession

ICONS = {
    State.PROPOSED: "mdi-help-circle-outline",
    State.ACCEPTED: "mdi-check-circle",
    State.EDITED: "mdi-pencil-circle",
    State.REJECTED: "mdi-close-octagon",
    State.ADDED: "mdi-plus-box",
}
"""A shape for each state, so that colour is not needed to tell them apart."""

COLOURS = {
    State.PROPOSED: "warning",
    State.ACCEPTED: "success",
    State.EDITED: "success",
    State.REJECTED: "error",
    State.ADDED: "info",
}

_LEVEL_ICONS = {"info": "mdi-information", "warning": "mdi-alert", "error": "mdi-alert-octagon"}
_STAGES = {
    "": "Starting the worker",
    "register": "Registering the visits",
    "load": "Loading the model",
    "preprocess": "Preparing the image",
    "network": "Running the network",
    "labels": "Making labels",
    "lesions": "Measuring lesions",
}


def column_heads() -> list[dict[str, Any]]:
    """Heads of the lesion table; the state is shown as an icon beside the name."""
    return [{"key": c.key, "title": c.title, "tip": c.tip, "numeric": c.numeric} for c in COLUMNS]


def lesion_rows(session: ReviewSession, key: str = "name", *, descending: bool = False) -> list[dict[str, Any]]:
    """Rows of the lesion table for the active visit, in the order of a column."""
    review = session.visits.get(session.active)
    if review is None:
        return []
    ordered = sorted_lesions(review.records, key, descending=descending)
    return [_row(lesion, shown=lesion.id not in review.hidden) for lesion in ordered]


def _row(lesion: Lesion, *, shown: bool) -> dict[str, Any]:
    return {
        "id": lesion.id,
        "name": lesion.name,
        "label": lesion.label.name,
        "cells": {column.key: column.text(lesion) for column in COLUMNS},
        "icon": ICONS[lesion.state],
        "colour": COLOURS[lesion.state],
        "state": lesion.state.value,
        "fate": "" if lesion.fate is None else lesion.fate.value,
        "fates": [fate.value for fate in Fate if (fate is Fate.VANISHED) == (lesion.voxels == 0)],
        "shown": shown,
        "voxels": lesion.voxels,
        "primary": lesion.label is Target.PT,
    }


def visit_tabs(session: ReviewSession) -> list[dict[str, Any]]:
    """The visits that have an image, with how many of their lesions are to be decided about."""
    return [
        {
            "value": visit.value,
            "title": visit.title,
            "date": review.image.date,
            "image": review.image.image.name,
            "lesions": len(review.records),
            "open": len(review.unreviewed),
            "segmented": review.lesions is not None,
        }
        for visit, review in session.visits.items()
    ]


def run_view(state: RunState) -> dict[str, Any]:
    """Progress of a segmentation: whether one runs, what it does, and percent (-1 where that is not known)."""
    stage = _STAGES.get(state.stage, state.stage)
    if state.cancelling:
        stage = "Stopping"
    of = f"{state.visit.title}: " if state.visit is not None else ""
    steps = f" ({state.done} of {state.total} tiles)" if state.stage == "network" and state.total else ""
    if state.stage == REGISTER and state.total and not state.cancelling:
        steps = f" ({state.done} %)"
    fraction = state.fraction
    return {
        "running": state.running,
        "cancelling": state.cancelling,
        "text": f"{of}{stage}{steps}" if state.running else "",
        "percent": -1 if fraction is None else round(100 * fraction),
    }


def message_item(message: Message, number: int) -> dict[str, Any]:
    """A message with its icon."""
    return {
        "number": number,
        "level": message.level.value,
        "icon": _LEVEL_ICONS[message.level.value],
        "text": message.text,
        "remedy": message.remedy,
    }


def undecided_items(session: ReviewSession, visits: list[Visit]) -> list[dict[str, str]]:
    """Lesions of visits that nobody has decided about, each with the value that confirms it by name."""
    return [
        {"value": f"{visit.value}:{lesion.name}", "title": f"{visit.title}: {lesion.name}"}
        for visit in visits
        if visit in session.visits
        for lesion in session.visits[visit].unreviewed
    ]


def rejected_items(session: ReviewSession, visits: list[Visit]) -> list[str]:
    """Lesions of visits that never leave."""
    return [
        f"{visit.title}: {lesion.name}"
        for visit in visits
        if visit in session.visits
        for lesion in session.visits[visit].rejected
    ]
