"""The experiment on the gradient map with real trainings, as short as they can be, and its models at work."""

import datetime
import json

import numpy as np
import pytest
from Testing.unit.training.short_training import SMALL, short_preset

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.read import read_mask, read_volume
from HNTargetSegLib.models.channels import VisitPrior
from HNTargetSegLib.models.options import PredictOptions
from HNTargetSegLib.models.recipe import Recipe
from HNTargetSegLib.models.stored import load_model
from HNTargetSegLib.phantom import generate_patient, write_patient
from HNTargetSegLib.pipeline import LoadedModel, segment_visit
from HNTargetSegLib.training.experiments.arms import prior_arms
from HNTargetSegLib.training.experiments.carry_out import carry_out
from HNTargetSegLib.training.experiments.map_outcome import map_outcome
from HNTargetSegLib.training.experiments.map_written import write_map_outcome
from HNTargetSegLib.training.experiments.outcome import outcome
from HNTargetSegLib.training.experiments.study import Split, Study
from HNTargetSegLib.training.experiments.unseen import find_unseen, segment_unseen
from HNTargetSegLib.training.prior_recipe import PUBLISHED, REFUSING


def patients(folder, seed, count):
    for index in range(count):
        write_patient(generate_patient(seed, index, SMALL), folder)
    return folder


# nnU-Net starts two dozen processes that import PyTorch; on a busy machine that takes minutes.
@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_three_networks_are_trained_compared_and_tried_on_unseen_patients(tmp_path):
    data, others = patients(tmp_path / "patients", 3, 3), patients(tmp_path / "others", 4, 2)
    arms = prior_arms((PUBLISHED, REFUSING))
    study = Study(data, tmp_path / "out", short_preset(1), device="cpu", split=Split(1, 1), arms=arms, with_priors=True)
    cases = study.cases()
    folds = study.split.of(cases)
    lines: list[str] = []
    carry_out(study, cases, folds, lines.append)
    assert [line for line in lines if line.startswith("Training ")] == [
        "Training 1 of 3: without-map, seed 0",
        "Training 2 of 3: with-map, seed 0",
        "Training 3 of 3: gradient, seed 0",
    ]
    base = outcome(study, cases, folds)
    unseen = find_unseen(others, cases)
    segmented = segment_unseen(study, base.arms, base.seeds, (cases, unseen), folds, lines.append)
    assert len([line for line in lines if line.startswith("Segmenting 2 unseen cases")]) == 3
    found = map_outcome(base, cases, folds, segmented, 2)
    assert {own.patients for own in found.unseen.values()} == {2}
    assert {len(found.folds[(arm.name, label)]["dsc_agg"]) for arm in arms for label in Target} == {1}
    write_map_outcome(found, cases, "hntargetseg reproduce", datetime.datetime.now(datetime.timezone.utc), study.output)
    assert "## Prior lesions of patients never seen" in (study.output / "report.md").read_text()
    again: list[str] = []
    carry_out(study, cases, folds, again.append)
    segment_unseen(study, base.arms, base.seeds, (cases, unseen), folds, again.append)
    assert again == [f"Training {n} of 3: {arm.name}, seed 0 is complete" for n, arm in enumerate(arms, 1)]
    the_stored_model_serves_no_prior_a_registered_one_and_says_how_it_was_trained(study, unseen[0])


def the_stored_model_serves_no_prior_a_registered_one_and_says_how_it_was_trained(study, case):
    stored = load_model(study.output / "unseen" / "gradient-seed0" / "model")
    assert stored.card.recipe is Recipe.T2_GRADIENT
    assert stored.channel_names == ("T2", "noNorm")
    assert stored.card.channels.gradient == REFUSING.gradient
    assert "drawn anew each time" in stored.card.training["prior"]
    assert str(study.data) not in json.dumps(stored.dataset)
    loaded = LoadedModel.load(stored, PredictOptions(device="cpu"))
    image = read_volume(case.image)
    prior = VisitPrior(read_mask(case.prior, like=image))
    for given in (None, prior):
        found = segment_visit(image, loaded, prior=given)
        assert found.lesions.label_map().array.shape == image.array.shape
    assert prior.mask is not None
    assert np.any(prior.mask.array)
