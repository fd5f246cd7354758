"""Figures of a cohort with intervals: patients are drawn again, with replacement."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

Statistic = Callable[[np.ndarray], np.ndarray]
"""How often each patient is drawn, (draws, patients), to the figure of each draw, (draws,); NaN where undefined."""

_LEVEL = 95.0


@dataclass(frozen=True)
class Estimate:
    """A figure of a cohort.

    Attributes
    ----------
    value
        None where it is undefined.
    interval
        Its 95 % bootstrap interval; None where the figure is undefined or fewer than two patients enter.
    patients
        How many enter.
    """

    value: float | None
    interval: tuple[float, float] | None
    patients: int


@dataclass(frozen=True, eq=False)
class Ratio:
    """A sum over patients divided by another: a pooled figure, or a mean over those where it is defined.

    Attributes
    ----------
    above, below
        What each patient adds, (patients,).
    """

    above: np.ndarray
    below: np.ndarray

    @classmethod
    def mean(cls, values: Iterable[Iterable[float | None]]) -> Ratio:
        """Mean of all the values of all patients; None is left out."""
        defined = [[value for value in patient if value is not None] for patient in values]
        return cls(np.array([sum(v) for v in defined], float), np.array([len(v) for v in defined], float))

    @classmethod
    def pooled(cls, parts: Iterable[tuple[float, float]]) -> Ratio:
        """From what each patient adds above and below."""
        above, below = np.array(list(parts), float).reshape(-1, 2).T
        return cls(above, below)

    @property
    def patients(self) -> int:
        """Patients that enter."""
        return int(np.count_nonzero(self.below))

    def __call__(self, draws: np.ndarray) -> np.ndarray:
        """The ratio in each draw (``Statistic``)."""
        below = draws @ self.below
        figures: np.ndarray = np.divide(draws @ self.above, below, out=np.full(len(draws), np.nan), where=below != 0)
        return figures


def average_of(one: Statistic, other: Statistic) -> Statistic:
    """Mean of two figures; undefined where either is."""
    return lambda draws: (one(draws) + other(draws)) / 2


def harmonic_mean_of(one: Statistic, other: Statistic) -> Statistic:
    """Harmonic mean of two figures, such as F1 of sensitivity and precision; 0 where both are 0."""

    def figure(draws: np.ndarray) -> np.ndarray:
        first, second = one(draws), other(draws)
        total = first + second
        return np.divide(2 * first * second, total, out=np.where(np.isnan(total), np.nan, 0.0), where=total > 0)

    return figure


def difference_of(one: Statistic, other: Statistic) -> Statistic:
    """One figure less another, with the same patients drawn for both."""
    return lambda draws: one(draws) - other(draws)


def draw_patients(patients: int, draws: int = 2000, seed: int = 0) -> np.ndarray:
    """How often each patient is drawn in each of the draws, (draws, patients).

    Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993; percentile intervals.
    """
    if not patients:
        return np.zeros((draws, 0))
    chances = np.full(patients, 1 / patients)
    return np.random.default_rng(seed).multinomial(patients, chances, size=draws).astype(float)


def estimate(statistic: Statistic, draws: np.ndarray, patients: int) -> Estimate:
    """The figure of all patients and its interval.

    Parameters
    ----------
    draws
        From :func:`draw_patients`; draws where the figure is undefined are left out of the interval.
    patients
        How many enter the figure.
    """
    value = float(statistic(np.ones((1, draws.shape[1])))[0])
    if np.isnan(value):
        return Estimate(None, None, patients)
    if patients < 2:
        return Estimate(value, None, patients)
    figures = statistic(draws)
    tail = (100 - _LEVEL) / 2
    low, high = np.percentile(figures[~np.isnan(figures)], (tail, 100 - tail))
    return Estimate(value, (float(low), float(high)), patients)
