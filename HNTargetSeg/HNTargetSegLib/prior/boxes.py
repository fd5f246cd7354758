"""Boxes round the lesions of a prior delineation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.errors import BadInputError

Slices = tuple[slice, slice, slice]


@dataclass(frozen=True)
class Margin:
    """How far a box reaches beyond its lesion, in voxels.

    Attributes
    ----------
    voxels
        Per axis and side, where nothing is drawn at random: at inference.
    drawn
        Smallest and largest margin, both possible, that are drawn per axis and side in training; None draws nothing.
    inclusive
        Whether the upper side reaches as far as the lower one. The method's published code stops one voxel short.

    Raises
    ------
    BadInputError
        If a margin is negative or the range is empty.
    """

    voxels: int = 5
    drawn: tuple[int, int] | None = None
    inclusive: bool = True

    def __post_init__(self) -> None:
        low, high = self.drawn or (self.voxels, self.voxels)
        if low < 0 or high < low or self.voxels < 0:
            raise BadInputError(f"A box margin of {self.voxels} or {self.drawn} voxels is not one of 0 or more")

    def sides(self, rng: np.random.Generator | None) -> np.ndarray:
        """Margins, int, shape (3 axes, lower and upper)."""
        if self.drawn is None or rng is None:
            return np.full((3, 2), self.voxels)
        return rng.integers(self.drawn[0], self.drawn[1], size=(3, 2), endpoint=True)


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
