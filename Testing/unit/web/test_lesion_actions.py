"""The buttons of the lesion table."""

from __future__ import annotations

import pytest
from Testing.unit.web.conftest import said

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.lesions.lesion import State
from HNTargetSegLib.web.lesion_actions import LesionActions
from HNTargetSegLib.web.sync import PageSync


@pytest.fixture
def actions(open_desk):
    sync = PageSync(open_desk)
    sync.all()
    return LesionActions(open_desk, sync)


def state_of(desk, lesion_id):
    return desk.session.require(Visit.MID).require_lesion(lesion_id).state


def test_a_verdict_is_of_the_selected_lesion_and_shown_in_its_row(actions, open_desk):
    actions.select(2)
    actions.accept()
    assert state_of(open_desk, 2) is State.ACCEPTED
    assert [row["state"] for row in open_desk.state.rows] == ["proposed", "accepted", "proposed"]
    assert (open_desk.state.selected, open_desk.state.undo) == (2, "accept GTVn1")


def test_without_a_selection_the_user_is_told_what_to_do(actions, open_desk):
    actions.accept()
    assert said(open_desk) == ["No lesion is selected. Click on a row of the table."]
    assert open_desk.state.notice["level"] == "error"


def test_undo_and_redo_turn_the_verdict_back_and_forth(actions, open_desk):
    actions.reject(1)
    actions.undo()
    assert state_of(open_desk, 1) is State.PROPOSED
    actions.redo()
    assert state_of(open_desk, 1) is State.REJECTED


def test_next_follows_the_order_of_the_table(actions, open_desk):
    actions.sort("volume_cc")
    order = [row["id"] for row in open_desk.state.rows]
    assert order != [1, 2, 3]
    actions.select_next(1)
    actions.select_next(1)
    assert open_desk.state.selected == order[1]


def test_sorting_twice_by_a_column_turns_the_order(actions, open_desk):
    actions.sort("volume_cc")
    first = [row["id"] for row in open_desk.state.rows]
    actions.sort("volume_cc")
    assert [row["id"] for row in open_desk.state.rows] == first[::-1]


def test_a_name_that_is_taken_is_refused_with_its_remedy(actions, open_desk):
    actions.begin_rename(2)
    assert open_desk.state.new_name == "GTVn1"
    actions.rename("GTVp")
    assert said(open_desk) == ["Another lesion is called GTVp. Choose another name."]
    assert open_desk.state.renaming == 0


def test_a_field_that_loses_the_focus_after_enter_renames_nothing(actions, open_desk):
    actions.begin_rename(2)
    actions.rename("GTVn left")
    actions.rename("something else")
    assert open_desk.state.rows[1]["name"] == "GTVn left" or open_desk.state.rows[2]["name"] == "GTVn left"


def test_tumour_becomes_node_and_back(actions, open_desk):
    actions.toggle_label(1)
    assert open_desk.session.require(Visit.MID).require_lesion(1).label is Target.LN
    actions.toggle_label(1)
    assert open_desk.session.require(Visit.MID).require_lesion(1).label is Target.PT


def test_the_eye_of_the_head_hides_all_and_shows_all(actions, open_desk):
    actions.toggle_all_shown()
    assert not any(row["shown"] for row in open_desk.state.rows)
    actions.toggle_all_shown()
    assert all(row["shown"] for row in open_desk.state.rows)


def test_the_other_visit_comes_next(actions, open_desk):
    actions.next_visit()
    assert (open_desk.state.active, open_desk.state.rows) == ("pre", [])
