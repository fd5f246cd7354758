"""Draw the icons of the Slicer module: ``python -m Testing.pictures.make_icon``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ICONS = Path(__file__).resolve().parents[2] / "HNTargetSeg" / "Resources" / "Icons"
MODULE_PIXELS = 128
STATE_PIXELS = 24

PT_GREEN = (0, 200, 80)
LN_YELLOW = (255, 220, 0)
FAT = (214, 219, 225)
MUSCLE = (104, 114, 126)
BONE = (38, 44, 51)

# Of middle brightness, so that they stand out from a light and from a dark panel.
STATE_GREY = (125, 132, 140)
STATE_GREEN = (20, 148, 70)
STATE_RED = (226, 72, 66)
STATE_ORANGE = (200, 112, 8)
STATE_BLUE = (44, 128, 220)

Colour = tuple[int, int, int]


def draw_module(axes: Axes) -> None:
    """An axial slice through the neck, the front up: tumour (PT) beside the airway, node (LN) lateral of it."""
    _fill(axes, _outline(1.0), FAT, edge=BONE, width=2.6)
    _fill(axes, _outline(0.86), MUSCLE)
    _fill(axes, _ellipse((0.0, 0.30), 0.19, 0.12), BONE)
    _fill(axes, _ellipse((0.0, -0.30), 0.24, 0.19), FAT)
    _fill(axes, _ellipse((0.0, -0.32), 0.09, 0.08), BONE)
    _fill(axes, _blob((-0.32, 0.30), 0.27), PT_GREEN, edge=BONE, width=2.0)
    _fill(axes, _ellipse((0.47, -0.07), 0.19, 0.26, 18), LN_YELLOW, edge=BONE, width=2.0)


def draw_proposed(axes: Axes) -> None:
    """A ring of dashes: not decided yet."""
    for start in range(0, 360, 60):
        angle = np.deg2rad(np.linspace(start, start + 36, 12))
        _line(axes, np.stack([0.82 * np.cos(angle), 0.82 * np.sin(angle)], -1), STATE_GREY, 2.8)


def draw_accepted(axes: Axes) -> None:
    """A tick."""
    _line(axes, [(-0.78, -0.02), (-0.24, -0.56), (0.80, 0.60)], STATE_GREEN, 3.6)


def draw_rejected(axes: Axes) -> None:
    """A cross."""
    _line(axes, [(-0.62, -0.62), (0.62, 0.62)], STATE_RED, 3.4)
    _line(axes, [(-0.62, 0.62), (0.62, -0.62)], STATE_RED, 3.4)


def draw_edited(axes: Axes) -> None:
    """A pencil."""
    along, across = np.array([1.0, 1.0]) / np.sqrt(2), np.array([1.0, -1.0]) / np.sqrt(2)

    def at(length: float, width: float) -> np.ndarray:
        return length * along + width * across

    _fill(axes, [at(-0.48, -0.27), at(0.62, -0.27), at(0.62, 0.27), at(-0.48, 0.27)], STATE_ORANGE)
    _fill(axes, [at(0.74, -0.27), at(1.04, -0.27), at(1.04, 0.27), at(0.74, 0.27)], STATE_ORANGE)
    _fill(axes, [at(-0.58, -0.27), at(-1.10, 0.0), at(-0.58, 0.27)], STATE_ORANGE)


def draw_added(axes: Axes) -> None:
    """A plus in a square frame."""
    frame = [(-0.78, -0.78), (0.78, -0.78), (0.78, 0.78), (-0.78, 0.78), (-0.78, -0.78), (0.0, -0.78)]
    _line(axes, frame, STATE_BLUE, 1.9)
    _line(axes, [(-0.42, 0.0), (0.42, 0.0)], STATE_BLUE, 2.6)
    _line(axes, [(0.0, -0.42), (0.0, 0.42)], STATE_BLUE, 2.6)


STATES: dict[str, Callable[[Axes], None]] = {
    "proposed": draw_proposed,
    "accepted": draw_accepted,
    "edited": draw_edited,
    "rejected": draw_rejected,
    "added": draw_added,
}


def write_icons(folder: Path) -> list[Path]:
    """Write all icons: the module's, and one a state with the twice as large one that Qt takes on fine screens."""
    folder.mkdir(parents=True, exist_ok=True)
    written = [_write(draw_module, folder / "HNTargetSeg.png", MODULE_PIXELS, MODULE_PIXELS)]
    for state, draw in STATES.items():
        written.append(_write(draw, folder / f"lesion-{state}.png", STATE_PIXELS, STATE_PIXELS))
        written.append(_write(draw, folder / f"lesion-{state}@2x.png", 2 * STATE_PIXELS, STATE_PIXELS))
    return written


def draw_sample(axes: Axes) -> None:
    """The pre-RT slice of the sample patient with most of tumour and nodes together, in the colours of the segments."""
    from HNTargetSegLib.phantom import generate_patient
    from HNTargetSegLib.phantom.sample import SAMPLE_SEED

    visit = generate_patient(SAMPLE_SEED).pre
    tumour, nodes = ((visit.mask.array == label).sum(axis=(1, 2)) for label in (1, 2))
    k = int((tumour * nodes).argmax())
    image, mask = visit.image.array[k], visit.mask.array[k]
    rows, columns = (np.flatnonzero((image > 0.3 * np.quantile(image, 0.99)).any(axis=axis)) for axis in (1, 0))
    # A square round the body; in-plane spacing is the same along both axes. Rows run from front to back.
    half = max(np.ptp(rows), np.ptp(columns)) / 2 + 2
    y = -1.1 * (np.arange(image.shape[0]) - (rows[0] + rows[-1]) / 2) / half
    x = 1.1 * (np.arange(image.shape[1]) - (columns[0] + columns[-1]) / 2) / half
    extent = (x[0], x[-1], y[-1], y[0])
    axes.imshow(image, cmap="gray", vmin=0, vmax=np.quantile(image, 0.995), extent=extent, interpolation="bilinear")
    for label, colour in ((1, PT_GREEN), (2, LN_YELLOW)):
        axes.contour(x, y, mask == label, levels=[0.5], colors=[_rgb(colour)], linewidths=1.6)


def write_thumbnail(folder: Path) -> Path:
    """Write the picture of the sample patient for Slicer's Sample Data module."""
    folder.mkdir(parents=True, exist_ok=True)
    return _write(draw_sample, folder / "SamplePatient.png", MODULE_PIXELS, MODULE_PIXELS)


def _write(draw: Callable[[Axes], None], path: Path, pixels: int, points: int) -> Path:
    """Draw on a transparent square from (-1.1, -1.1) to (1.1, 1.1); line widths are in pixels of ``points``."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(points / 72, points / 72), dpi=72 * pixels / points)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    draw(axes)
    # Only now: an image sets limits of its own.
    axes.set_xlim(-1.1, 1.1)
    axes.set_ylim(-1.1, 1.1)
    figure.savefig(path, transparent=True, metadata={"Software": None})
    return path


def _outline(scale: float) -> np.ndarray:
    """The skin: wider than deep, the chin in front (up), flatter at the nape."""
    angle = np.linspace(0, 2 * np.pi, 200)
    depth = np.where(np.sin(angle) > 0, 1.0, 0.84) * np.sin(angle)
    width = (0.92 - 0.16 * np.clip(np.sin(angle), 0, 1) ** 2) * np.cos(angle)
    return scale * np.stack([1.05 * width, depth - 0.08], -1) + [0.0, 0.03]


def _ellipse(centre: tuple[float, float], width: float, height: float, turned: float = 0.0) -> np.ndarray:
    angle, turn = np.linspace(0, 2 * np.pi, 80), np.deg2rad(turned)
    points = np.stack([width * np.cos(angle), height * np.sin(angle)], -1)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return points @ rotation.T + centre


def _blob(centre: tuple[float, float], radius: float) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, 120)
    length = radius * (1 + 0.12 * np.sin(3 * angle + 0.6) + 0.06 * np.cos(5 * angle))
    return np.stack([length * np.cos(angle), length * np.sin(angle)], -1) + centre


def _fill(axes: Axes, points: object, colour: Colour, edge: Colour | None = None, width: float = 0.0) -> None:
    from matplotlib.patches import Polygon

    outer = "none" if edge is None else _rgb(edge)
    axes.add_patch(Polygon(np.asarray(points), closed=True, facecolor=_rgb(colour), edgecolor=outer, linewidth=width))


def _line(axes: Axes, points: object, colour: Colour, width: float) -> None:
    x, y = np.asarray(points, float).T
    axes.plot(x, y, color=_rgb(colour), linewidth=width, solid_capstyle="round", solid_joinstyle="round")


def _rgb(colour: Colour) -> tuple[float, ...]:
    return tuple(value / 255 for value in colour)


if __name__ == "__main__":
    print(*write_icons(ICONS), write_thumbnail(ICONS), sep="\n")
    sys.exit(0)
