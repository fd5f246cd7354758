"""The separate pieces of a mask, as lesions are counted: by connected components, without measuring their shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from HNTargetSegLib.components.regions import Box, separate_regions


@dataclass(frozen=True, eq=False)
class Piece:
    """One connected component of a mask, over all 26 neighbours.

    Attributes
    ----------
    box
        Smallest bounding box, slices in array order (k, j, i) of the whole grid.
    mask
        Boolean, the crop to ``box``; true on this piece's voxels only.
    voxels
        Number of voxels.
    """

    box: Box
    mask: np.ndarray
    voxels: int

    @property
    def first(self) -> tuple[int, int, int]:
        """First voxel of the box (k, j, i)."""
        k, j, i = (side.start for side in self.box)
        return k, j, i

    def middle(self) -> tuple[float, float, float]:
        """Mean voxel index (k, j, i)."""
        k, j, i = (
            float(np.mean(places)) + side.start for places, side in zip(self.mask.nonzero(), self.box, strict=True)
        )
        return k, j, i


def find_pieces(mask: np.ndarray) -> tuple[Piece, ...]:
    """Pieces of a boolean mask (k, j, i), the largest first; equal ones in the order of their boxes' first voxel."""
    from scipy import ndimage

    found = []
    for region, crop in separate_regions(mask):
        numbers, _ = ndimage.label(crop, np.ones((3, 3, 3)))
        for number, inner in enumerate(ndimage.find_objects(numbers), start=1):
            own = numbers[inner] == number
            starts = [a.start + b.start for a, b in zip(inner, region, strict=True)]
            k, j, i = (slice(start, start + n) for start, n in zip(starts, own.shape, strict=True))
            found.append(Piece((k, j, i), own, int(np.count_nonzero(own))))
    return tuple(sorted(found, key=lambda piece: (-piece.voxels, piece.first)))


def shared_voxels(reference: Sequence[Piece], prediction: Sequence[Piece]) -> np.ndarray:
    """Voxels that each piece of one mask shares with each of another, int64 (len(reference), len(prediction))."""
    shared: np.ndarray = np.zeros((len(reference), len(prediction)), np.int64)
    if not shared.size:
        return shared
    low, high = _corners(prediction)
    for row, piece in enumerate(reference):
        (start,), (stop,) = _corners([piece])
        for column in np.flatnonzero(((low < stop) & (high > start)).all(axis=1)).tolist():
            shared[row, column] = _shared(piece, prediction[column])
    return shared


def occupied_box(*masks: np.ndarray) -> Box | None:
    """Smallest box that holds every voxel of the masks that is not 0; None where there is none.

    Parameters
    ----------
    masks
        bool or uint8, all of one shape (k, j, i).
    """
    boxes = [box for box in map(_occupied, masks) if box is not None]
    if not boxes:
        return None
    k, j, i = (slice(min(s.start for s in axis), max(s.stop for s in axis)) for axis in zip(*boxes, strict=True))
    return k, j, i


def _occupied(mask: np.ndarray) -> Box | None:
    slabs = _words(mask)
    used = np.flatnonzero([slab.any() for slab in slabs])
    if not used.size:
        return None
    k = slice(int(used[0]), int(used[-1]) + 1)
    # Eight voxels of a row at a time where they lie side by side.
    plane = np.bitwise_or.reduce(slabs[k], axis=0).view(np.uint8).reshape(mask.shape[1:])
    j, i = (np.flatnonzero(plane.any(axis=axis)) for axis in (1, 0))
    return k, slice(int(j[0]), int(j[-1]) + 1), slice(int(i[0]), int(i[-1]) + 1)


def _words(mask: np.ndarray) -> np.ndarray:
    flat = np.ascontiguousarray(mask).view(np.uint8).reshape(mask.shape[0], -1)
    return flat.view(np.uint64) if flat.shape[1] % 8 == 0 and flat.size else flat


def _corners(pieces: Sequence[Piece]) -> tuple[np.ndarray, np.ndarray]:
    boxes = np.array([[(side.start, side.stop) for side in piece.box] for piece in pieces])
    return boxes[..., 0], boxes[..., 1]


def _shared(one: Piece, other: Piece) -> int:
    boxes = list(zip(one.box, other.box, strict=True))
    common = [(max(a.start, b.start), min(a.stop, b.stop)) for a, b in boxes]
    mine, theirs = (
        tuple(
            slice(start - side.start, stop - side.start) for (start, stop), side in zip(common, piece.box, strict=True)
        )
        for piece in (one, other)
    )
    return int(np.count_nonzero(one.mask[mine] & other.mask[theirs]))
