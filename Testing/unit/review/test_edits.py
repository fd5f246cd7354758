"""Records follow the voxels that a hand has changed."""

from __future__ import annotations

import numpy as np
import pytest

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.lesions.lesion import Fate, Origin, State
from HNTargetSegLib.review.edits import Drawn
from HNTargetSegLib.review.proposed import proposed_lesions

MID = Visit.MID


@pytest.fixture
def ids(session):
    return session.require(MID).lesions.ids.array.copy()


def lesion(session, lesion_id):
    return session.require(MID).require_lesion(lesion_id)


def test_a_changed_lesion_is_edited_and_measured_anew(session, ids):
    before = lesion(session, 1)
    ids[2, 5:13, 4:14] = 0
    assert session.take_voxels(MID, ids) == (1,)
    now = lesion(session, 1)
    assert now.state is State.EDITED
    assert now.voxels == before.voxels - 80
    assert now.volume_cc == pytest.approx(before.volume_cc * now.voxels / before.voxels)
    assert now.p_mean is None


def test_unchanged_lesions_keep_their_records(session, ids):
    before = [lesion(session, i) for i in (2, 3, 4)]
    ids[2, 5:13, 4:14] = 0
    session.take_voxels(MID, ids)
    assert [lesion(session, i) for i in (2, 3, 4)] == before


def test_nothing_is_told_when_no_voxel_differs(session, ids):
    changes = []
    session.changed.connect(changes.append)
    assert session.take_voxels(MID, ids) == ()
    assert changes == []


def test_accepting_an_edited_lesion_keeps_that_a_hand_has_changed_it(session, ids):
    ids[2, 5:13, 4:14] = 0
    session.take_voxels(MID, ids)
    session.reject(MID, 1)
    session.accept(MID, 1)
    assert lesion(session, 1).state is State.EDITED


def test_a_rejected_lesion_that_is_drawn_on_is_in_again(session, ids):
    session.reject(MID, 1)
    ids[7, 5:13, 4:14] = 1
    session.take_voxels(MID, ids)
    assert lesion(session, 1).state is State.EDITED


@pytest.mark.parametrize("instead", [0, 2])
def test_a_rejected_lesion_that_only_loses_voxels_stays_rejected(session, ids, instead):
    session.reject(MID, 1)
    ids[2, 5:13, 4:14] = instead
    session.take_voxels(MID, ids)
    assert lesion(session, 1).state is State.REJECTED


def test_drawing_a_lesion_over_an_undecided_one_decides_about_the_drawn_one_only(session, ids):
    ids[2, 5:13, 4:14] = 2
    session.take_voxels(MID, ids)
    assert [lesion(session, n).state for n in (1, 2)] == [State.PROPOSED, State.EDITED]
    session.accept(MID, 1)
    assert lesion(session, 1).state is State.EDITED


def test_an_accepted_lesion_that_another_is_drawn_over_says_that_a_hand_has_changed_it(session, ids):
    session.accept(MID, 1)
    ids[2, 5:13, 4:14] = 2
    session.take_voxels(MID, ids)
    assert lesion(session, 1).state is State.EDITED


def test_an_edited_lesion_of_the_run_before_never_counts_as_the_model_s(session, ids, proposal, run_record):
    ids[2, 5:13, 4:14] = 0
    session.take_voxels(MID, ids)
    session.take_proposal(MID, proposal, run_record)
    edited = session.require(MID).lesions.ids.array.copy()
    more = edited.copy()
    more[7, 5:13, 4:14] = 1
    session.take_voxels(MID, more)
    session.take_voxels(MID, edited)
    assert lesion(session, 1).state is State.EDITED
    assert 1 in session.require(MID).touched


def test_a_relabelled_lesion_does_not_get_the_probability_of_its_former_label_back(session, ids):
    from dataclasses import replace

    review = session.require(MID)
    sure = review.lesions.with_lesions(replace(lesion(session, 4), p_mean=0.8, p_max=0.9))
    session.visits[MID] = replace(review, lesions=sure, proposed=proposed_lesions(sure, review.run.model, {}))
    session.relabel(MID, 4, Target.PT)
    original = ids.copy()
    ids[2, 16:20, 30:34] = 0
    session.take_voxels(MID, ids)
    session.take_voxels(MID, original)
    assert lesion(session, 4).p_mean is None


def test_an_erased_lesion_comes_back_under_another_name_where_its_own_was_given_away(session, ids):
    original = ids.copy()
    ids[ids == 2] = 0
    session.take_voxels(MID, ids)
    session.rename(MID, 3, "GTVn1")
    session.take_voxels(MID, original)
    assert {x.id: x.name for x in session.lesions(MID)} == {1: "GTVp", 2: "GTVn2", 3: "GTVn1", 4: "GTVn3"}


def test_voxels_of_the_proposal_again_make_a_lesion_undecided_and_give_its_probability_back(session, ids):
    original, before = ids.copy(), lesion(session, 1)
    ids[2, 5:13, 4:14] = 0
    session.take_voxels(MID, ids)
    session.take_voxels(MID, original)
    assert lesion(session, 1) == before
    assert session.require(MID).touched == frozenset()


def test_a_lesion_drawn_from_nothing_is_added_with_the_next_free_name(session, ids):
    ids[9:11, 2:5, 20:23] = 7
    session.take_voxels(MID, ids, {7: Drawn(Target.LN)})
    new = lesion(session, 7)
    assert (new.name, new.state, new.origin, new.voxels) == ("GTVn4", State.ADDED, Origin.HAND, 18)


def test_a_drawn_lesion_keeps_the_name_that_it_was_given(session, ids):
    ids[9, 2:5, 20:23] = 7
    session.take_voxels(MID, ids, {7: Drawn(Target.LN, "GTVn_deep")})
    assert lesion(session, 7).name == "GTVn_deep"


def test_an_id_that_nobody_has_named_is_an_error_and_changes_nothing(session, ids):
    before = session.lesions()
    ids[9, 2:5, 20:23] = 7
    with pytest.raises(BadInputError, match="7"):
        session.take_voxels(MID, ids)
    assert session.lesions() == before


def test_an_erased_lesion_is_gone_and_comes_back_as_itself_when_the_editor_undoes(session, ids):
    original = ids.copy()
    session.rename(MID, 2, "node")
    session.select(MID, 2)
    ids[ids == 2] = 0
    session.take_voxels(MID, ids)
    assert 2 not in {x.id for x in session.lesions(MID)}
    assert session.selected is None
    session.take_voxels(MID, original)
    assert lesion(session, 2).name == "node"


def test_verdicts_about_an_erased_lesion_can_no_longer_be_undone(session, ids):
    session.accept(MID, 2)
    ids[ids == 2] = 0
    session.take_voxels(MID, ids)
    assert session.next_undo == ""


def test_the_change_since_the_prior_follows_the_new_volume(session, ids):
    from dataclasses import replace

    review = session.require(MID)
    matched = replace(lesion(session, 1), prior_ids=(1,), prior_cc=lesion(session, 1).volume_cc, change_pct=0.0)
    matched = replace(matched, fate=Fate.KEPT)
    session.visits[MID] = replace(review, lesions=review.lesions.with_lesions(matched))
    ids[2:5, 5:13, 4:14] = 0
    session.take_voxels(MID, ids)
    assert lesion(session, 1).change_pct == pytest.approx(-60.0)
    assert lesion(session, 1).fate is Fate.SHRUNK


def test_a_visit_without_any_lesion_can_be_drawn_on(session):
    image = session.require(Visit.PRE).image.image
    ids = np.zeros(image.array.shape, np.uint16)
    ids[3:5, 6:9, 6:9] = 1
    session.take_voxels(Visit.PRE, ids, {1: Drawn(Target.PT)})
    (drawn,) = session.lesions(Visit.PRE)
    assert (drawn.name, drawn.state) == ("GTVp", State.ADDED)
