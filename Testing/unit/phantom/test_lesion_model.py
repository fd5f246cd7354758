"""The lesions that are drawn against what is known of real ones."""

from __future__ import annotations

import numpy as np
import pytest

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.phantom.lesion_model import (
    MID_CC_QUANTILES,
    QUANTILE_LEVELS,
    LesionPlan,
    draw_benign_nodes,
    draw_lesions,
)

PATIENTS = 3000


@pytest.fixture(scope="module")
def drawn() -> list[list[LesionPlan]]:
    return [draw_lesions(np.random.default_rng([3, index])) for index in range(PATIENTS)]


def of(drawn: list[list[LesionPlan]], label: Target) -> list[LesionPlan]:
    return [plan for plans in drawn for plan in plans if plan.label is label]


@pytest.mark.parametrize("label", list(Target))
def test_mid_volumes_meet_the_quantiles_of_the_challenge_within_an_eighth(
    drawn: list[list[LesionPlan]], label: Target
) -> None:
    volumes = [plan.mid_cc for plan in of(drawn, label) if plan.mid_cc > 0]
    assert np.quantile(volumes, QUANTILE_LEVELS) == pytest.approx(MID_CC_QUANTILES[label], rel=0.125)


def test_lesions_are_as_frequent_as_in_the_challenge(drawn: list[list[LesionPlan]]) -> None:
    counts = {label: sum(plan.mid_cc > 0 for plan in of(drawn, label)) / PATIENTS for label in Target}
    assert counts[Target.PT] == pytest.approx(116 / 150, abs=0.05)
    assert counts[Target.LN] == pytest.approx(241 / 150, abs=0.1)
    assert np.mean([not any(plan.mid_cc for plan in plans) for plans in drawn]) == pytest.approx(4 / 150, abs=0.02)


def test_primaries_shrink_to_about_a_fifth_and_nodes_less(drawn: list[list[LesionPlan]]) -> None:
    ratios = {label: np.array([p.mid_cc / p.pre_cc for p in of(drawn, label) if p.pre_cc]) for label in Target}
    assert 0.15 <= np.median(ratios[Target.PT]) <= 0.25
    assert 0.5 <= np.median(ratios[Target.LN]) <= 0.8
    for ratio in ratios.values():
        assert 0.05 < (ratio == 0).mean() < 0.2, "some vanish"
    assert 0.03 < (ratios[Target.LN] > 1).mean() < 0.2, "a few grow"


def test_new_nodes_are_rare_and_no_primary_is_new(drawn: list[list[LesionPlan]]) -> None:
    new = [plan for plans in drawn for plan in plans if plan.pre_cc == 0]
    assert 0 < len(new) / PATIENTS < 0.06
    assert {plan.label for plan in new} == {Target.LN}


def test_each_patient_has_at_most_one_primary_and_some_lesion_before_treatment(drawn: list[list[LesionPlan]]) -> None:
    for plans in drawn:
        assert sum(plan.label is Target.PT for plan in plans) <= 1
        assert any(plan.pre_cc > 0 for plan in plans)
        assert [plan.id for plan in plans] == list(range(1, len(plans) + 1))


def test_benign_nodes_have_sizes_of_malignant_ones() -> None:
    rng = np.random.default_rng(8)
    benign = [node.mid_cc for _ in range(300) for node in draw_benign_nodes(rng, [])]
    low, high = np.quantile(benign, (0.05, 0.95))
    malignant = MID_CC_QUANTILES[Target.LN]
    assert low < malignant[1]
    assert high > malignant[3]


def test_lesions_lie_on_both_sides_in_all_levels_and_sites(drawn: list[list[LesionPlan]]) -> None:
    sites = {plan.site for plans in drawn for plan in plans}
    assert {f"{side} level {level}" for side in ("left", "right") for level in ("II", "III", "IV")} <= sites
    assert {"left larynx", "right tonsil", "left base of tongue", "right oropharynx"} <= sites
    assert all((plan.centre[0] > 0) == plan.site.startswith("left") for plans in drawn for plan in plans)
