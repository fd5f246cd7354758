"""What leaves by Slicer's own ways: its DICOM exporter's needs are met, and it reads our segmentation file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from Testing.unit.scene.small_case import LN_BOX, Opened

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.export.seg_nrrd import write_seg_nrrd
from HNTargetSegLib.lesions.final_check import Check
from HNTargetSegLib.lesions.terminology import terminology_entry
from HNTargetSegLib.scene import tags
from HNTargetSegLib.scene.reading import read_segments

MID = Visit.MID
Maker = Callable[..., Opened]


def test_the_segmentation_is_ready_for_slicers_dicom_exporter(opened: Maker) -> None:
    import slicer

    review = opened()
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(review.scene)
    # As Slicer's DICOM module puts a series there.
    study = hierarchy.CreateStudyItem(hierarchy.GetSceneItemID(), "study")
    hierarchy.CreateItem(study, review.review.volume_node(MID))
    review.propose()
    node, volume = review.node(), review.review.volume_node(MID)
    segmentation = node.GetSegmentation()
    role = node.GetReferenceImageGeometryReferenceRole()
    assert node.GetNodeReference(role) is volume
    assert segmentation.GetConversionParameter("Reference image geometry")
    assert hierarchy.GetItemByDataNode(node)
    assert hierarchy.GetItemByDataNode(volume)
    assert segmentation.GetSourceRepresentationName() == "Binary labelmap"
    for lesion in review.session.lesions(MID):
        segment = review.segment(lesion.id)
        assert tags.tag(segment, tags.TERMINOLOGY) == terminology_entry(lesion.label, lesion.side)
        assert tags.tag(segment, tags.ALGORITHM_TYPE) == "AUTOMATIC"
        assert tags.tag(segment, tags.ALGORITHM_NAME) == "demo"
        assert segment.GetName() == lesion.name


def test_slicer_reads_the_segmentation_file_with_names_colours_and_terminology(opened: Maker, tmp_path: Path) -> None:
    import slicer

    review = opened()
    review.propose()
    lesions = review.session.visits[MID].lesions
    assert lesions is not None
    write_seg_nrrd(lesions, tmp_path / "lesions.seg.nrrd")
    elsewhere = slicer.vtkMRMLScene()
    node = elsewhere.AddNewNodeByClass("vtkMRMLSegmentationNode")
    storage = elsewhere.AddNewNodeByClass("vtkMRMLSegmentationStorageNode")
    storage.SetFileName(str(tmp_path / "lesions.seg.nrrd"))
    assert storage.ReadData(node)
    segmentation = node.GetSegmentation()
    assert segmentation.GetNumberOfSegments() == len(lesions)
    # The segments stand in the order of the lesions, whose ids count from 1.
    assert np.array_equal(read_segments(node, review.review.volume_node(MID)).ranks, lesions.ids.array)
    for n, lesion in enumerate(lesions):
        segment, shown = segmentation.GetNthSegment(n), review.segment(lesion.id)
        assert segment.GetName() == lesion.name
        assert segment.GetColor() == pytest.approx(shown.GetColor(), abs=1e-4)
        assert tags.tag(segment, tags.TERMINOLOGY) == tags.tag(shown, tags.TERMINOLOGY)
        assert tags.tag(segment, tags.ALGORITHM_TYPE) == "AUTOMATIC"


def test_segments_that_overlap_are_findings_of_the_one_that_loses(opened: Maker) -> None:
    review = opened()
    review.propose()
    below = (slice(LN_BOX[0].start, LN_BOX[0].start + 1), LN_BOX[1], LN_BOX[2])
    review.draw(review.review.segment_id(MID, 1), below)
    (finding,) = review.review.overlaps()[MID]
    losing = next(x for x in review.session.lesions(MID) if x.label is Target.PT)
    assert (finding.check, finding.name) == (Check.OVERLAP, losing.name)
    assert finding.text == "48 voxels are also claimed by GTVn1"
    image = review.session.visits[MID].image.image
    k, j, i = np.rint(image.geometry.to_kji(np.array(finding.place))).astype(int)
    assert review.ids()[k, j, i] == 2
    assert below[0].start == k


def test_views_look_at_the_place_of_a_finding(opened: Maker) -> None:
    review = opened()
    view = review.scene.AddNewNodeByClass("vtkMRMLSliceNode")
    view.SetLayoutName("Red")
    view.SetOrientation("Axial")
    review.review.look_at((1.0, -2.0, 33.0))
    matrix = view.GetSliceToRAS()
    assert matrix.GetElement(2, 3) == pytest.approx(33.0)
