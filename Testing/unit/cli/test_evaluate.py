"""`hntargetseg evaluate`."""

from __future__ import annotations

import csv
import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.case.write import write_volume
from HNTargetSegLib.cli.evaluate import named_folders
from HNTargetSegLib.errors import BadInputError

FILES = {"metrics.json", "report.html", "cases.csv", "lesions.csv", "cohort.csv", "cohort.tex", "manifest.json"}
COHORT = (
    *("dsc_agg", "dsc_mean", "surface_dice_1mm", "surface_dice_2mm", "surface_dice_3mm", "msd_mm", "hd95_mm"),
    *("lesion_sensitivity", "lesion_precision", "lesion_f1_agg"),
)
CASE = (
    *("case", "label", "dsc", "surface_dice_2mm", "msd_mm", "hd95_mm", "reference_cc", "prediction_cc"),
    *("lesions_found", "lesions_missed", "lesions_false"),
)

Write = Callable[..., Path]


@pytest.fixture
def mask(tmp_path: Path) -> Write:
    """Writer of masks: ``mask("truth/8.nii.gz", pt=2, ln=(8, 3))`` with cubes at a start, 3 voxels wide or as given."""

    def write(name: str, pt: Any = None, ln: Any = None, spacing: float = 2.0, label: int = 2) -> Path:
        array = np.zeros((10, 16, 16), np.uint8)
        for value, place in ((1, pt), (label, ln)):
            if place is not None:
                start, size = place if isinstance(place, tuple) else (place, 3)
                array[2 : 2 + size, start : start + size, start : start + size] = value
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_volume(Volume(array, Geometry((16, 16, 10), (spacing,) * 3), name), path)
        return path

    return write


@pytest.fixture
def folders(mask: Write, tmp_path: Path) -> dict[str, Path]:
    """Three cases: 8 agrees wholly, 77 lacks its node and 90 has a node too many."""
    for case, (pt, ln) in {"8": (2, 8), "77": (3, 9), "90": (4, None)}.items():
        mask(f"truth/{case}_midRT_mask.nii.gz", pt=pt, ln=ln)
        mask(f"found/{case}.nii.gz", pt=pt, ln={"8": 8, "77": None, "90": 10}[case])
        mask(f"other/{case}/segmentation.nii.gz", pt=(pt, 4), ln=ln)
    return {name: tmp_path / name for name in ("truth", "found", "other")}


@pytest.fixture
def evaluate(hntargetseg: Any, folders: dict[str, Path], tmp_path: Path) -> Any:
    """The command on the three cases, without its report unless that is looked at; more arguments may follow."""

    def call(*arguments: str | Path, prediction: Any = None, report: bool = False) -> Any:
        arguments = arguments if report else ("--no-report", *arguments)
        given = ("--reference", folders["truth"], "--prediction", prediction or folders["found"])
        return hntargetseg("evaluate", *given, "--output", tmp_path / "out", "--bootstrap", "200", *arguments)

    return call


def metrics_of(folder: Path) -> Any:
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    return json.loads((folder / "metrics.json").read_text(), parse_constant=refuse)


def test_one_prediction_gives_the_metrics_as_they_are_defined(evaluate, tmp_path):
    outcome = evaluate(report=True)
    assert (outcome.status, outcome.err) == (0, "")
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES
    metrics = metrics_of(tmp_path / "out")
    assert metrics["labels"] == {"1": "GTVp", "2": "GTVn"}
    for label in ("GTVp", "GTVn"):
        for name in COHORT:
            assert {name, f"{name}_ci"} <= set(metrics["cohort"][label])
    assert [(row["case"], row["label"]) for row in metrics["cases"]] == [
        (case, label) for case in ("8", "77", "90") for label in ("GTVp", "GTVn")
    ]
    assert all(set(CASE) <= set(row) for row in metrics["cases"])


def test_the_figures_are_those_of_the_cases(evaluate, tmp_path):
    evaluate()
    nodes = metrics_of(tmp_path / "out")["cohort"]["GTVn"]
    assert nodes["dsc_agg"] == pytest.approx(2 * 27 / (2 * 27 + 2 * 27))
    assert nodes["dsc_mean"] == pytest.approx(0.5)
    assert nodes["hd95_mm"] == 0.0
    assert (nodes["lesion_sensitivity"], nodes["lesion_precision"]) == (0.5, 0.5)
    low, high = nodes["dsc_agg_ci"]
    assert 0 <= low < nodes["dsc_agg"] < high <= 1
    assert metrics_of(tmp_path / "out")["cohort"]["dsc_agg_mean"] == pytest.approx(0.75)


def test_what_is_undefined_is_null_with_its_reason(evaluate, tmp_path):
    evaluate()
    rows = {(row["case"], row["label"]): row for row in metrics_of(tmp_path / "out")["cases"]}
    missed, false = rows["77", "GTVn"], rows["90", "GTVn"]
    assert (missed["msd_mm"], missed["hd95_mm"], missed["dsc"]) == (None, None, 0.0)
    assert missed["undefined"]["hd95_mm"] == "the prediction is empty"
    assert false["undefined"]["msd_mm"] == "the reference is empty"
    assert (missed["lesions_missed"], false["lesions_false"]) == (1, 1)
    # One case has both, and an interval needs two.
    nodes = metrics_of(tmp_path / "out")["cohort"]["GTVn"]
    assert nodes["hd95_mm_ci"] is None
    assert nodes["undefined"]["hd95_mm_ci"] == "fewer than two patients enter"


def test_the_same_seed_gives_the_same_file(evaluate, tmp_path):
    evaluate("--seed", "5")
    first = (tmp_path / "out" / "metrics.json").read_bytes()
    evaluate("--seed", "5")
    assert (tmp_path / "out" / "metrics.json").read_bytes() == first
    evaluate("--seed", "6")
    assert (tmp_path / "out" / "metrics.json").read_bytes() != first


def test_several_predictions_are_compared_in_one_report(evaluate, folders, tmp_path):
    outcome = evaluate("--prediction", f"other={folders['other']}", prediction=f"found={folders['found']}", report=True)
    assert outcome.status == 0
    metrics = metrics_of(tmp_path / "out")
    assert list(metrics["models"]) == ["found", "other"]
    assert metrics["models"]["other"]["cohort"]["GTVn"]["dsc_agg"] == 1.0
    tests = metrics["comparison"]["tests"]
    assert {(test["from"], test["to"]) for test in tests} == {("found", "other")}
    assert {"dsc", "hd95_mm"} <= {test["figure"] for test in tests}
    assert any(test["p"] is not None and test["q"] is not None for test in tests)
    report = (tmp_path / "out" / "report.html").read_text()
    assert "Paired tests" in report
    assert report.count("<img ") >= 5


def test_the_report_needs_nothing_from_anywhere(evaluate, tmp_path):
    evaluate(report=True)
    report = (tmp_path / "out" / "report.html").read_text()
    assert "http://" not in report
    assert "https://" not in report
    assert "<script" not in report
    assert all(part.startswith("data:image/png;base64,") for part in report.split('src="')[1:])
    assert "Research use only" in report


def test_tables_have_a_line_for_each_case_and_each_lesion(evaluate, tmp_path):
    evaluate()
    texts = ((tmp_path / "out" / f"{name}.csv").read_text() for name in ("cases", "lesions", "cohort"))
    cases, lesions, cohort = (list(csv.DictReader(text.splitlines())) for text in texts)
    assert len(cases) == 6
    assert next(row for row in cases if (row["case"], row["label"]) == ("77", "GTVn"))["hd95_mm"] == ""
    assert [row["kind"] for row in lesions].count("lesion") == 5
    assert [row["kind"] for row in lesions].count("false finding") == 1
    assert {row["size"] for row in cohort} == {"all", "< 0.5 cc", "0.5-2 cc", "2-6 cc", ">= 6 cc"}
    table = (tmp_path / "out" / "cohort.tex").read_text()
    assert r"\toprule" in table
    assert "GTVn & DSCagg & 0.500" in table


def test_the_manifest_has_the_hash_of_every_mask(evaluate, tmp_path):
    evaluate()
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert len(manifest["inputs"]) == 6
    assert all(len(record["sha256"]) == 64 for record in manifest["inputs"])
    assert manifest["parameters"]["definition"] == "deepmind"


def test_medpys_definition_gives_other_distances(evaluate, folders, tmp_path):
    found = {}
    for definition in ("deepmind", "medpy"):
        evaluate("--definition", definition, prediction=folders["other"])
        metrics = metrics_of(tmp_path / "out")
        assert metrics["rules"]["surface_definition"] == definition
        found[definition] = metrics["cohort"]["GTVp"]["msd_mm"]
    assert not math.isclose(*found.values())


def test_the_output_for_machines_is_one_document(evaluate):
    record = evaluate("--json").json
    assert record["cases"] == 3
    assert record["cohorts"]["found"]["GTVp"]["dsc_agg"] == 1.0


def test_size_bins_can_be_chosen(evaluate, tmp_path):
    evaluate("--size-bins", "0.1,0.2")
    sizes = metrics_of(tmp_path / "out")["cohort"]["GTVp"]["by_size"]
    assert [group["size"] for group in sizes] == ["< 0.1 cc", "0.1-0.2 cc", ">= 0.2 cc"]
    assert [group["counts"]["lesions"] for group in sizes] == [0, 0, 3]


def test_lesions_can_be_counted_by_patient(evaluate, tmp_path):
    evaluate("--counts", "patient")
    metrics = metrics_of(tmp_path / "out")
    assert metrics["rules"]["lesion_counts"] == "mean of the patients' shares"
    # Two patients have a node, and one of them is found; two have findings, and one of them is false.
    assert metrics["cohort"]["GTVn"]["lesion_f1_agg"] == pytest.approx((1 + 0 + 0) / 3)


def test_a_lesion_volume_is_no_word(evaluate):
    assert "is not a list of volumes" in evaluate("--size-bins", "small").err


def test_images_are_drawn_behind_the_masks(evaluate, folders, tmp_path):
    evaluate("--show", "90", report=True)
    plain = (tmp_path / "out" / "report.html").read_text()
    for path in folders["truth"].iterdir():
        image = np.random.default_rng(0).normal(300, 50, (10, 16, 16)).astype(np.float32)
        write_volume(Volume(image, Geometry((16, 16, 10), (2.0,) * 3)), tmp_path / "images" / path.name)
    evaluate("--images", tmp_path / "images", "--show", "90", report=True)
    drawn = (tmp_path / "out" / "report.html").read_text()
    assert "Case 90: reference and predictions" in drawn
    assert "Case 90: reference and predictions" in plain
    assert [len(text.split('src="')) for text in (plain, drawn)] == [7, 7]
    same = [one == other for one, other in zip(plain.split('src="'), drawn.split('src="'), strict=True)]
    # The charts are the same; the pictures of cases are not.
    assert same == [True] * 4 + [False] * 3


def test_a_case_without_a_partner_is_named(evaluate, folders, refuses):
    (folders["found"] / "77.nii.gz").unlink()
    shutil.copy(folders["found"] / "8.nii.gz", folders["found"] / "91.nii.gz")
    refuses(evaluate(), folders["truth"], r"1 case \(77\) without a prediction.*1 case \(91\).*without a reference")


def test_the_rest_is_evaluated_on_request_and_the_report_says_what_was_left_out(evaluate, folders, tmp_path):
    (folders["found"] / "77.nii.gz").unlink()
    outcome = evaluate("--only-common", report=True)
    assert outcome.status == 0
    assert "Note: 1 case (77) without a prediction" in outcome.out
    assert "Left out: 1 case (77)" in (tmp_path / "out" / "report.html").read_text()
    assert "1 case (77)" in json.loads((tmp_path / "out" / "manifest.json").read_text())["warnings"][0]


def test_two_files_for_one_case_are_refused(evaluate, folders, refuses):
    shutil.copy(folders["found"] / "8.nii.gz", folders["found"] / "8_again.nii.gz")
    refuses(evaluate(), folders["found"], r"Two files are case 8: 8\.nii\.gz and 8_again\.nii\.gz")


def test_another_grid_is_refused_and_resampled_on_request(evaluate, folders, mask, refuses, tmp_path):
    path = mask("found/8.nii.gz", pt=2, ln=8, spacing=1.9)
    refuses(evaluate(), path, r"\(1\.9, 1\.9, 1\.9\).*\(2, 2, 2\).*--resample nearest")
    assert evaluate("--resample", "nearest").status == 0
    assert str(path) in metrics_of(tmp_path / "out")["resampled"][0]


def test_other_labels_are_refused(evaluate, mask, refuses):
    path = mask("found/8.nii.gz", ln=8, label=5)
    refuses(evaluate(), path, "the value 5")


def test_an_empty_folder_is_refused(evaluate, tmp_path, refuses):
    (tmp_path / "nothing").mkdir()
    refuses(evaluate(prediction=tmp_path / "nothing"), tmp_path / "nothing", "holds no case")


def test_an_output_that_cannot_be_written_is_refused_before_the_work(evaluate, folders, hntargetseg, refuses, tmp_path):
    (tmp_path / "file").write_text("in the way")
    given = ("--reference", folders["truth"], "--prediction", folders["found"], "--output", tmp_path / "file" / "out")
    refuses(hntargetseg("evaluate", *given), tmp_path / "file" / "out", "cannot be written")


def test_a_refusal_leaves_no_folder(evaluate, mask, tmp_path):
    mask("found/8.nii.gz", ln=8, label=5)
    evaluate()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("option", "value", "what"),
    [
        ("--minimum-voxels", "0", "--minimum-voxels is 0"),
        ("--match-iou", "1", "--match-iou is 1"),
        ("--bootstrap", "0", "--bootstrap is 0"),
        ("--size-bins", "2,1", "do not rise"),
        ("--show", "12", "no case 12"),
    ],
)
def test_an_option_that_makes_no_sense_is_refused(evaluate, refuses, option, value, what):
    refuses(evaluate(option, value), "", what)


def test_predictions_are_named_by_the_user_or_after_their_folder(tmp_path):
    odd = tmp_path / "a=b"
    odd.mkdir()
    assert named_folders([f"x={tmp_path}", str(odd)]) == {"x": tmp_path, "a=b": odd}
    with pytest.raises(BadInputError, match="Two predictions are called x"):
        named_folders([f"x={tmp_path}", f"x={odd}"])
    with pytest.raises(BadInputError, match="has no name"):
        named_folders([f"={tmp_path}"])


def test_names_that_could_be_markup_are_shown_as_they_are(evaluate, folders, tmp_path):
    assert evaluate(prediction=f"<b>&$_\\={folders['found']}", report=True).status == 0
    assert "<b>&amp;$_\\" not in (tmp_path / "out" / "report.html").read_text()
    assert "&lt;b&gt;&amp;$_\\" in (tmp_path / "out" / "report.html").read_text()
    assert r"$<$b$>$\&\$\_\textbackslash{}" in (tmp_path / "out" / "cohort.tex").read_text()


def test_real_masks_have_the_score_of_the_challenge(hntargetseg, real_data, tmp_path):
    for path in sorted((real_data / "hntsmrg2024-masks").glob("*_midRT_mask.nii.gz")):
        for folder, name in (("truth", path.name), ("prior", path.name.replace("midRT_mask", "preRT_mask_registered"))):
            (tmp_path / folder).mkdir(exist_ok=True)
            (tmp_path / folder / name).symlink_to(path.with_name(name))
    given = ("--reference", tmp_path / "truth", "--prediction", tmp_path / "prior", "--output", tmp_path / "out")
    assert hntargetseg("evaluate", *given, "--no-report").status == 0
    cohort = metrics_of(tmp_path / "out")["cohort"]
    assert cohort["GTVp"]["dsc_agg"] == pytest.approx(0.24157370335062064, abs=1e-12)
    assert cohort["GTVn"]["dsc_agg"] == pytest.approx(0.7088479948816196, abs=1e-12)
    assert cohort["dsc_agg_mean"] == pytest.approx(0.47521084911612016, abs=1e-12)
    assert cohort["GTVp"]["counts"]["cases_with_reference"] == 6
