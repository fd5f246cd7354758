"""A review that has ended, by whatever, is gone on with."""

from __future__ import annotations

import signal
import sys

import pytest
from Testing.browser.review_process import start_review

MID = "mid-axial"


@pytest.fixture
def home(tmp_path):
    return {"HNTARGETSEG_CACHE": str(tmp_path / "cache"), "HNTARGETSEG_SETTINGS": str(tmp_path / "settings")}


@pytest.fixture
def begin(tmp_path, patient, visit, home):
    """``begin(*arguments)``: a page of a program of its own; all share what is kept."""
    started = []

    def made(*arguments):
        number = len(started)
        started.append(start_review(tmp_path / f"run-{number}", *arguments, "--root", patient, environment=home))
        tab = visit(started[-1])
        tab.open()
        return tab

    yield made
    for served in started:
        served.stop()


def _draw(tab):
    """A new node, drawn by hand, with a verdict and a name of its own; the table's row."""
    tab.wait_for_views()
    tab.open_card("Correct by hand")
    tab.button("New node").click()
    tab.wait("() => window.trame.state.get('tool') === 'paint'")
    tab.drag(MID, (20, 20), (60, 20))
    tab.page.wait_for_selector("tr[data-lesion]")
    tab.press("Escape")
    (name,) = tab.rows()
    return name, tab.cell(name, "State"), tab.volume(name)


def _row(tab):
    (name,) = tab.rows()
    return name, tab.cell(name, "State"), tab.volume(name)


@pytest.mark.skipif(sys.platform == "win32", reason="signals cannot be sent to one process")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ended_by_the_system_it_is_offered_on_the_first_screen(begin, patient, number):
    tab = begin(patient)
    drawn = _draw(tab)
    tab.served.process.send_signal(number)
    assert tab.served.process.wait(30) == 0
    assert "Traceback" not in tab.served.text()

    again = begin()
    again.page.get_by_text("Go on with the review of").click()
    again.wait_for_views()
    again.page.wait_for_selector("tr[data-lesion]")
    assert _row(again) == drawn
    assert again.watched.errors == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals cannot be sent to one process")
def test_killed_it_is_told_of_and_gone_on_with(begin, patient):
    tab = begin(patient)
    drawn = _draw(tab)
    tab.served.process.kill()
    tab.served.process.wait(30)

    again = begin()
    again.page.get_by_text("was not closed").first.wait_for()
    again.page.get_by_text("Go on with the review of").click()
    again.wait_for_views()
    again.page.wait_for_selector("tr[data-lesion]")
    assert _row(again) == drawn
    assert again.watched.errors == []


def test_ended_because_nobody_used_it_it_is_offered_with_the_patient(begin, patient):
    tab = begin(patient, "--idle-minutes", "0.15")
    drawn = _draw(tab)
    assert tab.served.process.wait(60) == 0

    again = begin(patient)
    again.button("Go on with it").click()
    again.wait_for_views()
    again.page.wait_for_selector("tr[data-lesion]")
    assert _row(again) == drawn


def test_closed_on_the_page_it_is_offered_at_once(begin, patient):
    tab = begin(patient)
    drawn = _draw(tab)
    tab.page.get_by_label("Another patient").click()
    tab.button("Close the patient").click()
    tab.page.get_by_text("Go on with the review of").click()
    tab.page.wait_for_selector("tr[data-lesion]")
    assert _row(tab) == drawn
