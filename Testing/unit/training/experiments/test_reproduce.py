"""The experiment with real trainings, as short as they can be."""

import shutil

import pytest
from Testing.unit.training.short_training import short_preset

from HNTargetSegLib.training.experiments.arms import loss_arms
from HNTargetSegLib.training.experiments.carry_out import carry_out
from HNTargetSegLib.training.experiments.outcome import outcome
from HNTargetSegLib.training.experiments.study import Split, Study
from HNTargetSegLib.training.experiments.verdicts import Verdict


# nnU-Net starts a dozen processes that import PyTorch; on a busy machine that takes minutes.
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_losses_are_trained_and_compared_once(trained, tmp_path):
    cases, options, _, _ = trained
    shutil.copytree(options.workspace.root, tmp_path / "training", ignore=shutil.ignore_patterns("results"))
    data = cases[0].image.parents[2]
    study = Study(
        data, tmp_path, short_preset(1), device="cpu", split=Split(1, 1), arms=loss_arms(("baseline", "dual"))
    )
    folds = study.split.of(study.cases())
    lines: list[str] = []
    carry_out(study, study.cases(), folds, lines.append)
    assert [line for line in lines if line.startswith("Training ")][-2:] == [
        "Training 1 of 2: baseline, seed 0",
        "Training 2 of 2: dual-gamma0.5, seed 0",
    ]
    found = outcome(study, study.cases(), folds)
    assert {len(by_seed[0]) for by_seed in found.observations.values()} == {4}
    # What two steps of training find, be it nothing or everything, is up to rounding, and with it the figures. But one
    # held-out patient never settles a claim.
    settled = {Verdict.CONFIRMED, Verdict.CONTRADICTED, Verdict.NOT_SEEN}
    assert not settled & {entry.verdict for entry in found.claims}
    again: list[str] = []
    carry_out(study, study.cases(), folds, again.append)
    expected = [f"Training {number} of 2: {arm}" for number, arm in enumerate(found.observations, 1)]
    assert again == [f"{line}, seed 0 is complete" for line in expected]
