"""Segmentations that are stopped, by the user or by an accident."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module")
def tab(serve, visit, patient):
    """The patient on screen, nothing segmented yet."""
    tab = visit(serve(patient))
    tab.open()
    tab.wait_for_views()
    return tab


def test_the_page_stays_alive_while_a_run_starts_and_a_cancelled_run_leaves_nothing(tab):
    tab.begin_segmentation()
    before = tab.slice_number("mid-axial")
    tab.wheel("mid-axial", 2)
    tab.wait_for_slice("mid-axial", lambda number: abs(number - before) == 2)
    tab.button("Cancel").click()
    tab.page.wait_for_selector("[data-run]", state="detached")
    assert tab.rows() == []


def test_a_worker_that_is_killed_is_told_of_and_the_next_run_succeeds(tab):
    tab.begin_segmentation()
    for worker in tab.running_workers():
        worker.kill()
    tab.page.wait_for_selector("[data-run]", state="detached")
    assert tab.page.locator("[data-notice='error']").is_visible()
    assert tab.rows() == []
    tab.page.get_by_label("Close the message").click()
    tab.segment()
    assert tab.rows()


def test_ctrl_c_ends_the_program_and_its_worker(tab):
    tab.begin_segmentation()
    assert tab.running_workers()
    assert tab.served.stop() in (0, 4)
    assert tab.served.left_over == []
    assert "Traceback" not in tab.served.text()
