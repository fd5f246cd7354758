"""Pictures of an evaluation, as PNG: where a prediction is wrong, and one patient side by side in 2D and 3D."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.orientation import axial_turn
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.export.evaluation_charts import drawn, png
from HNTargetSegLib.export.evaluation_relief import Rgb, relief, view_of
from HNTargetSegLib.export.picture import COLOURS
from HNTargetSegLib.metrics.pieces import occupied_box

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MISSED, FALSE = "#ff5c5c", "#b388ff"
"""Voxels of the reference that the prediction lacks, and the other way round."""

_MARGIN_MM = 22.0
_SMALLEST_MM = 70.0
_BACKGROUND = "#19191e"


@dataclass(frozen=True, eq=False)
class Masks:
    """One case to be drawn: maps on one grid, and the image if there is one."""

    reference: Volume
    predictions: Mapping[str, Volume]
    image: Volume | None = None

    @cached_property
    def spacing(self) -> tuple[float, float, float]:
        """Voxel size in mm along superior, posterior and left."""
        s, p, left = (self.reference.geometry.spacing_kji[a] for a in axial_turn(self.reference.geometry).order)
        return s, p, left

    def axial(self, volume: Volume) -> np.ndarray:
        """Array of a map or the image with axes running to superior, posterior and left."""
        return axial_turn(self.reference.geometry).array(volume.array)

    @cached_property
    def window(self) -> tuple[float, float]:
        """Intensities shown as black and white."""
        if self.image is None:
            return 0.0, 1.0
        steps = tuple(slice(None, None, max(1, n // 128)) for n in self.image.array.shape)
        low, high = np.percentile(self.image.array[steps].astype(np.float32), (1, 99.5))
        return float(low), float(high) if high > low else float(low) + 1.0


def errors(masks: Masks, label: Target, title: str) -> bytes:
    """One axial slice of one label of one prediction: what both have, what was missed and what is false.

    The slice is the one where most voxels differ.
    """
    ((_, prediction),) = masks.predictions.items()
    maps = [masks.axial(volume) for volume in (masks.reference, prediction)]
    differing = _areas((maps[0] == label) ^ (maps[1] == label))
    level = int((differing if differing.any() else _areas(maps[0] == label)).argmax())
    reference, found = (array[level] == label for array in maps)
    extent = _window_of([reference, found], masks.spacing)
    figure, axes = _panel(3.0, 3.3)
    _show(axes, masks, level, extent)
    for mask, colour in (
        (reference & found, COLOURS[label]),
        (reference & ~found, MISSED),
        (found & ~reference, FALSE),
    ):
        _fill(axes, mask[extent], colour)
    _outline(axes, reference[extent], "white")
    axes.set_title(drawn(title), color="white", fontsize=8)
    return png(figure)


def side_by_side(masks: Masks, title: str) -> bytes:
    """The reference and each prediction of one case next to each other: an axial slice above, the segments in 3D below.

    On the slice chosen the reference's labels have, taken together, the largest share of their largest area.
    """
    maps = {"reference": masks.reference, **masks.predictions}
    arrays = {name: masks.axial(volume) for name, volume in maps.items()}
    level = _telling_level(arrays)
    extent = _window_of([array[level] > 0 for array in arrays.values()], masks.spacing)
    figure = _dark(2.8 * len(maps), 6.2)
    figure.suptitle(drawn(title), color="white", fontsize=10)
    view = view_of(list(maps.values()))
    for column, (name, array) in enumerate(arrays.items()):
        above = _axes(figure, 2, len(maps), column + 1)
        _show(above, masks, level, extent)
        for label in Target:
            _fill(above, array[level][extent] == label, COLOURS[label], 0.45)
            _outline(above, array[level][extent] == label, COLOURS[label])
        above.set_title(drawn(name), color="white", fontsize=10)
        below = _axes(figure, 2, len(maps), len(maps) + column + 1)
        if view is not None:
            below.imshow(relief(maps[name], view, {int(label): _rgb(COLOURS[label]) for label in Target}))
    return png(figure)


def _telling_level(arrays: Mapping[str, np.ndarray]) -> int:
    chosen = arrays["reference"] if arrays["reference"].any() else np.maximum.reduce(list(arrays.values()))
    areas = [_areas(chosen == label) for label in Target]
    return int(sum(area / max(int(area.max()), 1) for area in areas).argmax())


def _areas(mask: np.ndarray) -> np.ndarray:
    """Voxels of a mask on each slice."""
    counts: np.ndarray = np.count_nonzero(mask, axis=(1, 2))
    return counts


def _window_of(masks: Sequence[np.ndarray], spacing: tuple[float, float, float]) -> tuple[slice, slice]:
    """Rows and columns round the masks of a slice, square in mm."""
    shape = masks[0].shape
    box = occupied_box(*(mask[None] for mask in masks))
    if box is None:
        return slice(0, shape[0]), slice(0, shape[1])
    steps = spacing[1:]
    half = max(
        *((side.stop - side.start) * step / 2 + _MARGIN_MM for side, step in zip(box[1:], steps, strict=True)),
        _SMALLEST_MM / 2,
    )
    rows, columns = (
        slice(
            max(int((side.start + side.stop) / 2 - half / step), 0),
            min(int((side.start + side.stop) / 2 + half / step) + 1, n),
        )
        for side, step, n in zip(box[1:], steps, shape, strict=True)
    )
    return rows, columns


def _show(axes: Axes, masks: Masks, level: int, extent: tuple[slice, slice]) -> None:
    shape = masks.axial(masks.reference)[level][extent].shape
    low, high = masks.window
    slice_ = np.full(shape, 0.12) if masks.image is None else masks.axial(masks.image)[level][extent]
    axes.imshow(slice_, cmap="gray", vmin=low, vmax=high, aspect=masks.spacing[1] / masks.spacing[2])
    for x, y, letter in ((0.03, 0.5, "R"), (0.97, 0.5, "L"), (0.5, 0.04, "P"), (0.5, 0.96, "A")):
        axes.text(x, y, letter, color="0.8", fontsize=7, ha="center", va="center", transform=axes.transAxes)


def _fill(axes: Axes, mask: np.ndarray, colour: str, opacity: float = 0.6) -> None:
    layer = np.zeros((*mask.shape, 4))
    layer[mask] = (*_rgb(colour), opacity)
    axes.imshow(layer, aspect=axes.get_aspect(), interpolation="nearest")


def _outline(axes: Axes, mask: np.ndarray, colour: str) -> None:
    if mask.any():
        padded = np.pad(mask.astype(float), 1)
        rows, columns = (np.arange(-1, n - 1) for n in padded.shape)
        axes.contour(columns, rows, padded, levels=[0.5], colors=[colour], linewidths=1.0)


def _panel(width: float, height: float) -> tuple[Figure, Axes]:
    figure = _dark(width, height)
    return figure, _axes(figure, 1, 1, 1)


def _dark(width: float, height: float) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", facecolor=_BACKGROUND)
    FigureCanvasAgg(figure)
    return figure


def _axes(figure: Figure, rows: int, columns: int, number: int) -> Axes:
    axes = figure.add_subplot(rows, columns, number)
    axes.set_axis_off()
    return axes


def _rgb(colour: str) -> Rgb:
    red, green, blue = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    return red, green, blue
