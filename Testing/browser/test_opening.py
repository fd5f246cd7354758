"""From the first screen to a patient: a folder of the machine, or files that the browser sends."""

from __future__ import annotations

import shutil
import zipfile

import pytest


@pytest.fixture(scope="module")
def root(patient, tmp_path_factory):
    """A folder that holds the patient's folder and a broken file."""
    root = tmp_path_factory.mktemp("root")
    shutil.copytree(patient, root / "clinic" / "patient 1")
    (root / "broken_midRT_T2.nii.gz").write_bytes(b"no image")
    return root


@pytest.fixture(scope="module")
def tab(serve, visit, root):
    """The first screen."""
    tab = visit(serve("--root", root))
    tab.open()
    return tab


@pytest.fixture(autouse=True)
def _first_screen(tab):
    """Each test begins on the first screen."""
    if tab.page.evaluate("window.trame.state.get('screen')") == "review":
        tab.page.get_by_label("Another patient").click()
        tab.button("Close the patient").click()
    tab.page.get_by_text("Sample patient").wait_for()


def _images(patient):
    return sorted(path for path in patient.rglob("*_T2.nii.gz") if "registered" not in path.name)


def test_a_patient_is_opened_from_the_folder_dialog(tab):
    tab.page.get_by_text("Open a folder").click()
    dialog = tab.page.locator('[data-dialog="folder"]')
    for name in ("clinic", "patient 1"):
        dialog.get_by_text(name, exact=True).click()
    dialog.get_by_text("midRT", exact=True).wait_for()
    tab.button("Open this folder").click()
    tab.wait_for_views()
    tab.page.get_by_text("pre-RT").first.wait_for()


def test_a_patient_is_opened_from_the_recent_ones(tab):
    tab.page.get_by_text("Recent patients").wait_for()
    tab.page.locator(".v-list-item", has_text="patient 1").click()
    tab.wait_for_views()


def test_two_images_are_sent_and_shown(tab, patient):
    tab.page.locator("#hn-files").set_input_files(_images(patient))
    tab.wait_for_views()


def test_a_zip_is_sent_and_shown(tab, patient, tmp_path):
    with zipfile.ZipFile(tmp_path / "patient.zip", "w") as archive:
        for image in _images(patient):
            archive.write(image, image.name)
    tab.page.locator("#hn-files").set_input_files(tmp_path / "patient.zip")
    tab.wait_for_views()


def test_a_file_that_is_no_image_is_refused_with_what_to_do(tab, root):
    tab.page.locator("#hn-files").set_input_files(root / "broken_midRT_T2.nii.gz")
    tab.page.locator("[data-notice='error']").wait_for()
    assert "broken_midRT_T2.nii.gz" in tab.notice()
    assert tab.page.get_by_text("Sample patient").is_visible()
    tab.page.get_by_label("Close the message").click()


def test_nothing_of_all_this_asked_another_host_or_broke_a_script(tab):
    assert tab.watched.foreign(tab.served.port) == []
    assert tab.watched.errors == []
    assert "Traceback" not in tab.served.text()
