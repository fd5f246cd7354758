"""Transforms between the visits: ITK's in LPS, as ``vtkMRMLTransformNode`` in RAS, and back."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from HNTargetSegLib.case.volume import Geometry
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.scene.geometry import array_of, vtk_matrix

_FLIP = np.diag([-1.0, -1.0, 1.0, 1.0])
_SAMPLE_MM, _MARGIN_MM = 5.0, 10.0


def add_transform(scene: Any, transform: Any, name: str) -> Any:
    """Add a transform to the scene; returns its node.

    Parameters
    ----------
    transform
        ``SimpleITK.Transform`` from mid-RT points to the pre-RT image, LPS mm. A pre-RT volume that is put under the
        node appears where the mid-RT visit has it.
    """
    node = scene.AddNewNodeByClass("vtkMRMLTransformNode", name)
    fill_transform(node, transform)
    return node


def fill_transform(node: Any, transform: Any) -> None:
    """Give a transform node another transform; parameters as :func:`add_transform`.

    Slicer's own reader does it, which knows every kind and both conventions.
    """
    import slicer

    from HNTargetSegLib.prior.given import write_transform

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "transform.h5"
        write_transform(transform, file)
        storage = slicer.vtkMRMLTransformStorageNode()
        storage.SetFileName(str(file))
        if not storage.ReadData(node):
            raise BadInputError("The transform cannot be shown in the scene", path=node.GetName())


def transform_of(node: Any, fixed: Geometry, *, moving: Any | None = None) -> Any:
    """Transform of a node and of all that it lies under, as the registration takes it.

    Parameters
    ----------
    node
        ``vtkMRMLTransformNode`` under which the pre-RT volume would appear where the mid-RT visit has it.
    fixed
        Grid of the mid-RT image: a transform that is not linear is sampled there, every 5 mm.
    moving
        Volume node of the pre-RT image.

    Returns
    -------
    SimpleITK.Transform
        From mid-RT points to the same tissue in the pre-RT image, LPS mm.

    Raises
    ------
    BadInputError
        If no transform is chosen, it cannot be inverted, or the pre-RT volume lies under it already.
    """
    if node is None or not node.IsA("vtkMRMLTransformNode"):
        raise BadInputError("No transform is chosen", remedy="Choose a transform of the scene")
    if moving is not None and _lies_under(moving, node):
        raise BadInputError(
            "The pre-RT image lies under this transform already: it would count twice",
            path=node.GetName(),
            remedy="Take the image out of the transform in the Data module",
        )
    return _affine(node) if node.IsTransformToWorldLinear() else _sampled(node, fixed)


def _affine(node: Any) -> Any:
    import SimpleITK as sitk

    matrix = vtk_matrix(np.eye(4))
    node.GetMatrixTransformToWorld(matrix)
    to_world = _FLIP @ array_of(matrix) @ _FLIP
    if not np.isfinite(to_world).all() or abs(np.linalg.det(to_world)) < 1e-6:
        raise BadInputError("The transform cannot be inverted", path=node.GetName(), remedy="Choose another one")
    back = np.linalg.inv(to_world)
    found = sitk.AffineTransform(3)
    found.SetMatrix(back[:3, :3].ravel().tolist())
    found.SetTranslation(back[:3, 3].tolist())
    return found


def _sampled(node: Any, fixed: Geometry) -> Any:
    """The displacement at the points of a grid round the mid-RT field of view, which hardens any kind of transform."""
    import SimpleITK as sitk
    from vtkmodules.vtkCommonTransforms import vtkGeneralTransform

    from HNTargetSegLib.prior.grids import even_grid

    general = vtkGeneralTransform()
    node.GetTransformFromWorld(general)
    grid = even_grid(fixed, _SAMPLE_MM, _MARGIN_MM)
    points = grid.to_lps(np.moveaxis(np.indices(grid.shape), 0, -1).reshape(-1, 3))
    moved = _transformed(general, points * (-1, -1, 1)) * (-1, -1, 1)
    if not np.isfinite(moved).all():
        raise BadInputError("The transform leads nowhere at some points", path=node.GetName())
    image = sitk.GetImageFromArray((moved - points).reshape(*grid.shape, 3), isVector=True)
    image.SetSpacing(grid.spacing)
    image.SetOrigin(grid.origin)
    image.SetDirection(grid.direction)
    return sitk.DisplacementFieldTransform(image)


def _transformed(transform: Any, points: np.ndarray) -> np.ndarray:
    from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
    from vtkmodules.vtkCommonCore import vtkPoints

    before, after = vtkPoints(), vtkPoints()
    before.SetDataTypeToDouble()
    after.SetDataTypeToDouble()
    values = np.ascontiguousarray(points)
    before.SetData(numpy_to_vtk(values))
    transform.TransformPoints(before, after)
    moved: np.ndarray = np.array(vtk_to_numpy(after.GetData()))
    return moved


def _lies_under(volume: Any, node: Any) -> bool:
    parent = volume.GetParentTransformNode()
    while parent is not None:
        if parent is node:
            return True
        parent = parent.GetParentTransformNode()
    return False
