"""What became of prior lesions: refused where they vanished, kept where they persist."""

import numpy as np
import pytest

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.errors import GeometryError
from HNTargetSegLib.training.experiments.refusal import PriorFate, prior_fates, refusal

GRID = Geometry((60, 50, 40), (1.0, 1.0, 1.0))
PT = (slice(10, 20), slice(10, 20), slice(10, 20))
NODE = (slice(25, 33), slice(30, 38), slice(40, 48))


def volume(*parts):
    array = np.zeros(GRID.shape, np.uint8)
    for box, label in parts:
        array[box] = label
    return Volume(array, GRID)


def both():
    return volume((PT, Target.PT), (NODE, Target.LN))


def by_label(fates):
    return {fate.label: fate for fate in fates}


def test_a_vanished_lesion_is_refused_if_nothing_is_predicted_in_its_box():
    fates = by_label(prior_fates("1", both(), volume((PT, Target.PT)), volume((PT, Target.PT))))
    assert fates[Target.LN].vanished
    assert fates[Target.LN].left_voxels == 0
    assert not fates[Target.PT].vanished
    assert fates[Target.PT].dsc == 1.0


@pytest.mark.parametrize("label", list(Target))
def test_what_is_predicted_in_the_box_of_a_vanished_lesion_counts_whatever_its_label(label):
    speck = (slice(29, 30), slice(30, 33), slice(50, 53))  # inside the margin of 5 voxels
    found = volume((PT, Target.PT), (speck, label))
    fates = by_label(prior_fates("1", both(), volume((PT, Target.PT)), found))
    assert fates[Target.LN].left_voxels == 9


def test_what_is_predicted_outside_the_box_does_not_count():
    far = (slice(35, 38), slice(10, 12), slice(50, 55))
    fates = by_label(prior_fates("1", both(), volume((PT, Target.PT)), volume((PT, Target.PT), (far, Target.LN))))
    assert fates[Target.LN].left_voxels == 0


def test_another_lesion_that_reaches_into_the_box_is_no_failure_to_refuse():
    neighbour = (slice(25, 33), slice(36, 45), slice(30, 44))
    prior = volume((NODE, Target.LN), (PT, Target.PT))
    reference = volume((neighbour, Target.PT))
    # The prior node has a voxel of the neighbour in it, so nothing is said about it at all.
    assert by_label(prior_fates("1", prior, reference, reference)).get(Target.LN) is None
    beside = (slice(25, 33), slice(39, 46), slice(30, 44))
    reference = volume((beside, Target.PT))
    assert by_label(prior_fates("1", prior, reference, reference))[Target.LN].left_voxels == 0


def test_a_persisting_lesion_is_scored_with_the_findings_of_its_label_that_touch_it():
    half = (slice(10, 15), slice(10, 20), slice(10, 20))
    wrong = (slice(15, 20), slice(10, 20), slice(10, 20))
    found = volume((half, Target.PT), (wrong, Target.LN), (NODE, Target.PT))
    fates = by_label(prior_fates("1", both(), both(), found))
    assert fates[Target.PT].dsc == pytest.approx(2 / 3)
    assert fates[Target.LN].dsc == 0.0


def test_remnants_under_the_limit_are_not_judged():
    remnant = (slice(14, 20), slice(14, 20), slice(14, 20))  # 0.216 cc
    fates = by_label(prior_fates("1", both(), volume((remnant, Target.PT), (NODE, Target.LN)), both()))
    assert Target.PT not in fates
    assert Target.LN in fates


def test_masks_on_different_grids_are_refused():
    other = Volume(np.zeros((40, 50, 61), np.uint8), Geometry((61, 50, 40)))
    with pytest.raises(GeometryError):
        prior_fates("1", both(), both(), other)


def fate(patient, left=None, dsc=None):
    return PriorFate(patient, 2, 0.0 if dsc is None else 1.0, left, dsc)


def test_shares_are_pooled_over_patients():
    found = refusal([fate("1", 0), fate("1", 3), fate("2", 0), fate("2", dsc=0.5), fate("3", dsc=0.49)])
    assert (found.vanished, found.refused.value) == (3, pytest.approx(2 / 3))
    assert (found.persisting, found.kept.value) == (2, 0.5)
    assert found.refused.interval is not None
    assert not found.enough


def test_forty_vanished_and_a_hundred_persisting_are_enough():
    fates = [fate(str(n), 0) for n in range(40)] + [fate(str(n), dsc=1.0) for n in range(100)]
    assert refusal(fates).enough
    assert not refusal(fates[1:]).enough


def test_without_such_lesions_a_share_is_undefined():
    found = refusal([fate("1", 0)])
    assert found.kept.value is None
    assert found.refused.value == 1.0
