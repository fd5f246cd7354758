"""Figures of each arm and their differences from the baseline, with patients as the unit of every interval and test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.metrics.bootstrap import Estimate, Ratio, difference_of, draw_patients, estimate
from HNTargetSegLib.training.experiments.observations import MEANS, Observation, of_label

FIGURES = (*MEANS, "lesion_sensitivity", "lesion_precision")
"""The paper's: volumetric and surface Dice, MSD, HD95, and lesion-wise detection pooled over all patients."""

SWAPS = 10_000
_EXACT_PATIENTS = 13
_DETECTABLE = 1.96 + 0.84
"""Standard errors that a difference must have to be found at 5 % (two-sided) in 80 % of such studies."""

Observations = Mapping[str, Mapping[int, Sequence[Observation]]]
"""By arm and seed."""


@dataclass(frozen=True)
class ArmFigure:
    """A figure of one label of one arm.

    Attributes
    ----------
    estimate
        Over all seeds, with a patient-level bootstrap interval.
    by_seed
        Of each seed's trainings alone.
    """

    estimate: Estimate
    by_seed: tuple[float | None, ...]


@dataclass(frozen=True)
class Difference:
    """An arm's figure less the baseline's, on the same patients.

    Attributes
    ----------
    estimate
        With a patient-level bootstrap interval.
    by_seed
        Of arms that were trained with the same seed.
    p
        Two-sided, by swapping the two arms' answers on whole patients; None where the figure is undefined.
    standard_error
        From the patients' bootstrap and, where there are several seeds, from the spread between them.
    baseline
        The baseline's figure.
    """

    estimate: Estimate
    by_seed: tuple[float | None, ...]
    p: float | None
    standard_error: float | None
    baseline: float | None

    @property
    def detectable(self) -> float | None:
        """Smallest true difference that a study of this size finds four times in five."""
        return None if self.standard_error is None else _DETECTABLE * self.standard_error


def arm_figure(
    observations: Mapping[int, Sequence[Observation]], label: Target, figure: str, draws: int = 2000
) -> ArmFigure:
    """A figure of one arm from its observations by seed."""
    patients = _patients(observations)
    ratio = _ratio(_all(observations), label, figure, patients)
    by_seed = tuple(_value(_ratio(own, label, figure, patients)) for own in observations.values())
    return ArmFigure(estimate(ratio, draw_patients(len(patients), draws), ratio.patients), by_seed)


def difference(
    arm: Mapping[int, Sequence[Observation]],
    baseline: Mapping[int, Sequence[Observation]],
    label: Target,
    figure: str,
    draws: int = 2000,
) -> Difference:
    """Difference of one arm from the baseline; both hold the same seeds and patients."""
    patients = _patients(baseline)
    own, other = (_ratio(_all(entries), label, figure, patients) for entries in (arm, baseline))
    statistic = difference_of(own, other)
    drawn = draw_patients(len(patients), draws)
    found = estimate(statistic, drawn, min(own.patients, other.patients))
    by_seed = tuple(
        _less(*(_value(_ratio(entries[seed], label, figure, patients)) for entries in (arm, baseline)))
        for seed in baseline
    )
    if found.value is None:
        return Difference(found, by_seed, None, None, _value(other))
    values = statistic(drawn)
    spread = float(np.nanstd(values))
    defined = [value for value in by_seed if value is not None]
    between_seeds = float(np.var(defined, ddof=1)) / len(defined) if len(defined) > 1 else 0.0
    error = float(np.hypot(spread, np.sqrt(between_seeds)))
    return Difference(found, by_seed, swap_p(own, other), error, _value(other))


def swap_p(one: Ratio, other: Ratio, swaps: int = SWAPS, seed: int = 0) -> float:
    """Two-sided p of a difference of ratios if, for each patient, it were chance which arm gave which answer.

    All ways to swap are taken where there are few patients; otherwise a random choice of them, and the observed one
    (Phipson and Smyth, Statistical Applications in Genetics and Molecular Biology 9, 39, 2010).
    """
    patients = len(one.above)
    if patients <= _EXACT_PATIENTS:
        chosen = (np.arange(2**patients)[:, None] >> np.arange(patients) & 1).astype(float)
    else:
        random = np.random.default_rng(seed)
        chosen = np.vstack([np.zeros(patients), random.integers(0, 2, (swaps, patients))])
    swapped = np.abs(_swapped(one, other, chosen) - _swapped(other, one, chosen))
    # A swap that leaves an arm without any lesion or finding has no figure and is no evidence either way.
    observed, defined = swapped[0], swapped[~np.isnan(swapped)]
    return float(np.mean(defined >= observed - 1e-12))


def _swapped(one: Ratio, other: Ratio, chosen: np.ndarray) -> np.ndarray:
    above = (1 - chosen) @ one.above + chosen @ other.above
    below = (1 - chosen) @ one.below + chosen @ other.below
    ratio: np.ndarray = np.divide(above, below, out=np.full(len(chosen), np.nan), where=below != 0)
    return ratio


def _ratio(observations: Sequence[Observation], label: Target, figure: str, patients: Sequence[str]) -> Ratio:
    """The figure as a ratio of sums over patients; all visits and seeds of a patient go together."""
    of_patient: dict[str, list[Observation]] = {patient: [] for patient in patients}
    for entry in of_label(observations, label):
        of_patient[entry.patient].append(entry)
    groups = of_patient.values()
    if figure == "lesion_sensitivity":
        return Ratio.pooled((sum(e.lesions_found for e in own), sum(e.lesions for e in own)) for own in groups)
    if figure == "lesion_precision":
        return Ratio.pooled((sum(e.findings_true for e in own), sum(e.findings for e in own)) for own in groups)
    return Ratio.mean([entry.values[figure] for entry in own] for own in groups)


def _value(ratio: Ratio) -> float | None:
    value = float(ratio(np.ones((1, len(ratio.above))))[0])
    return None if np.isnan(value) else value


def _less(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one - other


def _all(observations: Mapping[int, Sequence[Observation]]) -> list[Observation]:
    return [entry for own in observations.values() for entry in own]


def _patients(observations: Mapping[int, Sequence[Observation]]) -> list[str]:
    return sorted({entry.patient for entry in _all(observations)})
