"""MR volumes as ``vtkMRMLScalarVolumeNode`` and back; voxels stay where they are."""

from __future__ import annotations

from typing import Any

import numpy as np

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.review.case import VisitImage
from HNTargetSegLib.scene.geometry import array_of, geometry_of, ijk_to_ras, to_world, vtk_matrix
from HNTargetSegLib.scene.voxels import array_view, extent_of, vtk_scalars
from HNTargetSegLib.scene.window import Window, preset, robust_range

VISIT = "HNTargetSeg.Visit"
PATIENT = "HNTargetSeg.Patient"
DATE = "HNTargetSeg.Date"
MADE = "HNTargetSeg.Made"
"""Node attributes: visit, patient id, date of the visit, and "1" on nodes that the review put into the scene."""


def add_volume(scene: Any, image: VisitImage, visit: Visit, patient: str) -> Any:
    """Add the image of a visit to the scene, with its grey window; returns the node."""
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", f"{patient} {visit.title} T2")
    # Before the image: Slicer would look for a window of its own in all voxels.
    set_window(node, preset("default", robust_range(image.image.array)))
    fill_volume(node, image.image)
    node.SetAttribute(MADE, "1")
    mark(node, image, visit, patient)
    return node


def mark(node: Any, image: VisitImage, visit: Visit, patient: str) -> None:
    """Write visit, patient and date into a node's attributes."""
    node.SetAttribute(VISIT, visit.value)
    node.SetAttribute(PATIENT, patient)
    node.SetAttribute(DATE, image.date)


def unmark(node: Any) -> None:
    """Make a node an ordinary one again."""
    for attribute in (VISIT, PATIENT, DATE, MADE):
        node.RemoveAttribute(attribute)


def fill_volume(node: Any, volume: Volume) -> None:
    """Give a volume node an image; the node reads the memory of ``volume.array`` where VTK can."""
    from vtkmodules.vtkCommonDataModel import vtkImageData

    image = vtkImageData()
    image.SetDimensions(*volume.geometry.size)
    image.GetPointData().SetScalars(vtk_scalars(volume.array))
    changing = node.StartModify()
    node.SetIJKToRASMatrix(vtk_matrix(ijk_to_ras(volume.geometry)))
    node.SetAndObserveImageData(image)
    node.EndModify(changing)


def volume_of(node: Any) -> Volume:
    """Image of a volume node where its linear transforms put it, on the node's own memory.

    Raises
    ------
    BadInputError
        If it holds no scalar image or NaN, or lies under a transform that is not linear.
    GeometryError
        If its axes are not at right angles.
    """
    if node is None or not node.IsA("vtkMRMLScalarVolumeNode") or node.IsA("vtkMRMLLabelMapVolumeNode"):
        name = None if node is None else node.GetName()
        raise BadInputError("This is no MR volume", path=name, remedy="Choose a scalar volume")
    stated = grid_of(node)
    geometry = stated.orthonormalised()
    return Volume(array_view(node.GetImageData(), node.GetName()), geometry, node.GetName(), stated)


def grid_of(node: Any) -> Geometry:
    """Grid of a volume node where its linear transforms put it; errors as :func:`volume_of`."""
    placed = to_world(node) @ voxel_to_ras(node)
    i, j, k = node.GetImageData().GetDimensions()
    return geometry_of(placed, (i, j, k), node.GetName())


def voxel_to_ras(node: Any) -> np.ndarray:
    """4x4 matrix from voxels (i, j, k), counted from the first one, to RAS mm without the node's transforms.

    Raises
    ------
    BadInputError
        If the node holds no image.
    """
    image = node.GetImageData()
    if image is None:
        raise BadInputError("The node holds no image", path=node.GetName(), remedy="Load the T2w image again")
    matrix = vtk_matrix(np.eye(4))
    node.GetIJKToRASMatrix(matrix)
    first = np.eye(4)
    first[:3, 3] = extent_of(image)[::2]
    return array_of(matrix) @ first


def display(node: Any) -> Any:
    """Display node of a volume, made where it has none."""
    found = node.GetDisplayNode()
    if found is None:
        node.CreateDefaultDisplayNodes()
        found = node.GetDisplayNode()
        if not found.GetColorNodeID():
            found.SetAndObserveColorNodeID("vtkMRMLColorTableNodeGrey")
    return found


def set_window(node: Any, window: Window) -> None:
    """Set the grey window of a volume."""
    shown = display(node)
    changing = shown.StartModify()
    shown.SetAutoWindowLevel(False)
    shown.SetWindowLevel(window.width, window.center)
    shown.EndModify(changing)


def window_of(node: Any) -> Window:
    """Grey window of a volume."""
    shown = display(node)
    return Window(shown.GetLevel(), shown.GetWindow())
