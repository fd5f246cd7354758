"""Which lesion of the mid-RT visit is which of the pre-RT visit, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from HNTargetSegLib.lesions.lesion import Fate, Lesion, LesionSet, State
from HNTargetSegLib.lesions.names import next_name

CHANGE_PCT = 25.0
MINIMUM_OVERLAP = 0.1


def match_lesions(
    mid: LesionSet,
    prior: LesionSet | None,
    *,
    native_cc: Mapping[int, float] | None = None,
    change_pct: float = CHANGE_PCT,
    minimum_overlap: float = MINIMUM_OVERLAP,
) -> LesionSet:
    """Match the lesions of the mid-RT visit to those of the pre-RT visit, by overlap after registration.

    The rules are a reconstruction; no guideline fixes them. Two lesions belong together when they have one label and
    share at least ``minimum_overlap`` of the smaller one's voxels. One to one: the volume says whether the lesion has
    shrunk (by more than ``change_pct``), grown (by more than it) or was kept. Merged or split lesions are unsure, and
    prior volume and change are those of the whole group. No prior: new; but unsure if a lesion of the other label was
    there before. Priors that no lesion is matched to are added at the end as vanished, with no voxels.

    A lesion takes over the name of the prior that it overlaps most (the largest piece, if the prior was split), so
    that GTVn2 is the same node at both visits; all others get numbers that the prior visit has not used.

    Parameters
    ----------
    mid
        Lesions of the mid-RT visit.
    prior
        Lesions of the pre-RT visit, registered onto the grid of ``mid``. None where there is no registration:
        then nothing is matched and every fate stays None.
    native_cc
        Volume by lesion id before registration, which changes volumes; without it the registered volumes are compared.
    change_pct
        Largest change in percent, either way, that counts as kept.
    minimum_overlap
        Fraction from 0 to 1; any shared voxel counts at 0.

    Returns
    -------
    LesionSet
        The map of ``mid`` as it was, and new records.

    Raises
    ------
    GeometryError
        If the two maps lie on different grids.
    """
    if prior is None:
        return mid
    mid.ids.require_same_grid(prior.ids)
    before = {lesion.id: lesion for lesion in prior.present}
    now = {lesion.id: lesion for lesion in mid if lesion.voxels}
    volumes = {i: (native_cc or {}).get(i, lesion.volume_cc) for i, lesion in before.items()}
    overlaps = _overlaps(now, mid, before, prior, minimum_overlap)
    rule = _Rule(now, before, volumes, overlaps, change_pct)
    matched = [rule.judged(lesion) for lesion in now.values()]
    linked = {i for lesion in matched for i in lesion.prior_ids}
    named = _renamed(matched, before, overlaps)
    first_free = max(now, default=0) + 1
    gone = [before[i] for i in sorted(before) if i not in linked]
    vanished = [_vanished(lesion, first_free + n, volumes[lesion.id]) for n, lesion in enumerate(gone)]
    return replace(mid, lesions=(*named, *vanished))


def rejudged(lesion: Lesion, *, change_pct: float = CHANGE_PCT) -> Lesion:
    """A lesion matched one to one whose volume has changed: change and fate are made again.

    Pieces of a split or merged group stay as they are: their figures are those of the whole group.
    """
    if lesion.prior_cc is None or lesion.fate not in (Fate.KEPT, Fate.SHRUNK, Fate.GROWN):
        return lesion
    change = round(100.0 * (lesion.volume_cc - lesion.prior_cc) / lesion.prior_cc, 6)
    return replace(lesion, change_pct=change, fate=_fate(change, change_pct))


def _fate(change: float, limit: float) -> Fate:
    if change < -limit:
        return Fate.SHRUNK
    return Fate.GROWN if change > limit else Fate.KEPT


@dataclass(frozen=True)
class _Rule:
    now: Mapping[int, Lesion]
    before: Mapping[int, Lesion]
    volumes: Mapping[int, float]
    overlaps: Mapping[tuple[int, int], int]
    change_pct: float

    def judged(self, lesion: Lesion) -> Lesion:
        """The lesion with its prior, change and fate."""
        mids, priors = self._group(lesion.id)
        if not priors:
            others = [p for m, p in self.overlaps if m == lesion.id]
            fate = Fate.UNSURE if others else Fate.NEW
            return replace(lesion, prior_ids=tuple(sorted(others)), prior_cc=None, change_pct=None, fate=fate)
        before = sum(self.volumes[i] for i in priors)
        after = sum(self.now[i].volume_cc for i in mids)
        # Rounded, so that a change of exactly the limit counts as kept.
        change = round(100.0 * (after - before) / before, 6)
        fate = self._fate(change) if len(mids) == len(priors) == 1 else Fate.UNSURE
        return replace(lesion, prior_ids=tuple(sorted(priors)), prior_cc=before, change_pct=change, fate=fate)

    def _group(self, lesion_id: int) -> tuple[set[int], set[int]]:
        """Lesions and priors of one label that hang together with this lesion."""
        mids, priors = {lesion_id}, set[int]()
        while True:
            links = [pair for pair in self._links() if pair[0] in mids or pair[1] in priors]
            grown = mids | {m for m, _ in links}, priors | {p for _, p in links}
            if grown == (mids, priors):
                return mids, priors
            mids, priors = grown

    def _links(self) -> list[tuple[int, int]]:
        return [(m, p) for m, p in self.overlaps if self.now[m].label is self.before[p].label]

    def _fate(self, change: float) -> Fate:
        return _fate(change, self.change_pct)


def _overlaps(
    now: Mapping[int, Lesion], mid: LesionSet, before: Mapping[int, Lesion], prior: LesionSet, minimum: float
) -> dict[tuple[int, int], int]:
    """Shared voxels by (mid id, prior id), of the pairs that share enough."""
    shared = {}
    for lesion in now.values():
        under = prior.ids.array[lesion.slices][mid.mask(lesion)]
        for prior_id, voxels in enumerate(np.bincount(under)):
            if prior_id not in before or not voxels:
                continue
            if voxels >= minimum * min(lesion.voxels, before[prior_id].voxels):
                shared[lesion.id, prior_id] = int(voxels)
    return shared


def _renamed(
    lesions: list[Lesion], before: Mapping[int, Lesion], overlaps: Mapping[tuple[int, int], int]
) -> list[Lesion]:
    names: dict[int, str] = {}
    by_id = {lesion.id: lesion for lesion in lesions}
    for mid_id, prior_id in sorted(overlaps, key=lambda pair: (-overlaps[pair], pair)):
        name = before[prior_id].name
        if by_id[mid_id].label is before[prior_id].label and mid_id not in names and name not in names.values():
            names[mid_id] = name
    used = {*names.values(), *(lesion.name for lesion in before.values())}
    for lesion in lesions:
        if lesion.id not in names:
            names[lesion.id] = next_name(lesion.label, used)
            used.add(names[lesion.id])
    return [replace(lesion, name=names[lesion.id]) for lesion in lesions]


def _vanished(prior: Lesion, lesion_id: int, volume_cc: float) -> Lesion:
    return replace(
        prior,
        id=lesion_id,
        voxels=0,
        volume_cc=0.0,
        long_mm=0.0,
        short_mm=0.0,
        p_mean=None,
        p_max=None,
        state=State.PROPOSED,
        prior_ids=(prior.id,),
        prior_cc=volume_cc,
        change_pct=-100.0,
        fate=Fate.VANISHED,
    )
