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
        LPS x of the mid-sagittal plane, see :func:`~HNTargetSegLib.lesions.side.body_midline`; without it that of the
        middle of the grid.
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
            labels.array == label,
            labels.geometry,
            connectivity=connectivity,
            minimum_cc=minimum_cc,
            at_most=MAXIMUM_ID - len(lesions),
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

    Used after edits, and for the lesions of one visit on the grid of another. Id, name, label, state and origin stay;
    size, place and probabilities are new; the match to the prior visit, which hangs on the size, is to be made again.
    Lesions with no voxel in the map are left out.

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
    from scipy import ndimage

    array = _as_ids(ids)
    middle = grid_midline(ids.geometry) if midline_mm is None else midline_mm
    boxes = {number: box for number, box in enumerate(ndimage.find_objects(array), start=1) if box is not None}
    by_id = {lesion.id: lesion for lesion in known}
    if unknown := sorted(boxes.keys() - by_id.keys()):
        raise BadInputError(f"The lesion-id map holds ids that no lesion has: {unknown[:10]}", path=ids.name)
    lesions = []
    for lesion_id, box in boxes.items():
        old = by_id[lesion_id]
        component = measure(array[box] == lesion_id, ids.geometry, box)
        if component is not None:
            new = _lesion(lesion_id, old.label, old.name, component, middle, probability, old.origin)
            lesions.append(replace(new, state=old.state))
    return LesionSet(ids.with_array(array), tuple(lesions))


def _lesion(
    lesion_id: int,
    label: Target,
    name: str,
    component: Component,
    midline_mm: float,
    probability: Probability | None,
    origin: Origin,
) -> Lesion:
    inside = None if probability is None else probability(label, component.box)
    values = None if inside is None else inside[component.mask]
    return Lesion(
        id=lesion_id,
        label=label,
        name=name,
        side=side_of(component.centroid[0], midline_mm),
        voxels=component.voxels,
        volume_cc=component.volume_cc,
        long_mm=component.long_mm,
        short_mm=component.short_mm,
        centroid=component.centroid,
        box=_bounds(component.box),
        p_mean=None if values is None else float(values.mean(dtype=np.float64)),
        p_max=None if values is None else float(values.max()),
        origin=origin,
    )


def _bounds(box: Slices) -> Bounds:
    k, j, i = ((int(s.start), int(s.stop)) for s in box)
    return k, j, i


def _require_labels(labels: Volume) -> None:
    array = labels.array
    low, high = labels.intensity_range
    if not (low >= 0 and high <= max(Target)) or (array.dtype.kind == "f" and (array != np.rint(array)).any()):
        raise BadInputError(
            f"A label map with values from {low:g} to {high:g} is not one of 0 (background), 1 (PT) and 2 (LN)",
            path=labels.name,
            remedy="Give a mask with these three whole numbers only",
        )


def _as_ids(ids: Volume) -> np.ndarray:
    low, high = ids.intensity_range
    array: np.ndarray = ids.array.astype(np.uint16)
    if low < 0 or high > MAXIMUM_ID or (ids.array.dtype.kind == "f" and (ids.array != array).any()):
        raise BadInputError(f"A lesion-id map holds whole numbers from 0 to {MAXIMUM_ID}", path=ids.name)
    return array
