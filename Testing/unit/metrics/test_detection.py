"""Lesion-wise detection."""

import numpy as np

from HNTargetSegLib.metrics.detection import Detection, detect, intersection_over_union, match_by_iou


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


def test_f1_is_the_harmonic_mean():
    assert Detection(found=1, missed=1, true_findings=3, false_findings=0).f1 == 2 * 0.5 / 1.5
    assert Detection(found=0, missed=1, true_findings=0, false_findings=1).f1 == 0.0
    assert Detection(found=0, missed=1).f1 is None


def test_iou_divides_what_is_shared_by_what_either_has():
    shared, reference, prediction = np.array([[2, 0]]), np.array([4]), np.array([3, 7])
    assert intersection_over_union(shared, reference, prediction).tolist() == [[2 / 5, 0.0]]


def test_a_lesion_and_a_finding_match_once_and_the_best_first():
    ious = np.array([[0.45, 0.40], [0.35, 0.0]])
    assert match_by_iou(ious) == {0: 0}
    assert match_by_iou(np.array([[0.40, 0.45], [0.35, 0.0]])) == {0: 1, 1: 0}


def test_an_iou_at_the_threshold_is_no_match():
    assert match_by_iou(np.array([[0.3]])) == {}
