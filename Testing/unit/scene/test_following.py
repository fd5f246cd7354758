"""What a hand has changed in the segments, read back into the session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from Testing.unit.scene.small_case import LN_BOX, PT_BOX, Opened, draw, filled, oblique_axes

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.lesions.find import remeasure
from HNTargetSegLib.lesions.lesion import Origin, Side, State
from HNTargetSegLib.scene import tags
from HNTargetSegLib.scene.geometry import vtk_matrix
from HNTargetSegLib.scene.segments import LABELMAP, SURFACE
from HNTargetSegLib.scene.terminology import terminology_entry
from HNTargetSegLib.scene.volumes import voxel_to_ras
from HNTargetSegLib.scene.voxels import array_view, vtk_scalars

MID = Visit.MID
MORE = (slice(9, 11), *PT_BOX[1:])
PRIMARY = terminology_entry(Target.PT, Side.LEFT)
ELSEWHERE = (slice(14, 17), slice(2, 6), slice(2, 6))
Maker = Callable[..., Opened]


@pytest.mark.parametrize("axes", [np.eye(3), oblique_axes(1), oblique_axes(2, left_handed=True)])
def test_stroke_is_followed_voxel_by_voxel(opened: Maker, axes: np.ndarray) -> None:
    review = opened(axes=axes)
    review.propose()
    review.draw("lesion-1", MORE)

    np.testing.assert_array_equal(review.ids() == 1, filled(PT_BOX, MORE))
    np.testing.assert_array_equal(review.ids() == 2, filled(LN_BOX))
    assert (review.lesion(1).state, review.lesion(2).state) == (State.EDITED, State.PROPOSED)


def test_stroke_beyond_the_box_of_all_lesions_is_followed(opened: Maker) -> None:
    review = opened()
    review.propose()
    corner = (slice(19, 20), slice(35, 36), slice(39, 40))
    review.draw("lesion-2", corner)

    np.testing.assert_array_equal(review.ids() == 2, filled(LN_BOX, corner))


@pytest.mark.parametrize("seed", range(4))
def test_edited_lesion_is_measured_as_if_the_whole_map_were(opened: Maker, seed: int) -> None:
    review = opened(axes=oblique_axes(seed))
    review.propose()
    k, j, i = np.random.default_rng(seed).integers(0, 12, 3).tolist()
    review.draw(f"lesion-{1 + seed % 2}", (slice(k, k + 5), slice(j, j + 6), slice(i, i + 7)), int(seed > 1))

    image = review.session.visits[MID].image.image
    whole = remeasure(image.with_array(review.ids()), review.session.lesions(MID))
    for measured, edited in zip(whole, review.session.lesions(MID), strict=True):
        assert (measured.voxels, measured.box) == (edited.voxels, edited.box)
        np.testing.assert_allclose(measured.centroid, edited.centroid, atol=1e-9)
        assert (measured.long_mm, measured.short_mm) == pytest.approx((edited.long_mm, edited.short_mm))


def test_nothing_is_read_where_nothing_was_drawn(opened: Maker) -> None:
    review = opened()
    review.propose()

    assert not review.review.pending
    assert review.review.follow_edits(MID) == ()
    assert review.session.visits[MID].touched == frozenset()


def test_edits_are_collected_until_there_is_time(opened: Maker) -> None:
    review = opened()
    review.propose()
    asked: list[bool] = []
    review.review.on_pending = lambda: asked.append(review.review.pending)
    for n in range(3):
        draw(review.node(), "lesion-1", review.review.volume_node(MID), (slice(9 + n, 10 + n), *PT_BOX[1:]))

    assert review.session.visits[MID].touched == frozenset()
    assert asked == [True]

    review.review.process_pending()
    assert review.session.visits[MID].touched == {1}
    assert not review.review.pending


def test_erased_lesion_leaves_the_list_and_its_segment_stays_to_draw_in(opened: Maker) -> None:
    review = opened()
    review.propose()
    review.draw("lesion-2", LN_BOX, 0)

    assert [lesion.id for lesion in review.session.lesions(MID)] == [1]
    assert review.names() == ["GTVp", "GTVn1"]
    assert review.review.lesion_of(MID, "lesion-2") is None

    review.draw("lesion-2", LN_BOX)
    assert review.lesion(2).name == "GTVn1"
    assert review.lesion(2).state is State.PROPOSED


def test_removed_segment_removes_its_lesion(opened: Maker) -> None:
    review = opened()
    review.propose()
    review.segmentation().RemoveSegment("lesion-1")
    review.review.process_pending()

    assert [lesion.id for lesion in review.session.lesions(MID)] == [2]
    np.testing.assert_array_equal(review.ids(), 2 * filled(LN_BOX))


def add(review: Opened, name: str, entry: str = "", box: tuple[slice, slice, slice] = ELSEWHERE) -> str:
    segment_id = review.segmentation().AddEmptySegment("", name)
    if entry:
        review.segmentation().GetSegment(segment_id).SetTag(tags.TERMINOLOGY, entry)
    review.draw(segment_id, box)
    return segment_id


@pytest.mark.parametrize(
    ("name", "entry", "label", "called"),
    [
        ("GTVp2", "", Target.PT, "GTVp2"),
        ("GTVn left", "", Target.LN, "GTVn left"),
        ("Segment_1", PRIMARY, Target.PT, "GTVp1"),
        ("tongue base", PRIMARY, Target.PT, "tongue base"),
        ("GTVn1", "", Target.LN, "GTVn2"),
    ],
)
def test_segment_that_the_user_added_becomes_a_lesion(
    opened: Maker, name: str, entry: str, label: Target, called: str
) -> None:
    review = opened()
    review.propose()
    segment_id = add(review, name, entry)

    lesion = review.session.lesions(MID)[-1]
    assert (lesion.id, lesion.label, lesion.name) == (3, label, called)
    assert (lesion.state, lesion.origin) == (State.ADDED, Origin.HAND)
    assert review.review.segment_id(MID, 3) == segment_id
    assert review.segment(3).GetName() == called
    assert review.said == []


def test_segment_of_unknown_kind_is_taken_for_a_node_and_the_user_is_told(opened: Maker) -> None:
    review = opened()
    review.propose()
    add(review, "Segment_1")

    lesion = review.session.lesions(MID)[-1]
    assert (lesion.label, lesion.name) == (Target.LN, "GTVn2")
    assert ["Segment_1" in message.text and "GTVn2" in message.text for message in review.said] == [True]


def test_empty_segment_is_no_lesion_yet(opened: Maker) -> None:
    review = opened()
    segment_id = review.review.new_segment(MID, Target.PT)
    review.review.process_pending()

    assert review.session.lesions(MID) == ()
    assert review.names() == ["GTVp"]

    review.draw(segment_id, PT_BOX)
    assert [lesion.name for lesion in review.session.lesions(MID)] == ["GTVp"]


def test_new_segments_have_ids_that_no_lesion_ever_had(opened: Maker) -> None:
    review = opened()
    review.propose()
    review.segmentation().RemoveSegment("lesion-2")
    review.review.process_pending()
    first, second = (review.review.new_segment(MID, Target.LN) for _ in range(2))

    assert (first, second) == ("lesion-3", "lesion-4")
    assert review.names() == ["GTVp", "GTVn1", "GTVn2"]


def test_copied_segment_is_a_lesion_of_its_own(opened: Maker, complaints: Any) -> None:
    review = opened()
    review.propose()
    segments = review.segmentation()
    segments.CopySegmentFromSegmentation(segments, "lesion-2", False)
    complaints.seen.clear()  # Slicer says that it gives the copy an id of its own.
    review.review.process_pending()
    review.draw(review.segmentation().GetNthSegmentID(2), ELSEWHERE)

    copy = review.session.lesions(MID)[-1]
    assert copy.id == 3
    assert copy.voxels == filled(LN_BOX, ELSEWHERE).sum()


def test_later_segment_of_the_list_wins_where_two_overlap_and_the_user_is_told_once(opened: Maker) -> None:
    review = opened()
    review.propose()
    both = (LN_BOX[0], LN_BOX[1], slice(28, 36))
    add(review, "GTVn9", box=both)

    np.testing.assert_array_equal(review.ids() == 3, filled(both))
    np.testing.assert_array_equal(review.ids() == 2, filled(LN_BOX) & ~filled(both))
    overlap = (filled(LN_BOX) & filled(both)).sum()
    assert [str(overlap) in message.text for message in review.said] == [True]

    review.draw("lesion-1", MORE)
    assert len(review.said) == 1


@pytest.mark.parametrize("place", [0, 1, 2])
def test_order_of_the_list_decides_about_overlaps(opened: Maker, place: int) -> None:
    review = opened()
    review.propose()
    across = (slice(4, 9), slice(10, 26), slice(8, 32))
    added = add(review, "GTVn9", box=across)
    order = ["lesion-1", "lesion-2"]
    order.insert(place, added)
    review.segmentation().ReorderSegments(order)
    review.review.process_pending()

    taken = filled(across)
    np.testing.assert_array_equal(review.ids() == 1, filled(PT_BOX) & ~taken if place > 0 else filled(PT_BOX))
    np.testing.assert_array_equal(review.ids() == 2, filled(LN_BOX) & ~taken if place > 1 else filled(LN_BOX))


def test_voxels_beyond_the_image_are_left_out_and_the_user_is_told(opened: Maker) -> None:
    import slicer

    review = opened()
    review.propose()
    image = slicer.vtkOrientedImageData()
    image.SetExtent(-3, 4, -2, 3, 18, 22)
    image.SetImageToWorldMatrix(vtk_matrix(voxel_to_ras(review.review.volume_node(MID))))
    image.GetPointData().SetScalars(vtk_scalars(np.ones((5, 6, 8), np.uint8)))
    segment = slicer.vtkSegment()
    segment.SetName("GTVn5")
    segment.AddRepresentation(LABELMAP, image)
    review.segmentation().AddSegment(segment, "beyond")
    review.review.process_pending()

    np.testing.assert_array_equal(review.ids() == 3, filled((slice(18, 20), slice(0, 4), slice(0, 5))))
    assert [f"{5 * 6 * 8 - 2 * 4 * 5} voxels" in message.text for message in review.said] == [True]


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float32"])
def test_labelmaps_of_any_type_are_read(opened: Maker, dtype: str) -> None:
    review = opened()
    review.propose()
    layer = review.segment(1).GetRepresentation(LABELMAP)
    values = array_view(layer).astype(dtype)
    values[0, 0, 0] = 77  # of no segment
    layer.GetPointData().SetScalars(vtk_scalars(values))
    layer.Modified()

    assert review.review.follow_edits(MID) == ()


def test_name_given_in_slicer_s_table_becomes_the_lesion_s(opened: Maker) -> None:
    review = opened()
    review.propose()
    review.segment(2).SetName("node II left")
    review.review.process_pending()

    assert review.lesion(2).name == "node II left"
    review.session.undo()
    assert review.segment(2).GetName() == "GTVn1"


def test_name_that_is_taken_is_put_back_and_the_user_is_told(opened: Maker) -> None:
    review = opened()
    review.propose()
    review.segment(2).SetName("GTVp")
    review.review.process_pending()

    assert review.names() == ["GTVp", "GTVn1"]
    assert ["GTVp" in message.text for message in review.said] == [True]


def test_kind_chosen_in_slicer_s_table_becomes_the_lesion_s(opened: Maker) -> None:
    review = opened()
    review.propose()
    segment = review.segment(2)
    segment.SetTag(tags.TERMINOLOGY, PRIMARY)
    segment.SetName("Neoplasm, Primary")
    review.review.process_pending()

    assert (review.lesion(2).label, review.lesion(2).name) == (Target.PT, "GTVp1")
    assert segment.GetName() == "GTVp1"


def test_name_with_signs_of_file_formats_is_no_renaming(opened: Maker) -> None:
    review = opened()
    review.propose()
    review.session.rename(MID, 2, "N2|a: ü %7C")
    review.review.process_pending()

    assert review.lesion(2).name == "N2|a: ü %7C"
    assert review.said == []


def test_eye_in_slicer_s_table_hides_the_lesion(opened: Maker) -> None:
    review = opened()
    review.propose()
    display = review.node().GetDisplayNode()
    display.SetSegmentVisibility("lesion-2", False)
    review.review.process_pending()
    assert review.session.visits[MID].hidden == {2}

    review.session.accept(MID, 2)
    assert not display.GetSegmentVisibility("lesion-2")
    display.SetSegmentVisibility("lesion-2", True)
    review.review.process_pending()
    assert review.session.visits[MID].hidden == frozenset()


def test_hidden_lesion_stays_hidden_when_an_undo_brings_it_back(opened: Maker) -> None:
    review = opened()
    review.propose()
    review.session.set_shown(MID, [2], False)
    review.propose(MID, (Target.LN, ELSEWHERE))
    review.review.undo_voxels(MID)

    assert review.session.visits[MID].hidden == {2}
    assert not review.node().GetDisplayNode().GetSegmentVisibility("lesion-2")


def test_segmentation_made_of_surfaces_is_refused_with_the_remedy(opened: Maker) -> None:
    review = opened()
    review.propose()
    review.node().CreateClosedSurfaceRepresentation()
    review.segmentation().SetSourceRepresentationName(SURFACE)

    with pytest.raises(BadInputError, match="made of surfaces"):
        review.review.follow_edits(MID)
