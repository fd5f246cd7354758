"""Bootstrap intervals."""

from __future__ import annotations

import numpy as np
import pytest

from HNTargetSegLib.metrics.bootstrap import (
    Estimate,
    Ratio,
    average_of,
    difference_of,
    draw_patients,
    estimate,
    harmonic_mean_of,
)


def test_each_draw_has_as_many_patients_and_the_seed_gives_them_again():
    draws = draw_patients(7, 50, seed=3)
    assert draws.shape == (50, 7)
    assert set(draws.sum(axis=1)) == {7.0}
    assert np.array_equal(draws, draw_patients(7, 50, seed=3))
    assert not np.array_equal(draws, draw_patients(7, 50, seed=4))


def test_a_pooled_figure_weighs_patients_by_what_they_hold():
    ratio = Ratio.pooled([(1, 1), (0, 3)])
    assert ratio(np.array([[1.0, 1.0], [2.0, 0.0]])).tolist() == [0.25, 1.0]


def test_a_mean_leaves_undefined_values_out():
    ratio = Ratio.mean([[1.0], [None], [2.0, 3.0], []])
    assert (float(ratio(np.ones((1, 4)))[0]), ratio.patients) == (2.0, 2)


def test_a_draw_without_a_defined_value_is_undefined_and_no_part_of_the_interval():
    ratio = Ratio.mean([[1.0], [2.0], [None]])
    assert np.isnan(ratio(np.array([[0.0, 0.0, 3.0]]))[0])
    found = estimate(ratio, draw_patients(3, 500), 2)
    assert found.interval == (1.0, 2.0)


def test_the_interval_of_a_mean_is_that_of_theory():
    values = np.random.default_rng(0).normal(10, 2, 200)
    found = estimate(Ratio.mean([[v] for v in values]), draw_patients(200, 4000), 200)
    half = 1.96 * values.std() / np.sqrt(200)
    assert found.value == pytest.approx(values.mean())
    assert found.interval == pytest.approx((values.mean() - half, values.mean() + half), abs=0.03)


def test_one_patient_has_no_interval_and_none_has_no_figure():
    draws = draw_patients(2, 10)
    assert estimate(Ratio.mean([[3.0], []]), draws, 1) == Estimate(3.0, None, 1)
    assert estimate(Ratio.mean([[], []]), draws, 0) == Estimate(None, None, 0)
    assert estimate(Ratio.mean([]), draw_patients(0, 10), 0) == Estimate(None, None, 0)


def test_figures_are_combined_draw_by_draw():
    once = np.ones((1, 2))
    one, other, undefined = (Ratio.mean(values) for values in ([[0.5], []], [[1.0], []], [[], []]))
    assert average_of(one, other)(once)[0] == 0.75
    assert difference_of(one, other)(once)[0] == -0.5
    assert harmonic_mean_of(one, other)(once)[0] == pytest.approx(2 / 3)
    assert np.isnan(harmonic_mean_of(one, undefined)(once)[0])
    zero = Ratio.mean([[0.0], []])
    assert harmonic_mean_of(zero, zero)(once)[0] == 0.0
