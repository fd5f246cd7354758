"""One name for one lesion: a registered delineation named after the native one that it came from."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.lesions.lesion import Lesion, LesionSet
from HNTargetSegLib.lesions.names import free_name

FARTHEST_MM = 20.0
"""Lesions that stay farther apart than this, once both visits lie on each other, are not taken for one."""


def named_after(registered: LesionSet, native: LesionSet) -> LesionSet:
    """Give lesions of a registered map the names of the native lesions that they are.

    For delineations that were registered elsewhere, of which no transform is known: their lesions are numbered by
    volume, which registration changes. Of all shifts that put one registered on one native lesion, the one counts under
    which most lesions of a label find a partner within ``FARTHEST_MM``, each its own and the sum of distances smallest.
    A lesion without a partner gets a name that neither visit has. A reconstruction.

    Parameters
    ----------
    registered
        Lesions on the grid of the later visit.
    native
        Lesions of the earlier visit, on its own grid.

    Returns
    -------
    LesionSet
        ``registered`` with other names; ids and voxels as they were.
    """
    before = [lesion for lesion in native if lesion.voxels]
    now = [lesion for lesion in registered if lesion.voxels]
    partners = _best_partners(now, before)
    taken = {lesion.name for lesion in native}
    names: dict[int, str] = {}
    for lesion in now:
        name = partners[lesion.id].name if lesion.id in partners else free_name(lesion.label, taken)
        taken.add(name)
        names[lesion.id] = name
    return replace(
        registered, lesions=tuple(replace(lesion, name=names.get(lesion.id, lesion.name)) for lesion in registered)
    )


def without_names(lesions: LesionSet, taken: Collection[str]) -> LesionSet:
    """Give lesions whose names belong to lesions of another visit the next free names."""
    used = {*taken, *(lesion.name for lesion in lesions)}
    renamed = []
    for lesion in lesions:
        if lesion.name in taken:
            renamed.append(replace(lesion, name=free_name(lesion.label, used)))
            used.add(renamed[-1].name)
    return lesions.with_lesions(*renamed)


def _best_partners(now: list[Lesion], before: list[Lesion]) -> dict[int, Lesion]:
    """Native partner by registered id, under the shift that explains most."""
    best: dict[int, Lesion] = {}
    score = (0, 0.0)
    for anchor in now:
        for old in before:
            if old.label is not anchor.label:
                continue
            shift = np.subtract(old.centroid, anchor.centroid)
            found, distance = _partners(now, before, shift)
            if (len(found), -distance) > score or not best:
                best, score = found, (len(found), -distance)
    return best


def _partners(now: list[Lesion], before: list[Lesion], shift: np.ndarray) -> tuple[dict[int, Lesion], float]:
    from scipy.optimize import linear_sum_assignment

    found: dict[int, Lesion] = {}
    total = 0.0
    for label in Target:
        rows = [lesion for lesion in now if lesion.label is label]
        columns = [lesion for lesion in before if lesion.label is label]
        if not rows or not columns:
            continue
        places = np.array([lesion.centroid for lesion in rows]) + shift
        distances = np.linalg.norm(places[:, None] - np.array([lesion.centroid for lesion in columns])[None], axis=2)
        # A pair that is too far apart costs the same however far it is: it must not push others out of place.
        for row, column in zip(*linear_sum_assignment(np.minimum(distances, FARTHEST_MM)), strict=True):
            if distances[row, column] < FARTHEST_MM:
                found[rows[row].id] = columns[column]
                total += float(distances[row, column])
    return found, total
