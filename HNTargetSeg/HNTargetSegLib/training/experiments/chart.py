"""The figure of a study: each arm's figures with intervals and single seeds, the paper's beside them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.export.evaluation_charts import MODEL_COLOURS
from HNTargetSegLib.training.experiments.beirami2026 import REPORTED
from HNTargetSegLib.training.experiments.outcome import Outcome
from HNTargetSegLib.training.experiments.tables import HEADINGS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PANELS = (
    (Target.LN, "lesion_sensitivity"),
    (Target.LN, "dsc"),
    (Target.PT, "lesion_precision"),
    (Target.PT, "dsc"),
)
_COLOURS = {"baseline": "0.35", "dual": MODEL_COLOURS[0], "selective": MODEL_COLOURS[1]}
_SEED = "o"
_PAPER = "D"


def chart(outcome: Outcome) -> bytes:
    """PNG with a panel for each figure that the paper's claims rest on, and for the primary tumour's DSC."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.0 * len(_PANELS) + 0.5, 2.9 + 0.1 * len(outcome.arms)), layout="constrained")
    FigureCanvasAgg(figure)
    for number, (label, name) in enumerate(_PANELS, start=1):
        axes = figure.add_subplot(1, len(_PANELS), number)
        for place, _ in enumerate(outcome.arms):
            _draw(axes, outcome, place, label, name)
        names = [arm.name.replace("-gamma", ", γ ") for arm in outcome.arms]
        axes.set_xticks(range(len(names)), names, fontsize=8, rotation=35, ha="right", rotation_mode="anchor")
        axes.set_ylim(0, 1.03)
        axes.set_xlim(-0.6, len(outcome.arms) - 0.4)
        axes.set_title(f"{label.structure_name}: {HEADINGS[name].removesuffix(', %')}", fontsize=10)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8)
    figure.legend(handles=_key(), loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    if outcome.generated:
        figure.suptitle(f"{outcome.patients} held-out GENERATED patients (phantom), not people", fontsize=10)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=130)
    return buffer.getvalue()


def _draw(axes: Axes, outcome: Outcome, place: int, label: Target, name: str) -> None:
    arm = outcome.arms[place]
    found = outcome.figures[(arm.name, label, name)]
    colour = _COLOURS.get(arm.loss.name, MODEL_COLOURS[2])
    if found.estimate.interval is not None:
        axes.plot([place, place], found.estimate.interval, color=colour, linewidth=2)
    if found.estimate.value is not None:
        axes.plot([place - 0.16, place + 0.16], [found.estimate.value] * 2, color=colour, linewidth=3)
    seeds = [value for value in found.by_seed if value is not None]
    if len(seeds) > 1:
        axes.plot([place - 0.22] * len(seeds), seeds, _SEED, color=colour, markersize=3.5, alpha=0.7)
    reported = REPORTED.get((arm.loss.name, label, name))
    if reported is not None:
        axes.plot([place + 0.28], [reported], _PAPER, color="black", markersize=5, fillstyle="none")


def _key() -> list[object]:
    from matplotlib.lines import Line2D

    return [
        Line2D([], [], color="0.35", linewidth=3, label="ours, with 95 % interval over patients"),
        Line2D([], [], color="0.35", marker=_SEED, linestyle="", markersize=3.5, label="single seeds"),
        Line2D([], [], color="black", marker=_PAPER, linestyle="", fillstyle="none", label="paper (HNTS-MRG 2024)"),
    ]
