"""What the page is given of a review."""

from __future__ import annotations

import json

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.lesions.lesion import State
from HNTargetSegLib.review.change import Level, Message
from HNTargetSegLib.review.segmenting import RunState
from HNTargetSegLib.web import shown


def test_rows_follow_the_column_and_its_direction(open_desk):
    by_name = [row["name"] for row in shown.lesion_rows(open_desk.session)]
    by_volume = [row["name"] for row in shown.lesion_rows(open_desk.session, "volume_cc", descending=True)]
    assert by_name == ["GTVp", "GTVn1", "GTVn2"]
    volumes = {lesion.name: lesion.volume_cc for lesion in open_desk.session.lesions()}
    assert by_volume == sorted(volumes, key=volumes.__getitem__, reverse=True) != by_name[::-1]


def test_each_state_has_a_shape_of_its_own():
    assert set(shown.ICONS) == set(State)
    assert len(set(shown.ICONS.values())) == len(State)


def test_a_hidden_lesion_says_so_in_its_row(open_desk):
    open_desk.session.set_shown(Visit.MID, (2,), False)
    assert [row["shown"] for row in shown.lesion_rows(open_desk.session)] == [True, False, True]


def test_a_lesion_with_voxels_cannot_be_called_vanished(open_desk):
    assert "vanished" not in shown.lesion_rows(open_desk.session)[0]["fates"]


def test_tabs_count_what_is_to_be_decided_about(open_desk):
    open_desk.session.accept(Visit.MID, 1)
    pre, mid = shown.visit_tabs(open_desk.session)
    assert (pre["value"], pre["segmented"]) == ("pre", False)
    assert (mid["title"], mid["lesions"], mid["open"], mid["segmented"]) == ("mid-RT", 3, 2, True)


def test_all_that_is_shown_can_be_sent_as_json(open_desk):
    session = open_desk.session
    sent = [shown.column_heads(), shown.lesion_rows(session), shown.visit_tabs(session), shown.run_view(RunState())]
    assert json.loads(json.dumps(sent)) == sent


def test_progress_names_visit_stage_and_tiles():
    state = RunState(job="1", visits=(Visit.PRE, Visit.MID), visit=Visit.MID, stage="network", done=3, total=12)
    view = shown.run_view(state)
    assert view["text"] == "mid-RT: Running the network (3 of 12 tiles)"
    assert 50 < view["percent"] < 100


def test_progress_that_is_not_known_is_minus_one():
    assert shown.run_view(RunState(job="1", visits=(Visit.MID,)))["percent"] == -1


def test_a_message_keeps_its_remedy_apart():
    item = shown.message_item(Message(Level.ERROR, "It broke.", "Mend it."), 4)
    assert (item["text"], item["remedy"], item["level"], item["number"]) == ("It broke.", "Mend it.", "error", 4)


def test_undecided_lesions_are_confirmed_by_visit_and_name(open_desk):
    open_desk.session.accept(Visit.MID, 1, 2)
    assert shown.undecided_items(open_desk.session, [Visit.MID]) == [{"value": "mid:GTVn2", "title": "mid-RT: GTVn2"}]
