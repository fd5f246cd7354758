"""A picture of a registration: a checkerboard of both visits, before and after, in three planes."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING

import numpy as np

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.export.manifest import RESEARCH_USE_ONLY
from HNTargetSegLib.export.planes import Display, Plane, Point
from HNTargetSegLib.files import replacing
from HNTargetSegLib.lesions.lesion import LesionSet

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SQUARE_MM = 20.0
_WIDTH, _DPI = 12.0, 100
_GAP, _HEADER, _FOOTER = 0.08, 0.35, 0.3


def write_checkerboard(
    fixed: Volume,
    before: Volume,
    after: Volume,
    path: str | PathLike[str],
    title: str = "",
    mask: Volume | None = None,
) -> None:
    """Write a PNG: squares of the fixed and of the moving visit take turns, so that edges show where they do not meet.

    Parameters
    ----------
    fixed
        T2 of the fixed visit.
    before, after
        T2 of the moving visit on its grid, where the files place it and where the registration does.
    path, title
        Where the PNG goes, and its headline.
    mask
        Registered delineation, outlined in the lower row; the planes go through its middle.

    Raises
    ------
    GeometryError
        If a volume lies on another grid.
    OutputError
        If the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    for other in (before, after, *((mask,) if mask is not None else ())):
        fixed.require_same_grid(other)
    shown = [_display(volume) for volume in (fixed, before, after)]
    at = _point(shown[0], mask)
    widths = [shown[0].size_mm(plane)[0] for plane in Plane]
    scale = (_WIDTH - _GAP * (len(Plane) + 1)) / sum(widths)
    row = scale * max(shown[0].size_mm(plane)[1] for plane in Plane)
    height = 2 * (row + _HEADER) + _FOOTER
    canvas = FigureCanvasAgg(Figure(figsize=(_WIDTH, height), dpi=_DPI, facecolor="black"))
    for number, (moving, caption) in enumerate(((shown[1], "before"), (shown[2], f"after   {title}"))):
        top = height - number * (row + _HEADER)
        drawn = caption.encode("utf-8", "replace").decode("utf-8")
        canvas.figure.text(
            _GAP / _WIDTH, (top - 0.24) / height, drawn, color="white", size=11, parse_math=False, weight="bold"
        )
        left = _GAP
        for plane in Plane:
            width, tall = (scale * mm for mm in shown[0].size_mm(plane))
            corner = (left / _WIDTH, (top - _HEADER - tall) / height, width / _WIDTH, tall / height)
            axes = canvas.figure.add_axes(corner)
            _draw(axes, shown[0], moving, plane, at)
            if mask is not None and number:
                _outline(axes, _display(mask), plane, at)
            left += width + _GAP
    canvas.figure.text(_GAP / _WIDTH, 0.08 / height, RESEARCH_USE_ONLY, color="#ff8a80", size=9)
    with replacing(path) as temporary:
        canvas.print_png(str(temporary))


def _draw(axes: Axes, fixed: Display, moving: Display, plane: Plane, at: Point) -> None:
    first, second = (_grey(display, plane, at) for display in (fixed, moving))
    steps = [mm / n for mm, n in zip(fixed.size_mm(plane)[::-1], first.shape, strict=True)]
    rows, columns = (np.arange(n) * step // _SQUARE_MM for n, step in zip(first.shape, steps, strict=True))
    board = (rows[:, None] + columns) % 2 == 0
    width, tall = fixed.size_mm(plane)
    axes.imshow(np.where(board, first, second), cmap="gray", vmin=0, vmax=1, extent=(0, width, tall, 0), aspect="auto")
    axes.set_axis_off()
    left, right, top, bottom = plane.value
    for x, y, letter in ((0.03, 0.5, left), (0.97, 0.5, right), (0.5, 0.96, top), (0.5, 0.04, bottom)):
        axes.text(x, y, letter, color="white", size=10, ha="center", va="center", transform=axes.transAxes)


def _outline(axes: Axes, mask: Display, plane: Plane, at: Point) -> None:
    labels = mask.image_slice(plane, at)
    width, tall = mask.size_mm(plane)
    x = (np.arange(labels.shape[1]) + 0.5) * width / labels.shape[1]
    y = (np.arange(labels.shape[0]) + 0.5) * tall / labels.shape[0]
    for label in Target:
        if (labels == label).any():
            axes.contour(x, y, (labels == label).astype(float), [0.5], colors=label.hex_colour, linewidths=1.2)


def _grey(display: Display, plane: Plane, at: Point) -> np.ndarray:
    low, high = display.window
    return np.clip((display.image_slice(plane, at).astype(float) - low) / (high - low), 0, 1)


def _display(volume: Volume) -> Display:
    return Display(volume, LesionSet(volume.with_array(np.zeros(volume.array.shape, np.uint16)), ()))


def _point(fixed: Display, mask: Volume | None) -> Point:
    if mask is None or not mask.array.any():
        return fixed.middle()
    voxels = np.argwhere(fixed.turn.array(mask.array))
    s, p, left = voxels[((voxels - voxels.mean(axis=0)) ** 2).sum(axis=1).argmin()].tolist()
    return s, p, left
