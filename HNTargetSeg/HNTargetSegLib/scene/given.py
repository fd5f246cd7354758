"""Volumes that are in the scene already, as a case; they are taken as they are, on their own memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from HNTargetSegLib.case.identity import SeriesIdentity
from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.review.case import ReviewCase, VisitImage
from HNTargetSegLib.scene.views import nodes_of_class
from HNTargetSegLib.scene.volumes import volume_of
from HNTargetSegLib.scene.voxels import array_view


def case_of_nodes(pre: Any | None, mid: Any | None, name: str = "") -> ReviewCase:
    """Case of one or two volumes that are in the scene already, for ``session.open``; nothing is changed.

    A volume under a linear transform is taken where the transform puts it.

    Raises
    ------
    BadInputError
        If both are None or the same node, a node holds no scalar image, or lies under a non-linear transform.
    GeometryError
        If the transform shears it.
    """
    nodes = {visit: node for visit, node in ((Visit.PRE, pre), (Visit.MID, mid)) if node is not None}
    if not nodes:
        raise BadInputError("No volume is chosen", remedy="Choose the T2w volume of at least one visit")
    if len(nodes) == 2 and pre is mid:
        raise BadInputError("One volume is chosen for both visits", remedy="Choose two volumes, or one visit only")
    visits = {visit: image_of(node) for visit, node in nodes.items()}
    known = next((image.patient_id for image in visits.values() if image.patient_id), "")
    return ReviewCase(name or known or str(next(iter(nodes.values())).GetName()), visits)


def image_of(node: Any) -> VisitImage:
    """Image of a volume node; errors as :func:`~HNTargetSegLib.scene.volumes.volume_of`."""
    return VisitImage(volume_of(node), _source(node), identity_of_node(node))


def identity_of_node(node: Any) -> SeriesIdentity | None:
    """What Slicer's DICOM module wrote into the subject hierarchy above a volume; None where it has read none."""
    import slicer

    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(node.GetScene())
    item = 0 if hierarchy is None else hierarchy.GetItemByDataNode(node)
    names = slicer.vtkMRMLSubjectHierarchyConstants
    facts: dict[str, str] = {}
    for level, attributes in (
        (
            names.GetDICOMLevelPatient(),
            {
                "patient_id": names.GetDICOMPatientIDAttributeName(),
                "patient_name": names.GetDICOMPatientNameAttributeName(),
                "patient_birth_date": names.GetDICOMPatientBirthDateAttributeName(),
            },
        ),
        (names.GetDICOMLevelStudy(), {"study_date": names.GetDICOMStudyDateAttributeName()}),
    ):
        above = hierarchy.GetItemAncestorAtLevel(item, level) if item else 0
        if above:
            facts |= {fact: str(hierarchy.GetItemAttribute(above, key)).strip() for fact, key in attributes.items()}
    return SeriesIdentity(**facts) if any(facts.values()) else None


def node_of(scene: Any, image: VisitImage) -> Any | None:
    """Volume node of a scene that shows an image from the memory of its array; None where there is none."""
    address = image.image.array.ctypes.data
    for node in nodes_of_class(scene, "vtkMRMLScalarVolumeNode"):
        shown = node.GetImageData()
        scalars = None if shown is None else shown.GetPointData().GetScalars()
        if (
            scalars is not None
            and scalars.GetNumberOfComponents() == 1
            and scalars.GetNumberOfTuples() == image.image.array.size
            and array_view(shown).ctypes.data == address
        ):
            return node
    return None


def _source(node: Any) -> Path | None:
    """File that a volume was read from, if it is one file and the volume is still as it was read."""
    storage = node.GetStorageNode()
    if storage is None or node.GetParentTransformNode() is not None or storage.GetNumberOfFileNames():
        return None
    path = Path(storage.GetFileName() or "")
    return path if path.is_file() and not node.GetModifiedSinceRead() else None
