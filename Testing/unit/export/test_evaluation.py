"""What an evaluation writes."""

from __future__ import annotations

import csv
import datetime
import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.case.write import write_volume
from HNTargetSegLib.errors import GeometryError
from HNTargetSegLib.export.evaluation import make_report, typical_case, worst_cases, write_evaluation
from HNTargetSegLib.export.evaluation_charts import bland_altman, sensitivity_by_size, violins
from HNTargetSegLib.export.evaluation_record import as_record
from HNTargetSegLib.export.evaluation_tables import HEADINGS, cases_csv, cohort_latex, lesions_csv, shown, with_interval
from HNTargetSegLib.export.manifest import Manifest
from HNTargetSegLib.metrics.bootstrap import Estimate
from HNTargetSegLib.metrics.case import Rules
from HNTargetSegLib.metrics.case_files import CaseFiles
from HNTargetSegLib.metrics.evaluation import Evaluation, Sampling, evaluate_files

GEOMETRY = Geometry((16, 14, 8), (5.0, 5.0, 5.0))
# Where the cubes of GTVp and GTVn start; two cases have both, one is empty.
CASES = {"1": (1, 8), "2": (2, 9), "3": (None, None)}


def written(path: Path, pt: int | None, ln: int | None) -> Path:
    array = np.zeros(GEOMETRY.shape, np.uint8)
    for label, start in ((1, pt), (2, ln)):
        if start is not None:
            array[2:5, start : start + 3, start : start + 3] = label
    write_volume(Volume(array, GEOMETRY), path)
    return path


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    """Two models on three cases: one moves the node of case 2, the other finds nothing but in the empty case."""
    folder = tmp_path_factory.mktemp("masks")
    files = []
    for case, (pt, ln) in CASES.items():
        moved = 10 if case == "2" else ln
        predictions = {
            "moved": written(folder / f"{case}_moved.nii.gz", pt, moved),
            "false": written(folder / f"{case}_false.nii.gz", 4 if case == "3" else None, None),
        }
        files.append(CaseFiles(case, written(folder / f"{case}.nii.gz", pt, ln), predictions))
    return evaluate_files(files, Rules(), Sampling(100))


class Document(HTMLParser):
    """Counts elements, and fails at one that is closed in the wrong place."""

    EMPTY = ("meta", "img", "link", "br")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_everything_is_written_or_nothing(evaluation, tmp_path):
    manifest = Manifest.of_run(
        inputs={}, model=None, parameters={}, device="cpu", started=datetime.datetime.now(datetime.timezone.utc)
    )
    write_evaluation(evaluation, tmp_path / "out", manifest, None)
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"metrics.json", "cases.csv", "lesions.csv", "cohort.csv", "cohort.tex", "manifest.json"}
    assert json.loads((tmp_path / "out" / "metrics.json").read_text()) == json.loads(json.dumps(as_record(evaluation)))


def test_the_report_is_well_formed_and_every_picture_has_words(evaluation):
    document = Document(make_report(evaluation, {}))
    assert document.open == []
    pictures = [attributes for tag, attributes in document.seen if tag == "img"]
    # Three charts, one side by side; the model that moves a node is wrong once, the other in five labels.
    assert len(pictures) == 3 + 1 + 1 + 4
    assert all(len(attributes["alt"] or "") > 10 for attributes in pictures)


def test_an_image_on_another_grid_is_refused(evaluation, tmp_path):
    other = Volume(np.zeros((4, 4, 4), np.float32), Geometry((4, 4, 4)))
    write_volume(other, tmp_path / "1.nii.gz")
    with pytest.raises(GeometryError, match="4x4x4"):
        make_report(evaluation, {"1": tmp_path / "1.nii.gz"}, show="1")


def test_the_worst_come_first_and_what_agrees_wholly_is_not_among_them(evaluation):
    assert [(f.case, f.label.structure_name) for f in worst_cases(evaluation.figures["moved"])] == [("2", "GTVn")]
    assert [f.agreement.overlap.dsc for f in worst_cases(evaluation.figures["false"], count=9)] == [0.0] * 5


def test_the_typical_case_has_both_labels(evaluation):
    assert typical_case(evaluation) in ("1", "2")


def test_undefined_figures_are_null_and_have_a_reason_at_every_level(evaluation):
    record = as_record(evaluation)["models"]["false"]
    nodes = record["cohort"]["GTVn"]
    assert nodes["lesion_precision"] is None
    assert nodes["undefined"]["lesion_precision"] == "the prediction holds no finding"
    assert nodes["hd95_mm"] is None
    assert nodes["undefined"]["hd95_mm"] == "no case, or lesion, where it is defined"
    for case in record["cases"]:
        nothing = {name for name, value in case.items() if value is None}
        assert nothing == set(case["undefined"])


def test_tables_hold_what_the_record_holds(evaluation):
    record = as_record(evaluation)["models"]
    rows = list(csv.DictReader(cases_csv(evaluation).splitlines()))
    assert [row["model"] for row in rows] == ["moved"] * 6 + ["false"] * 6
    for row, case in zip(rows, record["moved"]["cases"] + record["false"]["cases"], strict=True):
        for name in ("dsc", "hd95_mm", "volume_error_percent"):
            assert row[name] == ("" if case[name] is None else str(case[name]))
    lesions = list(csv.DictReader(lesions_csv(evaluation).splitlines()))
    assert [row["found"] for row in lesions if row["model"] == "false" and row["kind"] == "lesion"] == ["no"] * 4
    assert [row["volume_cc"] for row in lesions if row["kind"] == "false finding"] == ["3.375"]


def test_the_latex_table_has_a_column_for_each_model(evaluation):
    lines = cohort_latex(evaluation).splitlines()
    assert lines[0] == r"\begin{tabular}{llrr}"
    rows = [line for line in lines if line.endswith(r"\\")]
    assert len(rows) == 1 + 2 * len(HEADINGS) + 1
    assert {line.count("&") for line in rows} == {3}


def test_figures_are_shown_with_the_digits_that_they_have():
    assert shown(None, "dsc") == "–"
    assert shown(0.12345, "surface_dice_2mm") == "0.123"
    assert shown(3.14159, "hd95_mm") == "3.14"
    assert shown(231.7, "added_path_mm") == "232"
    assert with_interval(Estimate(0.5, (0.25, 0.75), 3), "dsc") == "0.500 [0.250, 0.750]"
    assert with_interval(Estimate(0.5, None, 1), "dsc") == "0.500"


@pytest.mark.parametrize("draw", [violins, bland_altman, sensitivity_by_size])
def test_charts_have_the_colours_of_both_models(evaluation, draw):
    from io import BytesIO

    from PIL import Image

    picture = np.asarray(Image.open(BytesIO(draw(evaluation))).convert("RGB")).astype(int)
    blue, vermilion = ((np.abs(picture - colour).max(axis=-1) < 60).sum() for colour in ((0, 114, 178), (213, 94, 0)))
    assert min(blue, vermilion) > 0
    # A sensitivity of nothing is a bar of no height: only the legend has its colour.
    assert draw is not sensitivity_by_size or blue > 10 * vermilion


def test_names_that_matplotlib_takes_for_formulas_are_drawn(evaluation):
    odd = {name: evaluation.figures[old] for name, old in (("$\\frac{$", "moved"), ("a\udcff", "false"))}
    cohorts = dict(zip(odd, evaluation.cohorts.values(), strict=True))
    renamed = Evaluation(
        evaluation.rules, evaluation.sampling, evaluation.files, odd, cohorts, evaluation.tests, evaluation.differences
    )
    assert violins(renamed)[:4] == b"\x89PNG"
    assert bland_altman(renamed)[:4] == b"\x89PNG"
