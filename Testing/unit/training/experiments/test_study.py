"""A study before and after its trainings, on masks that stand in for what networks predicted."""

import csv
import datetime
import io
import json
import sys
from dataclasses import replace

import numpy as np
import pytest

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.case.write import write_volume
from HNTargetSegLib.cli.main import build_parser, main
from HNTargetSegLib.cli.reproduce import chosen_study
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.training.experiments.arms import Arm, loss_arms
from HNTargetSegLib.training.experiments.observations import observe
from HNTargetSegLib.training.experiments.outcome import outcome
from HNTargetSegLib.training.experiments.study import Run, Split, Study
from HNTargetSegLib.training.experiments.verdicts import Verdict
from HNTargetSegLib.training.experiments.written import write_outcome
from HNTargetSegLib.training.loss_choice import LossChoice
from HNTargetSegLib.training.presets import preset

PATIENTS = 18
GRID = Geometry((12, 12, 8), (2.0, 2.0, 3.0))
NODES = ((1, 2), (5, 2), (9, 2))


def truth():
    labels = np.zeros((8, 12, 12), np.uint8)
    labels[1:4, 6:9, 3:8] = Target.PT
    for j, i in NODES:
        labels[6, j : j + 2, i : i + 2] = Target.LN
    return labels


def without_nodes(count):
    labels = truth()
    for j, i in NODES[:count]:
        labels[6, j : j + 2, i : i + 2] = 0
    return labels


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("patients")
    for number in range(PATIENTS):
        folder = root / str(number) / "midRT"
        noise = np.random.default_rng(number).normal(300, 50, (8, 12, 12)).astype(np.float32)
        write_volume(Volume(noise, GRID), folder / f"{number}_midRT_T2.nii.gz")
        write_volume(Volume(truth(), GRID), folder / f"{number}_midRT_mask.nii.gz")
        (root / str(number) / f"{number}_truth.json").write_text("{}")
    return root


@pytest.fixture
def study(data, tmp_path):
    return Study(data, tmp_path / "out", preset("short"), "mid", "cpu", Split(1, 12), seeds=(1, 2))


def predict(study, answers):
    """Write masks where nnU-Net puts those of held-out cases; ``answers`` by arm, a list of them in turn."""
    folds = study.split.of(study.cases())
    for run in study.runs(folds):
        folder = study.training(run, folds).fold_folder
        for number, case in enumerate(folds[0]["val"]):
            own = answers[run.arm.name]
            write_volume(Volume(own[number % len(own)], GRID), folder / "validation" / f"{case}.nii.gz")
        (folder / "phase_1.finished").touch()
    return folds


MISSING_MORE, MISSING_FEWER = [without_nodes(2), without_nodes(3)], [without_nodes(0), without_nodes(1)]


@pytest.fixture
def answered(study):
    answers = {"baseline": MISSING_MORE, "dual-gamma0.5": MISSING_FEWER, "selective-gamma0.5": MISSING_MORE}
    folds = predict(study, answers)
    return study, folds


def test_each_gamma_is_an_arm_and_gamma_0_is_the_baseline(study):
    swept = replace(study, arms=loss_arms(("selective", "baseline", "blob"), (0.0, 0.25, 1.0)))
    assert [arm.name for arm in swept.arms] == ["baseline", "selective-gamma0.25", "selective-gamma1", "blob"]


def test_all_arms_start_from_equal_seeds_and_share_what_is_preprocessed(study):
    folds = study.split.of(study.cases())
    trainings = [study.training(run, folds) for run in study.runs(folds)]
    assert len(trainings) == 6
    assert sorted(training.preset.seed for training in trainings) == [1, 1, 1, 2, 2, 2]
    assert len({training.workspace.preprocessed for training in trainings}) == 1
    assert len({training.fold_folder for training in trainings}) == 6


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"configurations": ("dual",)}, "lack the baseline"),
        ({"configurations": ("baseline", "focal")}, "no loss 'focal'"),
        ({"gammas": (0.5, 0.5)}, "gamma, or one is given twice"),
        ({"gammas": (0.5, 2.0)}, "gamma 2.0 is not between 0 and 1"),
    ],
)
def test_arms_that_cannot_be_are_refused(change, message):
    with pytest.raises(BadInputError, match=message):
        loss_arms(**change)


def test_a_seed_that_is_given_twice_is_refused(study):
    with pytest.raises(BadInputError, match="seed, or one is given twice"):
        replace(study, seeds=(1, 1))


def test_patients_are_held_out_of_a_single_split_only(study):
    with pytest.raises(BadInputError, match="Add --folds 1"):
        Split(5, 12).of(study.cases())


def test_a_study_goes_on_with_more_seeds_and_gammas_but_not_with_other_folds_or_preset(study):
    folds = study.split.of(study.cases())
    study.hold(folds)
    replace(study, seeds=(1, 2, 3), arms=loss_arms(gammas=(0.5, 1.0))).hold(folds)
    with pytest.raises(BadInputError, match="begun with other folds"):
        study.hold(Split(3).of(study.cases()))
    with pytest.raises(BadInputError, match="begun with other preset"):
        replace(study, preset=preset("demo")).hold(folds)


def test_arms_with_other_weights_are_other_arms():
    weights = LossChoice("dual", normalisation="reference", reference_cc=2.0, maximum=None, whole_lesions=True)
    names = [arm.name for arm in loss_arms(weights=weights)]
    assert names[1:] == [f"{name}-gamma0.5-reference2cc-unlimited-whole" for name in ("dual", "selective")]


def test_the_outcome_has_the_figures_of_the_masks(answered):
    study, folds = answered
    found = outcome(study, study.cases(), folds)
    sensitivity = {
        arm: found.figures[(arm, Target.LN, "lesion_sensitivity")].estimate.value for arm in found.observations
    }
    assert sensitivity == {
        "baseline": pytest.approx(1 / 6),
        "dual-gamma0.5": pytest.approx(5 / 6),
        "selective-gamma0.5": pytest.approx(1 / 6),
    }
    assert found.figures[("baseline", Target.PT, "dsc")].estimate.value == 1.0
    assert (found.patients, found.cases, found.generated, found.trained_on) == (12, 12, PATIENTS, 6)


def test_claims_get_their_verdicts(answered):
    study, folds = answered
    found = outcome(study, study.cases(), folds)
    verdicts = {entry.claim.text: entry.verdict for entry in found.claims}
    assert verdicts["LN sensitivity rises with the dual mask"] is Verdict.CONFIRMED
    assert verdicts["LN sensitivity rises with the selective mask"] is Verdict.NOT_SEEN
    assert verdicts["PT precision is kept with the dual mask"] is Verdict.CONFIRMED
    assert verdicts["PT precision is lost with the selective mask"] is Verdict.NOT_SEEN


def test_what_is_not_trained_yet_is_left_out_and_said(answered):
    study, folds = answered
    more = replace(study, seeds=(1, 2, 3), arms=loss_arms(gammas=(0.5, 1.0)))
    found = outcome(more, study.cases(), folds)
    assert found.seeds == (1, 2)
    assert [arm.name for arm in found.arms] == ["baseline", "dual-gamma0.5", "selective-gamma0.5"]
    assert len(found.missing) == 5 + 2 + 2


def test_without_a_baseline_there_is_nothing_to_compare_with(study):
    with pytest.raises(BadInputError, match="The arm baseline is not trained yet"):
        outcome(study, study.cases(), study.split.of(study.cases()))


def test_the_files_say_that_the_patients_are_generated_and_stand_beside_the_papers_numbers(answered, tmp_path):
    study, folds = answered
    found = outcome(study, study.cases(), folds)
    started = datetime.datetime.now(datetime.timezone.utc)
    write_outcome(found, study.cases(), "hntargetseg reproduce", started, tmp_path / "written")
    report = (tmp_path / "written" / "report.md").read_text()
    assert "**Generated patients.** 18 of the 18 patients" in report
    assert "| GTVn Lesion sensitivity, % | 16.7 (" in report
    assert "| 81.80 |" in report
    assert "**Dual and selective can be the same here.**" in report
    assert "**not seen, though this study would have found it**" in report
    table = list(csv.DictReader(io.StringIO((tmp_path / "written" / "table.csv").read_text())))
    (line,) = (row for row in table if (row["arm"], row["label"], row["figure"]) == ("baseline", "GTVn", "dsc"))
    assert line["paper"] == "0.734"
    assert {row["generated_patients"] for row in table} == {"18"}
    cases = list(csv.DictReader(io.StringIO((tmp_path / "written" / "cases.csv").read_text())))
    assert len(cases) == 3 * 2 * 12 * 2
    assert (tmp_path / "written" / "figures.png").read_bytes().startswith(b"\x89PNG")
    manifest = json.loads((tmp_path / "written" / "manifest.json").read_text())
    assert manifest["parameters"]["generated_patients"] == 18


def test_a_report_on_people_says_nothing_of_generated_patients(answered, data, tmp_path):
    study, folds = answered
    found = replace(outcome(study, study.cases(), folds), generated=0)
    started = datetime.datetime.now(datetime.timezone.utc)
    write_outcome(found, study.cases(), "hntargetseg reproduce", started, tmp_path / "written")
    assert "enerated" not in (tmp_path / "written" / "report.md").read_text()


@pytest.mark.parametrize(
    ("missing", "message"), [(True, r"1 held-out cases have no prediction"), (False, "1 predictions have no held-out")]
)
def test_a_prediction_without_a_reference_and_the_other_way_round_are_refused(answered, missing, message):
    study, folds = answered
    folder = study.training(Run(Arm("baseline", LossChoice()), 1, 0), folds).fold_folder
    held_out = [case for case in study.cases() if case.identifier in folds[0]["val"]]
    first = folder / "validation" / f"{held_out[0].identifier}.nii.gz"
    first.rename(first.with_name("nobody.nii.gz")) if not missing else first.unlink()
    with pytest.raises(BadInputError, match=message):
        observe(folder, held_out if missing else held_out[1:])


def test_what_was_compared_once_is_read_again(answered):
    study, folds = answered
    first = outcome(study, study.cases(), folds)
    for mask in study.output.rglob("validation/*.nii.gz"):
        mask.unlink()
    assert outcome(study, study.cases(), folds).observations == first.observations


def options_of(data, output, *more):
    return ["reproduce", "beirami2026", "--data", str(data), "--visit", "mid", "--output", str(output), *more]


def test_a_dry_run_prints_stages_times_and_disk_and_writes_nothing(data, tmp_path, capsys):
    command = options_of(data, tmp_path / "out", "--preset", "short", "--folds", "1", "--held-out", "12", "--dry-run")
    assert main([*command, "--seeds", "1,2,3", "--gamma", "0,.25,.5,1"]) == 0
    printed = capsys.readouterr().out
    assert "18 of the patients generated" in printed
    assert "0 of 21 done" in printed
    assert "training, 700 steps each" in printed
    assert "free" in printed
    assert not (tmp_path / "out").exists()
    assert main([*command, "--json"]) == 0
    forecast = json.loads(capsys.readouterr().out)
    assert forecast["hours"] == pytest.approx(sum(stage["hours"] for stage in forecast["stages"]))


def test_the_report_can_be_made_again_from_what_is_complete(answered, data, monkeypatch, capsys):
    study, _ = answered
    command = options_of(data, study.output, "--preset", "short", "--folds", "1", "--only-report")
    arguments = [*command, "--held-out", "12", "--seeds", "1,2"]
    monkeypatch.setattr(sys, "argv", ["hntargetseg", *arguments])
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert "18 of the patients are generated: this says nothing about people." in printed
    assert "LN sensitivity rises with the dual mask (dual-gamma0.5): confirmed" in printed
    assert "hntargetseg reproduce beirami2026" in (study.output / "report.md").read_text()


def test_options_that_are_no_lists_are_named(data, tmp_path):
    options = build_parser().parse_args(options_of(data, tmp_path, "--device", "cpu", "--seeds", "1;2"))
    with pytest.raises(BadInputError, match="--seeds 1;2 is no list of numbers"):
        chosen_study(options)
