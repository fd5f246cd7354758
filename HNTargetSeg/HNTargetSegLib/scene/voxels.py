"""Voxels of an image in VTK's memory and NumPy's, shared wherever both can read them."""

from __future__ import annotations

from typing import Any

import numpy as np

from HNTargetSegLib.errors import BadInputError

Extent = tuple[int, int, int, int, int, int]


def vtk_scalars(array: np.ndarray) -> Any:
    """``vtkDataArray`` on the memory of an array (k, j, i); copied only if its layout or dtype is none of VTK's."""
    from vtkmodules.util.numpy_support import numpy_to_vtk

    return numpy_to_vtk(_readable(array).reshape(-1), deep=False)


def array_view(image: Any, name: str = "image") -> np.ndarray:
    """Voxels of a ``vtkImageData`` as an array (k, j, i) on the same memory.

    Raises
    ------
    BadInputError
        If the image is empty or has several components a voxel.
    """
    from vtkmodules.util.numpy_support import vtk_to_numpy

    scalars = None if image is None else image.GetPointData().GetScalars()
    if scalars is None or scalars.GetNumberOfTuples() == 0:
        raise BadInputError("The node holds no image", path=name, remedy="Load the T2w image again")
    if scalars.GetNumberOfComponents() != 1:
        raise BadInputError(
            f"The image has {scalars.GetNumberOfComponents()} components a voxel",
            path=name,
            remedy="Choose a volume with one grey value a voxel",
        )
    i, j, k = image.GetDimensions()
    return vtk_to_numpy(scalars).reshape(k, j, i)


def extent_of(image: Any) -> Extent:
    """Extent of a ``vtkImageData``: first and last index along i, j and k."""
    i0, i1, j0, j1, k0, k1 = image.GetExtent()
    return i0, i1, j0, j1, k0, k1


def _readable(array: np.ndarray) -> np.ndarray:
    if array.dtype == bool:
        array = array.view(np.uint8) if array.flags.c_contiguous else array.astype(np.uint8)
    elif array.dtype == np.float16:
        array = array.astype(np.float32)
    elif array.dtype in (np.int64, np.uint64):
        # Slicer's own filters and file formats know no 64-bit integers.
        array = array.astype(np.int32 if _fits(array, np.int32) else np.float64)
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))


def _fits(array: np.ndarray, dtype: type) -> bool:
    limits = np.iinfo(dtype)
    return bool(array.size == 0 or (array.min() >= limits.min and array.max() <= limits.max))
