"""What became of each lesion between the visits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from HNTargetSegLib.case.read import read_mask
from HNTargetSegLib.case.volume import Geometry
from HNTargetSegLib.errors import GeometryError
from HNTargetSegLib.lesions.find import find_lesions
from HNTargetSegLib.lesions.lesion import Fate, LesionSet, State
from HNTargetSegLib.lesions.match import match_lesions, rejudged


def box(label, i, width, j=5, depth=4):
    return (label, slice(2, 6), slice(j, j + depth), slice(i, i + width))


def by_name(lesions: LesionSet):
    return {lesion.name: lesion for lesion in lesions}


@pytest.mark.parametrize(
    ("width", "fate", "change"),
    [
        (20, Fate.KEPT, 0.0),
        (15, Fate.KEPT, -25.0),
        (14, Fate.SHRUNK, -30.0),
        (25, Fate.KEPT, 25.0),
        (26, Fate.GROWN, 30.0),
    ],
)
def test_change_of_volume_decides_the_fate(lesions_of, width, fate, change):
    (lesion,) = match_lesions(lesions_of(box(2, 5, width)), lesions_of(box(2, 5, 20)))
    assert lesion.fate is fate
    assert lesion.change_pct == pytest.approx(change)
    assert lesion.prior_ids == (1,)
    assert lesion.prior_cc == pytest.approx(20 * 16 * 0.01)


def test_the_limits_of_kept_are_an_option(lesions_of):
    mid, prior = lesions_of(box(2, 5, 15)), lesions_of(box(2, 5, 20))
    assert match_lesions(mid, prior, change_pct=20)[1].fate is Fate.SHRUNK


def test_without_registration_nothing_is_matched(lesions_of):
    (lesion,) = match_lesions(lesions_of(box(2, 5, 9)), None)
    assert (lesion.fate, lesion.prior_ids, lesion.prior_cc, lesion.change_pct) == (None, (), None, None)


def test_a_lesion_with_no_prior_is_new(lesions_of):
    matched = match_lesions(lesions_of(box(2, 5, 9), box(2, 25, 8)), lesions_of(box(2, 5, 9)))
    assert by_name(matched)["GTVn2"].fate is Fate.NEW
    assert by_name(matched)["GTVn2"].prior_ids == ()


def test_a_prior_with_nothing_left_is_listed_as_vanished_at_its_old_place(lesions_of):
    prior = lesions_of(box(1, 5, 9), box(2, 25, 8))
    matched = match_lesions(lesions_of(box(2, 25, 8)), prior)
    gone = by_name(matched)["GTVp"]
    assert gone.fate is Fate.VANISHED
    assert (gone.voxels, gone.volume_cc, gone.long_mm, gone.change_pct) == (0, 0.0, 0.0, -100.0)
    assert (gone.centroid, gone.box, gone.side) == (prior[1].centroid, prior[1].box, prior[1].side)
    assert gone.prior_ids == (1,)
    assert gone.id == 2
    assert gone not in matched.present
    assert np.array_equal(matched.ids.array, lesions_of(box(2, 25, 8)).ids.array)


def test_an_empty_mid_visit_has_only_vanished_lesions(lesions_of):
    matched = match_lesions(lesions_of(), lesions_of(box(1, 5, 9), box(2, 25, 8)))
    assert [(lesion.id, lesion.name, lesion.fate) for lesion in matched] == [
        (1, "GTVp", Fate.VANISHED),
        (2, "GTVn1", Fate.VANISHED),
    ]


def test_a_node_keeps_its_name_when_it_becomes_the_smaller_one(lesions_of):
    prior = lesions_of(box(2, 2, 16), box(2, 25, 10))
    mid = lesions_of(box(2, 2, 4), box(2, 25, 10))
    matched = by_name(match_lesions(mid, prior))
    assert matched["GTVn1"].fate is Fate.SHRUNK
    assert matched["GTVn1"].id == 2
    assert matched["GTVn2"].fate is Fate.KEPT


def test_a_new_node_takes_a_number_that_the_prior_visit_has_not_used(lesions_of):
    prior = lesions_of(box(2, 2, 16), box(2, 25, 10))
    mid = lesions_of(box(2, 25, 10), box(2, 2, 8, j=20))
    matched = by_name(match_lesions(mid, prior))
    assert {name: lesion.fate for name, lesion in matched.items()} == {
        "GTVn2": Fate.KEPT,
        "GTVn3": Fate.NEW,
        "GTVn1": Fate.VANISHED,
    }


def test_a_split_lesion_is_unsure_and_change_is_that_of_its_pieces_together(lesions_of):
    prior = lesions_of(box(1, 5, 20))
    matched = match_lesions(lesions_of(box(1, 5, 9), box(1, 18, 7)), prior)
    assert [(lesion.name, lesion.fate) for lesion in matched] == [("GTVp", Fate.UNSURE), ("GTVp2", Fate.UNSURE)]
    assert [lesion.change_pct for lesion in matched] == pytest.approx([-20.0, -20.0])


def test_merged_lesions_are_unsure_and_name_all_their_priors(lesions_of):
    prior = lesions_of(box(2, 5, 10), box(2, 20, 8))
    (merged,) = match_lesions(lesions_of(box(2, 5, 23)), prior)
    assert (merged.fate, merged.prior_ids, merged.name) == (Fate.UNSURE, (1, 2), "GTVn1")
    assert merged.prior_cc == pytest.approx(18 * 16 * 0.01)


def test_a_graze_of_a_neighbour_is_no_match(lesions_of):
    prior = lesions_of(box(2, 5, 10), box(2, 20, 15))
    mid = lesions_of(box(2, 5, 10), box(2, 16, 15))
    assert [lesion.fate for lesion in match_lesions(mid, prior)] == [Fate.KEPT, Fate.KEPT]
    slightly = lesions_of(box(2, 14, 21))  # one of ten columns of the first prior
    assert match_lesions(slightly, prior, minimum_overlap=0.2)[1].prior_ids == (1,)
    assert match_lesions(slightly, prior, minimum_overlap=0.05)[1].prior_ids == (1, 2)


def test_a_change_of_label_is_unsure(lesions_of):
    (lesion,) = match_lesions(lesions_of(box(2, 5, 10)), lesions_of(box(1, 5, 10)))
    assert (lesion.fate, lesion.prior_ids, lesion.change_pct) == (Fate.UNSURE, (1,), None)
    assert lesion.name == "GTVn1"


def test_a_rejected_prior_does_not_count(lesions_of):
    prior = lesions_of(box(2, 5, 10))
    prior = prior.with_lesions(replace(prior[1], state=State.REJECTED))
    assert [lesion.fate for lesion in match_lesions(lesions_of(box(2, 5, 10)), prior)] == [Fate.NEW]


def test_the_volume_before_registration_is_compared_where_it_is_known(lesions_of):
    both = lesions_of(box(2, 5, 10))
    (lesion,) = match_lesions(both, both, native_cc={1: 4 * both[1].volume_cc})
    assert lesion.change_pct == pytest.approx(-75.0)
    assert lesion.fate is Fate.SHRUNK


def test_matching_again_gives_the_same(lesions_of):
    prior = lesions_of(box(1, 5, 9), box(2, 25, 8))
    once = match_lesions(lesions_of(box(2, 25, 4)), prior)
    assert match_lesions(once, prior).lesions == once.lesions


def test_visits_on_different_grids_are_refused(lesions_of):
    mid = lesions_of(box(2, 5, 10))
    other = Geometry(mid.ids.geometry.size, (1.0, 2.0, 5.1))
    with pytest.raises(GeometryError, match="grid differs"):
        match_lesions(mid, LesionSet(replace(mid.ids, geometry=other), mid.lesions))


def test_on_real_patients_every_lesion_gets_a_fate_and_volumes_add_up(real_data):
    fates = {}
    for case in ("8", "77", "86"):
        folder = real_data / "hntsmrg2024-masks"
        mid = find_lesions(read_mask(folder / f"{case}_midRT_mask.nii.gz"))
        prior = find_lesions(read_mask(folder / f"{case}_preRT_mask_registered.nii.gz"))
        matched = match_lesions(mid, prior)
        assert all(lesion.fate is not None for lesion in matched)
        assert {i for lesion in matched for i in lesion.prior_ids} == {lesion.id for lesion in prior}
        fates[case] = {lesion.name: lesion.fate for lesion in matched}
    assert fates["86"] == {"GTVn1": Fate.SHRUNK, "GTVp": Fate.VANISHED}
    assert fates["77"] == {"GTVp": Fate.SHRUNK}


def test_an_edit_of_a_piece_leaves_the_figures_of_its_group(lesions_of):
    piece = match_lesions(lesions_of(box(2, 5, 6), box(2, 14, 6)), lesions_of(box(2, 5, 15)))[1]
    assert piece.fate is Fate.UNSURE
    assert rejudged(replace(piece, volume_cc=piece.volume_cc / 2)) == replace(piece, volume_cc=piece.volume_cc / 2)


def test_an_edit_of_a_lesion_that_was_matched_alone_is_judged_again(lesions_of):
    kept = match_lesions(lesions_of(box(2, 5, 20)), lesions_of(box(2, 5, 20)))[1]
    halved = rejudged(replace(kept, volume_cc=kept.volume_cc / 2))
    assert (halved.change_pct, halved.fate) == (-50.0, Fate.SHRUNK)
