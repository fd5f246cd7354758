"""Tables of a study of the gradient map: the paper's beside ours, and what became of prior lesions."""

from __future__ import annotations

from collections.abc import Sequence

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.metrics.bootstrap import Estimate
from HNTargetSegLib.training.experiments.map_figures import Effect
from HNTargetSegLib.training.experiments.map_outcome import MapOutcome, average
from HNTargetSegLib.training.experiments.markdown import csv_text, markdown_table
from HNTargetSegLib.training.experiments.observations import MEANS, MEDPY
from HNTargetSegLib.training.experiments.refusal import ENOUGH_PERSISTING, ENOUGH_VANISHED, KEPT_DSC, PERSISTING_CC
from HNTargetSegLib.training.experiments.ren2024 import (
    AVERAGE,
    BY_FOLD,
    FIGURES,
    MEAN_DSC,
    P_VALUE,
    RHO_MIDDLE_BIN,
    TEST_DSC_AGG,
    TITLE,
    VOLUME_BINS,
)
from HNTargetSegLib.training.experiments.tables import GENERATED

_EXPLAINED = (
    "All figures are of held-out mid-RT visits. DSCagg pools the volumes of a fold's patients; HD95 and MSD are "
    "MedPy's (`hd95`, `assd`), means over cases where reference and prediction hold the label. The published "
    "evaluation hands MedPy the voxel spacing in the order x, y, z for arrays in the order z, y, x; ours does not.",
    "The arm with-map is the published code's recipe: margins of 4 to 7 voxels drawn once a case at conversion, "
    "held-out cases included; z-score on both channels; pre-RT visits with their own mask as prior in training. The "
    "arm without-map is trained on the same visits. The arm gradient, where there is one, draws priors anew each time "
    "a case is read: none at all, boxes left out, displaced, and round places where nothing is; held-out cases have "
    "the fixed map. Patients never seen have fixed margins of 5 voxels in every arm, and the registered mask that lies "
    "beside them.",
    "A prior lesion has vanished where nothing of the reference lies in it; it is refused if no voxel of either label "
    "is predicted in its box (5 voxels of margin), voxels of other lesions that are there not counted. It persists "
    f"where over {PERSISTING_CC:g} cc is left, and is kept at DSC {KEPT_DSC:g} or more of what is left and all "
    f"findings of its label that touch it. At least {ENOUGH_VANISHED} vanished and {ENOUGH_PERSISTING} persisting "
    "ones are asked for. In brackets: 95 % bootstrap interval over patients.",
)


def map_markdown(found: MapOutcome, command: str, pictures: Sequence[str]) -> str:
    """The report.

    Parameters
    ----------
    command
        That made it.
    pictures
        Names of the figures' files beside it: violins, volume change.
    """
    parts = ["# Gradient map: " + TITLE, *_about(found, command)]
    for label in Target:
        parts += [f"## {label.structure_name} by fold", _by_fold(found, label)]
    parts += ["## With and without the map", _effects(found), f"![DSC of single cases]({pictures[0]})"]
    parts += ["## Change in volume and DSC", _correlations(found), f"![Change in volume and DSC]({pictures[1]})"]
    if found.unseen:
        parts += ["## Patients never seen", _unseen_note(found), _unseen(found)]
        parts += ["## Prior lesions of patients never seen", _refusal(found)]
    return "\n\n".join([*parts, "## How to read this", *_EXPLAINED]) + "\n"


def folds_csv(found: MapOutcome) -> str:
    """One line an arm, label, figure and fold; the paper's numbers beside the arm with its recipe."""
    rows: list[list[object]] = []
    for (arm, label), figures in found.folds.items():
        for name, values in figures.items():
            reported = BY_FOLD[(label, name)] if arm == "with-map" else ()
            for number, value in enumerate(values):
                paper = reported[number] if number < len(reported) else None
                rows.append([arm, label.structure_name, name, number, value, paper, found.base.generated])
    return csv_text(["arm", "label", "figure", "fold", "value", "paper", "generated_patients"], rows)


def map_cases_csv(found: MapOutcome) -> str:
    """One line a held-out case, label, arm and seed."""
    names = (*MEANS, *MEDPY)
    rows: list[list[object]] = []
    for arm, by_seed in found.base.observations.items():
        for seed, own in by_seed.items():
            for entry in own:
                cells = [entry.case, entry.patient, Target(entry.label).structure_name]
                volumes = [entry.reference_cc, entry.prediction_cc, entry.shared_cc]
                rows.append([arm, seed, *cells, *(entry.values[name] for name in names), *volumes])
    heads = ["arm", "seed", "case", "patient", "label", *names, "reference_cc", "prediction_cc", "shared_cc"]
    return csv_text(heads, rows)


def refusal_csv(found: MapOutcome) -> str:
    """One line an arm: both shares with intervals."""
    rows: list[list[object]] = []
    for arm, own in found.unseen.items():
        shares = own.refusal
        cells: list[object] = [arm, shares.vanished, *_cells(shares.refused)]
        rows.append([*cells, shares.persisting, *_cells(shares.kept), found.unseen_generated])
    heads = ["arm", "vanished", "refused", "refused_low", "refused_high"]
    return csv_text([*heads, "persisting", "kept", "kept_low", "kept_high", "generated_patients"], rows)


def _about(found: MapOutcome, command: str) -> list[str]:
    base = found.base
    lines = []
    if base.generated:
        total = len({case.patient for case in base.study.cases()})
        lines.append(GENERATED.format(some=base.generated, all=total).replace("the losses do", "the map does"))
    lines.append(
        f"Preset {base.study.preset.name} ({base.study.preset.about}); {base.patients} held-out patients, "
        f"{base.trained_on} or more to train on, whose pre-RT visits are trained on too; seeds "
        f"{', '.join(map(str, base.seeds))}, the same for every arm."
    )
    if base.missing:
        lines.append(f"**Not complete:** {len(base.missing)} trainings are missing; their arms or seeds are left out.")
    return [*lines, f"```\n{command}\n```"]


def _by_fold(found: MapOutcome, label: Target) -> str:
    count = len(found.folds[(found.base.arms[0].name, label)]["dsc_agg"])
    rows = []
    for name, heading in FIGURES.items():
        printed = [_digits(value, name, paper=True) for value in BY_FOLD[(label, name)]]
        own_count = max(count, len(printed))
        rows.append([heading, "paper", *_filled(printed, own_count), _digits(AVERAGE[(label, name)], name, paper=True)])
        for arm in found.base.arms:
            values = found.folds[(arm.name, label)][name]
            shown = [_digits(value, name) for value in values]
            rows.append([heading, arm.name, *_filled(shown, own_count), _digits(average(values), name)])
    heads = ["Figure", "Arm", *(f"fold {number}" for number in range(max(count, 5))), "average"]
    return markdown_table(heads, rows)


def _effects(found: MapOutcome) -> str:
    rows = []
    for (arm, label), own in found.first_fold.items():
        reported = MEAN_DSC[label] if arm == "with-map" else None
        paper = "–" if reported is None else f"{reported[0]:.3f} to {reported[1]:.3f}, p {P_VALUE[label]:.2g}"
        everyone = found.all_folds[(arm, label)]
        rows.append([label.structure_name, arm, paper, _effect(own), _effect(everyone)])
    return markdown_table(["Mean DSC", "Arm", "paper, fold 0 (n=30)", "ours, fold 0", "ours, all folds"], rows)


def _effect(own: Effect) -> str:
    if own.without is None or own.with_map is None:
        return "undefined"
    p = "–" if own.p is None else f"{own.p:.2g}"
    return f"{own.without:.3f} to {own.with_map:.3f} (n={own.cases}), p {p}"


def _correlations(found: MapOutcome) -> str:
    rows = []
    for (arm, label), bins in found.correlations.items():
        low, high = VOLUME_BINS[label]
        for name, count, value in bins:
            middle = name == f"{low:g} to {high:g} cc" and arm == "with-map"
            paper = f"{RHO_MIDDLE_BIN[label]:.2f}" if middle else "–"
            rows.append([label.structure_name, arm, name, str(count), paper, "–" if value is None else f"{value:.2f}"])
    heads = ["Label", "Arm", "mid-RT volume", "cases", "paper", "Spearman's coefficient"]
    return markdown_table(heads, rows)


def _unseen_note(found: MapOutcome) -> str:
    total = max(own.patients for own in found.unseen.values())
    generated = f", {found.unseen_generated} of them **generated**" if found.unseen_generated else ""
    folds = "all folds" if len(next(iter(found.folds.values()))["dsc_agg"]) > 1 else "its one fold"
    return f"{total} patients{generated}; each arm's ensemble of {folds}."


def _unseen(found: MapOutcome) -> str:
    rows = []
    for label in Target:
        for name, heading in FIGURES.items():
            paper = f"{TEST_DSC_AGG[label]:.3f}" if name == "dsc_agg" else "–"
            own = [_with_interval(figures.figures[label][name], name) for figures in found.unseen.values()]
            rows.append([f"{label.structure_name} {heading}", paper, *own])
    return markdown_table(["", "paper (test set)", *found.unseen], rows)


def _refusal(found: MapOutcome) -> str:
    rows = []
    for arm, own in found.unseen.items():
        shares = own.refusal
        few = "" if shares.enough else " (too few)"
        cells = [f"{shares.vanished}{few}", _percent(shares.refused), f"{shares.persisting}{few}"]
        rows.append([arm, *cells, _percent(shares.kept)])
    goal = ["goal", f">= {ENOUGH_VANISHED}", ">= 80 %", f">= {ENOUGH_PERSISTING}", ">= 90 %"]
    heads = ["Arm", "vanished", "of these no voxel", "persisting", f"of these DSC >= {KEPT_DSC:g}"]
    return markdown_table(heads, [*rows, goal])


def _percent(found: Estimate) -> str:
    if found.value is None:
        return "undefined"
    if found.interval is None:
        return f"{100 * found.value:.0f} %"
    return f"{100 * found.value:.0f} % ({100 * found.interval[0]:.0f} to {100 * found.interval[1]:.0f})"


def _with_interval(found: Estimate, name: str) -> str:
    if found.interval is None:
        return _digits(found.value, name)
    return f"{_digits(found.value, name)} ({' to '.join(_digits(end, name) for end in found.interval)})"


def _digits(value: float | None, name: str, *, paper: bool = False) -> str:
    if value is None:
        return "undefined"
    return f"{value:.3f}" if name == "dsc_agg" else f"{value:.1f}" if paper else f"{value:.2f}"


def _filled(cells: Sequence[str], count: int) -> list[str]:
    return [*cells, *["–"] * (count - len(cells))]


def _cells(found: Estimate) -> list[float | None]:
    low, high = found.interval or (None, None)
    return [found.value, low, high]
