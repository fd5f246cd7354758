"""Figures of a study of the gradient map: violins of DSC with and without it, and DSC against the change in volume."""

from __future__ import annotations

from typing import TYPE_CHECKING

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.export.evaluation_charts import MODEL_COLOURS, png
from HNTargetSegLib.training.experiments.map_figures import VolumeChange, case_dsc
from HNTargetSegLib.training.experiments.map_outcome import MapOutcome
from HNTargetSegLib.training.experiments.ren2024 import VOLUME_BINS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_FEWEST_FOR_A_VIOLIN = 3


def effect_violins(found: MapOutcome) -> bytes:
    """PNG: for each label the distribution of DSC of each arm, every case a dot, and p against the arm without."""
    figure = _figure(4.2 * len(Target), 3.8)
    for number, label in enumerate(Target, start=1):
        axes = figure.add_subplot(1, len(Target), number)
        names = [arm.name for arm in found.base.arms]
        for place, name in enumerate(names):
            values = case_dsc(found.base.observations[name], label).values()
            _violin(axes, [value for value in values if value is not None], place)
        axes.set_xticks(range(len(names)), [_named(found, name, label) for name in names], fontsize=8)
        axes.set_xlim(-0.6, len(names) - 0.4)
        axes.set_ylim(-0.03, 1.03)
        axes.set_title(f"{label.structure_name}: DSC", fontsize=10)
        axes.spines[["top", "right"]].set_visible(False)
    _say_generated(figure, found)
    return png(figure)


def volume_scatter(found: MapOutcome, arm: str) -> bytes:
    """PNG: DSC against the change in volume, a panel a bin of the mid-RT volume; dots grow with that volume.

    What has vanished by mid-RT stands in the first panel as a cross: at 0 if something is predicted all the same.
    """
    figure = _figure(9.5, 5.6)
    for row, label in enumerate(Target):
        low, high = VOLUME_BINS[label]
        changes = found.changes[(arm, label)]
        values = {name: value for name, _, value in found.correlations[(arm, label)]}
        for column, (above, limit, name) in enumerate(
            ((-1.0, low, f"up to {low:g} cc"), (low, high, f"{low:g} to {high:g} cc"), (high, 1e9, f"over {high:g} cc"))
        ):
            axes = figure.add_subplot(len(Target), 3, 3 * row + column + 1)
            _scatter(axes, [entry for entry in changes if above < entry.mid_cc <= limit], row)
            coefficient = "–" if values[name] is None else f"{values[name]:.2f}"
            axes.set_title(f"{label.structure_name} mid-RT {name}, rho {coefficient}", fontsize=9)
            axes.set_ylim(-0.05, 1.05)
            if column == 0:
                axes.set_ylabel("DSC", fontsize=9)
            if row == len(Target) - 1:
                axes.set_xlabel("pre-RT less mid-RT volume, cc", fontsize=9)
            axes.tick_params(labelsize=8)
            axes.spines[["top", "right"]].set_visible(False)
    _say_generated(figure, found)
    return png(figure)


def _violin(axes: Axes, values: list[float], place: int) -> None:
    colour = "0.35" if place == 0 else MODEL_COLOURS[(place - 1) % len(MODEL_COLOURS)]
    if len(values) >= _FEWEST_FOR_A_VIOLIN and max(values) > min(values):
        parts = axes.violinplot(values, [place], widths=0.8, showextrema=False)
        for body in parts["bodies"]:  # type: ignore[attr-defined]
            body.set_facecolor(colour)
            body.set_alpha(0.25)
    spread = [place + 0.08 * ((7 * n) % 5 - 2) / 2 for n in range(len(values))]
    axes.plot(spread, values, "o", color=colour, markersize=3, alpha=0.7)
    if values:
        middle = sorted(values)[len(values) // 2]
        axes.plot([place - 0.2, place + 0.2], [middle, middle], color=colour, linewidth=2)


def _scatter(axes: Axes, changes: list[VolumeChange], row: int) -> None:
    there = [entry for entry in changes if entry.mid_cc > 0]
    gone = [entry for entry in changes if entry.mid_cc == 0]
    axes.scatter(
        [entry.change_cc for entry in there],
        [entry.dsc or 0.0 for entry in there],
        s=[8 + 6 * entry.mid_cc for entry in there],
        color=MODEL_COLOURS[row],
        alpha=0.6,
    )
    found = [entry for entry in gone if entry.dsc is not None]
    axes.plot([entry.change_cc for entry in found], [0.0] * len(found), "x", color="#c00000", markersize=6)


def _named(found: MapOutcome, name: str, label: Target) -> str:
    own = found.all_folds.get((name, label))
    return name if own is None or own.p is None else f"{name}\np = {own.p:.2g}"


def _say_generated(figure: Figure, found: MapOutcome) -> None:
    if found.base.generated:
        figure.suptitle(f"{found.base.patients} held-out GENERATED patients (phantom), not people", fontsize=10)


def _figure(width: float, height: float) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure
