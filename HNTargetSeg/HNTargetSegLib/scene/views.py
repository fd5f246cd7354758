"""Slice views: which image is in which, in patient axes, and where they look."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.case.volume import Triple
from HNTargetSegLib.scene.geometry import array_of, ijk_to_ras, ras_of
from HNTargetSegLib.scene.segments import modifying
from HNTargetSegLib.scene.volumes import grid_of

ORIENTATIONS = ("Axial", "Sagittal", "Coronal")
_PARALLEL = 1e-6
_EDGE = 0.8
"""Share of a view, round its middle, in which a place counts as in sight."""


def slice_nodes(scene: Any) -> list[Any]:
    """Nodes of the slice views."""
    return nodes_of_class(scene, "vtkMRMLSliceNode")


def nodes_of_class(scene: Any, name: str) -> list[Any]:
    """Nodes of a class and of those derived from it."""
    return [scene.GetNthNodeByClass(n, name) for n in range(scene.GetNumberOfNodesByClass(name))]


def composite_of(scene: Any, slice_node: Any) -> Any | None:
    """Node that says which images a slice view shows."""
    name = slice_node.GetLayoutName()
    found = (node for node in nodes_of_class(scene, "vtkMRMLSliceCompositeNode") if node.GetLayoutName() == name)
    return next(found, None)


def visits_of_views(scene: Any, visits: Iterable[Visit], active: Visit, compare: bool) -> dict[str, Visit]:
    """Visit by layout name: the active one, or in compare mode pre-RT in the lowest view group and mid-RT in others."""
    views = slice_nodes(scene)
    groups = sorted({view.GetViewGroup() for view in views})
    if not compare or set(visits) != set(Visit) or len(groups) < 2:
        return {view.GetLayoutName(): active for view in views}
    return {view.GetLayoutName(): Visit.PRE if view.GetViewGroup() == groups[0] else Visit.MID for view in views}


def show_volume(scene: Any, slice_node: Any, volume: Any, known: Iterable[str]) -> None:
    """Put a volume into a slice view, in patient axes, and turn the wheel's step into its voxels.

    Parameters
    ----------
    known
        Ids of the case's volumes; a view that shows none of them yet is moved so that all of the volume is in sight.
    """
    composite = composite_of(scene, slice_node)
    before = "" if composite is None else str(composite.GetBackgroundVolumeID())
    with modifying(composite, slice_node):
        if composite is not None and before != volume.GetID():
            composite.SetBackgroundVolumeID(volume.GetID())
        straighten(slice_node)
        set_step(slice_node, volume)
        if before not in known:
            fit(slice_node, volume)


def straighten(slice_node: Any) -> None:
    """Turn a view into the patient axes of the orientation it has; ``Reformat`` becomes the nearest one."""
    normal = np.abs(array_of(slice_node.GetSliceToRAS())[:3, 2])
    name = {2: "Axial", 0: "Sagittal", 1: "Coronal"}[int(np.argmax(normal))]
    if slice_node.GetOrientation() != name or normal.max() < 1 - 1e-9:
        slice_node.SetOrientation(name)


def set_step(slice_node: Any, volume: Any) -> None:
    """One step of the wheel is one voxel of the axis of the image that is nearest to the view's normal."""
    matrix = ijk_to_ras(grid_of(volume))[:3, :3]
    spacing = np.linalg.norm(matrix, axis=0)
    normal = array_of(slice_node.GetSliceToRAS())[:3, 2]
    nearest = int(np.argmax(np.abs(normal @ (matrix / spacing))))
    slice_node.SetSliceSpacingModeToPrescribed()
    slice_node.SetPrescribedSliceSpacing(spacing[nearest], spacing[nearest], spacing[nearest])


@dataclass(frozen=True)
class ShownSlice:
    """Which slice of an image a view shows.

    Attributes
    ----------
    number
        From 1, counted the way that the view's offset grows. Of a tilted image it is the slice that the view meets in
        the middle of the image.
    count
        How many the image has.
    tilted
        Whether the image's slices are not parallel to the view.
    """

    number: int
    count: int
    tilted: bool


def shown_slice(slice_node: Any, volume: Any) -> ShownSlice:
    """Slice of an image, counted along the axis of the image that is nearest to the view's normal."""
    grid = grid_of(volume)
    to_ras, place = ijk_to_ras(grid), array_of(slice_node.GetSliceToRAS())
    normal = place[:3, 2]
    # Millimetres along the normal from one voxel to the next, for each axis of the image.
    steps = normal @ to_ras[:3, :3]
    spacing = np.linalg.norm(to_ras[:3, :3], axis=0)
    axis = int(np.argmax(np.abs(steps / spacing)))
    middle = (np.array(grid.size) - 1) / 2
    centre = to_ras[:3, :3] @ middle + to_ras[:3, 3]
    index = middle[axis] + normal @ (place[:3, 3] - centre) / abs(steps[axis])
    count = int(grid.size[axis])
    number = int(np.clip(np.floor(index + 0.5) + 1, 1, count))
    return ShownSlice(number, count, tilted=bool(abs(steps[axis]) < (1 - _PARALLEL) * spacing[axis]))


def fit(slice_node: Any, volume: Any) -> None:
    """Move and zoom a view so that all of a volume is in sight; the slice through its middle is shown."""
    geometry = grid_of(volume)
    corners = np.array(np.meshgrid(*((-0.5, n - 0.5) for n in geometry.size), [1.0])).reshape(4, -1)
    ras = (ijk_to_ras(geometry) @ corners)[:3]
    low, high = ras.min(axis=1), ras.max(axis=1)
    axes = array_of(slice_node.GetSliceToRAS())[:3, :3]
    along = np.abs(axes.T @ (high - low))
    columns, rows, _ = (max(1, n) for n in slice_node.GetDimensions())
    scale = max(along[0] / columns, along[1] / rows)
    with modifying(slice_node):
        slice_node.SetSliceOrigin(0.0, 0.0, 0.0)
        slice_node.JumpSliceByCentering(*((low + high) / 2).tolist())
        slice_node.SetFieldOfView(columns * scale, rows * scale, slice_node.GetFieldOfView()[2])


def jump(scene: Any, lps: Triple) -> None:
    """Show a place in all slice views; the zoom stays, and so does what is beside it where it is in sight already."""
    ras = ras_of(lps)
    for node in slice_nodes(scene):
        if _in_sight(node, ras):
            node.JumpSliceByOffsetting(*ras)
        else:
            node.JumpSliceByCentering(*ras)


def show_segments(scene: Any, displays: Mapping[Visit, Any], views: Mapping[str, Visit], active: Visit) -> None:
    """Let each view draw the segments of the visit that it shows, 3D views those of the active one."""
    slices = {node.GetLayoutName(): node for node in slice_nodes(scene)}
    for visit, display in displays.items():
        mine = [slices[name].GetID() for name, shown in views.items() if shown is visit and name in slices]
        if visit is active:
            mine += [node.GetID() for node in nodes_of_class(scene, "vtkMRMLViewNode")]
        with modifying(display):
            display.SetVisibility(bool(mine) or (visit is active and not slices))
            # None at all stands for every view.
            wanted = mine if len(displays) > 1 else []
            if list(display.GetViewNodeIDs() or ()) != wanted:
                display.RemoveAllViewNodeIDs()
                for node_id in wanted:
                    display.AddViewNodeID(node_id)


def _in_sight(slice_node: Any, ras: Triple) -> bool:
    to_view = np.linalg.inv(array_of(slice_node.GetXYToRAS()))
    x, y = (to_view @ (*ras, 1.0))[:2]
    columns, rows, _ = slice_node.GetDimensions()
    return bool(abs(x / columns - 0.5) <= _EDGE / 2 and abs(y / rows - 0.5) <= _EDGE / 2)
