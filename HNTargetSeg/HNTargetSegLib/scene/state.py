"""The review's state inside the scene: a node that .mrb files carry, found by any module through its singleton tag."""

from __future__ import annotations

from typing import Any

from HNTargetSegLib.case.patient import Visit

TAG = "HNTargetSeg"
_REVIEW = "review"


def find_state(scene: Any) -> Any | None:
    """``vtkMRMLScriptedModuleNode`` of the module in a scene, or None."""
    return scene.GetSingletonNode(TAG, "vtkMRMLScriptedModuleNode")


def state_node(scene: Any) -> Any:
    """The same node, made where there is none; it is the module's parameter node as well."""
    found = find_state(scene)
    if found is not None:
        return found
    node = scene.CreateNodeByClass("vtkMRMLScriptedModuleNode")
    node.UnRegister(None)
    node.SetSingletonTag(TAG)
    node.SetModuleName(TAG)
    node.SetName(TAG)
    return scene.AddNode(node)


def stored_text(node: Any | None) -> str:
    """The stored review, as of :func:`~HNTargetSegLib.review.stored.review_to_json`; empty where there is none."""
    return "" if node is None else str(node.GetParameter(_REVIEW))


def store(node: Any, text: str, volumes: dict[Visit, Any], segmentations: dict[Visit, Any]) -> None:
    """Write a review and refer to its nodes; the node counts as modified once, and only if something is new."""
    changing = node.StartModify()
    node.SetParameter(_REVIEW, text)
    for visit in Visit:
        for role, nodes in ((_volume_role(visit), volumes), (_segmentation_role(visit), segmentations)):
            wanted = nodes[visit].GetID() if visit in nodes else None
            if node.GetNodeReferenceID(role) != wanted:
                node.SetNodeReferenceID(role, wanted)
    node.EndModify(changing)


def stored_volume(node: Any, visit: Visit) -> Any | None:
    """Volume node that the stored review refers to."""
    return node.GetNodeReference(_volume_role(visit))


def stored_segmentation(node: Any, visit: Visit) -> Any | None:
    """Segmentation node that the stored review refers to."""
    return node.GetNodeReference(_segmentation_role(visit))


def _volume_role(visit: Visit) -> str:
    return f"{visit.value}RTVolume"


def _segmentation_role(visit: Visit) -> str:
    return f"{visit.value}RTSegmentation"
