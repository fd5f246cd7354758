"""Boxes round the lesions of a prior delineation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.prior.options import Margin

Slices = tuple[slice, slice, slice]


PUBLISHED_TRAINING_MARGIN = (4, 7)
"""Range that the method's code draws from (its paper says 2 to 6 voxels)."""


@dataclass(frozen=True)
class PriorBox:
    """A box round one prior lesion: its label and its slices in array order (k, j, i)."""

    label: Target
    slices: Slices


def prior_boxes(
    prior: np.ndarray, margin: Margin | None = None, rng: np.random.Generator | None = None
) -> tuple[PriorBox, ...]:
    """Box round each connected lesion of a prior delineation, clipped to the image.

    Parameters
    ----------
    prior
        Map of labels on the grid of the image that the boxes are for: 0, 1 (PT), 2 (LN); shape (k, j, i).
    margin
        How far they reach; 5 voxels by default.
    rng
        Source of drawn margins; without one they are fixed even where ``margin`` has a range.

    Returns
    -------
    tuple of PriorBox
        Primary tumours first, then nodes, each in the order of their first voxel; faces join voxels, as in the
        method's code (arXiv 2410.12941).
    """
    from scipy import ndimage

    margin = margin or Margin()
    boxes = []
    for label in Target:
        components, _ = ndimage.label(prior == label)
        for found in ndimage.find_objects(components):
            sides = margin.sides(rng)
            slices = tuple(
                slice(max(0, part.start - low), min(size, part.stop - (not margin.inclusive) + high))
                for part, (low, high), size in zip(found, sides.tolist(), prior.shape, strict=True)
            )
            boxes.append(PriorBox(label, (slices[0], slices[1], slices[2])))
    return tuple(boxes)
