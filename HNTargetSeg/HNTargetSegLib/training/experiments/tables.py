"""A study's tables: the paper's numbers beside ours, the claims with their verdicts, and all held-out cases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.metrics.bootstrap import Estimate
from HNTargetSegLib.training.experiments.arms import Arm, masks_coincide
from HNTargetSegLib.training.experiments.beirami2026 import REPORTED, TITLE, Expectation
from HNTargetSegLib.training.experiments.comparison import FIGURES
from HNTargetSegLib.training.experiments.markdown import csv_text, markdown_table
from HNTargetSegLib.training.experiments.observations import MEANS, Observation
from HNTargetSegLib.training.experiments.outcome import Outcome
from HNTargetSegLib.training.experiments.verdicts import FEWEST_PATIENTS, Tested

HEADINGS = {
    "dsc": "DSC",
    "surface_dice_2mm": "SDS 2 mm",
    "msd_mm": "MSD, mm",
    "hd95_mm": "HD95, mm",
    "lesion_sensitivity": "Lesion sensitivity, %",
    "lesion_precision": "Lesion precision, %",
}
"""What a reader sees for each figure."""

GENERATED = (
    "**Generated patients.** {some} of the {all} patients come from this project's own phantom, not from people. The "
    "table shows that the method runs and what the losses do on lesions of such sizes in such images. It says nothing "
    "about patients, and neither confirms nor refutes the paper."
)

ONE_LESION = (
    "**Dual and selective can be the same here.** With weights normalised by mass, a label with one lesion in a patch "
    "keeps the weight 1 everywhere. A patient has at most one primary tumour, so that weighting it too changes next to "
    "nothing, and the paper's contrast between the two cannot arise. `--normalisation reference --reference-cc 2` "
    "raises small primary tumours as well."
)

_COUNTS = ("lesions", "lesions_found", "findings", "findings_true")
_PERCENT = ("lesion_sensitivity", "lesion_precision")
_EXPLAINED = (
    "In brackets: 95 % bootstrap interval over patients. Every figure is of held-out cases. DSC, SDS, MSD and HD95 are "
    "means over cases whose reference holds the label (MSD and HD95 also need a prediction), in DeepMind's definition. "
    "A lesion counts as found, and a finding as true, from one voxel of overlap (26-connected components); counts are "
    "pooled over all cases.",
    "The volume-aware losses are a reconstruction: the paper prints no formula. With gamma 0 they are the baseline to "
    "the bit, and are not trained again. The paper does not say on which visits it "
    "trained, nor give intervals, the tolerance of its surface Dice or the number of test patients.",
    "p: two-sided, by swapping the two networks' answers on whole patients; q: after Benjamini and Hochberg over the "
    "claims of a rise or fall. Such a claim is confirmed or contradicted if q is under 0.05 and every seed agrees in "
    "sign; a figure is kept if the 95 % interval of its difference, seeds included, ends above -5 points (our margin). "
    "Otherwise, if a difference of the paper's size (or the margin) would have been missed more than one time in five, "
    "the claim is not resolvable with this many patients; with fewer than ten it never is. The detectable difference "
    "is found four times in five.",
)


def markdown(outcome: Outcome, command: str, picture: str) -> str:
    """The report.

    Parameters
    ----------
    command
        That made it.
    picture
        Name of the figure's file beside it.
    """
    parts = ["# Volume-aware Dice: " + TITLE, *_about(outcome, command), "## Figures", _figures(outcome)]
    parts += [f"![Figures beside the paper's]({picture})", "## Claims", _claims(outcome.claims)]
    if len(outcome.seeds) > 1:
        parts += ["## Seeds", _by_seed(outcome)]
    return "\n\n".join([*parts, "## How to read this", *_EXPLAINED]) + "\n"


def table_csv(outcome: Outcome) -> str:
    """One line a label, figure and arm."""
    rows = []
    for arm, label, figure in _all(outcome):
        found = outcome.figures[(arm.name, label, figure)]
        low, high = found.estimate.interval or (None, None)
        reported = REPORTED.get((arm.loss.name, label, figure))
        row = [arm.name, label.structure_name, figure, found.estimate.value, low, high, found.estimate.patients]
        rows.append([*row, reported, outcome.generated, *found.by_seed])
    heads = ["arm", "label", "figure", "value", "ci_low", "ci_high", "patients", "paper", "generated_patients"]
    return csv_text([*heads, *(f"seed_{seed}" for seed in outcome.seeds)], rows)


def claims_csv(outcome: Outcome) -> str:
    """One line a claim and arm."""
    heads = ["claim", "arm", "label", "figure", "paper_difference", "difference", "ci_low", "ci_high", "p", "q"]
    heads += ["detectable", "patients_needed", "verdict", "generated_patients"]
    rows = []
    for tested in outcome.claims:
        claim, found = tested.claim, tested.difference
        low, high = found.estimate.interval or (None, None)
        row = [claim.text, tested.arm, claim.label.structure_name, claim.figure, claim.reported, found.estimate.value]
        row += [low, high, found.p, tested.q, found.detectable, tested.patients_needed, tested.verdict.value]
        rows.append([*row, outcome.generated])
    return csv_text(heads, rows)


def cases_csv(outcome: Outcome) -> str:
    """One line a held-out case, label, arm and seed."""
    rows = [
        [arm, seed, *_case_cells(entry)]
        for arm, by_seed in outcome.observations.items()
        for seed, own in by_seed.items()
        for entry in own
    ]
    return csv_text(["arm", "seed", "case", "patient", "label", *MEANS, *_COUNTS], rows)


def shown(value: float | None, figure: str) -> str:
    """A value as a reader sees it."""
    if value is None:
        return "undefined"
    return (
        f"{100 * value:.1f}" if figure in _PERCENT else f"{value:.3f}" if not figure.endswith("_mm") else f"{value:.2f}"
    )


def _about(outcome: Outcome, command: str) -> list[str]:
    study = outcome.study
    lines = []
    if outcome.generated:
        total = len({case.patient for case in study.cases()})
        lines.append(GENERATED.format(some=outcome.generated, all=total))
    visits = {"both": "both visits", "pre": "pre-RT", "mid": "mid-RT"}[study.visit]
    lines.append(
        f"Preset {study.preset.name} ({study.preset.about}), {visits}; {outcome.patients} held-out patients with "
        f"{outcome.cases} images, {outcome.trained_on} or more patients to train on; "
        f"{len(outcome.seeds)} training{'s' if len(outcome.seeds) > 1 else ''} an arm and fold "
        f"(seeds {', '.join(map(str, outcome.seeds))}, the same for every arm)."
    )
    if outcome.missing:
        lines.append(
            f"**Not complete:** {len(outcome.missing)} trainings are missing; their arms or seeds are left out."
        )
    if masks_coincide(outcome.arms):
        lines.append(ONE_LESION)
    return [*lines, f"```\n{command}\n```"]


def _figures(outcome: Outcome) -> str:
    """A row a figure; after the arms of each configuration the paper's number for it."""
    configurations = list(dict.fromkeys(arm.loss.name for arm in outcome.arms))
    heads = [""]
    for name in configurations:
        heads += [arm.name for arm in outcome.arms if arm.loss.name == name]
        heads += [f"paper: {name}"]
    rows = []
    for label in Target:
        for figure in FIGURES:
            cells = [f"{label.structure_name} {HEADINGS[figure]}"]
            for name in configurations:
                own = [outcome.figures[(a.name, label, figure)] for a in outcome.arms if a.loss.name == name]
                cells += [_with_interval(found.estimate, figure) for found in own]
                cells.append(_as_printed(REPORTED.get((name, label, figure)), figure))
            rows.append(cells)
    return markdown_table(heads, rows)


def _as_printed(reported: float | None, figure: str) -> str:
    if reported is None:
        return "–"
    return f"{100 * reported:.2f}" if figure in _PERCENT else f"{reported:.3f}"


def _claims(claims: Sequence[Tested]) -> str:
    heads = ["Claim", "Arm", "Paper", "Ours", "p", "q", "Detectable", "Patients needed", "Verdict"]
    rows = []
    for tested in claims:
        claim, found = tested.claim, tested.difference
        target = f"-{100 * claim.margin:.0f} at worst" if claim.expectation is Expectation.KEPT else ""
        printed = _as_printed(claim.reported, claim.figure)
        paper = ("" if claim.reported < 0 else "+") + printed + (f" ({target})" if target else "")
        rows.append(
            [
                claim.text,
                tested.arm,
                paper,
                _signed_with_interval(found.estimate, claim.figure),
                _number(found.p),
                _number(tested.q),
                "–" if found.estimate.patients < FEWEST_PATIENTS else shown(found.detectable, claim.figure),
                "–" if tested.patients_needed is None else str(tested.patients_needed),
                f"**{tested.verdict.value}**",
            ]
        )
    return markdown_table(heads, rows)


def _by_seed(outcome: Outcome) -> str:
    rows = [
        [arm.name, f"{label.structure_name} {HEADINGS[figure]}"]
        + [shown(value, figure) for value in outcome.figures[(arm.name, label, figure)].by_seed]
        for arm, label, figure in _all(outcome)
        if any((name, label, figure) in REPORTED for name in ("baseline", "dual", "selective"))
    ]
    return markdown_table(["Arm", "Figure", *(f"seed {seed}" for seed in outcome.seeds)], rows)


def _all(outcome: Outcome) -> Iterable[tuple[Arm, Target, str]]:
    return ((arm, label, figure) for label in Target for figure in FIGURES for arm in outcome.arms)


def _case_cells(entry: Observation) -> list[object]:
    values = [entry.values[name] for name in MEANS]
    counts = [getattr(entry, name) for name in _COUNTS]
    return [entry.case, entry.patient, Target(entry.label).structure_name, *values, *counts]


def _with_interval(found: Estimate, figure: str) -> str:
    if found.interval is None:
        return shown(found.value, figure)
    return f"{shown(found.value, figure)} ({shown(found.interval[0], figure)} to {shown(found.interval[1], figure)})"


def _signed(value: float | None, figure: str) -> str:
    return shown(value, figure) if value is None or value < 0 else f"+{shown(value, figure)}"


def _signed_with_interval(found: Estimate, figure: str) -> str:
    if found.interval is None:
        return _signed(found.value, figure)
    return f"{_signed(found.value, figure)} ({' to '.join(_signed(end, figure) for end in found.interval)})"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"
