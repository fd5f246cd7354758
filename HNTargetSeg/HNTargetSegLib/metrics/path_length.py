"""Added path length: how much of a contour has to be drawn again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from HNTargetSegLib.case.orientation import axial_turn
from HNTargetSegLib.case.volume import Geometry
from HNTargetSegLib.metrics.pieces import Piece


def added_path_lengths(reference: Sequence[Piece], prediction: np.ndarray, geometry: Geometry) -> np.ndarray:
    """Added path length in mm of each lesion: the reference's contour that the prediction's does not have.

    On each axial slice (across the array axis that runs nearest to S) the contour is the mask's outermost pixels (4
    neighbours); those of the reference that are none of the prediction are counted, and a pixel is as long as its edge
    (the root of its area where it is not square).

    Source: Vaassen et al., Physics and Imaging in Radiation Oncology 13, 1-6, 2020.

    Parameters
    ----------
    reference
        The lesions.
    prediction
        Boolean mask of the whole grid, shape (k, j, i).
    geometry
        The grid.
    """
    axis = axial_turn(geometry).order[0]
    edges: np.ndarray = np.delete(np.asarray(geometry.spacing_kji, float), axis)
    pixel_mm = float(np.sqrt(edges.prod()))
    counts = [
        np.count_nonzero(_contour(np.pad(piece.mask, 1), axis) & ~_contour(_with_rim(prediction, piece), axis))
        for piece in reference
    ]
    return np.array(counts, float) * pixel_mm


def _contour(mask: np.ndarray, axis: int) -> np.ndarray:
    """Pixels of a mask with a neighbour on their slice that is none; the array's rim is left out."""
    inner = mask.copy()
    for along in {0, 1, 2} - {axis}:
        inner &= np.roll(mask, 1, along) & np.roll(mask, -1, along)
    return (mask & ~inner)[1:-1, 1:-1, 1:-1]


def _with_rim(mask: np.ndarray, piece: Piece) -> np.ndarray:
    """A mask in a piece's box and one voxel round it, with background outside the grid."""
    crop: np.ndarray = np.zeros([side.stop - side.start + 2 for side in piece.box], bool)
    inside = tuple(slice(max(side.start - 1, 0), side.stop + 1) for side in piece.box)
    part = mask[inside]
    starts = [within.start - side.start + 1 for within, side in zip(inside, piece.box, strict=True)]
    crop[tuple(slice(start, start + n) for start, n in zip(starts, part.shape, strict=True))] = part
    return crop
