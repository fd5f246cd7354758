"""What the scene shows of a registration: a transform node, and outlines of the carried lesions on the mid-RT image."""

from __future__ import annotations

from typing import Any

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.lesions.lesion import LesionSet, State
from HNTargetSegLib.lesions.terminology import COLOURS
from HNTargetSegLib.review.prior import Prior
from HNTargetSegLib.scene import segments
from HNTargetSegLib.scene.state import find_state
from HNTargetSegLib.scene.style import SegmentStyle
from HNTargetSegLib.scene.transforms import add_transform
from HNTargetSegLib.scene.visit_nodes import VisitNodes

_ROLE = "registrationTransform"
_STYLE = SegmentStyle(outline=True, fill=False, thickness=1)
# Paler than the segments of the visit, so that a carried outline is never taken for a lesion.
_PALE = 0.55


class PriorNodes:
    """The nodes of a registration.

    Parameters
    ----------
    scene
        ``vtkMRMLScene``.

    Attributes
    ----------
    transform
        ``vtkMRMLTransformNode``, or None.
    outlines
        ``vtkMRMLSegmentationNode`` of the carried lesions while they are shown, or None; it is not saved.
    """

    def __init__(self, scene: Any) -> None:
        self.transform: Any = None
        self.outlines: Any = None
        self._scene = scene
        self._of: Prior | None = None
        self._shown: LesionSet | None = None

    def follow(self, prior: Prior | None, patient: str) -> None:
        """Keep the transform node of the registration that the review uses, and only that."""
        if self.transform is not None and self.transform.GetScene() is None:
            self.transform = None
        if prior is self._of:
            return
        before, self._of = self.transform, prior
        self.transform = None
        if prior is not None and prior.transform is not None:
            found = stored_transform(self._scene)
            restored = found is not None and before is None
            name = f"{patient} pre-RT to mid-RT"
            self.transform = found if restored else add_transform(self._scene, prior.transform, name)
        if before is not None and before is not self.transform:
            self._scene.RemoveNode(before)
        self._remember()

    def show(self, lesions: LesionSet | None, mid: VisitNodes | None) -> None:
        """Show the outlines of carried lesions on the mid-RT image; None takes them away."""
        if mid is None or lesions is None:
            self._hide()
            return
        if self.outlines is not None and self.outlines.GetScene() is not None and lesions is self._shown:
            return
        self._hide()
        self.outlines = _outlines(self._scene, lesions, mid)
        self._shown = lesions
        self.follow_views(mid)

    def follow_views(self, mid: VisitNodes | None) -> None:
        """Draw the outlines in the views that draw the lesions of the mid-RT visit."""
        if mid is None or self.outlines is None or self.outlines.GetScene() is None:
            return
        display = self.outlines.GetDisplayNode()
        wanted = list(mid.display.GetViewNodeIDs() or ())
        with segments.modifying(display):
            display.SetVisibility(mid.display.GetVisibility())
            if list(display.GetViewNodeIDs() or ()) != wanted:
                display.RemoveAllViewNodeIDs()
                for node_id in wanted:
                    display.AddViewNodeID(node_id)

    def clear(self) -> None:
        """Forget the nodes; the transform stays in the scene, the outlines go."""
        self._hide()
        self.transform, self._of = None, None

    def _hide(self) -> None:
        if self.outlines is not None and self.outlines.GetScene() is not None:
            self._scene.RemoveNode(self.outlines)
        self.outlines, self._shown = None, None

    def _remember(self) -> None:
        node = find_state(self._scene)
        if node is not None:
            node.SetNodeReferenceID(_ROLE, None if self.transform is None else self.transform.GetID())


def stored_transform(scene: Any) -> Any | None:
    """Transform node of the registration that the scene's review has stored, or None."""
    node = find_state(scene)
    return None if node is None else node.GetNodeReference(_ROLE)


def _outlines(scene: Any, lesions: LesionSet, mid: VisitNodes) -> Any:
    import slicer

    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "pre-RT lesions on mid-RT")
    node.SetSaveWithScene(False)
    node.CreateDefaultDisplayNodes()
    segments.refer(node, mid.volume)
    display = node.GetDisplayNode()
    display.SetSaveWithScene(False)
    display.SetVisibility3D(False)
    segments.apply_style(display, _STYLE)
    present = [lesion for lesion in lesions if lesion.voxels and lesion.state is not State.REJECTED]
    if present:
        image = segments.shared_labelmap(segments.voxel_to_segmentation(node, mid.volume), lesions, present)
        with segments.modifying(node, display):
            for lesion in present:
                segment = slicer.vtkSegment()
                segment.SetName(f"{lesion.name} {Visit.PRE.title}")
                segment.SetColor(*(_PALE + (1 - _PALE) * part for part in COLOURS[lesion.label]))
                segment.SetLabelValue(lesion.id)
                segment.AddRepresentation(segments.LABELMAP, image)
                node.GetSegmentation().AddSegment(segment, segments.segment_name(lesion.id))
    return node
