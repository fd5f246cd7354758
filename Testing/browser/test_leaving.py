"""What comes in from files, the final check, and the formats of an export, by mouse."""

from __future__ import annotations

import zipfile

import pytest


@pytest.fixture(scope="module")
def tab(serve, visit, patient, tmp_path_factory):
    """The patient on screen, with a root that holds its folder."""
    tab = visit(serve(patient, "--root", patient, "--root", tmp_path_factory.mktemp("root")))
    tab.open()
    tab.wait_for_views()
    return tab


def dialog_of(tab, name):
    dialog = tab.page.locator(f'[data-dialog="{name}"]')
    dialog.wait_for()
    return dialog


def test_a_mask_becomes_lesions_to_review(tab, patient):
    (mask,) = (patient / "midRT").glob("*_mask_registered.nii.gz")
    tab.page.get_by_label("Delineation from a file").click()
    dialog = dialog_of(tab, "import")
    dialog.get_by_role("button", name="mid-RT").click()
    dialog.get_by_label("RTSTRUCT, SEG or mask").fill(str(mask))
    dialog.get_by_role("button", name="Read").click()
    dialog.get_by_role("button", name="Take the structures").click()
    tab.wait("() => !window.trame.state.get('dialog') && window.trame.state.get('rows').length > 0")
    states = {row["state"] for row in tab.page.evaluate("() => window.trame.state.get('rows')")}
    assert states == {"proposed"}


def test_a_finding_of_the_final_check_is_one_click_away(tab):
    tab.press("Control+s")
    dialog = dialog_of(tab, "export")
    dialog.get_by_role("button", name="Check", exact=True).click()
    finding = dialog.locator(".v-list-item").filter(has_text="nobody has decided").filter(has_text="mid-RT").last
    finding.wait_for()
    text = finding.inner_text()
    finding.click()
    tab.wait("() => !window.trame.state.get('dialog')")
    assert text.startswith(f"mid-RT {tab.selected()}")


def test_the_ticked_formats_are_sent(tab):
    tab.press("Control+s")
    dialog = dialog_of(tab, "export")
    dialog.get_by_label("STL").check()
    dialog.get_by_label("Report").check()
    dialog.get_by_label("NIfTI").uncheck()
    assert dialog.get_by_label("DICOM SEG").is_disabled()
    boxes = dialog.locator(".hn-confirm input")
    for number in range(boxes.count()):
        boxes.nth(number).check()
    with tab.page.expect_download() as waiting:
        dialog.get_by_role("button", name="Download").click()
    with zipfile.ZipFile(waiting.value.path()) as archive:
        names = archive.namelist()
    assert {"report.html", "report.pdf", "midRT/lesions.csv"} <= set(names)
    assert any(name.startswith("midRT/stl/") for name in names)
    assert not any(name.endswith(".nii.gz") for name in names)


def test_nothing_was_asked_of_another_host_and_no_error_was_written(tab):
    assert tab.watched.foreign(tab.served.port) == []
    assert tab.watched.errors == []
    assert "Traceback" not in tab.served.text()
