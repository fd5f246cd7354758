"""The report of an evaluation: one HTML file with its tables, charts and pictures, and nothing from anywhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape

from HNTargetSegLib import __version__
from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.export.evaluation_charts import bland_altman, sensitivity_by_size, violins
from HNTargetSegLib.export.evaluation_tables import HEADINGS, shown, with_interval
from HNTargetSegLib.export.html_parts import Picture, document, image, table
from HNTargetSegLib.export.manifest import RESEARCH_USE_ONLY
from HNTargetSegLib.metrics.evaluation import Evaluation
from HNTargetSegLib.metrics.surface import Definition

_CASE_COLUMNS = (
    "dsc",
    "surface_dice_1mm",
    "surface_dice_2mm",
    "surface_dice_3mm",
    "msd_mm",
    "hd95_mm",
    "added_path_mm",
)
_SIZE_FIGURES = ("lesion_sensitivity", "lesion_precision", "lesion_f1_agg", "dsc_mean", "surface_dice_2mm", "hd95_mm")
_DEFINITIONS = {
    Definition.DEEPMIND: "Surface Dice (SDS), mean surface distance (MSD, mean of both directions) and HD95 (larger "
    "direction) weigh surface elements by their area, as DeepMind's surface-distance does.",
    Definition.MEDPY: "MSD and HD95 are MedPy's assd and hd95: of the outer voxels of both masks, taken together; "
    "SDS is the share of these voxels.",
}


@dataclass(frozen=True)
class Pictures:
    """Pictures of cases: one patient side by side, and for each model where it did worst."""

    side_by_side: Picture | None = None
    worst: tuple[tuple[str, tuple[Picture, ...]], ...] = ()


def report(evaluation: Evaluation, pictures: Pictures, notes: Sequence[str] = ()) -> str:
    """The report as an HTML document.

    Parameters
    ----------
    evaluation
        What is reported.
    pictures
        Of cases.
    notes
        What a reader should know, such as cases that were left out.
    """
    parts = [
        *_head(evaluation, notes),
        *_cohort(evaluation),
        *_comparison(evaluation),
        *_charts(evaluation),
        *_cases_in_pictures(pictures),
        *_by_size(evaluation),
        *_cases(evaluation),
        f"<p><small>{escape(RESEARCH_USE_ONLY)} HNTargetSeg {escape(__version__)}.</small></p>",
    ]
    return document(_title(evaluation), parts)


def _title(evaluation: Evaluation) -> str:
    return f"Evaluation of {', '.join(evaluation.models)}"


def _head(evaluation: Evaluation, notes: Sequence[str]) -> Iterable[str]:
    rules, sampling = evaluation.rules, evaluation.sampling
    yield f"<h1>{escape(_title(evaluation))}</h1>"
    yield f'<p class="note">{escape(RESEARCH_USE_ONLY)}</p>'
    count = len(evaluation.files)
    yield f"<p>{count} case{'s' if count > 1 else ''}. {escape(_DEFINITIONS[rules.definition])}</p>"
    yield (
        f"<p>A lesion is a connected component (26 neighbours); it is found, and a finding true, from an overlap of "
        f"{rules.minimum_voxels} voxel{'s' if rules.minimum_voxels > 1 else ''}. F1agg pairs lesions and findings with "
        f"an IoU over {rules.match_iou:g}, each once. DSCagg is pooled over the cohort; lesion-wise figures are "
        f"{'too' if rules.pooled else 'means of the patients who have lesions or findings'}. Means "
        "leave out cases whose reference is empty, MSD and HD95 also those whose prediction is. In brackets: 95 % "
        f"intervals from {sampling.draws} bootstrap draws of patients. A dash is an undefined figure.</p>"
    )
    yield from (f'<p class="note">{escape(note)}</p>' for note in [*notes, *evaluation.resampled])


def _cohort(evaluation: Evaluation) -> Iterable[str]:
    yield "<h2>Cohort</h2>"
    cohorts = list(evaluation.cohorts.values())
    score = [["Mean DSCagg", *(with_interval(cohort.dsc_agg_mean, "dsc_agg_mean") for cohort in cohorts)]]
    yield table("Score: mean of both labels' DSCagg", ["", *evaluation.models], score)
    for label in Target:
        groups = [cohort.labels[label] for cohort in cohorts]
        rows = [[title, *(with_interval(g.figures[name], name) for g in groups)] for name, title in HEADINGS.items()]
        counts = groups[0].counts
        rows.append(["Lesions found", *(f"{g.counts['lesions_found']} of {g.counts['lesions']}" for g in groups)])
        rows.append(["False findings", *(f"{g.counts['findings_false']} of {g.counts['findings']}" for g in groups)])
        rows.append(
            ["Cases missed", *(f"{g.counts['cases_missed']} of {counts['cases_with_reference']}" for g in groups)]
        )
        without = counts["cases"] - counts["cases_with_reference"]
        rows.append(["Cases falsely found", *(f"{g.counts['cases_false']} of {without}" for g in groups)])
        yield table(f"{label.structure_name} ({label.title.lower()})", ["", *evaluation.models], rows)


def _comparison(evaluation: Evaluation) -> Iterable[str]:
    if not evaluation.tests:
        return
    yield (
        "<h2>Comparison</h2><p>Wilcoxon signed-rank tests of paired cases, two-sided; q is p after Benjamini and "
        "Hochberg over all labels and pairs of models of a figure. Differences are the second model's less the first's."
        "</p>"
    )
    rows = [
        [
            " → ".join(test.models),
            test.label.structure_name,
            HEADINGS.get(test.figure, "DSC"),
            str(test.cases),
            shown(test.median_difference, test.figure),
            "–" if test.p is None else f"{test.p:.3g}",
            test.reason if test.q is None else f"{test.q:.3g}",
        ]
        for test in evaluation.tests
    ]
    yield table("Paired tests", ["Models", "Label", "Figure", "Cases", "Median difference", "p", "q"], rows)
    pooled = [
        [
            " → ".join(found.models),
            "mean" if found.label is None else found.label.structure_name,
            HEADINGS.get(found.figure, "DSCagg"),
            with_interval(found.difference, found.figure),
        ]
        for found in evaluation.differences
    ]
    yield table("Differences of the cohort", ["Models", "Label", "Figure", "Difference [95 % interval]"], pooled)


def _charts(evaluation: Evaluation) -> Iterable[str]:
    charts: tuple[tuple[str, Callable[[Evaluation], bytes], str], ...] = (
        ("Distribution over cases", violins, "Violin plots of DSC, surface Dice, MSD and HD95 by label and model"),
        ("Volumes (Bland-Altman)", bland_altman, "Bland-Altman plots of volume by label and model"),
        ("Sensitivity by lesion size", sensitivity_by_size, "Share of lesions found by size, label and model"),
    )
    for title, draw, text in charts:
        yield f"<h2>{title}</h2>{image(Picture(draw(evaluation), text))}"


def _cases_in_pictures(pictures: Pictures) -> Iterable[str]:
    if pictures.side_by_side is not None:
        yield f"<h2>Side by side</h2>{image(pictures.side_by_side)}"
        yield "<p>Green: GTVp. Yellow: GTVn. Below: the segments from the front, a little from the left and above.</p>"
    if pictures.worst:
        yield "<h2>Worst cases</h2>"
        yield (
            '<p class="key">The slice where most voxels differ. White line: reference.'
            f'<span style="background:{Target.PT.hex_colour}"></span>'
            f'<span style="background:{Target.LN.hex_colour}"></span>in both'
            '<span style="background:#ff5c5c"></span>missed<span style="background:#b388ff"></span>false</p>'
        )
    for name, shown_cases in pictures.worst:
        yield f'<h3>{escape(name)}</h3><div class="pictures">{"".join(map(image, shown_cases))}</div>'


def _by_size(evaluation: Evaluation) -> Iterable[str]:
    yield "<h2>By lesion size</h2><p>By the reference's volume; precision by that of the finding.</p>"
    for name, cohort in evaluation.cohorts.items():
        rows = [
            [
                f"{label.structure_name} {size}",
                str(group.counts["lesions"]),
                str(group.counts["findings"]),
                *(with_interval(group.figures[figure], figure) for figure in _SIZE_FIGURES),
            ]
            for label in Target
            for size, group in zip(cohort.bins.names, cohort.by_size[label], strict=True)
        ]
        yield table(name, ["Size", "Lesions", "Findings", *(HEADINGS[figure] for figure in _SIZE_FIGURES)], rows)


def _cases(evaluation: Evaluation) -> Iterable[str]:
    yield "<h2>Cases</h2>"
    titles = ["Case", "Label", *(HEADINGS.get(n, "DSC") for n in _CASE_COLUMNS), "Reference [cc]", "Prediction [cc]"]
    for name, cases in evaluation.figures.items():
        rows = []
        for case in cases:
            values, overlap = case.agreement.values(), case.agreement.overlap
            cells = [shown(values[figure], figure) for figure in _CASE_COLUMNS]
            volumes = [f"{overlap.reference_cc:.2f}", f"{overlap.prediction_cc:.2f}"]
            found = case.detection
            counts = [str(found.found), str(found.missed), str(found.false_findings)]
            rows.append([case.case, case.label.structure_name, *cells, *volumes, *counts])
        shown_table = table(name, [*titles, "Found", "Missed", "False"], rows)
        yield f"<details><summary>{escape(name)}</summary>{shown_table}</details>"
