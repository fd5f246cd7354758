"""LPS and RAS: where voxels lie, against SimpleITK and against MRML itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from Testing.unit.scene.small_case import oblique_axes, volume

from HNTargetSegLib.errors import BadInputError, GeometryError
from HNTargetSegLib.scene.geometry import geometry_of, ijk_to_ras
from HNTargetSegLib.scene.volumes import fill_volume, volume_of

_SAGITTAL = np.array([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]])
DIRECTIONS = {
    "axial": np.eye(3),
    "feet first": np.diag([1.0, 1, -1]),
    "sagittal": _SAGITTAL,
    "coronal": np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]),
    "oblique": oblique_axes(1),
    "left-handed": oblique_axes(2, left_handed=True),
}
DIRECTION = pytest.mark.parametrize("axes", DIRECTIONS.values(), ids=DIRECTIONS.keys())


def corners(size: tuple[int, int, int]) -> list[tuple[int, int, int]]:
    return [(i, j, k) for i in (0, size[0] - 1) for j in (0, size[1] - 1) for k in (0, size[2] - 1)]


def add(scene: Any, axes: np.ndarray) -> tuple[Any, Any]:
    image = volume(axes=axes)
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "T2")
    fill_volume(node, image)
    return node, image


@DIRECTION
def test_voxel_corners_lie_where_simpleitk_puts_them(axes: np.ndarray) -> None:
    image = volume(axes=axes)
    reference = image.to_sitk()

    for i, j, k in corners(image.geometry.size):
        to_ras = ijk_to_ras(image.geometry)
        x, y, z = reference.TransformIndexToPhysicalPoint((i, j, k))
        np.testing.assert_allclose((to_ras @ (i, j, k, 1))[:3], (-x, -y, z), atol=1e-9)


@DIRECTION
def test_node_has_the_matrix_of_the_grid(scene: Any, axes: np.ndarray) -> None:
    from vtkmodules.vtkCommonMath import vtkMatrix4x4

    node, image = add(scene, axes)
    matrix = vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)

    for corner in corners(image.geometry.size):
        x, y, z = image.to_sitk().TransformIndexToPhysicalPoint(corner)
        np.testing.assert_allclose(matrix.MultiplyPoint((*corner, 1))[:3], (-x, -y, z), atol=1e-9)


@DIRECTION
def test_volume_survives_the_scene_without_a_copy_of_its_voxels(scene: Any, axes: np.ndarray) -> None:
    node, image = add(scene, axes)

    back = volume_of(node)

    assert back.geometry.largest_shift(image.geometry) < 1e-9
    assert np.shares_memory(back.array, image.array)
    np.testing.assert_array_equal(back.array, image.array)


def test_voxels_stay_readable_when_the_node_is_gone(scene: Any) -> None:
    node, image = add(scene, np.eye(3))
    expected = image.array.copy()
    back = volume_of(node)

    scene.RemoveNode(node)
    del node, image

    np.testing.assert_array_equal(back.array, expected)


def test_grid_with_skewed_axes_is_refused() -> None:
    skewed = np.eye(4)
    skewed[0, 1] = 0.2

    with pytest.raises(GeometryError, match="orthonormal"):
        geometry_of(skewed, (4, 4, 4), "T2")


def test_grid_without_extent_along_an_axis_is_refused() -> None:
    with pytest.raises(GeometryError, match="without length"):
        geometry_of(np.diag([1.0, 0, 1, 1]), (4, 4, 4), "T2")


def linear(scene: Any, node: Any, matrix: np.ndarray) -> Any:
    from HNTargetSegLib.scene.geometry import vtk_matrix

    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "moved")
    transform.SetMatrixTransformToParent(vtk_matrix(matrix))
    node.SetAndObserveTransformNodeID(transform.GetID())
    return transform


def test_linear_transform_counts_as_if_it_were_hardened(scene: Any) -> None:
    node, image = add(scene, oblique_axes(4))
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = oblique_axes(5), (10, -20, 5)
    linear(scene, node, matrix)

    under = volume_of(node)
    node.HardenTransform()
    hardened = volume_of(node)

    assert under.geometry.largest_shift(hardened.geometry) < 1e-9
    assert under.geometry.largest_shift(image.geometry) > 5


def test_nested_linear_transforms_count_in_their_order(scene: Any) -> None:
    node, _ = add(scene, np.eye(3))
    turn, shift = np.eye(4), np.eye(4)
    turn[:3, :3], shift[:3, 3] = oblique_axes(6), (5, 6, 7)
    inner = linear(scene, node, turn)
    linear(scene, inner, shift)

    under = volume_of(node)
    node.HardenTransform()

    assert under.geometry.largest_shift(volume_of(node).geometry) < 1e-9


def test_shearing_transform_is_refused(scene: Any) -> None:
    node, _ = add(scene, np.eye(3))
    shear = np.eye(4)
    shear[0, 1] = 0.3
    linear(scene, node, shear)

    with pytest.raises(GeometryError, match="T2"):
        volume_of(node)


def test_transform_that_is_not_linear_is_refused_with_the_remedy(scene: Any) -> None:
    node, _ = add(scene, np.eye(3))
    bend(scene, node)

    with pytest.raises(BadInputError, match="Harden the transform"):
        volume_of(node)


def bend(scene: Any, *nodes: Any) -> Any:
    from vtkmodules.vtkCommonCore import vtkPoints
    from vtkmodules.vtkCommonTransforms import vtkThinPlateSplineTransform

    source, target = vtkPoints(), vtkPoints()
    for n, point in enumerate([(0, 0, 0), (50, 0, 0), (0, 50, 0), (0, 0, 50), (50, 50, 50)]):
        source.InsertNextPoint(point)
        target.InsertNextPoint(np.add(point, (0, 0, 8 * (n == 4))))
    spline = vtkThinPlateSplineTransform()
    spline.SetSourceLandmarks(source)
    spline.SetTargetLandmarks(target)
    spline.SetBasisToR()
    transform = scene.AddNewNodeByClass("vtkMRMLTransformNode", "bent")
    transform.SetAndObserveTransformToParent(spline)
    for node in nodes:
        node.SetAndObserveTransformNodeID(transform.GetID())
    return transform


def test_image_whose_indices_do_not_begin_at_zero_lies_where_its_node_says(scene: Any) -> None:
    node, image = add(scene, oblique_axes(7))
    node.GetImageData().SetExtent(5, 44, 0, 35, -3, 16)

    moved = volume_of(node)

    np.testing.assert_allclose(moved.geometry.origin, image.geometry.to_lps(np.array([-3, 0, 5])), atol=1e-9)
