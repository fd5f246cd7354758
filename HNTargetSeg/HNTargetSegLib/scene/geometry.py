"""Grids in patient space on both sides: LPS as SimpleITK has them, RAS as MRML has them."""

from __future__ import annotations

from typing import Any

import numpy as np

from HNTargetSegLib.case.volume import Geometry, Triple
from HNTargetSegLib.errors import BadInputError, GeometryError

_FLIP = np.diag([-1.0, -1.0, 1.0, 1.0])
HARDEN = "Harden the transform in Slicer's Transforms module"


def ijk_to_ras(geometry: Geometry) -> np.ndarray:
    """4x4 matrix from voxel indices (i, j, k) to RAS mm."""
    matrix = np.eye(4)
    matrix[:3, :3] = geometry.axes * geometry.spacing
    matrix[:3, 3] = geometry.origin
    return _FLIP @ matrix


def geometry_of(matrix: np.ndarray, size: tuple[int, int, int], name: str = "volume") -> Geometry:
    """Grid of a 4x4 matrix from (i, j, k) to RAS mm.

    Parameters
    ----------
    size
        Voxels along (i, j, k).
    name
        Of the node, for the message.

    Raises
    ------
    GeometryError
        If the axes are not at right angles to 1e-3, or a size or spacing is not positive.
    """
    lps = _FLIP @ matrix
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    if not spacing.all():
        raise GeometryError("The image has an axis without length", path=name)
    axes = lps[:3, :3] / spacing
    try:
        return Geometry(size, _triple(spacing), _triple(lps[:3, 3]), tuple(float(x) for x in axes.ravel()))
    except GeometryError as error:
        raise GeometryError(error.what, path=name, remedy=error.remedy) from error


def to_world(node: Any) -> np.ndarray:
    """4x4 matrix in RAS mm of the linear transforms that a node lies under; identity where there is none.

    Raises
    ------
    BadInputError
        If one of them is not linear.
    """
    parent = node.GetParentTransformNode()
    if parent is None:
        return np.eye(4)
    if not parent.IsTransformToWorldLinear():
        raise BadInputError("The node lies under a transform that is not linear", path=node.GetName(), remedy=HARDEN)
    matrix = vtk_matrix(np.eye(4))
    parent.GetMatrixTransformToWorld(matrix)
    return array_of(matrix)


def vtk_matrix(array: np.ndarray) -> Any:
    """``vtkMatrix4x4`` of a 4x4 array."""
    from vtkmodules.vtkCommonMath import vtkMatrix4x4

    matrix = vtkMatrix4x4()
    matrix.DeepCopy([float(value) for value in array.ravel()])
    return matrix


def array_of(matrix: Any) -> np.ndarray:
    """4x4 array of a ``vtkMatrix4x4``."""
    return np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])


def ras_of(lps: Triple) -> Triple:
    """A position in RAS mm."""
    return -lps[0], -lps[1], lps[2]


def _triple(values: np.ndarray) -> Triple:
    x, y, z = (float(value) for value in values)
    return x, y, z
