"""From voxels that a hand has changed to the records that follow: edited, added, erased, restored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.lesions.find import remeasure
from HNTargetSegLib.lesions.lesion import MAXIMUM_ID, Bounds, Lesion, LesionSet, Origin, Side, State
from HNTargetSegLib.lesions.match import rejudged
from HNTargetSegLib.lesions.names import free_name
from HNTargetSegLib.lesions.side import grid_midline
from HNTargetSegLib.review.proposed import ProposedLesion
from HNTargetSegLib.review.visit import VisitReview

_MEASURES = ("side", "voxels", "volume_cc", "long_mm", "short_mm", "centroid", "box")


@dataclass(frozen=True)
class Drawn:
    """A lesion that a hand began: its label, and its name where one was given."""

    label: Target
    name: str = ""


def after_edit(
    review: VisitReview, ids: np.ndarray, drawn: Mapping[int, Drawn], *, midline_mm: float | None = None
) -> tuple[VisitReview, tuple[int, ...]]:
    """The review once its lesion-id map has been changed by hand.

    Lesions whose voxels have changed become ``edited`` (those drawn by hand stay ``added``), new ids ``added``, ids
    with no voxel left are retired. A lesion that has the voxels of the model's proposal again counts as untouched, and
    as undecided where it was edited. Nobody decides about a lesion by drawing another one over it, nor takes a
    rejection back by taking voxels away: such lesions stay undecided or rejected.

    Parameters
    ----------
    review
        As it was.
    ids
        Lesion-id map now, uint16, shape of the image.
    drawn
        Label and name by id of lesions that are new; others are ignored.
    midline_mm
        LPS x of the mid-sagittal plane.

    Returns
    -------
    VisitReview, tuple of int
        The review now, and the ids whose voxels have changed, were added or are gone.

    Raises
    ------
    BadInputError
        If the map holds an id that is neither known nor in ``drawn``.
    """
    before = review.lesions
    image = review.image.image
    was = np.zeros_like(ids) if before is None else before.ids.array
    different = np.nonzero(was != ids)
    changed = {int(value) for value in np.union1d(was[different], ids[different])} - {0}
    if not changed:
        return review, ()
    known = {lesion.id: lesion for lesion in (*review.retired, *review.records)}
    known |= _begun(drawn, changed - known.keys(), known.values())
    measured = _measured(image.with_array(ids), changed, different, known, midline_mm)
    proposed = review.proposed
    back = {i for i in changed & proposed.keys() if _has_voxels_of(ids, proposed[i])}
    stroke = _stroke(was[different], ids[different])
    followed = [
        _followed(known[new.id], new, proposed[new.id].lesion if new.id in back else None, stroke) for new in measured
    ]
    others = [lesion for lesion in review.records if lesion.voxels and lesion.id not in changed]
    present = {lesion.id for lesion in (*others, *followed)}
    vanished = [lesion for lesion in review.records if not lesion.voxels and lesion.id not in present]
    named = _named_apart(followed, (*others, *vanished), {lesion.id for lesion in review.records})
    lesions = sorted((*others, *named), key=lambda lesion: lesion.id)
    gone = [known[i] for i in known.keys() - present if known[i].voxels]
    now = LesionSet(image.with_array(ids), tuple(lesions + vanished))
    touched = ((review.touched | changed) - back) & present
    return replace(review, lesions=now, touched=touched, retired=tuple(gone)), tuple(sorted(changed))


@dataclass(frozen=True)
class _Stroke:
    """Ids of lesions that have got voxels, and of those that have lost some to the background."""

    gained: frozenset[int]
    erased: frozenset[int]


def _stroke(was: np.ndarray, now: np.ndarray) -> _Stroke:
    """What was done to which lesion, of the ids before and now of the voxels that differ."""
    gained, erased = (frozenset(np.unique(some).tolist()) - {0} for some in (now, was[now == 0]))
    return _Stroke(gained, erased)


def _named_apart(followed: Iterable[Lesion], others: Iterable[Lesion], listed: set[int]) -> list[Lesion]:
    """Changed lesions; one that an undo has brought back gets another name where its own was given away meanwhile."""
    followed = list(followed)
    taken = {lesion.name for lesion in (*others, *(lesion for lesion in followed if lesion.id in listed))}
    named = []
    for lesion in followed:
        name = lesion.name
        if lesion.id not in listed:
            name = free_name(lesion.label, taken) if name in taken else name
            taken.add(name)
        named.append(replace(lesion, name=name))
    return named


def _begun(drawn: Mapping[int, Drawn], new: set[int], known: Iterable[Lesion]) -> dict[int, Lesion]:
    """Records of lesions that were drawn from nothing, to be measured."""
    taken = {lesion.name for lesion in known}
    begun = {}
    for lesion_id in sorted(new & drawn.keys()):
        label, name = drawn[lesion_id].label, drawn[lesion_id].name
        name = name if name and name not in taken else free_name(label, taken)
        taken.add(name)
        begun[lesion_id] = Lesion(
            lesion_id,
            label,
            name,
            Side.MIDLINE,
            1,
            0.0,
            0.0,
            0.0,
            (0.0, 0.0, 0.0),
            ((0, 1), (0, 1), (0, 1)),
            state=State.ADDED,
            origin=Origin.HAND,
        )
    return begun


def _measured(
    ids: Volume,
    changed: set[int],
    different: tuple[np.ndarray, ...],
    known: Mapping[int, Lesion],
    midline_mm: float | None,
) -> list[Lesion]:
    """Changed lesions measured again, inside the box of what they were and of the voxels that differ.

    All others are as they were, and a stroke of the brush is not to wait for the whole map.
    """
    some = [known[i] for i in changed & known.keys()]
    # A lesion that was just begun has no box yet.
    boxes = [lesion.box for lesion in some if lesion.volume_cc]
    boxes.append(tuple((int(axis.min()), int(axis.max()) + 1) for axis in different))  # type: ignore[arg-type]
    low, high = np.array(boxes)[..., 0].min(axis=0), np.array(boxes)[..., 1].max(axis=0)
    part = ids.array[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    x, y, z = (float(value) for value in ids.geometry.to_lps(low))
    k, j, i = part.shape
    geometry = replace(ids.geometry, size=(i, j, k), origin=(x, y, z))
    table: np.ndarray = np.zeros(MAXIMUM_ID + 1, np.uint16)
    table[list(changed)] = list(changed)
    midline = grid_midline(ids.geometry) if midline_mm is None else midline_mm
    found = remeasure(Volume(table[part], geometry, ids.name), some, midline_mm=midline)
    return [replace(lesion, box=_shifted(lesion.box, low)) for lesion in found]


def _shifted(box: Bounds, by: np.ndarray) -> Bounds:
    k, j, i = ((start + int(n), stop + int(n)) for (start, stop), n in zip(box, by, strict=True))
    return k, j, i


def _has_voxels_of(ids: np.ndarray, proposed: ProposedLesion) -> bool:
    lesion = proposed.lesion
    # The count of the whole map: voxels outside the proposal's box would be missed inside it.
    return (
        bool(lesion.voxels)
        and np.array_equal(ids[lesion.slices] == lesion.id, proposed.mask)
        and (int(np.count_nonzero(ids == lesion.id)) == lesion.voxels)
    )


def _followed(old: Lesion, new: Lesion, proposed: Lesion | None, stroke: _Stroke) -> Lesion:
    """What was known about a lesion with its new measures; ``proposed`` where it is as the model left it."""
    measured = replace(old, **{field: getattr(new, field) for field in _MEASURES})
    if proposed is None:
        return rejudged(replace(measured, p_mean=None, p_max=None, state=_state_after(old, stroke)))
    state = State.PROPOSED if old.state is State.EDITED else old.state
    # The model's probability is that of the label that it gave.
    p_mean, p_max = (proposed.p_mean, proposed.p_max) if proposed.label is old.label else (None, None)
    return rejudged(replace(measured, p_mean=p_mean, p_max=p_max, state=state))


def _state_after(old: Lesion, stroke: _Stroke) -> State:
    gained, erased = old.id in stroke.gained, old.id in stroke.erased
    if old.state is State.REJECTED and not gained:
        return State.REJECTED
    if old.state is State.PROPOSED and not gained and not erased:
        return State.PROPOSED
    return State.ADDED if old.origin is Origin.HAND else State.EDITED
