"""A small case with two lesions, open in a scene, and a hand that draws in it."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

import numpy as np

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.export.manifest import ModelRecord
from HNTargetSegLib.lesions.find import find_lesions
from HNTargetSegLib.lesions.lesion import Lesion, LesionSet
from HNTargetSegLib.review.change import Message
from HNTargetSegLib.review.session import ReviewSession
from HNTargetSegLib.review.visit import RunRecord
from HNTargetSegLib.scene.geometry import vtk_matrix
from HNTargetSegLib.scene.review_scene import ReviewScene
from HNTargetSegLib.scene.volumes import voxel_to_ras
from HNTargetSegLib.scene.voxels import vtk_scalars

Box = tuple[slice, slice, slice]

SIZE = (40, 36, 20)
SPACING = (2.0, 2.5, 4.0)
PT_BOX = (slice(5, 9), slice(10, 16), slice(8, 14))
LN_BOX = (slice(4, 8), slice(20, 26), slice(24, 32))
TOUCHING_LN_BOX = (slice(8, 12), slice(20, 26), slice(24, 32))


def oblique_axes(seed: int = 3, *, left_handed: bool = False) -> np.ndarray:
    """Three directions at right angles that are none of the patient's."""
    axes = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]
    wrong = (np.linalg.det(axes) < 0) != left_handed
    return axes * (-1, 1, 1) if wrong else axes


def volume(seed: int = 0, axes: np.ndarray | None = None, size: tuple[int, int, int] = SIZE) -> Volume:
    """A volume of noise, each voxel with its own value."""
    directions = np.eye(3) if axes is None else axes
    geometry = Geometry(size, SPACING, (-40.0, -30.0, 15.0), tuple(float(x) for x in directions.ravel()))
    values = np.random.default_rng(seed).permutation(np.arange(np.prod(size), dtype=np.float32))
    return Volume(values.reshape(geometry.shape), geometry, f"T2-{seed}")


def lesions_in(image: Volume, *paints: tuple[Target, Box]) -> LesionSet:
    """Lesions in boxes; boxes of the same label that touch are one."""
    labels = np.zeros(image.array.shape, np.uint8)
    for label, box in paints:
        labels[box] = label
    return find_lesions(image.with_array(labels))


def run_record(name: str = "demo") -> RunRecord:
    now = datetime.datetime(2030, 1, 2, tzinfo=datetime.timezone.utc)
    return RunRecord(ModelRecord(name=name, version="1", sha256="0" * 64), "cpu", {"mode": "exact"}, now, now)


@dataclass
class Opened:
    """A review that is open in a scene."""

    session: ReviewSession
    scene: Any
    review: ReviewScene
    said: list[Message]

    def node(self, visit: Visit = Visit.MID) -> Any:
        return self.review.segmentation_node(visit)

    def segment(self, lesion_id: int, visit: Visit = Visit.MID) -> Any:
        return self.segmentation(visit).GetSegment(self.review.segment_id(visit, lesion_id))

    def draw(self, segment_id: str, box: Box, value: int = 1, visit: Visit = Visit.MID) -> None:
        """Draw into a segment, or with 0 erase from it, and let the session follow."""
        draw(self.node(visit), segment_id, self.review.volume_node(visit), box, value)
        self.review.process_pending()

    def lesion(self, lesion_id: int, visit: Visit = Visit.MID) -> Lesion:
        return self.session.visits[visit].require_lesion(lesion_id)

    def names(self, visit: Visit = Visit.MID) -> list[str]:
        """Names of the segments, in the order of the list."""
        segments = self.segmentation(visit)
        return [segments.GetNthSegment(n).GetName() for n in range(segments.GetNumberOfSegments())]

    def segmentation(self, visit: Visit = Visit.MID) -> Any:
        return self.review.segmentation_node(visit).GetSegmentation()

    def propose(self, visit: Visit = Visit.MID, *paints: tuple[Target, Box]) -> LesionSet:
        """Take a proposal as of a model: by default a primary tumour and a node."""
        image = self.session.visits[visit].image.image
        found = lesions_in(image, *(paints or ((Target.PT, PT_BOX), (Target.LN, LN_BOX))))
        self.session.take_proposal(visit, found, run_record())
        return found

    def ids(self, visit: Visit = Visit.MID) -> np.ndarray:
        lesions = self.session.visits[visit].lesions
        assert lesions is not None
        return lesions.ids.array


def draw(node: Any, segment_id: str, volume_node: Any, box: Box, value: int = 1) -> None:
    """Add voxels to a segment, or take them away, with the logic behind all effects of the segment editor."""
    import slicer

    scene = node.GetScene()
    editor = scene.AddNewNodeByClass("vtkMRMLSegmentEditorNode", "editor")
    editor.SetOverwriteMode(editor.OverwriteNone)
    editor.SetAndObserveSegmentationNode(node)
    editor.SetAndObserveSourceVolumeNode(volume_node)
    editor.SetSelectedSegmentID(segment_id)
    logic = slicer.vtkSlicerSegmentEditorLogic()
    logic.SetMRMLScene(scene)
    logic.SetSegmentEditorNode(editor)
    mode = logic.ModificationModeAdd if value else logic.ModificationModeRemove
    logic.ModifySegmentByLabelmap(node, segment_id, _modifier(volume_node, box), mode, False, True)
    logic.SetSegmentEditorNode(None)
    logic.SetMRMLScene(None)
    scene.RemoveNode(editor)


def filled(*boxes: tuple[slice, slice, slice]) -> np.ndarray:
    """Mask of boxes on the grid of the cases."""
    array = np.zeros((20, 36, 40), bool)
    for box in boxes:
        array[box] = True
    return array


def _modifier(volume_node: Any, box: Box) -> Any:
    import slicer

    i, j, k = volume_node.GetImageData().GetDimensions()
    array = np.zeros((k, j, i), np.uint8)
    array[box] = 1
    image = slicer.vtkOrientedImageData()
    image.SetExtent(0, i - 1, 0, j - 1, 0, k - 1)
    image.SetImageToWorldMatrix(vtk_matrix(voxel_to_ras(volume_node)))
    image.GetPointData().SetScalars(vtk_scalars(array))
    return image
