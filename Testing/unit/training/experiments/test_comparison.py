"""Figures of arms, their differences, and what is said of a claim."""

from dataclasses import replace

import numpy as np
import pytest

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.metrics.bootstrap import Estimate, Ratio
from HNTargetSegLib.training.experiments.arms import Arm
from HNTargetSegLib.training.experiments.beirami2026 import CLAIMS, REPORTED, Claim, Expectation
from HNTargetSegLib.training.experiments.comparison import Difference, arm_figure, difference, swap_p
from HNTargetSegLib.training.experiments.observations import MEANS, Observation
from HNTargetSegLib.training.experiments.verdicts import Verdict, verdict, weigh_claims
from HNTargetSegLib.training.loss_choice import LossChoice
from HNTargetSegLib.training.losses.weights import VolumeAware

SENSITIVITY = CLAIMS[0]
KEPT = Claim("kept", "dual", Target.PT, "lesion_precision", Expectation.KEPT)


def observation(patient, label=Target.LN, dsc=0.7, lesions=(4, 2), findings=(3, 3), visit="mid"):
    values = dict.fromkeys(MEANS, dsc)
    return Observation(f"{patient}_{visit}", str(patient), int(label), values, *lesions, *findings, 1.0, 1.0, dsc)


def cohort(found, patients=30, lesions=4):
    """By seed; ``found`` of the lesions in each patient."""
    return {0: [observation(patient, lesions=(lesions, found[patient % len(found)])) for patient in range(patients)]}


def test_detection_is_pooled_over_patients_visits_and_seeds():
    by_seed = {
        1: [
            observation(1, lesions=(4, 1)),
            observation(1, lesions=(1, 1), visit="pre"),
            observation(2, lesions=(5, 0)),
        ],
        2: [
            observation(1, lesions=(4, 4)),
            observation(1, lesions=(1, 1), visit="pre"),
            observation(2, lesions=(5, 5)),
        ],
    }
    found = arm_figure(by_seed, Target.LN, "lesion_sensitivity")
    assert found.estimate.value == pytest.approx(12 / 20)
    assert found.by_seed == (pytest.approx(0.2), pytest.approx(1.0))
    assert found.estimate.patients == 2


def test_means_leave_out_cases_without_the_label():
    entries = [observation(1, dsc=0.5), observation(2, dsc=0.9), replace(observation(3), values=dict.fromkeys(MEANS))]
    found = arm_figure({0: entries}, Target.LN, "dsc")
    assert found.estimate.value == pytest.approx(0.7)
    assert found.estimate.patients == 2


def test_a_figure_of_a_label_that_nobody_has_is_undefined():
    found = difference({0: [observation(1)]}, {0: [observation(1)]}, Target.PT, "lesion_precision")
    assert found.estimate.value is None
    assert found.detectable is None
    assert verdict(KEPT, found, None) is Verdict.UNDEFINED


def test_visits_of_one_patient_are_drawn_together():
    """Twice the same visit is no more evidence than once."""
    once = cohort([1, 4, 2])
    twice = {0: [*once[0], *(replace(entry, case=f"{entry.patient}_pre") for entry in once[0])]}
    one, other = (arm_figure(entries, Target.LN, "lesion_sensitivity").estimate for entries in (once, twice))
    assert one == other


def test_the_swap_test_is_exact_with_few_patients():
    one = Ratio(np.array([1.0, 1.0, 1.0]), np.ones(3))
    other = Ratio(np.zeros(3), np.ones(3))
    assert swap_p(one, other) == 2 / 8
    assert swap_p(one, one) == 1.0


def test_the_swap_test_holds_its_level_where_nothing_differs():
    random = np.random.default_rng(5)
    found = []
    for _ in range(200):
        lesions = random.integers(1, 6, 20).astype(float)
        arms = [Ratio(random.binomial(lesions.astype(int), 0.8).astype(float), lesions) for _ in range(2)]
        found.append(swap_p(*arms, swaps=400))
    assert 0.005 < np.mean(np.array(found) < 0.05) < 0.1


def test_a_large_rise_on_many_patients_is_confirmed_and_its_fall_contradicted():
    few, many = cohort([1, 2, 1]), cohort([3, 4, 3])
    for arm, baseline, expected in ((many, few, Verdict.CONFIRMED), (few, many, Verdict.CONTRADICTED)):
        found = difference(arm, baseline, Target.LN, "lesion_sensitivity")
        assert found.p < 0.001
        assert verdict(SENSITIVITY, found, found.p) is expected


def test_a_rise_with_a_seed_that_falls_is_not_confirmed():
    found = difference(cohort([3, 4, 3]), cohort([1, 2, 1]), Target.LN, "lesion_sensitivity")
    assert verdict(SENSITIVITY, replace(found, by_seed=(0.4, -0.01)), found.p) is not Verdict.CONFIRMED


def made(value, error, patients=40, by_seed=(0.0,), baseline=0.8):
    return Difference(Estimate(value, (value - 2 * error, value + 2 * error), patients), by_seed, 0.5, error, baseline)


@pytest.mark.parametrize(
    ("claim", "found", "expected"),
    [
        (SENSITIVITY, made(0.01, 0.02), Verdict.NOT_RESOLVABLE),
        (SENSITIVITY, made(0.0, 0.002), Verdict.NOT_SEEN),
        (KEPT, made(0.0, 0.01), Verdict.CONFIRMED),
        (KEPT, made(-0.2, 0.01), Verdict.CONTRADICTED),
        (KEPT, made(-0.01, 0.05), Verdict.NOT_RESOLVABLE),
        (KEPT, made(-0.05, 0.01), Verdict.NOT_SEEN),
        (KEPT, made(0.0, 0.0, patients=4), Verdict.NOT_RESOLVABLE),
        (KEPT, made(0.0, 0.001, baseline=0.01), Verdict.NO_ROOM),
        (SENSITIVITY, made(0.0, 0.001, baseline=1.0), Verdict.NO_ROOM),
    ],
)
def test_what_cannot_be_told_is_told_apart_from_what_is_not_there(claim, found, expected):
    assert verdict(claim, found, 0.5) is expected


def test_the_detectable_difference_shrinks_with_patients_and_grows_with_the_spread_of_seeds():
    few, many = (
        difference(cohort([3, 4, 2], patients), cohort([1, 4, 2], patients), Target.LN, "lesion_sensitivity")
        for patients in (12, 48)
    )
    assert many.detectable == pytest.approx(few.detectable / 2, rel=0.15)
    steady = cohort([2, 3])[0]
    unsteady = {0: steady, 1: cohort([4, 4])[0]}
    found = difference(unsteady, {0: steady, 1: steady}, Target.LN, "lesion_sensitivity")
    assert found.standard_error > np.std(found.by_seed, ddof=1) / np.sqrt(2) * 0.99


def test_every_gamma_is_tested_against_each_claim_of_its_configuration():
    arms = [Arm("baseline", LossChoice())]
    arms += [Arm(f"dual-gamma{gamma}", LossChoice("dual", gamma=gamma)) for gamma in (0.5, 1.0)]
    observations = {arm.name: cohort([2, 3]) for arm in arms}
    tested = weigh_claims(arms, observations, "baseline")
    assert [(entry.claim.label, entry.arm) for entry in tested] == [
        (Target.LN, "dual-gamma0.5"),
        (Target.LN, "dual-gamma1.0"),
        (Target.PT, "dual-gamma0.5"),
        (Target.PT, "dual-gamma1.0"),
    ]
    assert [entry.q is None for entry in tested] == [False, False, True, True]


def test_one_lesion_of_a_label_keeps_its_weight_under_mass_and_is_raised_under_reference():
    """So that dual and selective are one training unless a patch holds two primary tumours."""
    small = np.array([50.0])
    assert VolumeAware(gamma=1.0).lesion_weights(small) == pytest.approx([1.0])
    raised = VolumeAware(gamma=1.0, normalisation="reference", reference_voxels=200)
    assert raised.lesion_weights(small) == pytest.approx([4.0])


def test_the_papers_differences_are_those_of_its_numbers():
    shown = {(c.configuration, c.label, c.figure): round(100 * c.reported, 2) for c in CLAIMS}
    assert shown == {
        ("dual", Target.LN, "lesion_sensitivity"): 1.66,
        ("selective", Target.LN, "lesion_sensitivity"): 3.13,
        ("selective", Target.LN, "dsc"): 2.4,
        ("dual", Target.PT, "lesion_precision"): 0.77,
        ("selective", Target.PT, "lesion_precision"): -17.62,
    }
    assert len(REPORTED) == 8
