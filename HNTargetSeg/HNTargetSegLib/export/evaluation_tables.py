"""Tables of an evaluation: CSV for a spreadsheet, LaTeX for a paper."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from HNTargetSegLib.export.evaluation_record import as_record
from HNTargetSegLib.metrics.bootstrap import Estimate
from HNTargetSegLib.metrics.evaluation import Evaluation

HEADINGS = {
    "dsc_agg": "DSCagg",
    "dsc_mean": "DSC",
    "surface_dice_1mm": "SDS 1 mm",
    "surface_dice_2mm": "SDS 2 mm",
    "surface_dice_3mm": "SDS 3 mm",
    "msd_mm": "MSD [mm]",
    "hd95_mm": "HD95 [mm]",
    "added_path_mm": "Added path [mm]",
    "volume_error_cc": "Volume error [cc]",
    "volume_error_absolute_cc": "Volume error, absolute [cc]",
    "volume_error_percent": "Volume error [%]",
    "lesion_sensitivity": "Sensitivity",
    "lesion_precision": "Precision",
    "lesion_f1": "F1",
    "lesion_f1_agg": "F1agg",
}
"""What a reader sees for each figure of a cohort."""

_NESTED = {"undefined", "lesions", "findings", "centre_lps_mm"}
_ESCAPES = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": "$<$",
    ">": "$>$",
}


def shown(value: float | None, name: str) -> str:
    """A figure as a reader sees it; a dash where it is undefined."""
    if value is None:
        return "–"
    if name.endswith(("_mm", "_cc", "_percent")) and not name.startswith("surface"):
        return f"{value:.0f}" if name in ("added_path_mm", "volume_error_percent") else f"{value:.2f}"
    return f"{value:.3f}"


def with_interval(found: Estimate, name: str) -> str:
    """A figure with its interval in brackets, where it has one."""
    if found.interval is None:
        return shown(found.value, name)
    low, high = (shown(value, name) for value in found.interval)
    return f"{shown(found.value, name)} [{low}, {high}]"


def cases_csv(evaluation: Evaluation) -> str:
    """A line for each label of each case of each model; empty cells are undefined."""
    return _csv(({"model": name, **_flat(case)} for name, case in _cases(evaluation)), ("model", "case", "label"))


def lesions_csv(evaluation: Evaluation) -> str:
    """A line for each lesion of the reference, and for each false finding."""
    rows = []
    for name, case in _cases(evaluation):
        place = {"model": name, "case": case["case"], "label": case["label"]}
        rows += [{**place, "kind": "lesion", **_flat(lesion)} for lesion in case["lesions"]]
        false = (finding for finding in case["findings"] if not finding["true"])
        rows += [{**place, "kind": "false finding", **_flat(finding)} for finding in false]
    return _csv(rows, ("model", "case", "label", "kind"))


def cohort_csv(evaluation: Evaluation) -> str:
    """A line for each figure of each label and size of each model."""
    rows: list[dict[str, Any]] = []
    for model, cohort in evaluation.cohorts.items():
        for label, whole in cohort.labels.items():
            groups = [("all", whole), *zip(cohort.bins.names, cohort.by_size[label], strict=True)]
            for size, group in groups:
                place = {"model": model, "label": label.structure_name, "size": size}
                rows += [{**place, "figure": name, **_cells(found)} for name, found in group.figures.items()]
        score = {"model": model, "label": "mean", "size": "all", "figure": "dsc_agg_mean"}
        rows.append({**score, **_cells(cohort.dsc_agg_mean)})
    return _csv(rows, ("model", "label", "size", "figure"))


def cohort_latex(evaluation: Evaluation) -> str:
    """A table for a paper: a row for each figure and label, a column for each model, with intervals.

    It needs the package ``booktabs``.
    """
    models = [_latex(name) for name in evaluation.models]
    lines = [
        rf"\begin{{tabular}}{{ll{'r' * len(models)}}}",
        r"\toprule",
        " & ".join(["Structure", "Figure", *models]) + r" \\",
    ]
    cohorts = list(evaluation.cohorts.values())
    for label in cohorts[0].labels:
        lines.append(r"\midrule")
        for name, heading in HEADINGS.items():
            cells = [with_interval(cohort.labels[label].figures[name], name) for cohort in cohorts]
            lines.append(_latex_row([label.structure_name, heading, *cells]))
    lines.append(r"\midrule")
    scores = [with_interval(cohort.dsc_agg_mean, "dsc_agg_mean") for cohort in cohorts]
    lines += [_latex_row(["Mean", "DSCagg", *scores]), r"\bottomrule", r"\end{tabular}"]
    return "\n".join(lines) + "\n"


def _cases(evaluation: Evaluation) -> list[tuple[str, dict[str, Any]]]:
    record = as_record(evaluation)
    models = record.get("models") or {evaluation.models[0]: record}
    return [(name, case) for name, own in models.items() for case in own["cases"]]


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    row = {name: value for name, value in record.items() if name not in _NESTED}
    if "centre_lps_mm" in record:
        row.update(zip(("cx", "cy", "cz"), record["centre_lps_mm"], strict=True))
    return row


def _cells(found: Estimate) -> dict[str, Any]:
    low, high = found.interval or (None, None)
    return {"value": found.value, "ci_low": low, "ci_high": high, "patients": found.patients}


def _csv(rows: Iterable[dict[str, Any]], first: Sequence[str]) -> str:
    rows = list(rows)
    columns = list(dict.fromkeys([*first, *(name for row in rows for name in row)]))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    # A spreadsheet takes such a text for a formula.
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "@", "\t", "\r") else value


def _latex_row(cells: Sequence[str]) -> str:
    return " & ".join(_latex(cell).replace("–", "--") for cell in cells) + r" \\"


def _latex(text: str) -> str:
    return "".join(_ESCAPES.get(character, character) for character in text)
