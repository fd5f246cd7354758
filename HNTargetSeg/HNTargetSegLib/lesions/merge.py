"""A new proposal beside what a reviewer has finished: nothing finished is touched."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.lesions.find import remeasure
from HNTargetSegLib.lesions.lesion import MAXIMUM_ID, Lesion, LesionSet, State
from HNTargetSegLib.lesions.match import MINIMUM_OVERLAP
from HNTargetSegLib.lesions.names import free_name

_FINISHED = (State.ACCEPTED, State.EDITED, State.ADDED)


def merge_proposal(reviewed: LesionSet | None, proposal: LesionSet) -> LesionSet:
    """Put a new run's lesions beside the accepted, edited and added ones of an earlier run.

    Finished lesions keep id, name, voxels and state. A proposed lesion of the same label that shares at least
    ``MINIMUM_OVERLAP`` of the smaller one's voxels with a finished one is that lesion again and is left out; from
    all others the finished lesions' voxels are taken. Vanished lesions of the new run stay, unless a finished one has
    the name. Proposed and rejected lesions of the earlier run are gone.

    Parameters
    ----------
    reviewed
        Lesions of the earlier run; None where there was none.
    proposal
        Lesions of the new run, on the same grid.

    Raises
    ------
    GeometryError
        If the two lie on different grids.
    BadInputError
        If there are more lesions than a map can number.
    """
    finished = [] if reviewed is None else [lesion for lesion in reviewed.present if lesion.state in _FINISHED]
    if reviewed is None or not finished:
        return proposal
    reviewed.ids.require_same_grid(proposal.ids)
    ids = _only(reviewed, finished)
    new = [lesion for lesion in proposal if lesion.voxels and not _is_again(lesion, proposal, ids, finished)]
    first = max(lesion.id for lesion in finished) + 1
    if first + len(proposal) > MAXIMUM_ID:
        raise BadInputError(f"More than {MAXIMUM_ID} lesions", path=proposal.ids.name)
    numbered = {first + n: lesion for n, lesion in enumerate(new)}
    for lesion_id, lesion in numbered.items():
        inside = ids[lesion.slices]
        inside[proposal.mask(lesion) & (inside == 0)] = lesion_id
    named = _named(_measured(proposal, ids, numbered), finished)
    vanished = _vanished(proposal, {lesion.name for lesion in (*finished, *named)}, first + len(new))
    return LesionSet(reviewed.ids.with_array(ids), (*finished, *named, *vanished))


def _only(lesions: LesionSet, kept: Iterable[Lesion]) -> np.ndarray:
    """The lesion-id map with some lesions alone, a copy."""
    ids = np.zeros_like(lesions.ids.array)
    for lesion in kept:
        ids[lesion.slices][lesions.mask(lesion)] = lesion.id
    return ids


def _is_again(lesion: Lesion, proposal: LesionSet, ids: np.ndarray, finished: Iterable[Lesion]) -> bool:
    shared = np.bincount(ids[lesion.slices][proposal.mask(lesion)], minlength=MAXIMUM_ID + 1)
    return any(
        old.label is lesion.label and shared[old.id] >= max(1, MINIMUM_OVERLAP * min(old.voxels, lesion.voxels))
        for old in finished
    )


def _measured(proposal: LesionSet, ids: np.ndarray, numbered: dict[int, Lesion]) -> list[Lesion]:
    """New lesions measured without the voxels that others hold; probabilities are those of the whole lesion."""
    alone = np.where(ids >= min(numbered, default=MAXIMUM_ID), ids, 0).astype(np.uint16)
    known = [replace(lesion, id=lesion_id) for lesion_id, lesion in numbered.items()]
    measured = remeasure(proposal.ids.with_array(alone), known)
    return [
        replace(lesion, side=was.side, p_mean=was.p_mean, p_max=was.p_max)
        for lesion in measured
        for was in (numbered[lesion.id],)
    ]


def _named(lesions: Iterable[Lesion], finished: Iterable[Lesion]) -> list[Lesion]:
    taken = {lesion.name for lesion in finished}
    named = []
    for lesion in lesions:
        name = lesion.name if lesion.name not in taken else free_name(lesion.label, taken)
        taken.add(name)
        named.append(replace(lesion, name=name))
    return named


def _vanished(proposal: LesionSet, taken: set[str], first: int) -> list[Lesion]:
    gone = [lesion for lesion in proposal if not lesion.voxels and lesion.name not in taken]
    return [replace(lesion, id=first + number) for number, lesion in enumerate(gone)]
