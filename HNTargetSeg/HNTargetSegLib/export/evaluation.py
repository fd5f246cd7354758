"""Write an evaluation: metrics, tables, report and manifest, all of them or none."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path

from HNTargetSegLib.case.read import read_mask, read_volume
from HNTargetSegLib.export.evaluation_pictures import Masks, errors, side_by_side
from HNTargetSegLib.export.evaluation_record import as_record
from HNTargetSegLib.export.evaluation_report import Pictures, report
from HNTargetSegLib.export.evaluation_tables import cases_csv, cohort_csv, cohort_latex, lesions_csv, shown
from HNTargetSegLib.export.html_parts import Picture
from HNTargetSegLib.export.manifest import Manifest, write_manifest
from HNTargetSegLib.files import replacing_files, write_text
from HNTargetSegLib.metrics.case import LabelFigures
from HNTargetSegLib.metrics.case_files import CaseFiles
from HNTargetSegLib.metrics.evaluation import Evaluation, read_prediction

METRICS = "metrics.json"
REPORT = "report.html"

_WORST = 4


def write_evaluation(
    evaluation: Evaluation,
    folder: str | PathLike[str],
    manifest: Manifest,
    document: str | None,
) -> None:
    """Write ``metrics.json``, the tables ``cases.csv``, ``lesions.csv``, ``cohort.csv`` and ``cohort.tex``, and more.

    Parameters
    ----------
    evaluation
        What was found.
    folder
        Made when missing; other files in it stay.
    manifest
        Of this run, for ``manifest.json``.
    document
        The report, for ``report.html``; None leaves it out.

    Raises
    ------
    OutputError
        If a file cannot be written; nothing is changed then.
    """
    # Names of models and files may hold bytes that are not UTF-8; JSON can hold them as escapes.
    metrics = json.dumps(as_record(evaluation), indent=2, allow_nan=False) + "\n"
    texts = {
        METRICS: metrics,
        "cases.csv": cases_csv(evaluation),
        "lesions.csv": lesions_csv(evaluation),
        "cohort.csv": cohort_csv(evaluation),
        "cohort.tex": cohort_latex(evaluation),
    }
    if document is not None:
        texts[REPORT] = document
    with replacing_files(folder) as new:
        for name, text in texts.items():
            write_text(new / name, text.encode("utf-8", "replace").decode("utf-8"))
        write_manifest(manifest, new / "manifest.json")


def make_report(
    evaluation: Evaluation,
    images: Mapping[str, Path],
    notes: Sequence[str] = (),
    show: str | None = None,
    resample: bool = False,
) -> str:
    """The HTML report with its pictures.

    Parameters
    ----------
    images
        Image of each case to draw behind the masks, where there is one.
    notes
        What a reader should know.
    show
        Case to show side by side; the one of median mean DSC if None.
    resample
        As the masks were compared.

    Raises
    ------
    BadInputError
        If a mask or image cannot be read, or an image lies on another grid than its mask.
    """
    files = {case.case: case for case in evaluation.files}
    chosen = files[show if show is not None else typical_case(evaluation)]
    picture = side_by_side(_masks(chosen, images, evaluation.models, resample), f"Case {chosen.case}")
    text = f"Case {chosen.case}: reference and predictions in an axial slice and in 3D"
    worst = []
    for model in evaluation.models:
        drawn = []
        for figures in worst_cases(evaluation.figures[model]):
            masks = _masks(files[figures.case], images, (model,), resample)
            caption = _caption(figures)
            drawn.append(Picture(errors(masks, figures.label, caption), f"{model}, {caption}"))
        worst.append((model, tuple(drawn)))
    return report(evaluation, Pictures(Picture(picture, text), tuple(worst)), notes)


def worst_cases(figures: Sequence[LabelFigures], count: int = _WORST) -> list[LabelFigures]:
    """The labels of cases with the lowest DSC, the larger ones first where it is the same; none that agrees wholly."""
    defined = [(f.agreement.overlap.dsc, f) for f in figures]
    wrong = [(dsc, f) for dsc, f in defined if dsc is not None and dsc < 1]
    ordered = sorted(wrong, key=lambda pair: (pair[0], -_volume(pair[1])))
    return [f for _, f in ordered[:count]]


def typical_case(evaluation: Evaluation) -> str:
    """The case whose mean DSC over labels and models is the median, the upper one of two.

    Cases whose reference holds both labels are preferred.
    """
    found: dict[str, list[float]] = {case.case: [] for case in evaluation.files}
    for figures in evaluation.figures.values():
        for figure in figures:
            if figure.has_reference:
                found[figure.case].append(figure.agreement.overlap.dsc or 0.0)
    fullest = max(len(values) for values in found.values())
    full = {case: sum(values) for case, values in found.items() if len(values) == fullest}
    ordered = sorted(full, key=lambda case: full[case])
    return ordered[len(ordered) // 2]


def _masks(files: CaseFiles, images: Mapping[str, Path], models: Sequence[str], resample: bool) -> Masks:
    reference = read_mask(files.reference)
    predictions = {name: read_prediction(files.predictions[name], reference, resample=resample)[0] for name in models}
    image = None
    if files.case in images:
        image = read_volume(images[files.case])
        reference.require_same_grid(image)
    return Masks(reference, predictions, image)


def _volume(figures: LabelFigures) -> float:
    return figures.agreement.overlap.reference_cc + figures.agreement.overlap.prediction_cc


def _caption(figures: LabelFigures) -> str:
    values, what = figures.agreement.values(), f"{figures.case}, {figures.label.structure_name}"
    if not figures.has_reference or not figures.findings:
        return f"{what}: {'the prediction' if figures.has_reference else 'the reference'} is empty"
    return f"{what}: DSC {shown(values['dsc'], 'dsc')}, HD95 {shown(values['hd95_mm'], 'hd95_mm')} mm"
