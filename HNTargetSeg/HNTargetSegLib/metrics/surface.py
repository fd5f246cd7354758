"""Surfaces of two masks and the distances between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from HNTargetSegLib.metrics.pieces import Piece
from HNTargetSegLib.metrics.surface_elements import cell_codes, element_areas

Spacing = tuple[float, float, float]

# A query of the tree takes about as long as the transform of so many cells.
_CELLS_A_QUERY = 15


class Definition(Enum):
    """Whose surface distances are computed; they differ by far more than rounding.

    ``DEEPMIND``: elements of a closed surface between the voxels, weighted by their area; the HD95 is the larger one of
    the two directions' percentiles (Nikolov et al., arXiv 1809.04430; package ``surface-distance``).
    ``MEDPY``: the mask's outermost voxels (6 neighbours), each counted once; the HD95 and the mean distance are those
    of both directions' distances taken together (package ``MedPy``, ``hd95`` and ``assd``).
    """

    DEEPMIND = "deepmind"
    MEDPY = "medpy"


@dataclass(frozen=True, eq=False)
class Surface:
    """The surface of a mask, or of some of its pieces.

    Attributes
    ----------
    places
        Position of each element on the grid, int64 (n, 3) in (k, j, i): the cell of
        :func:`~HNTargetSegLib.metrics.surface_elements.cell_codes`, or the voxel.
    sizes
        Area in mm^2 of each element, or 1 for a voxel, (n,).
    piece
        Which piece each belongs to, (n,). An element never belongs to two: voxels that share a cell are neighbours.
    """

    places: np.ndarray
    sizes: np.ndarray
    piece: np.ndarray

    def __len__(self) -> int:
        return len(self.sizes)

    def of(self, chosen: np.ndarray) -> Surface:
        """The elements where ``chosen`` (n,) is true."""
        return Surface(self.places[chosen], self.sizes[chosen], self.piece[chosen])


def surface_of(pieces: Sequence[Piece], spacing_kji: Spacing, definition: Definition = Definition.DEEPMIND) -> Surface:
    """Surface of a mask, given as its pieces on a grid with voxels of ``spacing_kji`` mm."""
    elements = _cells if definition is Definition.DEEPMIND else _outer_voxels
    areas = element_areas(spacing_kji)
    found = [elements(piece, areas) for piece in pieces]
    if not found:
        return Surface(np.zeros((0, 3), np.int64), np.zeros(0), np.zeros(0, np.int64))
    places, sizes = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return Surface(places, sizes, np.repeat(np.arange(len(found)), [len(part) for _, part in found]))


@dataclass(frozen=True, eq=False)
class Nearest:
    """For each element of one surface, the nearest one of another.

    Attributes
    ----------
    mm
        Distance between the two, (n,).
    index
        Number of the nearest element, (n,).
    """

    mm: np.ndarray
    index: np.ndarray


def nearest(surface: Surface, other: Surface, spacing_kji: Spacing) -> Nearest:
    """Find the nearest element of ``other``, which may not be empty, for each element of ``surface``."""
    step: np.ndarray = np.asarray(spacing_kji, float)
    index: np.ndarray = np.empty(len(surface), np.int64)
    shared, where = _common(surface.places, other.places)
    index[shared] = where
    apart = np.flatnonzero(~shared)
    if apart.size:
        places = surface.places[apart]
        low = np.minimum(places.min(axis=0), other.places.min(axis=0))
        extent = np.maximum(places.max(axis=0), other.places.max(axis=0)) + 1 - low
        search = _by_transform if int(extent.prod()) < _CELLS_A_QUERY * len(places) else _by_tree
        index[apart] = search(places, other.places, step, low, extent)
    # From whole steps between the two: differences of positions in mm would miss a tolerance by rounding.
    offsets = (other.places[index] - surface.places) * step
    return Nearest(np.sqrt((offsets[:, 0] ** 2 + offsets[:, 1] ** 2) + offsets[:, 2] ** 2), index)


def _by_tree(
    places: np.ndarray, others: np.ndarray, step: np.ndarray, low: np.ndarray, extent: np.ndarray
) -> np.ndarray:
    """Number of the nearest other of each place: fast wherever they lie."""
    from scipy.spatial import KDTree

    # The cheapest of SciPy's trees to build and to ask; all give the same distances.
    tree = KDTree(others * step, leafsize=32, balanced_tree=False, compact_nodes=False)
    numbers: np.ndarray = tree.query(places * step)[1]
    return numbers


def _by_transform(
    places: np.ndarray, others: np.ndarray, step: np.ndarray, low: np.ndarray, extent: np.ndarray
) -> np.ndarray:
    """The same from a feature transform of the box ``low`` + ``extent`` that holds them: faster where it is small."""
    from scipy import ndimage

    numbers: np.ndarray = np.full(extent, -1, np.int32)
    numbers[tuple((others - low).T)] = np.arange(len(others))
    found = ndimage.distance_transform_edt(numbers < 0, sampling=step, return_distances=False, return_indices=True)
    k, j, i = (places - low).T
    features = found[:, k, j, i]
    return numbers[tuple(features)]


def _common(places: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which places are also among the others, and at which number there."""
    stretch = np.maximum(places.max(axis=0), others.max(axis=0)) + 1 if len(places) else np.ones(3, np.int64)
    keys, other_keys = ((p[:, 0] * stretch[1] + p[:, 1]) * stretch[2] + p[:, 2] for p in (places, others))
    # Of one piece they are in order already.
    order = np.argsort(other_keys, kind="stable")
    position = np.minimum(np.searchsorted(other_keys, keys, sorter=order), len(others) - 1)
    shared = other_keys[order[position]] == keys
    return shared, order[position[shared]]


def _cells(piece: Piece, areas: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    codes = cell_codes(piece.mask)
    # 0 is all outside, 255 all inside: one step on they are 1 and 0.
    flat = np.flatnonzero(codes.ravel() + np.uint8(1) > 1)
    return _places(flat, codes.shape, piece), areas[codes.ravel()[flat]]


def _outer_voxels(piece: Piece, areas: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from scipy import ndimage

    flat = np.flatnonzero(piece.mask & ~ndimage.binary_erosion(piece.mask))
    return _places(flat, piece.mask.shape, piece), np.ones(len(flat))


def _places(flat: np.ndarray, shape: tuple[int, ...], piece: Piece) -> np.ndarray:
    return np.stack(np.unravel_index(flat, shape), axis=1) + piece.first
