"""The module beside its scene: entered twice, reloaded, two panels at one scene, hand edits, transforms, keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from Testing.slicerhost.host import Host
from Testing.slicerhost.review_module import OpenModule, opened, small_patient

from HNTargetSegLib.case.patient import Visit


def test_keys_are_live_only_while_the_module_is_open_and_nobody_draws(host: Host, tmp_path: Path) -> None:
    with opened(host, tmp_path) as module:
        _look_at_pre(module)
        editor = host.find("editor")
        host.press_key("X")
        assert module.cells("State")[0] == "rejected"
        module.tab("Correct")
        assert editor.host_shortcut_count() > 0
        host.press_key("A")
        module.tab("Lesions")
        assert editor.host_shortcut_count() == 0
        assert module.cells("State")[0] == "rejected"
        host.select_module("")
        host.press_key("A")
        host.select_module("HNTargetSeg")
        assert module.cells("State")[0] == "rejected"
        host.press_key("A")
        assert module.cells("State")[0] != "rejected"


@pytest.mark.dialect("methods")
def test_editor_gets_its_node_before_its_scene_and_lets_go_when_the_scene_closes(host: Host, tmp_path: Path) -> None:
    with opened(host, tmp_path) as module:
        _look_at_pre(module)
        module.tab("Correct")
        editor = host.find("editor")
        calls = [call for call, _ in editor.host_calls]
        assert calls.index("setMRMLSegmentEditorNode") < calls.index("setMRMLScene")
        assert editor.segmentationNode() is module.desk.review_scene.segmentation_node(Visit.PRE)
        assert editor.sourceVolumeNode() is module.desk.review_scene.volume_node(Visit.PRE)
        host.close_scene()
        assert editor.segmentationNode() is None
        assert module.session.case is None
        module.open_folder(small_patient())
        module.tab("Correct")
        assert editor.segmentationNode() is not None


@pytest.mark.dialect("attributes")
def test_hand_edit_in_the_scene_is_followed_by_the_table(host: Host, tmp_path: Path) -> None:
    with opened(host, tmp_path) as module:
        _look_at_pre(module)
        names, before = module.cells("Lesion"), module.cells("cc")
        _erase_half(module, Visit.PRE, module.session.lesions(Visit.PRE)[0].id)
        host.wait_until(lambda: module.cells("cc") != before, 10, "the new volume")
        changed = [name for name, old, new in zip(names, before, module.cells("cc"), strict=True) if old != new]
        assert changed == [names[0]]


@pytest.mark.dialect("methods")
def test_new_lesion_that_is_drawn_is_in_the_table(host: Host, tmp_path: Path) -> None:
    with opened(host, tmp_path) as module:
        _look_at_pre(module)
        names = module.cells("Lesion")
        module.tab("Correct")
        host.press("nodeButton")
        segment = host.find("editor").currentSegmentID()
        _draw_block(module, Visit.PRE, segment)
        module.tab("Lesions")
        host.wait_until(lambda: len(module.cells("Lesion")) == len(names) + 1, 10, "the new lesion")
        new = (set(module.cells("Lesion")) - set(names)).pop()
        assert new.startswith("GTVn")
        assert dict(zip(module.cells("Lesion"), module.cells("State"), strict=True))[new] == "added"


@pytest.mark.dialect("methods")
def test_keys_of_the_table_rest_while_the_table_is_not_seen(host: Host, tmp_path: Path) -> None:
    with opened(host, tmp_path) as module:
        _look_at_pre(module)
        before = module.cells("State")
        module.tab("Export")
        host.press_key("X")
        assert module.cells("State") == before
        module.tab("Lesions")
        host.press_key("X")
        assert module.cells("State") != before


@pytest.mark.dialect("methods")
def test_nothing_is_exported_while_the_segments_on_screen_cannot_be_read(host: Host, tmp_path: Path) -> None:
    import slicer

    with opened(host, tmp_path) as module:
        _look_at_pre(module)
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
        node.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(np.eye(4) + np.eye(4, k=3) * 1.3))
        module.desk.review_scene.segmentation_node(Visit.PRE).SetAndObserveTransformNodeID(node.GetID())
        host.wait_until(lambda: not module.desk.review_scene.pending, 10, "the scene to settle")
        module.tab("Export")
        target = tmp_path / "export"
        host.find("folderEdit").setText(str(target))
        host.press("exportButton")
        assert not target.exists()
        assert "voxels of the image" in module.messages()
        module.desk.review_scene.segmentation_node(Visit.PRE).SetAndObserveTransformNodeID(None)
        host.press("exportButton")
        assert (target / "segmentation.nii.gz").is_file()


@pytest.mark.dialect("methods")
def test_folder_of_an_export_is_asked_for_anew_with_the_next_patient(host: Host, tmp_path: Path) -> None:
    with opened(host, tmp_path) as module:
        _look_at_pre(module)
        host.find("folderEdit").setText(str(tmp_path / "export"))
        module.open_folder(small_patient())
        assert host.find("folderEdit").text() == ""


@pytest.mark.dialect("attributes")
def test_segmentation_under_a_transform_is_told_of_or_followed_and_nothing_breaks(host: Host, tmp_path: Path) -> None:
    import slicer

    with opened(host, tmp_path) as module:
        _look_at_pre(module)
        before = module.cells("cc")
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
        matrix = slicer.util.vtkMatrixFromArray(np.diag([1.0, 1.0, 1.0, 1.0]) + np.eye(4, k=3) * 20)
        node.SetMatrixTransformToParent(matrix)
        segmentation = module.desk.review_scene.segmentation_node(Visit.PRE)
        segmentation.SetAndObserveTransformNodeID(node.GetID())
        _erase_half(module, Visit.PRE, module.session.lesions(Visit.PRE)[0].id)
        host.wait_until(lambda: module.messages() != "" or module.cells("cc") != before, 10, "an answer")
        segmentation.SetAndObserveTransformNodeID(None)
        host.wait_until(lambda: not module.desk.review_scene.pending, 10, "the scene to settle")
        assert len(module.cells("cc")) == len(before)


@pytest.mark.dialect("attributes")
def test_editor_saves_its_undo_state_before_a_model_writes(host: Host, tmp_path: Path) -> None:
    with opened(host, tmp_path) as module:
        module.open_folder(small_patient())
        module.segment("mid")
        calls = [call for call, _ in host.find("editor").host_calls]
        assert "saveStateForUndo" in calls
        assert host.find("editor").segmentationNode() is module.desk.review_scene.segmentation_node(Visit.MID)


@pytest.mark.dialect("methods")
def test_two_panels_on_one_scene_show_one_review(host: Host, tmp_path: Path) -> None:
    import slicer

    with opened(host, tmp_path) as module:
        _look_at_pre(module)
        second = slicer.util.getNewModuleWidget("HNTargetSeg")
        assert second.screen.logic.shared is module.logic.shared
        second.screen.logic.reject("pre", "GTVp")
        assert dict(zip(module.cells("Lesion"), module.cells("State"), strict=True))["GTVp"] == "rejected"
        second.cleanup()
        second.parent.deleteLater()
        host.process()
        module.click_lesion("GTVp")
        host.press("acceptButton")
        assert dict(zip(module.cells("Lesion"), module.cells("State"), strict=True))["GTVp"] != "rejected"


@pytest.mark.dialect("attributes")
def test_reloaded_module_goes_on_with_the_review_in_the_scene(host: Host, tmp_path: Path) -> None:
    import slicer

    with opened(host, tmp_path) as module:
        _look_at_pre(module)
        names = module.cells("Lesion")
        module.widget.onReload()
        host.process()
        again = OpenModule(host, slicer.modules.HNTargetSegWidget)
        assert again.widget is not module.widget
        host.select_module("")
        host.select_module("HNTargetSeg")
        assert host.find("patientLabel").text() == "Patient 1"
        again.tab("Lesions")
        host.press("preButton")
        assert again.cells("Lesion") == names


@pytest.mark.dialect("methods")
def test_visits_are_shown_beside_each_other_and_apart_again(host: Host, tmp_path: Path) -> None:
    with opened(host, tmp_path) as module:
        module.open_folder(small_patient())
        layout = host.layout.property("layout")
        host.press("compareButton")
        backgrounds = [_background(host, view) for view in ("Red", "Yellow")]
        nodes = [module.desk.review_scene.volume_node(visit).GetID() for visit in (Visit.PRE, Visit.MID)]
        assert backgrounds == nodes
        host.press("compareButton")
        assert host.layout.property("layout") == layout
        assert {_background(host, view) for view in ("Red", "Yellow", "Green")} == {nodes[1]}


def _look_at_pre(module: OpenModule) -> None:
    """The pre-RT visit, whose delineation came with it, with its first lesion selected."""
    module.open_folder(small_patient())
    module.tab("Lesions")
    module.host.press("preButton")
    assert len(module.cells("Lesion")) > 1
    module.host.click_row("table", 0, 1)


def _erase_half(module: OpenModule, visit: Visit, lesion_id: int) -> None:
    """Erase the upper half of a lesion as a tool of the Segment Editor would: in the segment."""
    import slicer

    scene = module.desk.review_scene
    node, volume = scene.segmentation_node(visit), scene.volume_node(visit)
    segment = scene.segment_id(visit, lesion_id)
    array = slicer.util.arrayFromSegmentBinaryLabelmap(node, segment, volume)
    where = np.argwhere(array)
    array[where[:, 0].mean().astype(int) + 1 :] = 0
    slicer.util.updateSegmentBinaryLabelmapFromArray(array, node, segment, volume)


def _draw_block(module: OpenModule, visit: Visit, segment: str) -> None:
    import slicer

    scene = module.desk.review_scene
    node, volume = scene.segmentation_node(visit), scene.volume_node(visit)
    array: Any = np.zeros(slicer.util.arrayFromVolume(volume).shape, np.uint8)
    array[3:6, 40:46, 40:46] = 1
    slicer.util.updateSegmentBinaryLabelmapFromArray(array, node, segment, volume)


def _background(host: Host, view: str) -> str:
    widget = host.layout.sliceWidget(view)
    assert widget is not None
    return str(widget.mrmlSliceCompositeNode().GetBackgroundVolumeID())
