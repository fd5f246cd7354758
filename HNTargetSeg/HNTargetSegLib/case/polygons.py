"""Closed polygons in the plane of a slice, filled into voxels by the even-odd rule."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def fill_polygon(polygon: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Voxels whose centres lie inside one polygon.

    A line that leads to a hole and back along itself (a keyhole) is crossed twice and so leaves no trace.

    Parameters
    ----------
    polygon
        Vertices as (j, i) in voxels, shape (n, 2); the centre of voxel (0, 0) lies at (0, 0). Closed by itself.
    shape
        Rows and columns of the slice.

    Returns
    -------
    numpy.ndarray
        Bool, ``shape``. A centre on the outline counts as inside on two of the four sides, so that two polygons that
        share an edge share no voxel.
    """
    rows, columns = shape
    start, end = polygon, np.roll(polygon, -1, axis=0)
    first = int(np.clip(np.ceil(polygon[:, 0].min()), 0, rows))
    last = int(np.clip(np.floor(polygon[:, 0].max()) + 1, first, rows))
    filled: np.ndarray = np.zeros(shape, bool)
    if first == last:
        return filled
    lines = np.arange(first, last)[:, None]
    row, edge = np.nonzero((start[:, 0] <= lines) != (end[:, 0] <= lines))
    (j0, i0), (j1, i1) = start[edge].T, end[edge].T
    crossing = i0 + (row + first - j0) * (i1 - i0) / (j1 - j0)
    # A crossing turns all voxels to its left over; those that are turned an odd number of times lie inside.
    stop = np.clip(np.ceil(crossing), 0, columns).astype(int)
    turns = np.bincount(row * (columns + 1) + stop, minlength=(last - first) * (columns + 1))
    from_right = np.cumsum(turns.reshape(last - first, columns + 1)[:, ::-1], axis=1)[:, ::-1]
    filled[first:last] = from_right[:, 1:] % 2 == 1
    return filled


def fill_slice(polygons: Sequence[np.ndarray], shape: tuple[int, int], *, xor: bool = False) -> np.ndarray:
    """Voxels of all polygons that one structure has on one slice.

    A polygon that fills voxels of a larger one only is a hole in it, or an island in such a hole; polygons that overlap
    in part are joined, and the same polygon twice counts once.

    Parameters
    ----------
    polygons
        As for :func:`fill_polygon`.
    xor
        Whether each polygon turns over what it covers, whatever lies there (CLOSEDPLANAR_XOR, PS3.3 C.8.8.6.3).

    Returns
    -------
    numpy.ndarray
        Bool, ``shape``.
    """
    filled: np.ndarray = np.zeros(shape, bool)
    layers = sorted((fill_polygon(polygon, shape) for polygon in polygons), key=lambda layer: -int(layer.sum()))
    for n, layer in enumerate(layers):
        if xor:
            filled ^= layer
            continue
        around = [other for other in layers[:n] if (other & layer).sum() == layer.sum() < other.sum()]
        if len(around) % 2:
            filled &= ~layer
        else:
            filled |= layer
    return filled
