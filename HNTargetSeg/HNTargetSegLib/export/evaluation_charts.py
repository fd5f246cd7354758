"""Charts of an evaluation, as PNG: violins, Bland-Altman of volumes, sensitivity by lesion size."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.metrics.case import LabelFigures
from HNTargetSegLib.metrics.cohort import of_label
from HNTargetSegLib.metrics.evaluation import Evaluation

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MODEL_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
"""One a model, in order and again from the first; told apart also by colour-blind readers (Okabe and Ito)."""

_VIOLINS = {"dsc": "DSC", "surface_dice_2mm": "Surface Dice, 2 mm", "msd_mm": "MSD, mm", "hd95_mm": "HD95, mm"}
_DPI = 110
_ENOUGH_FOR_A_VIOLIN = 3


def violins(evaluation: Evaluation) -> bytes:
    """Distribution of four figures over the cases with a reference: a violin, each case as a dot, and the median."""
    figure = _figure(11.0, 3.4 + 0.25 * len(evaluation.models))
    for axes, (name, title) in zip(_panels(figure, 1, len(_VIOLINS)), _VIOLINS.items(), strict=True):
        for place, label in enumerate(Target):
            for number, cases in enumerate(evaluation.figures.values()):
                values = [c.agreement.values()[name] for c in of_label(cases, label) if c.has_reference]
                at = place + (number + 0.5) / len(evaluation.models) * 0.8 - 0.4
                _violin(axes, [v for v in values if v is not None], at, 0.7 / len(evaluation.models), number)
        axes.set_title(title, fontsize=10)
        axes.set_xticks(range(len(Target)), [label.structure_name for label in Target])
        axes.set_xlim(-0.6, len(Target) - 0.4)
        axes.set_ylim(0, 1.02 if not name.endswith("_mm") else None)
    _legend(figure, evaluation)
    return png(figure)


def bland_altman(evaluation: Evaluation) -> bytes:
    """Volume of the prediction less that of the reference, against their mean, with bias and limits of agreement.

    Source: Bland and Altman, Lancet 327, 307-310, 1986: bias plus and minus 1.96 standard deviations.
    """
    models = evaluation.models
    figure = _figure(4.0 * len(Target) + 1, 2.9 * len(models))
    panels = _panels(figure, len(models), len(Target))
    for number, cases in enumerate(evaluation.figures.values()):
        for label in Target:
            axes = next(panels)
            _volumes(axes, of_label(cases, label), MODEL_COLOURS[number % len(MODEL_COLOURS)])
            axes.set_title(f"{drawn(models[number])}: {label.structure_name}", fontsize=10)
    return png(figure)


def sensitivity_by_size(evaluation: Evaluation) -> bytes:
    """Share of the reference's lesions of each size that were found, with 95 % intervals and the number of lesions."""
    figure = _figure(9.0, 3.6)
    bins = evaluation.rules.bins
    for axes, label in zip(_panels(figure, 1, len(Target)), Target, strict=True):
        for number, cohort in enumerate(evaluation.cohorts.values()):
            width = 0.8 / len(evaluation.cohorts)
            for place, group in enumerate(cohort.by_size[label]):
                found = group.figures["lesion_sensitivity"]
                if found.value is None:
                    continue
                at = place + (number + 0.5) * width - 0.4
                axes.bar(at, found.value, 0.9 * width, color=MODEL_COLOURS[number % len(MODEL_COLOURS)])
                if found.interval is not None:
                    axes.plot([at, at], found.interval, color="black", linewidth=1)
        lesions = [group.counts["lesions"] for group in next(iter(evaluation.cohorts.values())).by_size[label]]
        names = [f"{name}\nn = {count}" for name, count in zip(bins.names, lesions, strict=True)]
        axes.set_xticks(range(len(bins)), names, fontsize=8)
        axes.set(xlim=(-0.5, len(bins) - 0.5), ylim=(0, 1.02))
        axes.set_title(f"{label.structure_name}: sensitivity by lesion volume", fontsize=10)
    _legend(figure, evaluation)
    return png(figure)


def png(figure: Figure) -> bytes:
    """The figure as a PNG file."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # A name in a script that the font lacks is drawn with boxes; that is no reason to stop.
        warnings.filterwarnings("ignore", message=".*[Gg]lyph", category=UserWarning)
        figure.savefig(buffer, format="png", dpi=_DPI, facecolor=figure.get_facecolor())
    return buffer.getvalue()


def _figure(width: float, height: float) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _panels(figure: Figure, rows: int, columns: int) -> Iterator[Axes]:
    for number in range(rows * columns):
        axes = figure.add_subplot(rows, columns, number + 1)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8)
        yield axes


def _violin(axes: Axes, values: Sequence[float], at: float, width: float, number: int) -> None:
    if not values:
        return
    colour = MODEL_COLOURS[number % len(MODEL_COLOURS)]
    # A density of nearly equal values cannot be estimated.
    if len(values) >= _ENOUGH_FOR_A_VIOLIN and np.ptp(values) > 1e-9:
        bodies: Any = axes.violinplot([values], [at], widths=width, showextrema=False)["bodies"]
        for body in bodies:
            body.set(facecolor=colour, alpha=0.35, clip_on=True)
    spread = (np.arange(len(values)) % 5 - 2) / 10 * width
    axes.plot(at + spread, values, "o", markersize=2.5, color=colour, alpha=0.8)
    axes.plot([at - width / 3, at + width / 3], [np.median(values)] * 2, color="black", linewidth=1.5)


def _volumes(axes: Axes, cases: Sequence[LabelFigures], colour: str) -> None:
    overlaps = [c.agreement.overlap for c in cases]
    pairs = np.array([(o.reference_cc, o.prediction_cc) for o in overlaps if o.reference_cc or o.prediction_cc])
    axes.set_xlabel("mean of reference and prediction, cc", fontsize=8)
    axes.set_ylabel("prediction - reference, cc", fontsize=8)
    if not len(pairs):
        axes.text(0.5, 0.5, "no volume", transform=axes.transAxes, ha="center")
        return
    error = pairs[:, 1] - pairs[:, 0]
    axes.plot(pairs.mean(axis=1), error, "o", markersize=4, color=colour, alpha=0.8)
    axes.axhline(0, color="0.7", linewidth=0.8)
    lines = [(error.mean(), "-", "bias")]
    if len(error) > 1:
        spread = 1.96 * error.std(ddof=1)
        lines += [(error.mean() + sign * spread, "--", f"{sign:+d}.96 SD") for sign in (1, -1)]
    for value, style, name in lines:
        axes.axhline(value, color="black", linewidth=1, linestyle=style)
        axes.annotate(
            f"{name} {value:.2f}",
            (1, value),
            xycoords=("axes fraction", "data"),
            ha="right",
            va="bottom",
            fontsize=7,
        )


def _legend(figure: Figure, evaluation: Evaluation) -> None:
    from matplotlib.patches import Patch

    if len(evaluation.models) > 1:
        handles = [
            Patch(color=MODEL_COLOURS[number % len(MODEL_COLOURS)], label=drawn(name))
            for number, name in enumerate(evaluation.models)
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), fontsize=9, frameon=False)


def drawn(name: str) -> str:
    """A name without what matplotlib takes for formulas, or cannot draw at all."""
    return name.encode("utf-8", "replace").decode("utf-8").replace("$", r"\$")
