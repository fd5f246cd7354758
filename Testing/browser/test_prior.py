"""The pre-RT lesions on mid-RT in the browser: registered by mouse, looked at, matched; and a file that is refused."""

from __future__ import annotations

import shutil

import pytest


@pytest.fixture(scope="module")
def unregistered(patient, tmp_path_factory):
    """The patient as it leaves the clinic: images and the pre-RT delineation, nothing registered."""
    copy = tmp_path_factory.mktemp("unregistered") / patient.name
    shutil.copytree(patient, copy)
    for file in copy.rglob("*registered*"):
        file.unlink()
    return copy


@pytest.fixture(scope="module")
def tab(serve, visit, unregistered):
    """The patient on screen, the card of the pre-RT lesions open."""
    tab = visit(serve(unregistered), size=(1500, 1000))
    tab.open()
    tab.wait_for_views()
    tab.open_card("Pre-RT lesions")
    tab.page.wait_for_selector("[data-prior]")
    return tab


def state(tab):
    return tab.page.locator("[data-prior-state]").inner_text()


def test_register_tells_its_stages_and_ends_with_the_lesions_that_were_carried(tab):
    assert state(tab) == "Not registered."
    tab.button("Register").click()
    tab.page.wait_for_selector("[data-prior-stage]")
    tab.page.wait_for_selector("[data-prior-stage]", state="detached", timeout=240_000)
    assert state(tab).startswith("Registered: good. Carried: GTVp")
    assert "There and back again" in tab.page.locator("[data-prior]").inner_text()


def test_the_carried_outlines_appear_on_mid_rt_alone_and_go_again(tab):
    before = {view: tab.picture(view) for view in ("pre-axial", "mid-axial")}
    box = tab.page.get_by_label("Show the carried outlines on mid-RT")
    box.check()
    for _ in range(100):
        if abs(tab.picture("mid-axial") - before["mid-axial"]).max() > 40:
            break
        tab.page.wait_for_timeout(100)
    else:
        raise AssertionError("nothing has appeared on mid-RT")
    assert abs(tab.picture("pre-axial") - before["pre-axial"]).max() < 40
    box.uncheck()


def test_a_file_outside_the_folders_of_the_page_is_refused(tab):
    tab.page.get_by_label("Transform (.h5, .tfm)").fill("/etc/passwd")
    tab.button("Use file").click()
    tab.page.wait_for_selector("[data-notice='error']")
    assert "no such file" in tab.notice()
    tab.page.get_by_label("Close the message").click()
    assert state(tab).startswith("Registered: good.")


def test_mid_rt_is_matched_to_what_was_carried(tab):
    tab.segment()
    fates = {tab.cell(name, "Fate") for name in tab.rows()}
    assert fates & {"kept", "shrunk", "grown", "vanished"}
