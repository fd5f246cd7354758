"""Slice views: images, patient axes, places, and the two visits side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from Testing.unit.scene.small_case import SPACING, Opened, oblique_axes

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.scene.geometry import array_of
from HNTargetSegLib.scene.given import case_of_nodes
from HNTargetSegLib.scene.views import composite_of, shown_slice
from HNTargetSegLib.scene.volumes import set_window, window_of
from HNTargetSegLib.scene.window import Window, to_fractions

PRE, MID = Visit.PRE, Visit.MID
Maker = Callable[..., Opened]
Views = dict[str, Any]


def backgrounds(review: Opened, views: Views) -> dict[str, Visit | None]:
    by_id = {review.review.volume_node(visit).GetID(): visit for visit in Visit}
    shown = {name: composite_of(review.scene, view).GetBackgroundVolumeID() for name, view in views.items()}
    return {name: by_id.get(volume) for name, volume in shown.items()}


def in_view(view: Any, lps: tuple[float, float, float]) -> np.ndarray:
    """Pixel (x, y) of a place, and its distance in mm from the slice."""
    ras = np.array([-lps[0], -lps[1], lps[2], 1])
    x, y, _, _ = np.linalg.inv(array_of(view.GetXYToRAS())) @ ras
    distance = (np.linalg.inv(array_of(view.GetSliceToRAS())) @ ras)[2]
    return np.array([x, y, distance])


def test_all_views_show_the_active_visit(opened: Maker, views: Views) -> None:
    review = opened()
    assert set(backgrounds(review, views).values()) == {MID}

    review.session.activate(PRE)
    assert set(backgrounds(review, views).values()) == {PRE}


def test_pre_stands_beside_mid_by_view_group(opened: Maker, views: Views) -> None:
    review = opened()
    review.review.show_visits(True)

    shown = backgrounds(review, views)
    assert {name: visit for name, visit in shown.items() if name.endswith("+")} == dict.fromkeys(
        ("Red+", "Yellow+", "Green+"), MID
    )
    assert {shown[name] for name in ("Red", "Yellow", "Green")} == {PRE}


def test_named_views_decide_and_others_are_left_alone(opened: Maker, views: Views) -> None:
    review = opened()
    composite_of(review.scene, views["Green"]).SetBackgroundVolumeID(None)
    review.review.show_visits(True, {"Red": MID, "Yellow": PRE, "no such view": PRE})

    shown = backgrounds(review, views)
    assert (shown["Red"], shown["Yellow"], shown["Green"]) == (MID, PRE, None)


def test_one_visit_alone_fills_all_views_in_compare_mode_too(opened: Maker, views: Views) -> None:
    review = opened(visits=(MID,))
    review.review.show_visits(True)

    volume = review.review.volume_node(MID).GetID()
    assert {composite_of(review.scene, view).GetBackgroundVolumeID() for view in views.values()} == {volume}


def test_views_draw_the_segments_of_the_visit_that_they_show(opened: Maker, views: Views) -> None:
    review = opened()
    review.propose(PRE)
    review.propose(MID)
    displays = {visit: review.node(visit).GetDisplayNode() for visit in Visit}

    assert (displays[PRE].GetVisibility(), displays[MID].GetVisibility()) == (0, 1)

    review.review.show_visits(True)
    for visit, display in displays.items():
        drawn = {name for name, view in views.items() if display.IsDisplayableInView(view.GetID())}
        assert drawn == {name for name in views if name.endswith("+") == (visit is MID)}
        assert display.GetVisibility()


def test_views_lie_in_patient_axes_on_an_oblique_image(opened: Maker, views: Views) -> None:
    tilted = np.eye(3) @ _turn(20)
    opened(axes=tilted)

    for view in views.values():
        normal = np.abs(array_of(view.GetSliceToRAS())[:3, 2])
        assert normal.max() == pytest.approx(1, abs=1e-12)


def _turn(degrees: float) -> np.ndarray:
    angle = np.radians(degrees)
    return np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])


def test_step_of_the_wheel_is_the_voxel_of_the_nearest_axis(opened: Maker, views: Views) -> None:
    opened(axes=_turn(20))

    steps = {name: views[name].GetPrescribedSliceSpacing()[2] for name in ("Red", "Yellow", "Green")}
    assert steps == pytest.approx({"Red": SPACING[2], "Yellow": SPACING[0], "Green": SPACING[1]})
    assert views["Red"].GetSliceSpacingMode() == views["Red"].PrescribedSliceSpacingMode


def test_slices_are_counted_as_the_image_has_them(opened: Maker, views: Views) -> None:
    review = opened()
    volume, red = review.review.volume_node(MID), views["Red"]
    low = review.session.visits[MID].image.image.geometry.origin[2]
    for k in (0, 1, 12, 19):
        red.SetSliceOffset(low + k * SPACING[2])
        shown = shown_slice(red, volume)
        assert (shown.number, shown.count, shown.tilted) == (k + 1, 20, False)
    assert [shown_slice(views[name], volume).count for name in ("Yellow", "Green")] == [40, 36]


def test_slices_of_a_tilted_image_are_those_in_its_middle(opened: Maker, views: Views) -> None:
    review = opened(axes=_turn(20))
    geometry = review.session.visits[MID].image.image.geometry
    for k in (0, 7, 19):
        # The middle of an image slice.
        views["Red"].SetSliceOffset(float(geometry.to_lps(np.array((k, 17.5, 19.5)))[2]))
        shown = shown_slice(views["Red"], review.review.volume_node(MID))
        assert (shown.number, shown.count, shown.tilted) == (k + 1, 20, True)


def test_a_view_beyond_the_middle_of_a_tilted_image_shows_its_last_slice(opened: Maker, views: Views) -> None:
    review = opened(axes=_turn(20))
    views["Red"].SetSliceOffset(1000.0)
    assert shown_slice(views["Red"], review.review.volume_node(MID)).number == 20


def test_slices_are_counted_the_way_the_offset_grows(opened: Maker, views: Views) -> None:
    review = opened(axes=np.diag((1.0, -1.0, -1.0)))
    top = review.session.visits[MID].image.image.geometry.origin[2]
    views["Red"].SetSliceOffset(top)
    assert shown_slice(views["Red"], review.review.volume_node(MID)).number == 20


@pytest.mark.parametrize("axes", [np.eye(3), oblique_axes(1)])
def test_whole_image_is_in_sight_at_first(opened: Maker, views: Views, axes: np.ndarray) -> None:
    review = opened(axes=axes)
    geometry = review.session.visits[MID].image.image.geometry
    corners = [(k, j, i) for k in (0, 19) for j in (0, 35) for i in (0, 39)]

    for view in views.values():
        width, height, _ = view.GetDimensions()
        for corner in corners:
            x, y, _ = in_view(view, tuple(geometry.to_lps(np.array(corner))))
            assert -1 <= x <= width + 1
            assert -1 <= y <= height + 1


def test_selected_lesion_is_in_every_view(opened: Maker, views: Views) -> None:
    review = opened(axes=oblique_axes(1))
    review.propose()
    review.session.select(MID, 2)
    place = review.session.place_of(MID, 2)

    for view in views.values():
        x, y, distance = in_view(view, place)
        assert distance == pytest.approx(0, abs=1e-6)
        assert 0 <= x <= view.GetDimensions()[0]
        assert 0 <= y <= view.GetDimensions()[1]


def test_jump_keeps_the_zoom_and_centres_only_what_is_out_of_sight(opened: Maker, views: Views) -> None:
    review = opened()
    review.propose()
    near, far = views["Red"], views["Green"]
    far.SetFieldOfView(10, 7.5, 1)
    zooms = {name: view.GetFieldOfView() for name, view in views.items()}
    centre = array_of(near.GetSliceToRAS())[:2, 3]
    review.session.select(MID, 1)

    assert {name: view.GetFieldOfView() for name, view in views.items()} == zooms
    np.testing.assert_allclose(array_of(near.GetSliceToRAS())[:2, 3], centre)
    x, y, _ = in_view(far, review.session.place_of(MID, 1))
    assert (x, y) == pytest.approx((200, 150), abs=1)


def test_views_of_one_orientation_move_together_in_compare_mode(opened: Maker, views: Views) -> None:
    review = opened()
    review.review.show_visits(True)
    views["Red+"].SetDimensions(200, 300, 1)
    views["Red"].SetSliceOffset(41.0)
    views["Red"].SetFieldOfView(60, 45, 1)
    views["Red"].SetXYZOrigin(3, -4, 0)

    assert views["Red+"].GetSliceOffset() == 41.0
    assert views["Red+"].GetFieldOfView()[:2] == pytest.approx((30, 45))
    assert views["Red+"].GetXYZOrigin()[:2] == (3, -4)
    assert views["Green+"].GetSliceOffset() != 41.0

    views["Yellow+"].SetSliceOffset(7.0)
    assert views["Yellow"].GetSliceOffset() == 7.0


def test_views_go_their_own_way_without_compare_mode(opened: Maker, views: Views) -> None:
    review = opened()
    review.review.show_visits(True)
    review.review.show_visits(False)
    views["Red"].SetSliceOffset(41.0)

    assert views["Red+"].GetSliceOffset() != 41.0


def test_window_follows_within_each_image_s_own_range_in_compare_mode(opened: Maker, views: Views) -> None:
    review = opened()
    pre, mid = (review.review.volume_node(visit) for visit in Visit)
    review.session.visits[PRE].image.image.array[:] *= 3
    review.session.open(case_of_nodes(pre, mid))
    review.review.show_visits(True)
    pre, mid = (review.review.volume_node(visit) for visit in Visit)
    bounds = {visit: review.review.range_of(visit) for visit in Visit}
    assert bounds[PRE][1] == pytest.approx(3 * bounds[MID][1], rel=0.05)

    set_window(mid, Window(9000.0, 5000.0))
    assert to_fractions(window_of(pre), bounds[PRE]) == pytest.approx(to_fractions(window_of(mid), bounds[MID]))


def test_preset_window_is_set_for_both_visits(opened: Maker) -> None:
    review = opened()
    review.review.set_window("hard")

    for visit in Visit:
        shown = window_of(review.review.volume_node(visit))
        assert to_fractions(shown, review.review.range_of(visit)) == pytest.approx((0.45, 0.6))


def test_window_in_the_image_s_units_is_set_as_given_in_compare_mode_too(opened: Maker) -> None:
    review = opened()
    review.review.show_visits(True)
    review.review.set_window(300.0, 200.0)

    assert {window_of(review.review.volume_node(visit)) for visit in Visit} == {Window(300.0, 200.0)}


def test_window_of_one_visit_alone(opened: Maker) -> None:
    review = opened()
    before = window_of(review.review.volume_node(PRE))
    review.review.set_window(300.0, 200.0, MID)

    assert window_of(review.review.volume_node(PRE)) == before


@pytest.mark.parametrize("wrong", [("sharp", None), (100.0, None), (100.0, 0.0)])
def test_window_that_there_is_not_is_refused(opened: Maker, wrong: tuple[Any, Any]) -> None:
    with pytest.raises(BadInputError):
        opened().review.set_window(*wrong)
