"""Lesions that are under review already, matched to a prior that came after them."""

from __future__ import annotations

from dataclasses import replace

from HNTargetSegLib.lesions.lesion import Lesion, LesionSet
from HNTargetSegLib.lesions.match import match_lesions
from HNTargetSegLib.lesions.names import free_name
from HNTargetSegLib.lesions.registered import RegisteredLesions


def matched_again(lesions: LesionSet, prior: RegisteredLesions | None) -> LesionSet:
    """Match the lesions of the mid-RT visit anew; voxels, ids and verdicts stay.

    A lesion that the reviewer has decided about keeps its name; of the others, one whose prior's name is taken so gets
    a free one. Vanished lesions of the match before go, those of the new one come, unless their name is in use.

    Parameters
    ----------
    lesions
        Of the mid-RT visit.
    prior
        None takes every match away.
    """
    present = tuple(lesion for lesion in lesions if lesion.voxels)
    if prior is None:
        return replace(lesions, lesions=tuple(map(_unmatched, present)))
    found = match_lesions(replace(lesions, lesions=present), prior.lesions, native_cc=prior.native_cc)
    before = {lesion.id: lesion for lesion in present}
    decided = {lesion.id: lesion.name for lesion in present if lesion.state.reviewed}
    taken, named = set(decided.values()), list[Lesion]()
    others = {lesion.name for lesion in found}
    for lesion in found:
        if lesion.id in decided:
            named.append(replace(lesion, name=decided[lesion.id]))
        elif lesion.name not in taken:
            named.append(lesion)
        elif lesion.id in before:
            named.append(replace(lesion, name=free_name(lesion.label, taken | others)))
        else:
            continue
        taken.add(named[-1].name)
    return replace(lesions, lesions=tuple(named))


def _unmatched(lesion: Lesion) -> Lesion:
    return replace(lesion, prior_ids=(), prior_cc=None, change_pct=None, fate=None)
