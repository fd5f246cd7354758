"""The real views: a volume shows, a segment shows, the slices move, the mouse and the wheel work."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6 import QtCore
from Testing.slicerhost import specimen
from Testing.slicerhost.host import Host

pytestmark = pytest.mark.dialect("attributes")


@pytest.fixture
def shown(host: Host):
    volume = specimen.add_volume()
    specimen.show(volume)
    host.process()
    return volume


def is_green(pixels: np.ndarray) -> np.ndarray:
    red, green, blue = (pixels[..., channel].astype(int) for channel in range(3))
    return (green > red + 40) & (green > blue + 40)


def jump(ras: tuple[float, float, float]) -> None:
    import slicer

    slicer.vtkMRMLSliceNode.JumpAllSlices(slicer.mrmlScene, *ras)


@pytest.mark.parametrize("view", ["Red", "Yellow", "Green"])
def test_volume_shows_in_each_slice_view(host: Host, shown, view: str):
    assert host.pixels(view).std() > 5


def test_other_slice_has_other_pixels(host: Host, shown):
    before = host.pixels("Red")
    host.view("Red").mrmlSliceNode().SetSliceOffset(host.slice_offset("Red") + 12)
    assert np.abs(host.pixels("Red").astype(int) - before).mean() > 1


def test_closed_scene_leaves_the_views_black(host: Host, shown):
    host.close_scene()
    assert host.pixels("Red").max() == 0


def test_segment_shows_in_its_colour_in_slices_and_in_3d(host: Host, shown):
    specimen.add_segmentation(shown)
    jump(specimen.CENTRE_RAS)
    host.process()
    host.layout.resetThreeDViews()
    assert all(is_green(host.pixels(view)).sum() > 200 for view in ("Red", "Yellow", "Green", "3D"))


def test_segment_lies_where_its_voxels_are(host: Host, shown):
    specimen.add_segmentation(shown)
    jump(specimen.CENTRE_RAS)
    host.process()
    rows, columns = np.nonzero(is_green(host.pixels("Red")))
    place = host.place_in_view("Red", specimen.CENTRE_RAS)
    assert abs(columns.mean() - place.x()) < 4
    assert abs(rows.mean() - place.y()) < 4


def test_segment_is_gone_outside_its_slices(host: Host, shown):
    specimen.add_segmentation(shown)
    jump((*specimen.CENTRE_RAS[:2], specimen.CENTRE_RAS[2] + specimen.RADIUS + 6))
    host.process()
    assert is_green(host.pixels("Red")).sum() == 0


def test_jump_moves_all_three_slices(host: Host, shown):
    jump((8.0, -6.0, 9.0))
    planes = [host.view(view).mrmlSliceNode().GetSliceToRAS() for view in ("Yellow", "Green", "Red")]
    assert [plane.GetElement(axis, 3) for axis, plane in enumerate(planes)] == pytest.approx([8.0, -6.0, 9.0])


def test_wheel_turns_to_the_next_slice(host: Host, shown):
    before = host.slice_offset("Red")
    host.scroll("Red", 2)
    assert host.slice_offset("Red") - before == pytest.approx(2 * specimen.SPACING[2])


def test_arrow_key_turns_to_the_next_slice(host: Host, shown):
    before = host.slice_offset("Red")
    host.press_key("Right", host.view("Red"))
    assert host.slice_offset("Red") != before


def test_click_places_a_point_under_the_mouse(host: Host, shown):
    import slicer

    markups = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode")
    markups.CreateDefaultDisplayNodes()
    slicer.modules.markups.logic().StartPlaceMode(False)
    slicer.modules.markups.logic().SetActiveList(markups)
    place = (specimen.CENTRE_RAS[0], specimen.CENTRE_RAS[1], host.slice_offset("Red"))
    host.click_in_view("Red", place)
    assert markups.GetNumberOfDefinedControlPoints() == 1
    assert markups.GetNthControlPointPositionWorld(0) == pytest.approx(place, abs=1.0)


def test_dragged_point_moves(host: Host, shown):
    import slicer

    markups = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode")
    markups.CreateDefaultDisplayNodes()
    markups.AddControlPoint(0.0, 0.0, host.slice_offset("Red"))
    host.process()
    start = host.place_in_view("Red", (0.0, 0.0, host.slice_offset("Red")))
    end = host.place_in_view("Red", (16.0, 10.0, host.slice_offset("Red")))
    host.drag_in_view("Red", start, end)
    assert list(markups.GetNthControlPointPositionWorld(0))[:2] == pytest.approx((16.0, 10.0), abs=1.5)


def test_dragged_handle_changes_the_size_of_a_box(host: Host, shown):
    import slicer

    box = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode")
    box.CreateDefaultDisplayNodes()
    centre = (0.0, 0.0, host.slice_offset("Red"))
    box.SetCenter(centre)
    box.SetSize(30.0, 30.0, 20.0)
    box.GetDisplayNode().SetHandlesInteractive(True)
    host.process()
    host.pixels("Red")
    side = host.place_in_view("Red", (15.0, 0.0, centre[2]))
    host.drag_in_view("Red", side, host.place_in_view("Red", (25.0, 0.0, centre[2])))
    assert list(box.GetSize()) == pytest.approx([40.0, 30.0, 20.0], abs=2.5)


def test_drag_changes_window_and_level_in_their_mode(host: Host, shown):
    import slicer

    display = shown.GetDisplayNode()
    before = display.GetWindow(), display.GetLevel()
    slicer.app.applicationLogic().GetInteractionNode().SetCurrentInteractionMode(
        slicer.vtkMRMLInteractionNode.AdjustWindowLevel
    )
    centre = host.view("Red").rect().center()
    host.drag_in_view("Red", centre, centre + QtCore.QPoint(60, 40))
    assert (display.GetWindow(), display.GetLevel()) != before


def test_one_view_fills_the_window(host: Host, shown):
    import slicer

    before = host.view("Red").width()
    slicer.app.layoutManager().setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView)
    host.process()
    assert host.view("Red").width() > 1.5 * before
    assert not host.view("Green").isVisible()


def test_side_by_side_shows_two_slices_beside_each_other(host: Host, shown):
    import slicer

    slicer.app.layoutManager().setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutSideBySideView)
    host.process()
    red, yellow = (host.view(name).mapTo(host.window, QtCore.QPoint(0, 0)) for name in ("Red", "Yellow"))
    assert red.y() == yellow.y()
    assert red.x() + host.view("Red").width() <= yellow.x()
    assert not host.view("Green").isVisible()
    assert host.pixels("Yellow").std() > 5


def test_paused_views_do_not_render_until_they_go_on(host: Host, shown):
    import slicer

    before = host.view("Red").host_image().copy()
    with slicer.util.RenderBlocker():
        host.view("Red").mrmlSliceNode().SetSliceOffset(host.slice_offset("Red") + 12)
        host.process()
        assert host.view("Red").host_image() == before
    host.process()
    assert host.view("Red").host_image() != before


def test_scene_file_brings_volume_segment_and_view_back(host: Host, shown, tmp_path: Path):
    import slicer

    specimen.add_segmentation(shown)
    jump(specimen.CENTRE_RAS)
    voxels = slicer.util.arrayFromVolume(shown).copy()
    path = host.save_scene(tmp_path / "scene.mrb")
    host.close_scene()
    assert slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLSegmentationNode") is None
    host.load_scene(path)
    assert np.array_equal(slicer.util.arrayFromVolume(slicer.util.getNode("T2")), voxels)
    assert slicer.util.getNode("Targets").GetSegmentation().GetSegment("PT").GetName() == "PT"
    assert is_green(host.pixels("Red")).sum() > 200


def test_screenshot_shows_panel_and_views(host: Host, shown, plain: Path, tmp_path: Path):
    from PySide6 import QtGui

    specimen.add_segmentation(shown)
    jump(specimen.CENTRE_RAS)
    host.open_module(plain)
    image = QtGui.QImage(str(host.screenshot(tmp_path / "window.png")))
    corner = host.view("Red").mapTo(host.window, QtCore.QPoint(0, 0))
    assert image.width() == host.window.width()
    assert image.pixelColor(corner.x() + 2, corner.y() + 2) != image.pixelColor(10, 200)
