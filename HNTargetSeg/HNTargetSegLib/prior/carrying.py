"""What a transform does to images, label maps and points, and how far it folds space."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.prior.grids import resampled

_HALF = 0.5

Box = tuple[slice, slice, slice]


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
    from scipy import ndimage

    result = np.zeros(grid.shape, moving.array.dtype)
    fullest: np.ndarray = np.full(grid.shape, np.float32(_HALF))
    there: list[Box | None] = ndimage.find_objects(moving.array.astype(np.uint16))
    under: list[Box | None] = ndimage.find_objects(closest.astype(np.uint16))
    labels = {number: box for number, box in enumerate(there, 1) if box is not None}
    for label, place in labels.items():
        found = under[label - 1] if label <= len(under) else None
        box = _grown(found, closest.shape, _margin(moving, grid))
        filled = _filled(moving, label, place, _part(grid, box), transform)
        wins = filled >= fullest[box]
        result[box][wins] = label
        fullest[box][wins] = filled[wins]
    for label in labels:
        if not (result == label).any():
            result[closest == label] = label
    return Volume(result, grid, moving.name)


def _filled(moving: Volume, label: int, box: Box, grid: Geometry, transform: sitk.Transform) -> np.ndarray:
    """How much of each voxel of a grid a label fills, 0 to 1; ``box`` is where it lies in ``moving``."""
    # What lies beyond the crop is 0 in it and in the map alike.
    crop = _grown(box, moving.array.shape, (2, 2, 2))
    mask = (moving.array[crop] == label).astype(np.float32)
    return resampled(Volume(mask, _part(moving.geometry, crop)).to_sitk(), grid, transform)


def _margin(moving: Volume, grid: Geometry) -> tuple[int, int, int]:
    """How far, in voxels, a label may fill half a voxel from those that have it nearest."""
    k, j, i = (1 + int(np.ceil(2 * max(moving.spacing) / mm)) for mm in grid.spacing_kji)
    return k, j, i


def _grown(box: Box | None, shape: tuple[int, ...], margin: tuple[int, int, int]) -> Box:
    """A box with a margin on each side, within an array; the whole array for none."""
    if box is None:
        box = (slice(0, shape[0]), slice(0, shape[1]), slice(0, shape[2]))
    k, j, i = (
        slice(max(0, part.start - by), min(n, part.stop + by)) for part, n, by in zip(box, shape, margin, strict=True)
    )
    return k, j, i


def _part(grid: Geometry, box: Box) -> Geometry:
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
