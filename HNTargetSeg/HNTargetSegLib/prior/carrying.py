"""What a transform does to images, label maps and points, and how far it folds space."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.prior.grids import resampled

_HALF = 0.5


def carry_image(moving: Volume, grid: Geometry, transform: sitk.Transform) -> Volume:
    """Image on another grid, float32; 0 where its field of view does not reach.

    Parameters
    ----------
    transform
        From points of ``grid`` to the same tissue in ``moving``.
    """
    return Volume(resampled(moving.to_sitk(), grid, transform), grid, moving.name)


def carry_labels(moving: Volume, grid: Geometry, transform: sitk.Transform, *, nearest: bool = False) -> Volume:
    """Label map or lesion-id map on another grid, in its own type.

    Each label is carried by itself and a voxel takes the one that fills most of it, at least half, which keeps
    outlines smooth and volumes true; with ``nearest`` it takes that of the nearest voxel, as the organisers of
    HNTS-MRG 2024 did. A label too thin to fill half a voxel anywhere is carried by nearest neighbour, so that none is
    lost but outside the field of view.

    Parameters
    ----------
    moving
        Whole numbers; 0 is background.
    transform
        From points of ``grid`` to the same tissue in ``moving``.
    """
    closest = resampled(_as_integers(moving), grid, transform, nearest=True).astype(moving.array.dtype)
    if nearest:
        return Volume(closest, grid, moving.name)
    result = np.zeros(grid.shape, moving.array.dtype)
    fullest: np.ndarray = np.full(grid.shape, np.float32(_HALF))
    labels = [label for label in np.unique(moving.array).tolist() if label]
    for label in labels:
        box = _reach(closest == label, moving, grid)
        filled = _filled(moving, label, _part(grid, box), transform)
        wins = filled >= fullest[box]
        result[box][wins] = label
        fullest[box][wins] = filled[wins]
    for label in labels:
        if not (result == label).any():
            result[closest == label] = label
    return Volume(result, grid, moving.name)


def _filled(moving: Volume, label: int, grid: Geometry, transform: sitk.Transform) -> np.ndarray:
    """How much of each voxel a label fills, 0 to 1."""
    return resampled(moving.with_array((moving.array == label).astype(np.float32)).to_sitk(), grid, transform)


def _reach(nearest: np.ndarray, moving: Volume, grid: Geometry) -> tuple[slice, slice, slice]:
    """Where a label may fill half a voxel: round the voxels that have it nearest; anywhere if none has."""
    whole = (slice(0, nearest.shape[0]), slice(0, nearest.shape[1]), slice(0, nearest.shape[2]))
    box = []
    for axis, mm in enumerate(grid.spacing_kji):
        found = np.flatnonzero(nearest.any(axis=tuple(other for other in range(3) if other != axis)))
        if not found.size:
            return whole
        margin = 1 + int(np.ceil(2 * max(moving.spacing) / mm))
        box.append(slice(max(0, int(found[0]) - margin), min(nearest.shape[axis], int(found[-1]) + margin + 1)))
    return box[0], box[1], box[2]


def _part(grid: Geometry, box: tuple[slice, slice, slice]) -> Geometry:
    """The part of a grid in a box."""
    k, j, i = box
    first = grid.to_lps(np.array([[k.start, j.start, i.start]], float))[0]
    size = (i.stop - i.start, j.stop - j.start, k.stop - k.start)
    return Geometry(size, grid.spacing, (float(first[0]), float(first[1]), float(first[2])), grid.direction)


def displacement_field(grid: Geometry, transform: sitk.Transform) -> np.ndarray:
    """How far a transform moves the points of a grid: LPS mm, float64, shape (k, j, i, 3)."""
    field = sitk.TransformToDisplacementField(
        transform, sitk.sitkVectorFloat64, grid.size, grid.origin, grid.spacing, grid.direction
    )
    array: np.ndarray = sitk.GetArrayFromImage(field)
    return array


def jacobian_determinant(grid: Geometry, transform: sitk.Transform) -> np.ndarray:
    """Local change of volume at the points of a grid, by central differences; 0 and below is folded.

    Returns
    -------
    numpy.ndarray
        float64, shape (k, j, i); 1 keeps the volume.
    """
    field = displacement_field(grid, transform)
    # Components along the grid's own axes, so that derivatives and components belong together.
    along = field @ grid.axes
    rows = [np.stack(np.gradient(along[..., axis], *grid.spacing_kji)[::-1], axis=-1) for axis in range(3)]
    determinant: np.ndarray = np.linalg.det(np.stack(rows, axis=-2) + np.eye(3))
    return determinant


def _as_integers(moving: Volume) -> sitk.Image:
    kind = np.uint8 if moving.array.dtype in (np.bool_, np.uint8) else np.uint16
    return moving.with_array(moving.array.astype(kind)).to_sitk()
