"""Lesions of a visit as segments: all in one shared labelmap, written in one go."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.lesions.lesion import Lesion, LesionSet, Side, State
from HNTargetSegLib.review.visit import VisitReview
from HNTargetSegLib.scene import tags
from HNTargetSegLib.scene.geometry import to_world, vtk_matrix
from HNTargetSegLib.scene.style import SegmentStyle
from HNTargetSegLib.scene.terminology import COLOURS, terminology_entry
from HNTargetSegLib.scene.volumes import MADE, mark, voxel_to_ras
from HNTargetSegLib.scene.voxels import vtk_scalars

LABELMAP = "Binary labelmap"
SURFACE = "Closed surface"
_REJECTED_OPACITY = 0.3


@contextmanager
def modifying(*nodes: Any) -> Iterator[None]:
    """Changes of nodes as one: their observers are told once, at the end."""
    begun = [(node, node.StartModify()) for node in nodes if node is not None]
    try:
        yield
    finally:
        for node, before in begun:
            node.EndModify(before)


@contextmanager
def no_new_state(segmentation: Any) -> Iterator[list[Any]]:
    """Changes of segments that are none of their voxels: what was undone can still be done again.

    ``vtkSegmentationHistory``, ours and the editor's, forgets the states that were undone with any change of a segment
    that it is told of. Segments that are added meanwhile are not kept from it.

    Yields
    ------
    list
        The segments that have changed so far; see :func:`tell_of_words`.
    """
    changed: list[Any] = []
    watched = [segmentation.GetNthSegment(n) for n in range(segmentation.GetNumberOfSegments())]
    # Before the segmentation, which listens with the usual priority of 0.
    ends = [_keep_quiet(segment, changed) for segment in watched]
    try:
        yield changed
    finally:
        for end in ends:
            end()


def _keep_quiet(segment: Any, changed: list[Any]) -> Callable[[], object]:
    def stop_the_event(*_: Any) -> None:
        changed.append(segment)
        segment.GetCommand(number).AbortFlagOn()

    number = segment.AddObserver("ModifiedEvent", stop_the_event, 1.0)
    return lambda: segment.RemoveObserver(number)


def tell_of_words(node: Any) -> None:
    """Tell those who listen to a segmentation node that names, colours or tags have changed."""
    node.StorableModified()
    node.InvokeCustomModifiedEvent(node.GetSegmentation().SegmentModified)


def segment_name(lesion_id: int) -> str:
    """Id of the segment that is made for a lesion."""
    return f"lesion-{lesion_id}"


def add_segmentation(scene: Any, volume: Any, review: VisitReview, visit: Visit, patient: str) -> Any:
    """Add the segmentation node of a visit, on the grid, under the transform and at the place of its volume."""
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", f"{patient} {visit.title} lesions")
    node.CreateDefaultDisplayNodes()
    node.SetAttribute(MADE, "1")
    mark(node, review.image, visit, patient)
    refer(node, volume)
    return node


def refer(node: Any, volume: Any) -> None:
    """Tie a segmentation to its volume: grid, reference role, transform, and parent in the subject hierarchy."""
    import slicer

    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    node.SetNodeReferenceID(node.GetReferenceImageGeometryReferenceRole(), volume.GetID())
    node.SetAndObserveTransformNodeID(volume.GetTransformNodeID())
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(node.GetScene())
    if hierarchy is None:
        return
    of_volume = hierarchy.GetItemByDataNode(volume)
    parent = hierarchy.GetItemParent(of_volume) if of_volume else hierarchy.GetSceneItemID()
    item = hierarchy.GetItemByDataNode(node)
    if not item:
        hierarchy.CreateItem(parent, node)
    elif hierarchy.GetItemParent(item) != parent:
        hierarchy.SetItemParent(item, parent)


def voxel_to_segmentation(node: Any, volume: Any) -> np.ndarray:
    """4x4 matrix from voxels of a volume (i, j, k) to the RAS mm in which a segmentation counts.

    Under one transform, of any kind, the two are where the voxels are the same; otherwise both have to be linear.

    Raises
    ------
    BadInputError
        If one lies under a transform that is not linear and not that of the other.
    """
    if node.GetParentTransformNode() is volume.GetParentTransformNode():
        return voxel_to_ras(volume)
    placed: np.ndarray = np.linalg.inv(to_world(node)) @ to_world(volume) @ voxel_to_ras(volume)
    return placed


def write_lesions(node: Any, volume: Any, review: VisitReview, segments: Mapping[int, str], run: str) -> dict[int, str]:
    """Put the lesions of a review into a segmentation; what was in their segments before is replaced.

    Parameters
    ----------
    volume
        Volume node of the visit.
    segments
        Segment id by lesion id, of segments that are there. Those of lesions that are gone are removed; all others
        stay as they are.
    run
        Which proposal the lesions are of.

    Returns
    -------
    dict
        Segment id by lesion id.
    """
    segmentation, display, lesions = node.GetSegmentation(), node.GetDisplayNode(), review.lesions
    shown = [] if lesions is None else [lesion for lesion in lesions if lesion.voxels]
    now = {lesion.id: segments.get(lesion.id, segment_name(lesion.id)) for lesion in shown}
    with modifying(node, display):
        if segmentation.ContainsRepresentation(SURFACE):
            # Of what was there before; with it, each new segment would be converted on its own.
            segmentation.RemoveRepresentation(SURFACE)
        if lesions is not None and shown:
            image = shared_labelmap(voxel_to_segmentation(node, volume), lesions, shown)
            for lesion in shown:
                put(segmentation, now[lesion.id], image, lesion, review, run)
        remove_segments(segmentation, (name for lesion_id, name in segments.items() if lesion_id not in now))
        for lesion in shown:
            show(display, now[lesion.id], lesion, review)
    return now


def put(segmentation: Any, name: str, image: Any, lesion: Lesion, review: VisitReview, run: str) -> None:
    """Let a segment show a lesion of a shared labelmap; the segment is added where it is not there."""
    import slicer

    there = segmentation.GetSegment(name)
    segment = slicer.vtkSegment() if there is None else there
    segment.SetLabelValue(lesion.id)
    segment.AddRepresentation(LABELMAP, image)
    describe(segment, lesion, review, run)
    if there is None:
        segmentation.AddSegment(segment, name)


def shared_labelmap(matrix: np.ndarray, lesions: LesionSet, shown: Iterable[Lesion]) -> Any:
    """``vtkOrientedImageData`` of all lesions, cut to the box round them; a voxel's value is its lesion's id.

    Parameters
    ----------
    matrix
        From voxels (i, j, k) to RAS mm, 4x4.
    """
    import slicer

    boxes = np.array([lesion.box for lesion in shown])
    (k0, j0, i0), (k1, j1, i1) = boxes[:, :, 0].min(axis=0).tolist(), boxes[:, :, 1].max(axis=0).tolist()
    crop = lesions.ids.array[k0:k1, j0:j1, i0:i1]
    highest = max(lesion.id for lesion in lesions)
    # A copy in any case: the editor writes into it.
    values = np.array(crop, dtype=np.uint8 if highest <= np.iinfo(np.uint8).max else np.uint16, order="C")
    image = slicer.vtkOrientedImageData()
    image.SetExtent(i0, i1 - 1, j0, j1 - 1, k0, k1 - 1)
    image.SetImageToWorldMatrix(vtk_matrix(matrix))
    image.GetPointData().SetScalars(vtk_scalars(values))
    return image


def add_empty(node: Any, lesion_id: int, label: Target, name: str) -> str:
    """Add a segment without voxels to draw into; returns its id."""
    import slicer
    from vtkmodules.vtkCommonDataModel import vtkPolyData

    segmentation = node.GetSegmentation()
    segment = slicer.vtkSegment()
    segment.SetName(name)
    segment.SetColor(*COLOURS[label])
    tags.set_tag(segment, tags.TERMINOLOGY, terminology_entry(label, Side.MIDLINE))
    tags.set_tag(segment, tags.ALGORITHM_TYPE, "MANUAL")
    if segmentation.ContainsRepresentation(SURFACE):
        # Otherwise an empty labelmap would be converted, which fails.
        segment.AddRepresentation(LABELMAP, slicer.vtkOrientedImageData())
        segment.AddRepresentation(SURFACE, vtkPolyData())
    segmentation.AddSegment(segment, segment_name(lesion_id))
    return segment_name(lesion_id)


def describe(segment: Any, lesion: Lesion, review: VisitReview, run: str) -> None:
    """Give a segment name, kind, state and author of its lesion; its colour only where the kind is new."""
    before = tags.written(segment)
    if segment.GetName() != lesion.name:
        segment.SetName(lesion.name)
    entry = terminology_entry(lesion.label, lesion.side)
    known_kind = before is not None and before.label is lesion.label
    if not known_kind:
        segment.SetColor(*COLOURS[lesion.label])
    tags.set_tag(segment, tags.TERMINOLOGY, entry)
    tags.write(segment, lesion, run)
    model = review.model_of(lesion)
    tags.write_algorithm(
        segment, lesion, touched=lesion.id in review.touched, model="" if model is None else model.name
    )


def show(display: Any, segment_id: str, lesion: Lesion, review: VisitReview) -> None:
    """Show or hide a segment; a rejected lesion is dim."""
    visible = lesion.id not in review.hidden
    opacity = _REJECTED_OPACITY if lesion.state is State.REJECTED else 1.0
    if bool(display.GetSegmentVisibility(segment_id)) != visible:
        display.SetSegmentVisibility(segment_id, visible)
    for part in ("2DOutline", "2DFill", "3D"):
        if getattr(display, f"GetSegmentOpacity{part}")(segment_id) != opacity:
            getattr(display, f"SetSegmentOpacity{part}")(segment_id, opacity)


def apply_style(display: Any, style: SegmentStyle) -> None:
    """Draw all segments of a display node in a style."""
    with modifying(display):
        display.SetVisibility2DOutline(style.outline)
        display.SetVisibility2DFill(style.fill)
        display.SetOpacity2DOutline(1.0)
        display.SetOpacity2DFill(style.opacity)
        display.SetSliceIntersectionThickness(style.thickness)


def remove_segments(segmentation: Any, names: Iterable[str]) -> None:
    """Remove segments; each is emptied first, because taking one out of a shared labelmap copies all of it."""
    import slicer

    for name in names:
        segment = segmentation.GetSegment(name)
        if segment is not None:
            segment.AddRepresentation(LABELMAP, slicer.vtkOrientedImageData())
            segmentation.RemoveSegment(name)
