"""The lesion table with forty lesions: sorting, many rows at once, showing and hiding, what is painted again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6 import QtCore, QtTest
from Testing.slicerhost.forty_lesions import COUNT, open_forty
from Testing.slicerhost.host import LEFT, Host
from Testing.slicerhost.review_module import OpenModule, opened

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.review.case import ReviewCase


def test_heading_sorts_by_its_figure_both_ways(host: Host, tmp_path: Path) -> None:
    with opened(host, tmp_path) as module:
        _opened_with_forty(module)
        _click_heading(module, "cc")
        volumes = [float(text) for text in module.cells("cc")]
        assert volumes == sorted(volumes)
        assert volumes[0] < volumes[-1]
        _click_heading(module, "cc")
        assert [float(text) for text in module.cells("cc")] == sorted(volumes, reverse=True)


@pytest.mark.dialect("methods")
def test_names_are_sorted_by_their_number_with_the_tumours_first(host: Host, tmp_path: Path) -> None:
    with opened(host, tmp_path) as module:
        _opened_with_forty(module)
        names = module.cells("Lesion")
        assert names[:4] == [name for name in names if name.startswith("GTVp")]
        assert names[4:] == [f"GTVn{number}" for number in range(1, COUNT - 3)]


@pytest.mark.dialect("attributes")
def test_rows_keep_their_places_when_a_lesion_changes_though_the_table_is_sorted_by_state(
    host: Host, tmp_path: Path
) -> None:
    with opened(host, tmp_path) as module:
        _opened_with_forty(module)
        _click_heading(module, "State")
        names = module.cells("Lesion")
        host.click_row("table", 3, 1)
        host.press("rejectButton")
        assert module.cells("Lesion") == names
        assert module.cells("State")[3] == "rejected"
        _click_heading(module, "State")
        assert module.cells("State")[0] == "rejected"


@pytest.mark.dialect("methods")
def test_several_rows_are_accepted_together_and_undone_together(host: Host, tmp_path: Path) -> None:
    with opened(host, tmp_path) as module:
        _opened_with_forty(module)
        host.click_row("table", 2, 1)
        table = host.find("table")
        place = table.visualRect(table.model().index(5, 1)).center()
        QtTest.QTest.mouseClick(table.viewport(), LEFT, QtCore.Qt.KeyboardModifier.ShiftModifier, place)
        host.press("acceptButton")
        assert module.cells("State")[2:6] == ["accepted"] * 4
        assert module.cells("State").count("accepted") == 4
        host.press("undoButton")
        assert set(module.cells("State")) == {"proposed"}


@pytest.mark.dialect("attributes")
def test_sorting_leaves_no_lesion_marked_that_nobody_chose(host: Host, tmp_path: Path) -> None:
    with opened(host, tmp_path) as module:
        _opened_with_forty(module)
        names = module.cells("Lesion")
        host.click_row("table", 16, 1)
        table = host.find("table")
        table.scrollToItem(table.item(21, 1))
        place = table.visualRect(table.model().index(21, 1)).center()
        QtTest.QTest.mouseClick(table.viewport(), LEFT, QtCore.Qt.KeyboardModifier.ShiftModifier, place)
        assert {item.row() for item in table.selectedItems()} == set(range(16, 22))
        # Upside down, the row of the lesion that was clicked last is among those that were marked.
        _click_heading(module, "Lesion")
        assert module.cells("Lesion") == names[::-1]
        assert {module.cells("Lesion")[item.row()] for item in table.selectedItems()} <= set(names[16:22])


@pytest.mark.dialect("methods")
def test_table_shows_the_visit_of_a_lesion_that_the_console_selects(host: Host, tmp_path: Path) -> None:
    with opened(host, tmp_path) as module:
        open_forty(module.session)
        mid = module.session.visits[Visit.MID]
        module.session.open(ReviewCase("Forty", {Visit.PRE: mid.image, Visit.MID: replace(mid.image)}))
        for visit in (Visit.PRE, Visit.MID):
            module.session.take_proposal(visit, mid.lesions, mid.run)
        module.session.rename(Visit.PRE, 5, "GTVn pre-RT")
        module.tab("Lesions")
        assert "GTVn pre-RT" not in module.cells("Lesion")
        module.logic.select("pre", "GTVn pre-RT")
        assert "GTVn pre-RT" in module.cells("Lesion")


@pytest.mark.dialect("methods")
def test_tick_at_export_is_for_the_lesion_of_that_run_only(host: Host, tmp_path: Path) -> None:
    with opened(host, tmp_path) as module:
        _opened_with_forty(module)
        ticks = host.find("undecidedList")
        ticks.item(0).setCheckState(QtCore.Qt.CheckState.Checked)
        review = module.session.visits[Visit.MID]
        module.session.accept(Visit.MID, 7)
        assert ticks.item(0).checkState() == QtCore.Qt.CheckState.Checked
        module.session.take_proposal(Visit.MID, review.lesions, review.run)
        assert ticks.item(0).checkState() == QtCore.Qt.CheckState.Unchecked


@pytest.mark.dialect("attributes")
def test_eye_of_a_row_hides_its_segment_and_show_all_brings_it_back(host: Host, tmp_path: Path) -> None:
    with opened(host, tmp_path) as module:
        _opened_with_forty(module)
        lesion = module.session.lesions(Visit.MID)[0]
        scene = module.desk.review_scene
        display = scene.segmentation_node(Visit.MID).GetDisplayNode()
        item = host.find("table").item(module.cells("Lesion").index(lesion.name), 0)
        item.setCheckState(QtCore.Qt.CheckState.Unchecked)
        assert not display.GetSegmentVisibility(scene.segment_id(Visit.MID, lesion.id))
        host.press("showAllButton")
        assert display.GetSegmentVisibility(scene.segment_id(Visit.MID, lesion.id))
        assert item.checkState() == QtCore.Qt.CheckState.Checked


@pytest.mark.dialect("methods")
def test_accepting_one_lesion_writes_one_row(host: Host, tmp_path: Path) -> None:
    with opened(host, tmp_path) as module:
        _opened_with_forty(module)
        host.click_row("table", 7, 1)
        written: set[int] = set()
        host.find("table").model().dataChanged.connect(lambda first, last: written.update((first.row(), last.row())))
        host.press("acceptButton")
        assert written == {7}


@pytest.mark.dialect("attributes")
def test_label_is_changed_and_the_name_follows(host: Host, tmp_path: Path) -> None:
    with opened(host, tmp_path) as module:
        _opened_with_forty(module)
        module.click_lesion("GTVn1")
        assert host.find("labelButton").text() == "Make PT"
        host.press("labelButton")
        assert "GTVn1" not in module.cells("Lesion")
        assert host.find("labelButton").text() == "Make LN"


def _opened_with_forty(module: OpenModule) -> None:
    open_forty(module.session)
    module.tab("Lesions")
    assert len(module.cells("Lesion")) == COUNT


def _click_heading(module: OpenModule, heading: str) -> None:
    header = module.host.find("table").horizontalHeader()
    titles = [header.model().headerData(n, header.orientation()).replace("\n", " ") for n in range(header.count())]
    number = titles.index(heading)
    place = QtCore.QPoint(
        header.sectionViewportPosition(number) + header.sectionSize(number) // 2, header.height() // 2
    )
    QtTest.QTest.mouseClick(header.viewport(), LEFT, pos=place)
    module.host.process()
