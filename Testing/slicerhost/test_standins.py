"""Stand-ins that do more than pass on: the Segment Editor's placeholder, installing, .ui files, sample data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from Testing.slicerhost import specimen
from Testing.slicerhost.host import Host
from Testing.slicerhost.standins import packaging, sample_data
from Testing.slicerhost.standins.ui_loader import UnknownWidget

pytestmark = pytest.mark.dialect("attributes")


@pytest.fixture
def editor(host: Host) -> Any:
    import slicer

    widget = slicer.qMRMLSegmentEditorWidget()
    widget.setMRMLSegmentEditorNode(slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentEditorNode"))
    widget.setMRMLScene(slicer.mrmlScene)
    return widget


def test_editor_wants_its_node_before_the_scene(host: Host):
    import slicer

    with pytest.raises(AssertionError, match="before setMRMLScene"):
        slicer.qMRMLSegmentEditorWidget().setMRMLScene(slicer.mrmlScene)


def test_editor_wants_a_segmentation_before_the_source_volume(editor: Any):
    with pytest.raises(AssertionError, match="segmentation first"):
        editor.setSourceVolumeNode(specimen.add_volume())


def test_editor_keeps_what_it_was_given_in_its_node(editor: Any):
    volume = specimen.add_volume()
    segmentation = specimen.add_segmentation(volume)
    editor.setSegmentationNode(segmentation)
    editor.setSourceVolumeNode(volume)
    editor.setCurrentSegmentID("PT")
    editor.setActiveEffectByName("Paint")
    node = editor.mrmlSegmentEditorNode()
    assert (node.GetSegmentationNode(), node.GetSourceVolumeNode()) == (segmentation, volume)
    assert (node.GetSelectedSegmentID(), node.GetActiveEffectName()) == ("PT", "Paint")


def test_editor_refuses_a_segment_that_is_not_there(editor: Any):
    editor.setSegmentationNode(specimen.add_segmentation(specimen.add_volume()))
    with pytest.raises(AssertionError, match="no segment GTVn9"):
        editor.setCurrentSegmentID("GTVn9")


def test_editors_keys_live_only_while_they_are_installed(host: Host, editor: Any):
    editor.installKeyboardShortcuts(host.window)
    assert editor.host_shortcut_count() == 16
    editor.uninstallKeyboardShortcuts()
    assert editor.host_shortcut_count() == 0
    assert [call for call, _ in editor.host_calls[-2:]] == ["installKeyboardShortcuts", "uninstallKeyboardShortcuts"]


def test_what_is_installed_already_is_not_asked_for(host: Host):
    import slicer.packaging

    assert slicer.packaging.pip_ensure(["numpy>=1"], requester="HNTargetSeg") is None
    assert packaging.host_installs == []


def test_missing_package_is_asked_for_and_noted(host: Host):
    import qt
    import slicer.packaging

    host.answers.expect("Install Python Packages", qt.QMessageBox.Ok)
    slicer.packaging.pip_ensure(["no-such-package-at-all>=2"], requester="HNTargetSeg")
    assert packaging.host_installs == [["no-such-package-at-all>=2"]]
    assert "no-such-package-at-all>=2" in host.answers.shown[0].text


def test_declined_package_is_an_error(host: Host):
    import qt
    import slicer.packaging

    host.answers.expect("Install Python Packages", qt.QMessageBox.Cancel)
    with pytest.raises(RuntimeError, match="declined"):
        slicer.packaging.pip_ensure("no-such-package-at-all")
    assert packaging.host_installs == []


def test_requirements_are_read_without_comments_and_options(host: Host, tmp_path: Path):
    file = tmp_path / "requirements.txt"
    file.write_text("# ours\nnumpy>=1.26\n\n-r other.txt\nno-such-package; sys_platform == 'plan9'\n")
    import slicer.packaging

    requirements = slicer.packaging.load_requirements(file)
    assert [requirement.name for requirement in requirements] == ["numpy", "no-such-package"]
    assert slicer.packaging.pip_check(requirements)


def test_widget_without_a_stand_in_is_named(host: Host, tmp_path: Path):
    import slicer

    file = tmp_path / "Panel.ui"
    file.write_text('<ui version="4.0"><widget class="ctkDream" name="dream"/></ui>')
    with pytest.raises(UnknownWidget, match="ctkDream"):
        slicer.util.loadUI(str(file))


def test_path_that_was_browsed_for_is_offered_again(host: Host, tmp_path: Path):
    import ctk

    edit = ctk.ctkPathLineEdit()
    edit.setProperty("filters", ctk.ctkPathLineEdit.Dirs)
    edit.setProperty("settingKey", "HNTargetSeg/Folder")
    host.answers.expect("Open a folder", str(tmp_path))
    edit.browse()
    again = ctk.ctkPathLineEdit()
    again.setProperty("settingKey", "HNTargetSeg/Folder")
    assert (edit.currentPath(), again.comboBox().itemText(0)) == (str(tmp_path), str(tmp_path))


def test_slider_and_spin_box_move_together(host: Host):
    import ctk

    slider = ctk.ctkSliderWidget()
    slider.setProperty("singleStep", 0.5)
    slider.setProperty("maximum", 4.0)
    heard = []
    slider.valueChanged.connect(heard.append)
    host.write(slider.host_spin_box(), "2.5")
    assert heard[-1] == slider.value() == 2.5


def test_sample_data_with_fields_of_unequal_length_is_refused(host: Host):
    with pytest.raises(ValueError, match="same length"):
        sample_data.SampleDataLogic.registerCustomSampleDataSource(uris=["a", "b"], fileNames=["a"])


def test_dialog_of_the_module_is_driven_by_the_answer(host: Host):
    import qt

    dialog = qt.QDialog()
    dialog.setWindowTitle("Swap the visits?")
    field = qt.QLineEdit(dialog)

    def fill(shown: Any) -> int:
        field.setText("swapped")
        return int(qt.QDialog.Accepted)

    host.answers.expect("Swap the visits", fill)
    assert dialog.exec_() == qt.QDialog.Accepted
    assert field.text() == "swapped"
