"""One patient under review: verdicts, selection, undo, and who is told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.case.volume import Geometry
from HNTargetSegLib.errors import BadInputError, GeometryError
from HNTargetSegLib.lesions.lesion import Fate, Origin, State
from HNTargetSegLib.review.change import Level, Part
from HNTargetSegLib.review.proposed import proposed_lesions
from HNTargetSegLib.review.session import ReviewSession

MID, PRE = Visit.MID, Visit.PRE


def states(session, visit=MID):
    return {lesion.name: lesion.state for lesion in session.lesions(visit)}


def heard(session):
    changes = []
    session.changed.connect(changes.append)
    return changes


def test_a_patient_opens_at_the_mid_rt_visit(case):
    session = ReviewSession()
    changes = heard(session)
    session.open(case)
    assert session.active is MID
    assert [change.part for change in changes] == [Part.CASE]
    assert session.lesions() == ()


def test_a_delineation_that_came_with_the_patient_counts_as_accepted_work_of_a_hand(case, paint):
    session = ReviewSession()
    session.open(replace(case, pre_mask=paint((1, slice(2, 5), slice(5, 9), slice(4, 9)))))
    (lesion,) = session.lesions(PRE)
    assert (lesion.state, lesion.origin) == (State.ACCEPTED, Origin.HAND)


def test_warnings_of_the_images_reach_the_user(case):
    session = ReviewSession()
    session.open(replace(case, warnings=("The voxels are unusually large.",)))
    assert [(m.level, m.text) for m in session.said] == [(Level.WARNING, "The voxels are unusually large.")]


def test_accept_reject_and_reset(session):
    session.accept(MID, 1, 2)
    session.reject(MID, 3)
    assert states(session) == {
        "GTVp": State.ACCEPTED,
        "GTVn1": State.ACCEPTED,
        "GTVn2": State.REJECTED,
        "GTVn3": State.PROPOSED,
    }
    session.reset(MID, 1)
    assert states(session)["GTVp"] is State.PROPOSED


def test_a_verdict_tells_which_lesions_it_changed_and_nothing_else(session):
    session.accept(MID, 1)
    changes = heard(session)
    session.accept(MID, 1, 2)
    assert [(c.part, c.visit, c.ids) for c in changes] == [(Part.LESIONS, MID, (2,)), (Part.HISTORY, None, ())]


def test_undo_and_redo_go_back_and_forth_through_states_and_names(session):
    session.accept(MID, 1)
    session.rename(MID, 2, "GTVn_left")
    assert session.next_undo == "rename GTVn1"
    session.undo()
    assert session.require(MID).require_lesion(2).name == "GTVn1"
    session.undo()
    assert states(session)["GTVp"] is State.PROPOSED
    assert (session.next_undo, session.next_redo) == ("", "accept GTVp")
    session.redo()
    session.redo()
    assert session.require(MID).require_lesion(2).name == "GTVn_left"
    assert states(session)["GTVp"] is State.ACCEPTED


def test_a_new_verdict_ends_what_could_be_redone(session):
    session.accept(MID, 1)
    session.undo()
    session.reject(MID, 2)
    assert session.next_redo == ""


def test_undo_keeps_the_measures_that_an_edit_has_changed_since(session):
    session.accept(MID, 1)
    ids = session.require(MID).lesions.ids.array.copy()
    ids[2, 5:13, 4:14] = 0
    session.take_voxels(MID, ids)
    smaller = session.require(MID).require_lesion(1).voxels
    session.undo()
    assert session.require(MID).require_lesion(1).voxels == smaller


def test_a_verdict_said_again_after_an_edit_does_not_pass_the_lesion_off_as_the_model_s(session):
    review = session.require(MID)
    sure = review.lesions.with_lesions(replace(review.require_lesion(1), p_mean=0.8, p_max=0.9))
    session.visits[MID] = replace(review, lesions=sure, proposed=proposed_lesions(sure, review.run.model, {}))
    session.accept(MID, 1)
    session.undo()
    ids = sure.ids.array.copy()
    ids[2, 5:13, 4:14] = 0
    session.take_voxels(MID, ids)
    session.redo()
    lesion = session.require(MID).require_lesion(1)
    assert (lesion.state, lesion.p_mean) == (State.EDITED, None)


def test_a_verdict_taken_back_does_not_call_the_model_s_voxels_edited(session):
    original = session.require(MID).lesions.ids.array
    ids = original.copy()
    ids[2, 5:13, 4:14] = 0
    session.take_voxels(MID, ids)
    session.reject(MID, 1)
    session.take_voxels(MID, original.copy())
    session.undo()
    assert states(session)["GTVp"] is State.PROPOSED


def test_undo_of_a_relabelling_gives_the_probability_back(session):
    review = session.require(MID)
    session.visits[MID] = replace(
        review, lesions=review.lesions.with_lesions(replace(review.require_lesion(4), p_mean=0.8, p_max=0.9))
    )
    session.relabel(MID, 4, Target.PT)
    assert session.require(MID).require_lesion(4).p_mean is None
    session.undo()
    assert session.require(MID).require_lesion(4).p_mean == 0.8


def test_undo_of_a_name_that_is_taken_by_now_says_so_and_changes_nothing(session):
    session.rename(MID, 2, "node")
    ids = session.require(MID).lesions.ids.array.copy()
    ids[9, 2:5, 20:23] = 9
    from HNTargetSegLib.review.edits import Drawn

    session.take_voxels(MID, ids, {9: Drawn(Target.LN, "GTVn1")})
    session.undo()
    assert session.require(MID).require_lesion(2).name == "node"
    assert "in use" in session.said[-1].text


@pytest.mark.parametrize("name", ["", "   ", "x" * 65, "a\\b", "a\nb"])
def test_a_name_that_dicom_does_not_take_is_refused(session, name):
    with pytest.raises(BadInputError):
        session.rename(MID, 1, name)


def test_a_name_that_another_lesion_has_is_refused(session):
    with pytest.raises(BadInputError, match="GTVn2"):
        session.rename(MID, 2, "GTVn2")


def test_relabelling_gives_the_next_free_name_of_the_other_kind(session):
    session.relabel(MID, 4, Target.PT)
    lesion = session.require(MID).require_lesion(4)
    assert (lesion.label, lesion.name) == (Target.PT, "GTVp1")
    assert session.require(MID).lesions.label_map().array[3, 17, 31] == 1
    session.undo()
    assert session.require(MID).require_lesion(4).name == "GTVn3"


def test_the_reviewer_can_overrule_a_fate_but_not_against_the_voxels(session):
    session.overrule(MID, 2, Fate.NEW)
    assert session.require(MID).require_lesion(2).fate is Fate.NEW
    with pytest.raises(BadInputError, match="vanished"):
        session.overrule(MID, 2, Fate.VANISHED)


def test_selecting_a_lesion_moves_the_views_to_it(session):
    changes = heard(session)
    session.select(MID, 3)
    assert session.selected == (MID, 3)
    assert [c.part for c in changes] == [Part.SELECTION, Part.JUMP]


def test_the_place_of_a_lesion_lies_inside_it_even_where_its_centroid_does_not(session, case, run_record, paint):
    ring = paint((1, slice(2, 5), slice(5, 20), slice(5, 20)))
    ring.array[2:5, 8:17, 8:17] = 0
    from HNTargetSegLib.lesions.find import find_lesions

    session.take_proposal(MID, find_lesions(ring), run_record)
    place = session.place_of(MID, 1)
    k, j, i = np.rint(case.visits[MID].image.geometry.to_kji(np.array(place))).astype(int)
    assert ring.array[k, j, i] == 1


def test_next_goes_round_the_table_in_its_order(session):
    order = [4, 2, 1, 3]
    seen = []
    for _ in range(5):
        session.select_next(order=order)
        seen.append(session.selected[1])
    assert seen == [4, 2, 1, 3, 4]
    session.select_next(-1, order=order)
    assert session.selected[1] == 3


def test_hiding_is_told_once(session):
    changes = heard(session)
    session.set_shown(MID, [1, 2], False)
    session.set_shown(MID, [1, 2], False)
    assert session.require(MID).hidden == {1, 2}
    assert [c.part for c in changes] == [Part.SHOWN]
    session.set_shown(MID, [1], True)
    assert session.require(MID).hidden == {2}


def test_another_run_leaves_finished_lesions_alone_and_replaces_the_rest(session, proposal, run_record):
    session.accept(MID, 2)
    session.reject(MID, 3)
    session.take_proposal(MID, proposal, run_record)
    assert states(session)["GTVn1"] is State.ACCEPTED
    assert sum(state is State.PROPOSED for state in states(session).values()) == 3
    assert session.next_undo == ""


def test_lesions_of_a_new_run_are_seen_and_untouched_though_they_have_the_ids_of_others(session, proposal, run_record):
    ids = session.require(MID).lesions.ids.array.copy()
    ids[2, 5:13, 4:14] = 0
    session.take_voxels(MID, ids)
    session.reset(MID, 1)
    session.accept(MID, 2)
    session.set_shown(MID, [1, 2, 3], False)
    session.take_proposal(MID, proposal, run_record)
    review = session.require(MID)
    assert {lesion.id for lesion in review.records} >= {2, 3}
    assert review.hidden == {2}
    assert review.touched == frozenset()


def test_a_proposal_of_another_grid_is_refused_and_changes_nothing(session, proposal, run_record):
    before = session.lesions()
    ids = proposal.ids
    other = type(ids)(ids.array, Geometry(ids.geometry.size, (4.0, 5.0, 7.0), ids.geometry.origin), "other")
    with pytest.raises(GeometryError):
        session.take_proposal(MID, type(proposal)(other, proposal.lesions), run_record)
    assert session.lesions() == before


def test_a_visit_whose_volume_is_gone_is_dropped_and_the_last_one_closes_the_case(session):
    session.select(MID, 1)
    session.drop(MID)
    assert (session.active, session.selected, list(session.visits)) == (PRE, None, [PRE])
    session.drop(PRE)
    assert session.case is None


def test_what_belongs_to_no_open_visit_is_a_clear_error():
    session = ReviewSession()
    with pytest.raises(BadInputError, match="mid-RT"):
        session.accept(MID, 1)


def test_a_visit_without_lesions_says_so(session):
    with pytest.raises(BadInputError, match="Segment it first"):
        session.accept(PRE, 1)
