"""From the answer to a prompt to the lesions of the visit: what is replaced, what is new, what stays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.lesions.find import remeasure
from HNTargetSegLib.lesions.lesion import MAXIMUM_ID, Bounds, Lesion, LesionSet, Origin, Side, State
from HNTargetSegLib.lesions.match import rejudged
from HNTargetSegLib.lesions.names import free_name
from HNTargetSegLib.lesions.side import grid_midline
from HNTargetSegLib.prompts.answer import Answer
from HNTargetSegLib.prompts.prompt import Kind, Slices

FINISHED = (State.ACCEPTED, State.EDITED, State.ADDED)
"""States of lesions that no prompt touches."""

_MEANT = 0.5
"""Share of a lesion's voxels from which on a box that says "nothing here" means all of it."""


@dataclass(frozen=True, eq=False)
class Applied:
    """Lesions after a prompt.

    Attributes
    ----------
    lesions
        On the grid of the image.
    drawn
        Ids of the lesions that the prompt has drawn, or drawn anew.
    changed
        Ids of all lesions whose voxels differ, and of those that are gone.
    region
        Slices (k, j, i) outside of which the map is as it was: the reach.
    notes
        What the user should know, in sentences.
    """

    lesions: LesionSet
    drawn: tuple[int, ...]
    changed: tuple[int, ...]
    region: Slices
    notes: tuple[str, ...] = ()


def applied(
    lesions: LesionSet, answer: Answer, *, used: Iterable[int] = (), midline_mm: float | None = None
) -> Applied:
    """Put the answer to a prompt into the lesions.

    Nothing outside the reach changes, and no voxel of an accepted, edited or added lesion. Undecided lesions that have
    voxels in the box are replaced inside the reach; if one of the same label is replaced altogether, the new lesion is
    that one again and keeps its name and its match to the prior visit. A box that names the label draws one lesion, one
    that leaves it open one for each connected piece. Where nothing was found nothing changes. "Nothing here" takes
    undecided lesions out of the box, and all that they have in the reach where at least half of them lies in the box.

    Parameters
    ----------
    used
        Ids that no new lesion may have, such as those of lesions that were erased.
    midline_mm
        LPS x of the mid-sagittal plane.

    Raises
    ------
    BadInputError
        If there are more lesions than a map can number.
    """
    region = answer.extent.reach
    before = lesions.ids.array[region]
    finished = [lesion.id for lesion in lesions if lesion.state in FINISHED]
    kept = np.isin(before, finished)
    notes: tuple[str, ...] = ()
    if answer.prompt.kind is Kind.NOTHING:
        after = _emptied(lesions, answer, before, kept)
        new: dict[int, Lesion] = {}
    else:
        labels = np.where(kept, 0, answer.labels)
        if answer.labels.any() and not labels.any():
            notes = ("All that was found belongs to accepted lesions",)
        after, new = _drawn(lesions, answer, before, kept, labels, used)
    different = before != after
    changed = sorted({int(x) for x in np.union1d(before[different], after[different])} - {0} | new.keys())
    if not changed:
        return Applied(lesions, (), (), region, notes)
    ids = lesions.ids.array.copy()
    ids[region] = after
    now = _measured(lesions, lesions.ids.with_array(ids), answer, changed, new, midline_mm)
    return Applied(now, tuple(sorted(new)), tuple(changed), region, notes)


def _emptied(lesions: LesionSet, answer: Answer, before: np.ndarray, kept: np.ndarray) -> np.ndarray:
    after = before.copy()
    box = answer.extent.box_in_reach
    for lesion in lesions:
        if lesion.state is not State.PROPOSED or not lesion.voxels:
            continue
        inside = int(np.count_nonzero(before[box] == lesion.id))
        if inside >= _MEANT * lesion.voxels:
            after[before == lesion.id] = 0
        elif inside:
            part = after[box]
            part[part == lesion.id] = 0
    after[kept] = before[kept]
    return after


def _drawn(
    lesions: LesionSet, answer: Answer, before: np.ndarray, kept: np.ndarray, labels: np.ndarray, used: Iterable[int]
) -> tuple[np.ndarray, dict[int, Lesion]]:
    """The map of the reach with what was found, and the lesions in it by id, still to be measured."""
    if not labels.any():
        return before, {}
    in_box = set(np.unique(before[answer.extent.box_in_reach]).tolist())
    replaced = [x for x in lesions if x.state is State.PROPOSED and x.voxels and x.id in in_box]
    after = np.where(np.isin(before, [x.id for x in replaced]) & ~kept, 0, before)
    whole = [x for x in replaced if int(np.count_nonzero(before == x.id)) == x.voxels]
    taken = {x.name for x in lesions}
    next_id = max((*(x.id for x in lesions), *used, 0)) + 1
    new: dict[int, Lesion] = {}
    for mask in _pieces(labels, one=answer.prompt.kind is not Kind.AGAIN):
        again = _again(whole, before, mask, labels)
        if again is not None:
            whole.remove(again)
            lesion = replace(again, origin=Origin.PROMPT)
        else:
            lesion = _begun(next_id, int(labels[mask][0]), taken)
            next_id += 1
        taken.add(lesion.name)
        after[mask] = lesion.id
        new[lesion.id] = lesion
    return after, new


def _pieces(labels: np.ndarray, *, one: bool) -> list[np.ndarray]:
    """Masks of the lesions that were found, the largest first."""
    from scipy import ndimage

    if one:
        return [labels > 0]
    found = []
    for label in np.unique(labels[labels > 0]):
        numbers, count = ndimage.label(labels == label, np.ones((3, 3, 3)))
        found += [numbers == number for number in range(1, count + 1)]
    return sorted(found, key=lambda mask: -int(mask.sum()))


def _again(whole: list[Lesion], before: np.ndarray, mask: np.ndarray, labels: np.ndarray) -> Lesion | None:
    """The lesion that was replaced altogether, has the same label and shares most with the new one."""
    label = int(labels[mask][0])
    shared = {x.id: int(np.count_nonzero(before[mask] == x.id)) for x in whole if x.label == label}
    best = max(shared, key=lambda number: shared[number], default=None)
    return next((x for x in whole if x.id == best and shared[x.id]), None)


def _begun(lesion_id: int, label: int, taken: set[str]) -> Lesion:
    from HNTargetSegLib.case.labels import Target

    if lesion_id > MAXIMUM_ID:
        raise BadInputError(f"More than {MAXIMUM_ID} lesions")
    target, point = Target(label), ((0, 1), (0, 1), (0, 1))
    return Lesion(
        lesion_id,
        target,
        free_name(target, taken),
        Side.MIDLINE,
        *(1, 0.0, 0.0, 0.0, (0.0, 0.0, 0.0), point),
        origin=Origin.PROMPT,
    )


def _measured(
    lesions: LesionSet,
    ids: Volume,
    answer: Answer,
    changed: list[int],
    new: dict[int, Lesion],
    midline_mm: float | None,
) -> LesionSet:
    """All lesions, those that have changed measured again inside the box of what they were and of the reach."""
    known = {lesion.id: lesion for lesion in lesions if lesion.id in changed} | new
    boxes = [lesion.slices for lesion in lesions if lesion.id in changed] + [answer.extent.reach]
    region = _around(boxes)
    offset = [part.start for part in region]
    origin = ids.geometry.to_lps(np.array(offset)).tolist()
    part = np.where(np.isin(ids.array[region], changed), ids.array[region], 0).astype(np.uint16)
    k, j, i = part.shape
    geometry = replace(ids.geometry, size=(i, j, k), origin=(origin[0], origin[1], origin[2]))
    midline = grid_midline(ids.geometry) if midline_mm is None else midline_mm
    found = remeasure(Volume(part, geometry, ids.name), known.values(), midline_mm=midline)
    measured = {x.id: _followed(known[x.id], x, ids, answer, offset, drawn=x.id in new) for x in found}
    others = [x for x in lesions if x.id not in changed and x.voxels]
    vanished = [x for x in lesions if x.id not in changed and not x.voxels]
    present = sorted((*others, *measured.values()), key=lambda lesion: lesion.id)
    return LesionSet(ids, (*present, *vanished))


def _followed(old: Lesion, measured: Lesion, ids: Volume, answer: Answer, offset: list[int], *, drawn: bool) -> Lesion:
    """A lesion with its new measures and all else that was known of it."""
    box = _shifted(measured.box, offset)
    size = {name: getattr(measured, name) for name in ("side", "voxels", "volume_cc", "long_mm", "short_mm")}
    lesion = replace(old, **size, centroid=measured.centroid, box=box, p_mean=None, p_max=None)
    if drawn:
        inside = answer.probability[ids.array[answer.extent.reach] == old.id].astype(np.float32)
        if inside.size:
            lesion = replace(lesion, p_mean=float(inside.mean()), p_max=float(inside.max()))
    return rejudged(lesion)


def _around(boxes: list[Slices]) -> Slices:
    k, j, i = (slice(min(box[axis].start for box in boxes), max(box[axis].stop for box in boxes)) for axis in range(3))
    return k, j, i


def _shifted(box: Bounds, by: list[int]) -> Bounds:
    k, j, i = ((start + n, stop + n) for (start, stop), n in zip(box, by, strict=True))
    return k, j, i
