"""Models beside each other."""

from __future__ import annotations

import numpy as np
import pytest

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.metrics.paired import TESTED, paired_tests, pooled_differences, signed_rank_p

REFERENCES = [[(2, 3)], [(3, 3)], [(4, 3)], [(1, 3)], [(5, 3)]]


@pytest.fixture
def models(cohort_of):
    """Two models on five cases: the second is larger in each case, by other amounts."""
    exact = cohort_of(*((reference, reference) for reference in REFERENCES))
    moved = cohort_of(
        *(
            (reference, [(reference[0][0] + shift, 3)])
            for reference, shift in zip(REFERENCES, (1, 1, 2, 1, 2), strict=True)
        )
    )
    return {"exact": exact, "moved": moved}


def only(tests, figure, label=Target.LN):
    (test,) = (test for test in tests if test.figure == figure and test.label is label)
    return test


def test_each_figure_of_each_label_is_tested_for_each_pair(models):
    tests = paired_tests({**models, "again": models["exact"]})
    assert len(tests) == len(TESTED) * len(Target) * 3


def test_p_is_that_of_five_differences_of_one_sign(cohort_of):
    references, others = (cohort_of(*(([(2, 5)], [(2, n)]) for n in sizes)) for sizes in ([5] * 5, [0, 1, 2, 3, 4]))
    test = only(paired_tests({"one": references, "other": others}), "dsc")
    # The exact two-sided p of five untied differences of one sign is 2 / 2^5.
    assert (test.cases, test.p) == (5, pytest.approx(2 / 32))
    assert test.median_difference < 0


def test_equal_differences_keep_the_exact_p():
    assert signed_rank_p(np.array([1.0, 1.0, 1.0, 1.0, 1.0])) == 2 / 32
    # Ranks 1.5, 1.5 and 3: three of the eight choices of signs reach at most the sum of 1.5.
    assert signed_rank_p(np.array([1.0, -1.0, -2.0, 0.0])) == 2 * 3 / 8


def test_the_exact_p_with_ties_is_scipys_where_there_are_none():
    from scipy.stats import wilcoxon

    random = np.random.default_rng(0)
    values = random.normal(0.3, 1, 20)
    tied = np.concatenate([values, [9.0, 9.0]])
    apart = np.concatenate([values, [9.0, 9.1]])
    assert signed_rank_p(apart) == wilcoxon(apart, method="exact").pvalue
    # The two largest differ in no rank sum that matters: both have one sign.
    assert signed_rank_p(tied) == pytest.approx(signed_rank_p(apart), rel=0.02)


def test_many_differences_have_the_normal_approximation():
    from scipy.stats import wilcoxon

    values = np.random.default_rng(1).normal(0.2, 1, 60)
    assert signed_rank_p(values) == wilcoxon(values, method="approx").pvalue


def test_differences_are_the_second_models_less_the_firsts(models):
    test = only(paired_tests(models), "msd_mm")
    assert test.models == ("exact", "moved")
    assert test.median_difference > 0


def test_what_does_not_differ_has_no_p_but_a_reason(models):
    tests = paired_tests({"one": models["exact"], "same": models["exact"]})
    assert only(tests, "dsc").p is None
    assert only(tests, "dsc").reason == "no case differs"
    assert only(tests, "dsc", Target.PT).reason == "no case has both figures"


def test_equal_p_are_left_as_they_are(models):
    tests = paired_tests({**models, "again": models["exact"]})
    family = [test for test in tests if test.figure == "dsc" and test.p is not None]
    assert len(family) == 2
    assert [test.q for test in family] == [pytest.approx(test.p) for test in family]


def test_q_is_never_under_p(models, cohort_of):
    third = cohort_of(*((r, [(r[0][0], 2)]) for r in REFERENCES[:3]), *((r, r) for r in REFERENCES[3:]))
    tests = [test for test in paired_tests({**models, "third": third}) if test.p is not None]
    assert any(test.q > test.p for test in tests)
    assert all(test.q >= test.p for test in tests)


def test_a_difference_of_the_cohort_has_an_interval_of_paired_draws(models):
    differences = pooled_differences(models, draws=300)
    (found,) = (d.difference for d in differences if d.figure == "dsc_agg" and d.label is Target.LN)
    assert found.interval[0] <= found.value <= found.interval[1] < 0
    same = pooled_differences({"one": models["moved"], "same": models["moved"]}, draws=50)
    assert {d.difference.interval for d in same if d.difference.value is not None} == {(0.0, 0.0)}
