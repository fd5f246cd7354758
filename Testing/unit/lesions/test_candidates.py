"""Low-probability places: listed apart, never in the segmentation."""

from __future__ import annotations

import numpy as np
import pytest

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.lesions.candidates import find_candidates
from HNTargetSegLib.lesions.find import array_probability, find_lesions
from HNTargetSegLib.lesions.lesion import State

LESION = (slice(4, 8), slice(10, 16), slice(10, 18))
RIM = (slice(3, 9), slice(9, 17), slice(9, 19))
DOUBT = (slice(1, 3), slice(2, 6), slice(28, 34))


@pytest.fixture
def doubtful(painted):
    labels = painted((2, *LESION))
    pt, ln = np.zeros((2, *labels.array.shape), np.float32)
    ln[RIM] = 0.3
    ln[LESION] = 0.9
    pt[DOUBT] = 0.15
    ln[DOUBT] = 0.1
    found = find_lesions(labels)
    return found, {Target.PT: pt, Target.LN: ln}


def test_a_place_of_doubt_is_listed_and_the_rim_of_a_lesion_is_not(doubtful):
    found, arrays = doubtful
    (candidate,) = find_candidates(found, array_probability(arrays))
    assert candidate.slices == DOUBT
    assert candidate.state is State.PROPOSED
    assert candidate.p_mean == pytest.approx(0.15)


def test_the_likelier_label_names_the_candidate(doubtful):
    found, arrays = doubtful
    (candidate,) = find_candidates(found, array_probability(arrays))
    assert (candidate.label, candidate.name) == (Target.PT, "PT?1")
    arrays[Target.LN][DOUBT] = 0.18
    (candidate,) = find_candidates(found, array_probability(arrays))
    assert (candidate.label, candidate.name) == (Target.LN, "LN?1")


def test_the_two_labels_together_must_reach_the_threshold(doubtful):
    found, arrays = doubtful
    assert len(find_candidates(found, array_probability(arrays), threshold=0.24)) == 1
    assert find_candidates(found, array_probability(arrays), threshold=0.26) == ()


def test_the_segmentation_stays_as_it_was(doubtful):
    found, arrays = doubtful
    before = found.ids.array.copy()
    find_candidates(found, array_probability(arrays))
    assert np.array_equal(found.ids.array, before)
    assert [lesion.name for lesion in found] == ["GTVn1"]


def test_small_candidates_can_be_left_out(doubtful):
    found, arrays = doubtful
    volume = 2 * 4 * 6 * 0.01
    assert len(find_candidates(found, array_probability(arrays), minimum_cc=volume)) == 1
    assert find_candidates(found, array_probability(arrays), minimum_cc=volume + 0.01) == ()


def test_a_model_without_one_of_the_labels_gives_candidates_of_the_other(doubtful):
    found, arrays = doubtful
    (candidate,) = find_candidates(found, array_probability({Target.PT: arrays[Target.PT]}), threshold=0.12)
    assert candidate.label is Target.PT


@pytest.mark.parametrize("threshold", [0.0, 1.0, float("nan")])
def test_an_impossible_threshold_is_refused(doubtful, threshold):
    with pytest.raises(BadInputError, match="not between 0 and 1"):
        find_candidates(doubtful[0], array_probability(doubtful[1]), threshold=threshold)
