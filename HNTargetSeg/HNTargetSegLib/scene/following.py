"""What a hand has changed in the segments, told to the session: voxels, new and lost segments, names, kinds."""

from __future__ import annotations

import re

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.errors import TargetSegError
from HNTargetSegLib.review.change import Level
from HNTargetSegLib.review.edits import Drawn
from HNTargetSegLib.review.prompted import with_later_verdicts
from HNTargetSegLib.review.session import ReviewSession
from HNTargetSegLib.review.verdicts import LONGEST_NAME
from HNTargetSegLib.scene import tags
from HNTargetSegLib.scene.numbering import free_id
from HNTargetSegLib.scene.reading import Reading
from HNTargetSegLib.scene.terminology import label_of_entry, label_of_name
from HNTargetSegLib.scene.visit_nodes import VisitNodes

_GIVEN_BY_SLICER = re.compile(r"Segment[_ ]?\d+|Neoplasm, (Primary|Secondary)([_ ]\d+)?")


def follow(session: ReviewSession, nodes: VisitNodes, *, undone: bool = False) -> tuple[int, ...]:
    """Read the segments of a visit into the session.

    Parameters
    ----------
    undone
        Whether an undo or redo of ours has just brought them back.

    Returns
    -------
    tuple of int
        Lesion ids whose voxels differ.

    Raises
    ------
    BadInputError, GeometryError
        As :func:`HNTargetSegLib.scene.reading.read_segments`; the session is as it was.
    """
    visit = nodes.visit
    changed: tuple[int, ...] = ()
    if undone or nodes.changed:
        reading = nodes.read()
        _put_back(session, nodes, reading, undone)
        drawn, unclear = _number_new(session, nodes, reading)
        changed = session.take_voxels(visit, reading.ids(nodes.lesions), drawn)
        _say_what_was_done(session, nodes, reading, unclear)
    else:
        _follow_visibility(session, nodes)
    for name in nodes.number():
        _follow_words(session, nodes, name)
    nodes.refresh(session.visits[visit])
    nodes.mark_seen()
    return changed


def _put_back(session: ReviewSession, nodes: VisitNodes, reading: Reading, undone: bool) -> None:
    """Go back to the review of another proposal, where the segments are those of another."""
    nodes.number()
    run = nodes.run_of_segments()
    if undone and not reading.filled:
        run = nodes.history.empty_before or run
    review = nodes.history.change_run(run, session.require(nodes.visit)) if run else None
    if review is not None:
        session.put_back(nodes.visit, with_later_verdicts(review, session.require(nodes.visit)))


def _number_new(session: ReviewSession, nodes: VisitNodes, reading: Reading) -> tuple[dict[int, Drawn], dict[int, str]]:
    """Give new segments their lesion ids; returns what is known of them, and names of those whose kind is a guess."""
    review = session.require(nodes.visit)
    known = {lesion.id for lesion in (*review.records, *review.retired)}
    drawn: dict[int, Drawn] = {}
    unclear: dict[int, str] = {}
    for name in reading.names:
        if name not in reading.filled or nodes.lesions.get(name) in known:
            continue
        if name not in nodes.lesions:
            nodes.lesions[name] = free_id(review, nodes.lesions.values())
        segment = nodes.segment(name)
        said = segment.GetName() or ""
        label = label_of_entry(tags.tag(segment, tags.TERMINOLOGY)) or label_of_name(said)
        if label is None:
            unclear[nodes.lesions[name]] = said
        drawn[nodes.lesions[name]] = Drawn(label or Target.LN, _usable(said))
    return drawn, unclear


def _usable(name: str) -> str:
    """A name that a person has given and that DICOM allows; empty otherwise."""
    name = name.strip()
    given = not _GIVEN_BY_SLICER.fullmatch(name)
    return name if given and len(name) <= LONGEST_NAME and name.isprintable() and "\\" not in name else ""


def _follow_words(session: ReviewSession, nodes: VisitNodes, name: str) -> None:
    """Follow the name and the kind that were changed in one of Slicer's own tables."""
    segment = nodes.segment(name)
    said = tags.written(segment)
    review = session.require(nodes.visit)
    lesion = next((lesion for lesion in review.records if lesion.id == nodes.lesions[name]), None)
    if said is None or lesion is None or said.lesion != lesion.id:
        return
    label = label_of_entry(tags.tag(segment, tags.TERMINOLOGY))
    try:
        if label is not None and label not in (said.label, lesion.label):
            # Slicer names a segment after the kind that is chosen for it: that name is not the user's.
            session.relabel(nodes.visit, lesion.id, label)
        elif segment.GetName() not in (said.name, lesion.name):
            session.rename(nodes.visit, lesion.id, segment.GetName() or "")
    except TargetSegError as error:
        session.tell_user(error)


def _follow_visibility(session: ReviewSession, nodes: VisitNodes) -> None:
    """Follow the eyes of Slicer's table; segments that an undo has brought back have forgotten theirs."""
    hidden = session.require(nodes.visit).hidden
    shown = {number: bool(nodes.display.GetSegmentVisibility(name)) for name, number in nodes.lesions.items()}
    present = {lesion.id for lesion in session.lesions(nodes.visit)}
    for wanted in (True, False):
        differ = [n for n, seen in shown.items() if seen is wanted and (n in hidden) is wanted and n in present]
        if differ:
            session.set_shown(nodes.visit, differ, wanted)


def _say_what_was_done(session: ReviewSession, nodes: VisitNodes, reading: Reading, unclear: dict[int, str]) -> None:
    names = {lesion.id: lesion.name for lesion in session.lesions(nodes.visit)}
    for number, said in unclear.items():
        session.say(
            Level.WARNING,
            f"The segment '{said}' does not say what it is: it is taken for a lymph node ({names.get(number)}).",
            "Change it in the lesion table if it is a primary tumour.",
        )
    if reading.overlap and reading.overlap != nodes.overlap:
        session.say(
            Level.WARNING,
            f"Segments of the {nodes.visit.title} visit overlap in {reading.overlap} voxels: these count for the one "
            "that stands later in the list.",
        )
    if reading.outside and reading.outside != nodes.outside:
        session.say(Level.WARNING, f"{reading.outside} voxels beyond the {nodes.visit.title} image are left out.")
    nodes.overlap, nodes.outside = reading.overlap, reading.outside
