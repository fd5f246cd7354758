"""A study of the gradient map before and after its trainings, on masks that stand in for what networks predicted."""

import csv
import datetime
import io
import json
import sys

import numpy as np
import pytest
from scipy.stats import spearmanr, wilcoxon

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.read import read_mask
from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.case.write import write_volume
from HNTargetSegLib.cli.main import build_parser, main
from HNTargetSegLib.cli.reproduce import chosen_study
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.metrics.distances import mask_distances
from HNTargetSegLib.metrics.surface import Definition
from HNTargetSegLib.training.experiments.arms import prior_arms
from HNTargetSegLib.training.experiments.map_figures import VolumeChange, correlations, effect
from HNTargetSegLib.training.experiments.map_outcome import map_outcome
from HNTargetSegLib.training.experiments.map_written import write_map_outcome
from HNTargetSegLib.training.experiments.observations import Observation, observe, observed
from HNTargetSegLib.training.experiments.outcome import outcome
from HNTargetSegLib.training.experiments.refusal import prior_fates
from HNTargetSegLib.training.experiments.ren2024 import AVERAGE, BY_FOLD
from HNTargetSegLib.training.experiments.study import Split, Study
from HNTargetSegLib.training.experiments.unseen import Unseen, find_unseen
from HNTargetSegLib.training.presets import preset
from HNTargetSegLib.training.prior_recipe import PUBLISHED, REFUSING

PATIENTS = 10
GRID = Geometry((14, 14, 8), (2.0, 2.0, 3.0))


def truth(columns=3):
    labels = np.zeros((8, 14, 14), np.uint8)
    labels[1:4, 6:9, 3 : 3 + columns] = Target.PT
    labels[6, 1:4, 2:6] = Target.LN
    return labels


def write_patients(root, numbers):
    for number in numbers:
        noise = np.random.default_rng(number).normal(300, 50, (8, 14, 14)).astype(np.float32)
        for visit, labels in (("pre", truth(6)), ("mid", truth(1 + number % 5))):
            folder = root / str(number) / f"{visit}RT"
            write_volume(Volume(noise + (visit == "mid"), GRID), folder / f"{number}_{visit}RT_T2.nii.gz")
            write_volume(Volume(labels, GRID), folder / f"{number}_{visit}RT_mask.nii.gz")
        write_volume(Volume(truth(6), GRID), root / str(number) / "midRT" / f"{number}_preRT_mask_registered.nii.gz")
        (root / str(number) / f"{number}_truth.json").write_text("{}")
    return root


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_patients(tmp_path_factory.mktemp("patients"), range(PATIENTS))


def without_part(labels, number):
    """Lacks a slice of the primary tumour, and the node in every other case."""
    changed = labels.copy()
    changed[1][changed[1] == Target.PT] = 0
    if number % 2:
        changed[changed == Target.LN] = 0
    return changed


@pytest.fixture
def answered(data, tmp_path):
    """Five folds: without the map parts are missed, with it nothing is."""
    arms = prior_arms((PUBLISHED, REFUSING))
    study = Study(data, tmp_path / "out", preset("short"), device="cpu", split=Split(5), arms=arms, with_priors=True)
    cases = {case.identifier: case for case in study.cases()}
    folds = study.split.of(study.cases())
    for run in study.runs(folds):
        folder = study.training(run, folds).fold_folder
        for number, name in enumerate(folds[run.fold]["val"]):
            labels = read_mask(cases[name].mask).array
            found = without_part(labels, number) if run.arm.name == "without-map" else labels
            write_volume(Volume(found, GRID), folder / "validation" / f"{name}.nii.gz")
        (folder / "phase_1.finished").touch()
    return study, folds


def test_every_arm_holds_out_each_patients_mid_rt_visit_once_and_reads_its_own_data_set(answered):
    study, folds = answered
    assert sorted(name for fold in folds for name in fold["val"]) == sorted(f"{n}mid" for n in range(PATIENTS))
    trainings = [study.training(run, folds) for run in study.runs(folds)]
    assert len(trainings) == 3 * 5
    assert len({training.workspace.preprocessed for training in trainings}) == 3
    assert [arm.name for arm in study.arms] == ["without-map", "with-map", "gradient"]


def test_figures_by_fold_are_dscagg_and_medpys_distances(answered):
    study, folds = answered
    base = outcome(study, study.cases(), folds)
    found = map_outcome(base, study.cases(), folds)
    entries = [entry for entry in base.observations["without-map"][0] if entry.case in folds[1]["val"]]
    own = [entry for entry in entries if entry.label == Target.PT]
    above, below = sum(2 * e.shared_cc for e in own), sum(e.reference_cc + e.prediction_cc for e in own)
    figures = found.folds[("without-map", Target.PT)]
    assert figures["dsc_agg"][1] == pytest.approx(above / below)
    assert figures["dsc_agg"][1] < 1
    assert figures["msd_medpy_mm"][1] == pytest.approx(np.mean([e.values["msd_medpy_mm"] for e in own]))
    assert found.folds[("with-map", Target.PT)]["dsc_agg"] == (1.0,) * 5
    assert found.folds[("with-map", Target.PT)]["hd95_medpy_mm"] == (0.0,) * 5


def test_distances_of_observations_are_those_of_medpys_definition(data):
    case = next(
        case for case in Study(data, data, preset("short"), with_priors=True).cases() if "4mid" in case.identifier
    )
    labels = read_mask(case.mask).array
    found = observed(case, Volume(without_part(labels, 0), GRID))
    masks = labels == Target.PT, without_part(labels, 0) == Target.PT
    expected = mask_distances(*masks, GRID.spacing_kji, Definition.MEDPY)
    assert found[0].values["hd95_medpy_mm"] == pytest.approx(expected.percentile())
    assert found[0].values["msd_medpy_mm"] == pytest.approx(expected.mean())


def test_what_an_older_version_compared_is_compared_again(answered):
    study, folds = answered
    run = study.runs(folds)[0]
    folder = study.training(run, folds).fold_folder
    cases = [case for case in study.cases() if case.identifier in folds[0]["val"]]
    fresh = observe(folder, cases)
    kept = folder / "observations.json"
    older = [
        {key: value for key, value in entry.items() if not key.endswith("_cc")}
        for entry in json.loads(kept.read_text())
    ]
    kept.write_text(json.dumps(older))
    assert observe(folder, cases) == fresh


def test_the_effect_is_tested_on_the_same_cases(answered):
    study, folds = answered
    base = outcome(study, study.cases(), folds)
    found = map_outcome(base, study.cases(), folds)
    own = found.all_folds[("with-map", Target.PT)]
    without = [entry.values["dsc"] for entry in base.observations["without-map"][0] if entry.label == Target.PT]
    assert own.cases == PATIENTS
    assert own.without == pytest.approx(np.mean(without))
    assert own.with_map == 1.0
    assert own.p == pytest.approx(wilcoxon(1 - np.array(without)).pvalue)
    assert found.first_fold[("with-map", Target.PT)].cases == 2


def observation(case, dsc, label=Target.PT):
    values = {"dsc": dsc}
    return Observation(case, case, int(label), values, 1, 1, 1, 1, 1.0, 1.0, 1.0)


def test_the_effect_is_the_mean_over_seeds_of_each_case_and_leaves_out_what_has_no_reference():
    without = {1: [observation("a", 0.2), observation("b", None)], 2: [observation("a", 0.4), observation("b", None)]}
    with_map = {1: [observation("a", 0.8), observation("b", None)], 2: [observation("a", 0.6), observation("b", None)]}
    found = effect(without, with_map, Target.PT, ["a", "b"])
    assert (found.without, found.with_map, found.cases) == (pytest.approx(0.3), pytest.approx(0.7), 1)


def test_answers_that_never_differ_have_no_p():
    same = {1: [observation("a", 0.5)]}
    assert effect(same, same, Target.PT, ["a"]).p is None
    assert effect(same, same, Target.LN, ["a"]).without is None


def test_volume_change_and_dsc_are_correlated_by_spearman_in_the_papers_bins():
    rng = np.random.default_rng(0)
    changes = [VolumeChange(str(n), rng.normal(), 0.1 + n / 4, float(rng.random())) for n in range(20)]
    rows = {name: (count, value) for name, count, value in correlations(changes, Target.PT)}
    middle = [entry for entry in changes if 0.8 < entry.mid_cc <= 3.0]
    expected = spearmanr([entry.change_cc for entry in middle], [entry.dsc for entry in middle]).statistic
    assert rows["0.8 to 3 cc"] == (len(middle), pytest.approx(expected))
    assert rows["up to 0.8 cc"] == (3, None)
    assert rows["all"][0] == 20


def test_volume_changes_are_those_of_the_masks(answered):
    study, folds = answered
    found = map_outcome(outcome(study, study.cases(), folds), study.cases(), folds)
    by_case = {entry.case: entry for entry in found.changes[("with-map", Target.PT)]}
    voxel = GRID.voxel_cc
    assert by_case["0mid"].change_cc == pytest.approx((6 - 1) * 9 * voxel)
    assert by_case["4mid"].mid_cc == pytest.approx(5 * 9 * voxel)


def test_the_papers_averages_are_those_of_its_folds():
    for key, values in BY_FOLD.items():
        assert np.mean(values) == pytest.approx(AVERAGE[key], abs=0.0506 if "mm" in key[1] else 0.0006)


@pytest.fixture
def with_unseen(answered, tmp_path):
    study, folds = answered
    others = write_patients(tmp_path / "others", range(20, 23))
    cases = find_unseen(others, study.cases())
    unseen = {}
    for arm in study.arms:
        observations, fates = [], []
        for case in cases:
            mask = read_mask(case.mask)
            observations += observed(case, mask)
            fates += prior_fates(case.patient, read_mask(case.prior), mask, mask)
        unseen[arm.name] = Unseen(tuple(observations), tuple(fates))
    base = outcome(study, study.cases(), folds)
    return map_outcome(base, study.cases(), folds, unseen, 3), study


def test_the_files_stand_beside_the_papers_numbers_and_say_that_patients_are_generated(with_unseen, tmp_path):
    found, study = with_unseen
    now = datetime.datetime.now(datetime.timezone.utc)
    write_map_outcome(found, study.cases(), "hntargetseg reproduce ren2024", now, tmp_path / "written")
    report = (tmp_path / "written" / "report.md").read_text()
    assert "**Generated patients.** 10 of the 10 patients" in report
    assert "what the map does on lesions" in report
    assert "| DSCagg | paper | 0.682 | 0.493 | 0.469 | 0.636 | 0.697 | 0.595 |" in report
    assert "| DSCagg | with-map | 1.000 | 1.000 | 1.000 | 1.000 | 1.000 | 1.000 |" in report
    assert "0.355 to 0.538, p 0.0019" in report
    assert "3 patients, 3 of them **generated**; each arm's ensemble of all folds." in report
    assert "| GTVp DSCagg | 0.534 | 1.000" in report
    assert "(too few)" in report
    for name in ("dsc.png", "volume-change.png"):
        assert (tmp_path / "written" / name).read_bytes().startswith(b"\x89PNG")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "written" / "folds.csv").read_text())))
    (line,) = (
        r for r in rows if (r["arm"], r["label"], r["figure"], r["fold"]) == ("with-map", "GTVn", "dsc_agg", "2")
    )
    assert line["paper"] == "0.868"
    refusal = list(csv.DictReader(io.StringIO((tmp_path / "written" / "refusal.csv").read_text())))
    assert [row["arm"] for row in refusal] == ["without-map", "with-map", "gradient"]
    cases = list(csv.DictReader(io.StringIO((tmp_path / "written" / "cases.csv").read_text())))
    assert len(cases) == 3 * PATIENTS * 2
    manifest = json.loads((tmp_path / "written" / "manifest.json").read_text())
    assert manifest["parameters"]["arms"]["with-map"]["prior"]["normalisation"] == "zscore"


def test_patients_of_the_study_are_no_unseen_ones(answered, data):
    study, _ = answered
    with pytest.raises(BadInputError, match="Patient 0 is one of those"):
        find_unseen(data, study.cases())


def options_of(data, output, *more):
    return ["reproduce", "ren2024", "--data", str(data), "--output", str(output), "--preset", "short", *more]


def test_a_dry_run_names_arms_unseen_patients_times_and_room_and_writes_nothing(data, tmp_path, capsys):
    others = write_patients(tmp_path / "others", range(20, 22))
    command = options_of(data, tmp_path / "out", "--priors", "ren2024,gradient", "--unseen", str(others), "--dry-run")
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "Arms: without-map, with-map, gradient; seeds 0" in printed
    assert "0 of 15 done" in printed
    assert "0 of 3 done" in printed
    assert "2 further patients" in printed
    assert "ensembles on unseen cases" in printed
    assert not (tmp_path / "out").exists()


def test_the_report_can_be_made_again_from_what_is_complete(answered, data, monkeypatch, capsys):
    study, _ = answered
    arguments = options_of(data, study.output, "--priors", "ren2024,gradient", "--only-report")
    monkeypatch.setattr(sys, "argv", ["hntargetseg", *arguments])
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert "10 of the patients are generated: this says nothing about people." in printed
    assert "GTVp mean DSC, with-map: " in printed
    assert "hntargetseg reproduce ren2024" in (study.output / "report.md").read_text()
    assert main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["prior_lesions"] == {}


@pytest.mark.parametrize(
    ("paper", "more", "message"),
    [
        ("ren2024", ("--visit", "mid"), "ren2024 has no --visit.*belong to beirami2026"),
        ("beirami2026", ("--priors", "gradient"), "beirami2026 has no --priors.*belong to ren2024"),
        ("ren2024", ("--loss", "dual", "--gamma", "0.5,1"), "one loss, not several gammas"),
        ("ren2024", ("--priors", "ren2024,ren2024"), "arm, or one is given twice"),
        ("ren2024", ("--priors", "boxes"), "no prior 'boxes'"),
    ],
)
def test_options_that_do_not_belong_together_are_named(data, tmp_path, paper, more, message):
    arguments = ["reproduce", paper, "--data", str(data), "--output", str(tmp_path / "out"), "--dry-run", *more]
    with pytest.raises(BadInputError, match=message):
        chosen_study(build_parser().parse_args(arguments))


def test_all_arms_take_the_chosen_loss_and_reading(data, tmp_path):
    arguments = options_of(data, tmp_path, "--dry-run", "--loss", "dual", "--gamma", "0.25", "--reading", "paper")
    study = chosen_study(build_parser().parse_args(arguments))
    assert {(arm.loss.name, arm.loss.gamma) for arm in study.arms} == {("dual", 0.25)}
    assert study.arms[1].prior.gradient.reading == "paper"
    assert study.arms[1].prior.gradient.scale > 0
