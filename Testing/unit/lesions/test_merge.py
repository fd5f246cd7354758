"""A new proposal beside finished lesions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.errors import GeometryError
from HNTargetSegLib.lesions.lesion import Fate, State
from HNTargetSegLib.lesions.match import match_lesions
from HNTargetSegLib.lesions.merge import merge_proposal
from HNTargetSegLib.lesions.names import free_name


def box(label, i, width, j=5, depth=4):
    return (label, slice(2, 6), slice(j, j + depth), slice(i, i + width))


def with_state(lesions, lesion_id, state):
    return lesions.with_lesions(replace(lesions[lesion_id], state=state))


def test_without_finished_lesions_the_proposal_stands(lesions_of):
    proposal = lesions_of(box(2, 5, 8))
    assert merge_proposal(None, proposal) is proposal
    assert merge_proposal(lesions_of(box(2, 6, 8)), proposal) is proposal


@pytest.mark.parametrize("state", [State.ACCEPTED, State.EDITED, State.ADDED])
def test_a_finished_lesion_keeps_its_voxels_where_the_model_finds_it_again(lesions_of, state):
    reviewed = with_state(lesions_of(box(2, 5, 8)), 1, state)
    merged = merge_proposal(reviewed, lesions_of(box(2, 6, 12)))
    assert [lesion.name for lesion in merged] == ["GTVn1"]
    assert np.array_equal(merged.ids.array, reviewed.ids.array)


def test_a_rejected_or_undecided_lesion_makes_way(lesions_of):
    reviewed = with_state(lesions_of(box(2, 5, 8), box(2, 25, 6)), 1, State.REJECTED)
    reviewed = with_state(reviewed, 2, State.ACCEPTED)
    merged = merge_proposal(reviewed, lesions_of(box(2, 5, 8)))
    assert [(x.state, x.voxels) for x in merged] == [(State.ACCEPTED, 96), (State.PROPOSED, 128)]


def test_a_lesion_of_the_other_label_loses_the_voxels_that_are_finished(lesions_of):
    reviewed = with_state(lesions_of(box(2, 5, 8)), 1, State.ACCEPTED)
    merged = merge_proposal(reviewed, lesions_of(box(1, 9, 10)))
    primary = next(lesion for lesion in merged if lesion.label is Target.PT)
    assert primary.voxels == (10 - 4) * 16
    assert primary.volume_cc == pytest.approx(primary.voxels * 0.01)
    assert np.count_nonzero(merged.ids.array == 1) == 8 * 16


def test_new_lesions_get_ids_and_names_that_are_free(lesions_of):
    reviewed = with_state(lesions_of(box(2, 5, 4)), 1, State.ACCEPTED)
    merged = merge_proposal(reviewed, lesions_of(box(2, 5, 4), box(2, 20, 9)))
    assert {lesion.id: lesion.name for lesion in merged} == {1: "GTVn1", 2: "GTVn2"}


def test_vanished_lesions_stay_in_the_list_unless_a_finished_one_has_their_name(lesions_of):
    proposal = match_lesions(lesions_of(box(2, 5, 4)), lesions_of(box(2, 5, 5), box(2, 20, 4), box(2, 30, 3)))
    assert [lesion.fate for lesion in proposal][1:] == [Fate.VANISHED, Fate.VANISHED]
    reviewed = with_state(lesions_of(box(1, 9, 3, j=15)), 1, State.ACCEPTED)
    reviewed = reviewed.with_lesions(replace(reviewed[1], name="GTVn3"))
    merged = merge_proposal(reviewed, proposal)
    assert {lesion.name: lesion.voxels > 0 for lesion in merged} == {"GTVn3": True, "GTVn1": True, "GTVn2": False}
    assert len({lesion.id for lesion in merged}) == 3


def test_another_grid_is_refused(lesions_of):
    reviewed = with_state(lesions_of(box(2, 5, 4)), 1, State.ACCEPTED)
    other = lesions_of(box(2, 5, 4))
    moved = replace(other.ids.geometry, origin=(0.0, 0.0, 0.0))
    elsewhere = type(other)(type(other.ids)(other.ids.array, moved, "moved"), other.lesions)
    with pytest.raises(GeometryError):
        merge_proposal(reviewed, elsewhere)


def test_free_names():
    assert free_name(Target.PT, []) == "GTVp"
    assert free_name(Target.PT, ["GTVp"]) == "GTVp1"
    assert free_name(Target.LN, ["GTVn1", "GTVn3"]) == "GTVn2"
