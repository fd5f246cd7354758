"""From one case to the next: which nodes are made, which go on, and which are taken out of the scene."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.review.session import ReviewSession
from HNTargetSegLib.review.visit import VisitReview
from HNTargetSegLib.scene.given import node_of
from HNTargetSegLib.scene.segments import add_segmentation, refer
from HNTargetSegLib.scene.views import nodes_of_class
from HNTargetSegLib.scene.visit_nodes import VisitNodes
from HNTargetSegLib.scene.volumes import MADE, VISIT, add_volume, mark, unmark


def nodes_of_case(
    scene: Any, session: ReviewSession, before: Mapping[Visit, VisitNodes], *, restoring: bool
) -> dict[Visit, VisitNodes]:
    """Nodes of the session's case, by visit.

    A visit whose lesions are the same goes on as it is. An image that a node of the scene shows already is taken from
    there, and added otherwise.

    Parameters
    ----------
    before
        Nodes of the case before. What the review put into the scene for it goes; a segmentation of a volume that was
        there before the review stays as an ordinary one, if it holds segments.
    restoring
        The case is one that the scene holds: segmentations that are marked as its own go on.
    """
    going_on = {
        visit: nodes
        for visit, nodes in before.items()
        if visit in session.visits and not restoring and nodes.goes_on_with(session.visits[visit])
    }
    shown = [node_of(scene, review.image) for review in session.visits.values()]
    for visit, nodes in before.items():
        if visit not in going_on:
            nodes.dispose()
            if not restoring:
                _take_out(scene, nodes, volume_stays=nodes.volume in shown)
    name = "" if session.case is None else session.case.name
    return {
        visit: going_on.get(visit) or _nodes_of(scene, visit, review, name) for visit, review in session.visits.items()
    }


def _nodes_of(scene: Any, visit: Visit, review: VisitReview, patient: str) -> VisitNodes:
    volume = node_of(scene, review.image)
    if volume is None:
        volume = add_volume(scene, review.image, visit, patient)
    else:
        mark(volume, review.image, visit, patient)
    segmentation = _marked_segmentation(scene, volume, visit)
    if segmentation is None:
        segmentation = add_segmentation(scene, volume, review, visit, patient)
    else:
        refer(segmentation, volume)
    return VisitNodes(visit, volume, segmentation, review)


def _marked_segmentation(scene: Any, volume: Any, visit: Visit) -> Any | None:
    for node in nodes_of_class(scene, "vtkMRMLSegmentationNode"):
        reference = node.GetNodeReference(node.GetReferenceImageGeometryReferenceRole())
        if node.GetAttribute(VISIT) == visit.value and reference is volume:
            return node
    return None


def _take_out(scene: Any, nodes: VisitNodes, *, volume_stays: bool) -> None:
    """Remove what the review made; make the rest ordinary again."""
    ours = nodes.volume.GetAttribute(MADE) == "1"
    filled = nodes.segmentation.GetSegmentation().GetNumberOfSegments() > 0
    for node, goes in ((nodes.segmentation, ours or not filled), (nodes.volume, ours and not volume_stays)):
        if node.GetScene() is None:
            continue
        if goes:
            scene.RemoveNode(node)
        elif not (volume_stays and node is nodes.volume):
            unmark(node)
    if nodes.segmentation.GetScene() is not None:
        nodes.display.SetVisibility(False)
