"""Lesions of a visit as segments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from Testing.unit.scene.small_case import LN_BOX, PT_BOX, Opened, lesions_in, oblique_axes, run_record

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.lesions.lesion import State
from HNTargetSegLib.lesions.match import match_lesions
from HNTargetSegLib.scene import tags
from HNTargetSegLib.scene.given import case_of_nodes
from HNTargetSegLib.scene.style import SegmentStyle
from HNTargetSegLib.scene.terminology import label_of_entry, label_of_name

MID = Visit.MID
Maker = Callable[..., Opened]


def voxels_of(review: Opened, lesion_id: int) -> set[tuple[int, int, int]]:
    """Voxels of a segment in the image, as Slicer resamples it onto the volume."""
    import slicer
    from vtkmodules.util.numpy_support import vtk_to_numpy

    node, volume = review.node(), review.review.volume_node(MID)
    image = slicer.vtkOrientedImageData()
    node.GetBinaryLabelmapRepresentation(review.review.segment_id(MID, lesion_id), image)
    reference = slicer.vtkSlicerSegmentationsModuleLogic.CreateOrientedImageDataFromVolumeNode(volume)
    reference.UnRegister(None)
    resample = slicer.vtkOrientedImageDataResample
    resample.ResampleOrientedImageToReferenceOrientedImage(image, reference, image, False)
    i, j, k = image.GetDimensions()
    array = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(k, j, i)
    return {tuple(place) for place in np.argwhere(array > 0).tolist()}


def expected(review: Opened, lesion_id: int) -> set[tuple[int, int, int]]:
    return {tuple(place) for place in np.argwhere(review.ids() == lesion_id).tolist()}


@pytest.mark.parametrize("axes", [np.eye(3), oblique_axes(1), oblique_axes(2, left_handed=True)])
def test_slicer_finds_each_lesion_where_the_map_has_it(opened: Maker, axes: np.ndarray) -> None:
    review = opened(axes=axes)
    review.propose()

    for lesion in review.session.lesions(MID):
        assert voxels_of(review, lesion.id) == expected(review, lesion.id)


def test_touching_lesions_stay_apart_in_one_shared_labelmap(opened: Maker) -> None:
    review = opened()
    touching = (PT_BOX[0], slice(16, 20), PT_BOX[2])
    review.propose(MID, (Target.PT, PT_BOX), (Target.LN, touching))

    assert review.segmentation().GetNumberOfLayers() == 1
    assert voxels_of(review, 1) == expected(review, 1)
    assert voxels_of(review, 2) == expected(review, 2)


def test_lesions_beyond_the_range_of_a_byte_are_kept(opened: Maker) -> None:
    review = opened()
    spots = [
        (slice(k, k + 1), slice(j, j + 1), slice(i, i + 1))
        for k in (2, 5, 8, 11, 14)
        for j in range(1, 34, 4)
        for i in range(1, 38, 5)
    ]
    review.propose(MID, *((Target.LN, spot) for spot in spots))

    assert len(review.session.lesions(MID)) == len(spots) > 255
    assert review.review.follow_edits(MID) == ()
    assert voxels_of(review, 300) == expected(review, 300)


def test_segments_have_names_and_colours_of_their_targets(opened: Maker) -> None:
    review = opened()
    review.propose()

    assert review.names() == ["GTVp", "GTVn1"]
    np.testing.assert_allclose(review.segment(1).GetColor(), (0, 200 / 255, 80 / 255))
    np.testing.assert_allclose(review.segment(2).GetColor(), (1, 220 / 255, 0))
    assert review.review.segment_id(MID, 2) == "lesion-2"
    assert review.review.lesion_of(MID, "lesion-2") == 2
    assert review.review.lesion_of(MID, "lesion-9") is None


def test_slicer_reads_the_terminology_of_both_targets(opened: Maker, core: Any) -> None:
    import slicer

    review = opened()
    review.propose()

    for lesion_id, meaning, region in ((1, "Neoplasm, Primary", None), (2, "Neoplasm, Secondary", "Lymph node")):
        entry = slicer.vtkSlicerTerminologyEntry()
        text = tags.tag(review.segment(lesion_id), tags.TERMINOLOGY)
        assert core.logics["Terminologies"].DeserializeTerminologyEntry(text, entry)
        assert entry.GetTypeObject().GetCodeMeaning() == meaning
        found = entry.GetRegionObject()
        assert (found.GetCodeMeaning() or None) == region


def test_slicer_knows_the_colour_of_a_target_once_a_review_was_there(opened: Maker, core: Any) -> None:
    import slicer

    opened()
    logic = core.logics["Terminologies"]
    entry = slicer.vtkSlicerTerminologyEntry()
    assert logic.IsTerminologyContextLoaded("HNTargetSeg")
    assert logic.FindTypeInTerminologyBy3dSlicerLabel("HNTargetSeg", "GTVn", entry)
    assert tuple(entry.GetTypeObject().GetRecommendedDisplayRGBValue()) == (255, 220, 0)
    regions: list[str] = []
    logic.GetLoadedRegionContextNames(regions)
    assert "HNTargetSeg regions" in regions


def test_kind_of_foreign_segments_is_read_from_terminology_and_name() -> None:
    entry = "Segmentation category and type - DICOM master list~SCT^49755003^x~SCT^86049000^y~^^~Anatomic codes~^^~^^"

    assert label_of_entry(entry) is Target.PT
    assert label_of_entry("a~SCT^85756007^Tissue~SCT^85756007^Tissue~^^~b~^^~^^") is None
    assert [label_of_name(name) for name in ("GTVp", "gtvn_left", "Node")] == [Target.PT, Target.LN, None]


@pytest.mark.parametrize(
    ("verdict", "touch", "type_"),
    [("accept", False, "AUTOMATIC"), ("reject", False, "AUTOMATIC"), ("accept", True, "SEMIAUTOMATIC")],
)
def test_algorithm_of_a_segment_follows_who_drew_it(opened: Maker, verdict: str, touch: bool, type_: str) -> None:
    review = opened()
    review.propose()
    if touch:
        review.draw("lesion-1", (slice(9, 10), *PT_BOX[1:]))
    getattr(review.session, verdict)(MID, 1)

    assert tags.tag(review.segment(1), tags.ALGORITHM_TYPE) == type_
    assert tags.tag(review.segment(1), tags.ALGORITHM_NAME) == "demo"


def test_segment_drawn_by_hand_says_so_and_names_no_algorithm(opened: Maker) -> None:
    review = opened()
    review.draw(review.review.new_segment(MID, Target.LN), LN_BOX)

    assert tags.tag(review.segment(1), tags.ALGORITHM_TYPE) == "MANUAL"
    assert tags.tag(review.segment(1), tags.ALGORITHM_NAME) == ""


def test_state_is_written_into_the_segment(opened: Maker) -> None:
    review = opened()
    review.propose()
    review.session.accept(MID, 1)
    review.session.reject(MID, 2)

    assert [tags.tag(review.segment(n), tags.STATE) for n in (1, 2)] == ["accepted", "rejected"]
    assert [tags.tag(review.segment(n), tags.STATUS) for n in (1, 2)] == ["completed", "flagged"]


def test_rejected_lesion_stays_in_the_scene_but_dim(opened: Maker) -> None:
    review = opened()
    review.propose()
    display = review.node().GetDisplayNode()
    review.session.reject(MID, 2)

    assert display.GetSegmentOpacity2DOutline("lesion-2") < 0.5 < display.GetSegmentOpacity2DOutline("lesion-1")

    review.session.reset(MID, 2)
    assert display.GetSegmentOpacity2DOutline("lesion-2") == 1.0


def test_hidden_lesion_is_not_drawn(opened: Maker) -> None:
    review = opened()
    review.propose()
    review.session.set_shown(MID, [1], False)
    display = review.node().GetDisplayNode()

    assert not display.GetSegmentVisibility("lesion-1")
    assert display.GetSegmentVisibility("lesion-2")


def test_change_of_state_touches_only_its_own_segment(opened: Maker) -> None:
    review = opened()
    review.propose()
    before = review.segment(2).GetMTime()
    review.session.accept(MID, 1)

    assert review.segment(2).GetMTime() == before


def test_segments_are_outlines_unless_told_otherwise(opened: Maker) -> None:
    review = opened()
    display = review.node().GetDisplayNode()
    assert (display.GetVisibility2DOutline(), display.GetVisibility2DFill()) == (1, 0)

    review.review.set_style(SegmentStyle(outline=False, fill=True, opacity=0.5, thickness=4))
    assert (display.GetVisibility2DOutline(), display.GetVisibility2DFill()) == (0, 1)
    assert (display.GetOpacity2DFill(), display.GetSliceIntersectionThickness()) == (0.5, 4)


def test_style_out_of_range_is_refused() -> None:
    with pytest.raises(BadInputError, match="out of range"):
        SegmentStyle(opacity=1.5)


def test_colour_that_the_user_chose_survives_another_run(opened: Maker) -> None:
    review = opened()
    review.propose()
    review.segment(1).SetColor(1, 0, 1)
    review.review.process_pending()
    review.session.accept(MID, 1)
    review.propose(MID, (Target.LN, LN_BOX))

    assert review.lesion(1).state is State.ACCEPTED
    assert review.segment(1).GetColor() == (1, 0, 1)


def test_relabelled_lesion_changes_name_colour_and_terminology(opened: Maker) -> None:
    review = opened()
    review.propose()
    review.session.relabel(MID, 1, Target.LN)

    assert review.segment(1).GetName() == "GTVn2"
    np.testing.assert_allclose(review.segment(1).GetColor(), (1, 220 / 255, 0))
    assert label_of_entry(tags.tag(review.segment(1), tags.TERMINOLOGY)) is Target.LN


def test_segmentation_refers_to_its_volume_and_lies_beside_it(opened: Maker, scene: Any) -> None:
    import slicer

    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    review = opened(visits=(MID,))
    volume = review.review.volume_node(MID)
    study = hierarchy.CreateStudyItem(hierarchy.GetSceneItemID(), "study")
    hierarchy.CreateItem(study, volume)
    review.session.open(case_of_nodes(None, volume))
    node = review.node()

    assert node.GetNodeReference(node.GetReferenceImageGeometryReferenceRole()) is volume
    assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node)) == study
    assert node.GetSegmentation().GetConversionParameter("Reference image geometry")


def test_lesions_of_the_next_run_replace_those_that_nobody_finished(opened: Maker) -> None:
    review = opened()
    review.propose()
    review.propose(MID, (Target.LN, LN_BOX))

    assert review.names() == ["GTVn1"]
    assert voxels_of(review, 1) == expected(review, 1)


def test_surfaces_are_made_only_when_asked_for_and_follow_the_voxels(opened: Maker) -> None:
    review = opened()
    review.propose()
    surface = "Closed surface"
    assert not review.segmentation().ContainsRepresentation(surface)

    review.review.set_surfaces(True)
    before = review.segment(1).GetRepresentation(surface).GetBounds()
    review.draw("lesion-1", (slice(9, 13), *PT_BOX[1:]))
    after = review.segment(1).GetRepresentation(surface).GetBounds()
    assert after[5] - before[5] == pytest.approx(16, abs=4)

    review.review.set_surfaces(False)
    assert not review.segmentation().ContainsRepresentation(surface)


def test_vanished_lesion_has_no_segment(opened: Maker) -> None:
    review = opened()
    image = review.session.visits[MID].image.image
    prior = lesions_in(image, (Target.LN, LN_BOX))
    matched = match_lesions(lesions_in(image, (Target.PT, PT_BOX)), prior)
    review.session.take_proposal(MID, matched, run_record())

    assert len(review.session.lesions(MID)) == 2
    assert review.names() == ["GTVp"]
