"""Figures of a cohort."""

from __future__ import annotations

import pytest

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.metrics.case import Rules, evaluate_case
from HNTargetSegLib.metrics.cohort import summarise

WHOLE, MISSED, FALSE = ([(2, 2)], [(2, 2)]), ([(2, 2)], []), ([], [(2, 2)])
TWO_OF_THREE = ([(0, 2), (4, 2), (8, 2)], [(0, 2), (4, 2)])


def figures_of(cases, rules=None):
    cohort = summarise(cases, rules or Rules(), draws=200)
    return cohort.labels[Target.LN]


def test_dsc_agg_pools_all_cases_and_the_mean_leaves_out_empty_references(cohort_of):
    found = figures_of(cohort_of(WHOLE, MISSED, FALSE)).figures
    assert found["dsc_agg"].value == pytest.approx(2 * 8 / (16 + 8 + 8))
    assert found["dsc_mean"].value == pytest.approx(0.5)
    assert (found["dsc_agg"].patients, found["dsc_mean"].patients) == (3, 2)


def test_distances_leave_out_missed_cases_too(cohort_of):
    found = figures_of(cohort_of(WHOLE, MISSED, FALSE)).figures
    assert (found["hd95_mm"].value, found["hd95_mm"].patients) == (0.0, 1)
    assert found["surface_dice_2mm"].value == pytest.approx(0.5)


def test_lesions_are_pooled_over_the_cohort(cohort_of):
    group = figures_of(cohort_of(TWO_OF_THREE, FALSE, WHOLE))
    assert group.figures["lesion_sensitivity"].value == pytest.approx(3 / 4)
    assert group.figures["lesion_precision"].value == pytest.approx(3 / 4)
    assert group.figures["lesion_f1"].value == pytest.approx(3 / 4)
    assert group.figures["lesion_f1_agg"].value == pytest.approx(2 * 3 / 8)


def test_counts_say_what_entered(cohort_of):
    counts = figures_of(cohort_of(WHOLE, MISSED, FALSE, ([], []))).counts
    assert counts == {
        "cases": 4,
        "cases_with_reference": 2,
        "cases_missed": 1,
        "cases_false": 1,
        "lesions": 2,
        "lesions_found": 1,
        "findings": 2,
        "findings_false": 1,
    }


def test_volume_errors_that_cancel_out_still_count_absolutely(cohort_of):
    found = figures_of(cohort_of(([(2, 2)], [(2, 3)]), ([(2, 3)], [(2, 2)]))).figures
    assert found["volume_error_cc"].value == pytest.approx(0)
    assert found["volume_error_absolute_cc"].value == pytest.approx(19)


def test_sizes_part_lesions_by_the_reference_and_findings_by_themselves(cohort_of):
    cases = cohort_of(([(0, 3), (5, 2)], [(0, 3), (8, 1)]))
    # Bins are part of a lesion's figures: the cases' own divide at 0.5, 2 and 6 cc.
    small, _, _, large = summarise(cases, Rules(), draws=50).by_size[Target.LN]
    assert (large.counts["lesions"], large.counts["lesions_found"], large.counts["findings"]) == (2, 1, 1)
    assert large.figures["lesion_sensitivity"].value == 0.5
    assert large.figures["dsc_agg"].value == pytest.approx(2 * 27 / (27 + 27 + 8))
    assert small.figures["lesion_sensitivity"].value is None
    assert small.figures["dsc_mean"].value is None


def test_the_score_is_the_mean_of_both_labels(label_map):
    cases = evaluate_case("8", label_map(pt=[(0, 2)], ln=[(4, 2)]), label_map(pt=[(0, 2)]))
    cohort = summarise(cases, Rules(), draws=50)
    assert cohort.dsc_agg_mean.value == pytest.approx(0.5)
    assert cohort.dsc_agg_mean.interval is None


def test_without_one_label_there_is_no_score(cohort_of):
    assert summarise(cohort_of(WHOLE, WHOLE), Rules(), draws=50).dsc_agg_mean.value is None


def test_a_cohort_that_is_all_alike_has_an_interval_of_no_width(cohort_of):
    found = figures_of(cohort_of(*[WHOLE] * 4)).figures["dsc_agg"]
    assert (found.value, found.interval) == (1.0, (1.0, 1.0))


def test_shares_can_be_averaged_over_patients_instead(cohort_of):
    found = figures_of(cohort_of(TWO_OF_THREE, FALSE, WHOLE), Rules(pooled=False)).figures
    assert found["lesion_sensitivity"].value == pytest.approx((2 / 3 + 1) / 2)
    assert found["lesion_precision"].value == pytest.approx((1 + 0 + 1) / 3)
    assert found["lesion_f1_agg"].value == pytest.approx((4 / 5 + 0 + 1) / 3)
    assert found["dsc_agg"].value == figures_of(cohort_of(TWO_OF_THREE, FALSE, WHOLE)).figures["dsc_agg"].value
