"""A scripted module in the host: its life, its panel, its dialogs, and what the host reports."""

from __future__ import annotations

from pathlib import Path

import pytest
from Testing.slicerhost import specimen
from Testing.slicerhost.host import Host, Timeout


def test_module_is_set_up_entered_left_and_cleaned_up(host: Host, plain: Path):
    widget = host.open_module(plain)
    host.close_modules()
    assert widget.life == ["setup", "enter", "exit", "cleanup"]


def test_title_and_categories_are_known_before_the_panel_opens(host: Host, plain: Path):
    module = host.modules.host_load(plain)
    assert (module.title, module.categories) == ("Plain", ["Examples"])


def test_unknown_property_of_the_module_is_refused(host: Host, plain: Path):
    module = host.modules.host_load(plain)
    with pytest.raises(AttributeError):
        module.titel = "Plain"


def test_pressed_button_acts(host: Host, plain: Path):
    host.open_module(plain)
    host.press("countButton")
    host.press("countButton")
    assert host.find("countLabel").text() == "2"
    assert host.status() == "counted"


@pytest.mark.parametrize("focus", ["panel", "view"])
def test_shortcut_acts_wherever_the_focus_is(host: Host, plain: Path, focus: str):
    host.open_module(plain)
    host.press_key("A", host.find("tickBox") if focus == "panel" else host.view("Red"))
    assert host.find("countLabel").text() == "1"


def test_number_from_the_ui_file_and_from_the_user_reach_the_module(host: Host, plain: Path):
    host.open_module(plain)
    host.write("stepBox", "7")
    host.press("countButton")
    assert host.find("countLabel").text() == "7"
    assert host.find("slider").value() == 4.0


def test_disabled_button_cannot_be_pressed(host: Host, plain: Path):
    host.open_module(plain)
    host.find("countButton").setEnabled(False)
    with pytest.raises(AssertionError, match="disabled"):
        host.press("countButton")


def test_collapsed_section_hides_what_is_in_it(host: Host, plain: Path):
    host.open_module(plain)
    host.press("inputs")
    assert not host.find("volumeSelector").isVisible()
    host.press("inputs")
    assert host.find("volumeSelector").isVisible()


def test_node_selector_follows_the_scene_and_the_user(host: Host, plain: Path):
    host.open_module(plain)
    specimen.add_volume("T2")
    specimen.add_volume("T1")
    host.choose("volumeSelector", "T1")
    assert host.find("volumeLabel").text() == "T1"
    host.close_scene()
    assert host.find("volumeLabel").text() == "none"


def test_question_gets_the_answer_given_in_advance(host: Host, plain: Path):
    import qt

    host.open_module(plain)
    host.press("countButton")
    host.answers.expect("Count again", qt.QMessageBox.Yes)
    host.press("askButton")
    host.press("countButton")
    assert host.find("countLabel").text() == "1"
    assert [shown.text for shown in host.answers.shown] == ["Count again from zero?", "Done."]


def test_file_dialog_returns_the_path_alone(host: Host, plain: Path):
    host.open_module(plain)
    host.answers.expect("Choose a file", "/some/where.txt")
    host.press("openButton")
    assert host.find("countLabel").text() == "/some/where.txt"


def test_question_without_an_answer_fails_the_test(host: Host, plain: Path):
    host.open_module(plain)
    host.press("askButton")
    assert [shown.text for shown in host.answers.unforeseen()] == ["Count again from zero?"]
    with pytest.raises(AssertionError, match="did not answer"):
        host.end()
    host.answers.clear()


def test_answer_that_no_dialog_wanted_fails_the_test(host: Host, plain: Path):
    host.answers.expect("never asked", 0)
    with pytest.raises(AssertionError, match="no dialog asked"):
        host.end()
    host.answers.clear()


def test_exception_in_a_slot_fails_the_test(host: Host, plain: Path):
    host.open_module(plain)
    host.press("breakButton")
    with pytest.raises(AssertionError, match="broken on purpose"):
        host.end()
    host.messages.clear()


def test_exception_in_a_scene_observer_fails_the_test(host: Host, plain: Path):
    def observe(caller: object, event: str) -> None:
        raise RuntimeError("seen too late")

    tag = host.scene.AddObserver(host.scene.NodeAddedEvent, observe)
    host.scene.AddNewNodeByClass("vtkMRMLTextNode")
    host.scene.RemoveObserver(tag)
    with pytest.raises(AssertionError, match="seen too late"):
        host.end()
    host.messages.clear()


def test_vtk_error_fails_the_test_unless_it_is_expected(host: Host):
    host.scene.AddNewNodeByClass("vtkMRMLNoSuchNode")
    with pytest.raises(AssertionError, match="NoSuchNode"):
        host.end()
    host.messages.expect("NoSuchNode")
    host.end()


def test_waiting_in_vain_says_so(host: Host):
    with pytest.raises(Timeout, match=r"0\.1 s for the moon"):
        host.wait_until(lambda: False, timeout=0.1, what="the moon")


def test_scene_close_reaches_the_panel(host: Host, plain: Path):
    widget = host.open_module(plain)
    host.close_scene()
    assert widget.life[-1] == "closed"


def test_parameters_come_back_with_the_scene(host: Host, plain: Path, tmp_path: Path):
    widget = host.open_module(plain)
    host.press("countButton")
    path = host.save_scene(tmp_path / "scene.mrb")
    host.close_scene()
    host.load_scene(path)
    assert widget.logic.count(0) == 1


def test_reload_makes_a_new_panel_and_cleans_the_old_one(host: Host, plain: Path):
    import slicer

    old = host.open_module(plain)
    slicer.util.reloadScriptedModule("Plain")
    host.process()
    new = slicer.modules.PlainWidget
    assert new is not old
    assert old.life[-1] == "cleanup"
    assert new.life == ["setup"]


def test_self_test_of_the_module_runs(host: Host, plain: Path):
    host.open_module(plain)
    host.run_self_test("Plain")


def test_sample_data_is_registered_when_slicer_has_started(host: Host, plain: Path):
    host.open_module(plain)
    assert host.open_sample("PlainNode").GetName() == "PlainNode"


def test_settings_do_not_outlive_the_test(host: Host, plain: Path, tmp_path: Path):
    import qt

    assert qt.QSettings().allKeys() == []
    qt.QSettings().setValue("Plain/Left", "over")
    assert str(host.temporary) in qt.QSettings().fileName()
