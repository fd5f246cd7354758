"""The lesion table as a screen shows it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from HNTargetSegLib.lesions.lesion import State
from HNTargetSegLib.review.rows import COLUMNS, column, sorted_lesions


def names(lesions):
    return [lesion.name for lesion in lesions]


def test_names_sort_as_people_count(proposal):
    ten = replace(proposal[4], name="GTVn10")
    lesions = [*proposal.lesions[:3], ten]
    assert names(sorted_lesions(reversed(lesions))) == ["GTVp", "GTVn1", "GTVn2", "GTVn10"]


@pytest.mark.parametrize("descending", [False, True])
def test_unknown_figures_stand_last_in_either_direction(proposal, descending):
    known = replace(proposal[2], change_pct=-10.0, prior_cc=1.0)
    also = replace(proposal[3], change_pct=5.0, prior_cc=1.0)
    ordered = names(sorted_lesions([proposal[1], known, also], "change_pct", descending=descending))
    assert ordered[-1] == "GTVp"
    assert ordered[:2] == (["GTVn2", "GTVn1"] if descending else ["GTVn1", "GTVn2"])


def test_states_sort_by_what_is_left_to_do(proposal):
    accepted = replace(proposal[1], state=State.ACCEPTED)
    assert names(sorted_lesions([accepted, proposal[2]], "state")) == ["GTVn1", "GTVp"]


def test_every_column_has_text_for_a_lesion_with_and_without_figures(proposal):
    for each in COLUMNS:
        assert isinstance(each.text(proposal[1]), str)
        assert each.title
        assert each.tip
    assert column("volume_cc").text(proposal[1]) == f"{proposal[1].volume_cc:.2f}"
    assert column("p_mean").text(proposal[1]) == ""


def test_an_unknown_column_is_a_key_error():
    with pytest.raises(KeyError):
        column("colour")
