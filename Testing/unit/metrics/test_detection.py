"""Lesion-wise detection."""

import numpy as np

from HNTargetSegLib.metrics.detection import Detection, detect


def masks():
    reference, prediction = np.zeros((6, 6, 6), bool), np.zeros((6, 6, 6), bool)
    reference[0:2, 0:2, 0:2] = True
    reference[4:6, 4:6, 4:6] = True
    prediction[1, 1, 1] = True
    prediction[0, 5, 5] = True
    return reference, prediction


def test_one_shared_voxel_is_a_find():
    assert detect(*masks()) == Detection(found=1, missed=1, true_findings=1, false_findings=1)


def test_a_higher_threshold_turns_it_into_a_miss():
    assert detect(*masks(), minimum_voxels=2) == Detection(found=0, missed=2, true_findings=0, false_findings=2)


def test_lesions_that_touch_by_a_corner_are_one():
    reference = np.zeros((4, 4, 4), bool)
    reference[0, 0, 0] = reference[1, 1, 1] = True
    assert detect(reference, reference).found == 1


def test_counts_are_pooled_over_patients():
    pooled = detect(*masks()) + detect(*masks()) + Detection(found=2)
    assert pooled.sensitivity == 4 / 6
    assert pooled.precision == 0.5


def test_without_lesions_nothing_is_defined():
    empty = np.zeros((2, 2, 2), bool)
    assert detect(empty, empty).sensitivity is None
    assert detect(empty, empty).precision is None
