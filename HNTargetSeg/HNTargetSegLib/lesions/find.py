"""From a map of labels to lesions: numbered, named, measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import numpy as np

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.components.find import Component, Connectivity, find_components, measure
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.lesions.lesion import MAXIMUM_ID, Bounds, Lesion, LesionSet, Origin, Slices
from HNTargetSegLib.lesions.side import grid_midline, side_of

Probability = Callable[[Target, Slices], "np.ndarray | None"]
"""Model's probability of a label inside a box (slices in array order), shape of the box; None where there is none."""


def array_probability(arrays: Mapping[Target, np.ndarray]) -> Probability:
    """Look probabilities up in whole arrays, shape (k, j, i), one a label."""

    def look_up(label: Target, box: Slices) -> np.ndarray | None:
        return arrays[label][box] if label in arrays else None

    return look_up


def find_lesions(
    labels: Volume,
    probability: Probability | None = None,
    *,
    minimum_cc: float = 0.0,
    connectivity: Connectivity | int = Connectivity.CORNERS,
    midline_mm: float | None = None,
    origin: Origin = Origin.MODEL,
) -> LesionSet:
    """Connected components of each label as lesions.

    Ids count from 1 through the primary tumours, then the nodes, each by volume descending. A single primary tumour
    is GTVp, several are GTVp1, GTVp2...; nodes are always numbered, GTVn1 being the largest.

    Parameters
    ----------
    labels
        Whole numbers 0 (background), 1 (PT), 2 (LN).
    probability
        Where ``p_mean`` and ``p_max`` come from; asked once a lesion, for its bounding box.
    minimum_cc
        Lesions below this volume are left out of list and map; 0 keeps all.
    connectivity
        6, 18 or 26 neighbours.
    midline_mm
        LPS x of the mid-sagittal plane, see :func:`~HNTargetSegLib.lesions.side.body_midline`; without it the middle of the grid.
    origin
        Who drew them.

    Returns
    -------
    LesionSet
        On the grid of ``labels``.

    Raises
    ------
    BadInputError
        If the map holds anything but 0, 1 and 2, or more than 65535 lesions.
    """
    _require_labels(labels)
    middle = grid_midline(labels.geometry) if midline_mm is None else midline_mm
    ids = np.zeros(labels.array.shape, np.uint16)
    lesions: list[Lesion] = []
    for label in Target:
        components = find_components(
            labels.array == label, labels.geometry, connectivity=connectivity, minimum_cc=minimum_cc
        )
        if len(lesions) + len(components) > MAXIMUM_ID:
            raise BadInputError(
                f"The label map holds more than {MAXIMUM_ID} separate pieces",
                path=labels.name,
                remedy="Check that it is a segmentation, or ask for a minimum volume",
            )
        for number, component in enumerate(components, start=1):
            lesion_id = len(lesions) + 1
            ids[component.box][component.mask] = lesion_id
            name = structure_name(label, number, alone=len(components) == 1)
            lesions.append(_lesion(lesion_id, label, name, component, middle, probability, origin))
    return LesionSet(labels.with_array(ids), tuple(lesions))


def structure_name(label: Target, number: int, *, alone: bool) -> str:
    """TG-263 name of a lesion; a primary tumour that is alone carries no number."""
    return label.structure_name if label is Target.PT and alone else f"{label.structure_name}{number}"


def remeasure(
    ids: Volume,
    known: Iterable[Lesion],
    probability: Probability | None = None,
    *,
    midline_mm: float | None = None,
) -> LesionSet:
    """Measure known lesions again on a changed or moved lesion-id map.

    Used after edits, and for the lesions of one visit on the grid of another. Id, name, label, state, origin and the
    match to the prior visit stay; size, place and probabilities are new. Lesions with no voxel in the map are left out.

    Parameters
    ----------
    ids
        Whole numbers from 0 to 65535; each id but 0 is one of ``known``.
    known
        Lesions to look for.
    probability, midline_mm
        As in :func:`find_lesions`; without ``probability`` both figures are None.

    Raises
    ------
    BadInputError
        If the map holds an id that is not known, or numbers that are no ids.
    """
    array = _as_ids(ids)
    middle = grid_midline(ids.geometry) if midline_mm is None else midline_mm
    present = set(np.flatnonzero(np.bincount(array.ravel())).tolist()) - {0}
    lesions = []
    boxes = _boxes(array)
    for old in sorted(known, key=lambda lesion: lesion.id):
        if old.id not in present:
            continue
        box = boxes[old.id]
        component = measure(array[box] == old.id, ids.geometry, box)
        assert component is not None  # noqa: S101  # present says that there are voxels
        new = _lesion(old.id, old.label, old.name, component, middle, probability, old.origin)
        kept = {"state": old.state, "prior_ids": old.prior_ids, "prior_cc": old.prior_cc}
        lesions.append(replace(new, **kept))
    if unknown := present - {lesion.id for lesion in lesions}:
        raise BadInputError(f"The lesion-id map holds ids that no lesion has: {sorted(unknown)}", path=ids.name)
    return LesionSet(ids.with_array(array), tuple(lesions))
