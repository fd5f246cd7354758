"""Places that the model was in doubt about: offered for review on request, never part of the segmentation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.components.find import Component, Connectivity, find_components
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.lesions.find import Probability, find_lesions
from HNTargetSegLib.lesions.lesion import Lesion, LesionSet, Slices

_SLAB = 16


def find_candidates(
    found: LesionSet,
    probability: Probability,
    *,
    threshold: float = 0.2,
    minimum_cc: float = 0.0,
    connectivity: Connectivity | int = Connectivity.CORNERS,
    midline_mm: float | None = None,
) -> tuple[Lesion, ...]:
    """Components where p(PT) + p(LN) reaches a low threshold and that hold no voxel of a lesion found.

    A component is taken at the low threshold as a whole, so that the soft rim of a segmented lesion is no candidate.
    Each gets the label whose probability, summed over the component, is larger, and a name of its own ("PT?1",
    "LN?1"...). A reconstruction.

    Parameters
    ----------
    found
        The segmented lesions; stays as it is.
    probability
        Asked for both labels in slabs over the whole grid; where it answers None the probability counts as 0.
    threshold
        Above 0 and below 1.
    minimum_cc, connectivity, midline_mm
        As in :func:`~HNTargetSegLib.lesions.find.find_lesions`.

    Returns
    -------
    tuple of Lesion
        A list of its own with ids of its own; all proposed.

    Raises
    ------
    BadInputError
        If the threshold is out of range.
    """
    if not 0 < threshold < 1:
        raise BadInputError(f"A candidate threshold of {threshold} is not between 0 and 1")
    geometry = found.ids.geometry
    doubtful = _above(threshold, probability, geometry.shape)
    components = find_components(doubtful, geometry, connectivity=connectivity, minimum_cc=minimum_cc)
    labels: np.ndarray = np.zeros(geometry.shape, np.uint8)
    for component in components:
        if not found.ids.array[component.box][component.mask].any():
            labels[component.box][component.mask] = _likelier(component, probability)
    candidates = find_lesions(
        Volume(labels, geometry, found.ids.name), probability, connectivity=connectivity, midline_mm=midline_mm
    )
    return tuple(_as_candidate(lesion, candidates) for lesion in candidates)


def _above(threshold: float, probability: Probability, shape: tuple[int, int, int]) -> np.ndarray:
    # In slabs: two whole float maps of a 512x512x120 volume would take 250 MB.
    above: np.ndarray = np.zeros(shape, bool)
    for start in range(0, shape[0], _SLAB):
        box = (slice(start, min(start + _SLAB, shape[0])), slice(0, shape[1]), slice(0, shape[2]))
        above[box] = sum(_asked(probability, label, box) for label in Target) >= threshold
    return above


def _likelier(component: Component, probability: Probability) -> Target:
    sums = {label: float(_asked(probability, label, component.box)[component.mask].sum()) for label in Target}
    return max(sums, key=lambda label: sums[label])


def _asked(probability: Probability, label: Target, box: Slices) -> np.ndarray:
    answer = probability(label, box)
    if answer is None:
        return np.zeros(tuple(s.stop - s.start for s in box), np.float32)
    return answer.astype(np.float32, copy=False)


def _as_candidate(lesion: Lesion, among: LesionSet) -> Lesion:
    number = 1 + sum(other.label is lesion.label and other.id < lesion.id for other in among)
    return replace(lesion, name=f"{lesion.label.name}?{number}")
