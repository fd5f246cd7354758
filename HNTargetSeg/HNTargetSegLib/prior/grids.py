"""Coarse grids of equal spacing along the axes of an image, and images brought onto them."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from HNTargetSegLib.case.volume import Geometry, Volume


def even_grid(geometry: Geometry, spacing_mm: float, margin_mm: float = 0.0) -> Geometry:
    """Grid of cubic voxels over the field of view of another and a margin round it, along the same axes.

    Parameters
    ----------
    geometry
        The grid to cover; the corners of the result lie on or beyond its outermost voxel centres.
    spacing_mm
        Voxel size of the result.
    margin_mm
        How far the result reaches further, on each side.
    """
    extent = (np.array(geometry.size) - 1) * geometry.spacing + 2 * margin_mm
    size = np.ceil(extent / spacing_mm - 1e-6).astype(int) + 1
    # What rounding adds is shared out to both sides.
    start = -margin_mm - ((size - 1) * spacing_mm - extent) / 2
    origin = np.asarray(geometry.origin) + geometry.axes @ start
    return Geometry(_triple(size), (spacing_mm,) * 3, tuple(origin.tolist()), geometry.direction)


def resampled(
    image: sitk.Image, grid: Geometry, transform: sitk.Transform | None = None, *, nearest: bool = False
) -> np.ndarray:
    """Image on a grid, shape (k, j, i), float32 (the image's own type with ``nearest``), 0 outside its field of view.

    Parameters
    ----------
    transform
        Takes a point of ``grid`` to the same place in ``image``; identity by default.
    nearest
        Take the nearest voxel; linear interpolation otherwise.
    """
    how = sitk.sitkNearestNeighbor if nearest else sitk.sitkLinear
    pixel = image.GetPixelID() if nearest else sitk.sitkFloat32
    moved = sitk.Resample(
        image,
        grid.size,
        transform or sitk.Transform(3, sitk.sitkIdentity),
        how,
        grid.origin,
        grid.spacing,
        grid.direction,
        0.0,
        pixel,
    )
    array: np.ndarray = sitk.GetArrayFromImage(moved)
    return array


def smoothed(volume: Volume, sigma_mm: float) -> sitk.Image:
    """The volume as a float32 image, under a Gaussian of ``sigma_mm``; intensities clipped at their 99.5th percentile.

    A few bright voxels of vessels or fat would otherwise set the scale of everything.
    """
    array: np.ndarray = volume.array.astype(np.float32)
    thin = array[:: _step(array, 0), :: _step(array, 1), :: _step(array, 2)]
    array = np.minimum(array, np.percentile(thin, 99.5))
    image = volume.with_array(array).to_sitk()
    # The recursive filter needs four voxels along each axis.
    if sigma_mm > 0 and min(image.GetSize()) >= 4:
        image = sitk.SmoothingRecursiveGaussian(image, sigma_mm)
    return image


def inside(geometry: Geometry) -> sitk.Image:
    """An image that is 1 in the whole field of view of a grid."""
    return Volume(np.ones(geometry.shape, np.float32), geometry).to_sitk()


def _step(array: np.ndarray, axis: int) -> int:
    return max(1, array.shape[axis] // 96)


def _triple(values: np.ndarray) -> tuple[int, int, int]:
    return int(values[0]), int(values[1]), int(values[2])
