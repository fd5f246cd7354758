"""Pictures of a result: three planes through the largest lesions, with outlines and names."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.export.manifest import RESEARCH_USE_ONLY
from HNTargetSegLib.export.planes import Display, Plane, Point
from HNTargetSegLib.export.surroundings import surroundings
from HNTargetSegLib.files import replacing
from HNTargetSegLib.lesions.lesion import Lesion, LesionSet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text

COLOURS = {target: target.hex_colour for target in Target}
"""Outlines: primary tumour green, lymph nodes yellow."""

NO_LESION = "no lesion found"

_ROWS = 3
_WIDTH, _GAP, _HEADER, _LINE, _DPI = 12.0, 0.1, 0.5, 0.32, 100
_CLOSE_UP_HEIGHT = 2.6


@dataclass(frozen=True)
class _Row:
    display: Display
    at: Point
    caption: str


@dataclass(frozen=True)
class _Frame:
    """Where a plane lies: its upper left corner in inches of the picture, its size in mm, and inches a mm."""

    left: float
    top: float
    width: float
    height: float
    scale: float

    def place(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Inches of a point in mm from the upper left corner."""
        return self.left + self.scale * x, self.top - self.scale * y

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Left, right, bottom and top edge in inches."""
        right, bottom = self.place(self.width, self.height)
        return self.left, right, bottom, self.top


def write_overlay(image: Volume, lesions: LesionSet, path: str | PathLike[str], title: str = "") -> None:
    """Write a PNG with a row of three planes through each of the (at most three) largest lesions.

    Radiological convention: the patient's right is at the left of axial and coronal planes. All planes have one scale.
    The largest primary tumour and the largest node come first; without lesions the central planes are shown.

    Parameters
    ----------
    image, lesions
        On one grid, in any orientation.
    path
        Where the PNG goes.
    title
        Headline.

    Raises
    ------
    GeometryError
        If the lesions lie on another grid.
    OutputError
        If the file cannot be written.
    """
    image.require_same_grid(lesions.ids)
    display = Display(image, lesions)
    chosen = _largest(lesions, _ROWS)
    rows = [_Row(display, display.centre_of(lesion), _caption(lesion)) for lesion in chosen]
    _write(rows or [_Row(display, display.middle(), NO_LESION)], path, title)


def write_pair(
    pre: tuple[Volume, LesionSet], mid: tuple[Volume, LesionSet], path: str | PathLike[str], title: str = ""
) -> None:
    """Write a PNG with a row of three planes a visit, each through the largest lesion of the mid-RT visit.

    The pre-RT row shows the lesion that it was matched to, if any, and else the pre-RT visit's own largest one.

    Parameters
    ----------
    pre, mid
        Image and lesions of each visit; the two visits may lie on different grids.
    path, title
        As for :func:`write_overlay`.

    Raises
    ------
    GeometryError
        If lesions lie on another grid than their image.
    OutputError
        If the file cannot be written.
    """
    rows = []
    shown_mid = _largest(mid[1], 1)
    matched = [lesion for lesion in pre[1].present if shown_mid and lesion.id in shown_mid[0].prior_ids]
    visits = (("pre-RT", *pre, matched[:1] or _largest(pre[1], 1)), ("mid-RT", *mid, shown_mid))
    for name, image, lesions, chosen in visits:
        image.require_same_grid(lesions.ids)
        display = Display(image, lesions)
        at = display.centre_of(chosen[0]) if chosen else display.middle()
        rows.append(_Row(display, at, f"{name}: {_caption(chosen[0]) if chosen else NO_LESION}"))
    _write(rows, path, title)


def close_up(image: Volume, lesions: LesionSet, lesion: Lesion, *, around_mm: float = 30.0) -> bytes:
    """PNG of three planes through a lesion and its surroundings, with the outlines of all lesions there.

    Radiological convention, as :func:`write_overlay`; the grey values are stretched over what is shown.

    Parameters
    ----------
    image, lesions
        On one grid, in any orientation.
    lesion
        One of ``lesions`` that has voxels.
    around_mm
        How much is shown on each side of its bounding box.
    """
    display = Display(*surroundings(image, lesions, lesion, around_mm))
    stream = io.BytesIO()
    scale = _CLOSE_UP_HEIGHT / max(display.size_mm(plane)[1] for plane in Plane)
    width = sum(scale * display.size_mm(plane)[0] + _GAP for plane in Plane) + _GAP
    canvas, axes = _sheet(width, _CLOSE_UP_HEIGHT + 2 * _GAP)
    row = _Row(display, display.centre_of(display.lesions[lesion.id]), "")
    _draw_row(axes, row, _CLOSE_UP_HEIGHT / 2 + _GAP, scale)
    _render(canvas, stream)
    return stream.getvalue()


def _largest(lesions: LesionSet, count: int) -> list[Lesion]:
    by_volume = sorted(lesions.present, key=lambda lesion: -lesion.volume_cc)
    first = [next((lesion for lesion in by_volume if lesion.label is label), None) for label in Target]
    leading = [lesion for lesion in first if lesion is not None]
    if count == 1:
        return by_volume[:1]
    return [*leading, *(lesion for lesion in by_volume if lesion not in leading)][:count]


def _caption(lesion: Lesion) -> str:
    size = f"{lesion.volume_cc:.2f} cc, {lesion.long_mm:.0f} x {lesion.short_mm:.0f} mm"
    return f"{lesion.name}, {lesion.side.value}, {size}"


def _write(rows: Sequence[_Row], path: str | PathLike[str], title: str) -> None:
    widest = max(sum(row.display.size_mm(plane)[0] for plane in Plane) for row in rows)
    scale = (_WIDTH - _GAP * (len(Plane) + 1)) / widest
    heights = [scale * max(row.display.size_mm(plane)[1] for plane in Plane) for row in rows]
    height = _HEADER + sum(heights) + (_LINE + _GAP) * len(rows) + _LINE
    canvas, axes = _sheet(_WIDTH, height)
    # Bytes of a file name that are not UTF-8 cannot be drawn.
    drawn = title.encode("utf-8", "replace").decode("utf-8")
    _text(axes, (_GAP, height - _HEADER / 2), drawn, size=14, weight="bold")
    top = height - _HEADER
    for row, row_height in zip(rows, heights, strict=True):
        _text(axes, (_GAP, top - _LINE / 2), row.caption, size=11)
        _draw_row(axes, row, top - _LINE - row_height / 2, scale)
        top -= _LINE + row_height + _GAP
    _text(axes, (_GAP, _LINE / 2), RESEARCH_USE_ONLY, size=9, color="#ff8a80")
    _text(axes, (_WIDTH - 4.2, _LINE / 2), "green: primary tumour (GTVp)   yellow: lymph node (GTVn)", size=9)
    with replacing(path) as temporary, open(temporary, "wb") as stream:
        _render(canvas, stream)


def _sheet(width: float, height: float) -> tuple[FigureCanvasAgg, Axes]:
    """A black canvas of a size in inches, and one pair of axes in inches for everything.

    Making axes costs more than drawing in them.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    canvas = FigureCanvasAgg(Figure(figsize=(width, height), dpi=_DPI, facecolor="black"))
    axes = canvas.figure.add_axes((0, 0, 1, 1), frame_on=False)
    axes.set(xlim=(0, width), ylim=(0, height), autoscale_on=False)
    axes.set_axis_off()
    return canvas, axes


def _render(canvas: FigureCanvasAgg, stream: IO[bytes]) -> None:
    from PIL import Image

    with warnings.catch_warnings():
        # A title in a script that the font lacks is drawn with boxes; that is no reason to stop.
        warnings.filterwarnings("ignore", message=".*[Gg]lyph", category=UserWarning)
        canvas.draw()
    opaque = np.asarray(canvas.buffer_rgba())[..., :3]
    # The default level takes three times as long for a sixth fewer bytes.
    Image.fromarray(opaque).save(stream, format="png", compress_level=1, dpi=(_DPI, _DPI))


def _draw_row(axes: Axes, row: _Row, middle: float, scale: float) -> None:
    left = _GAP
    for plane in Plane:
        width, height = row.display.size_mm(plane)
        _draw_plane(axes, row, plane, _Frame(left, middle + scale * height / 2, width, height, scale))
        left += scale * width + _GAP


def _draw_plane(axes: Axes, row: _Row, plane: Plane, frame: _Frame) -> None:
    display = row.display
    low, high = display.window
    axes.imshow(
        display.image_slice(plane, row.at),
        cmap="gray",
        vmin=low,
        vmax=high,
        extent=frame.extent,
        interpolation="bilinear",
        aspect="auto",
    )
    ids = display.id_slice(plane, row.at)
    for lesion in display.lesions.present:
        own = ids == lesion.id
        if own.any():
            _draw_outline(axes, own, lesion, frame)
    left, right, top, bottom = plane.value
    for x, y, letter in ((0.02, 0.5, left), (0.98, 0.5, right), (0.5, 0.03, top), (0.5, 0.97, bottom)):
        place = frame.place(x * frame.width, y * frame.height)
        _text(axes, place, letter, size=11, rim=True, ha="center")
    if plane is Plane.AXIAL:
        _draw_scale_bar(axes, frame)


def _draw_outline(axes: Axes, own: np.ndarray, lesion: Lesion, frame: _Frame) -> None:
    from contourpy import contour_generator
    from matplotlib.transforms import Bbox, TransformedBbox

    # A rim of background closes the outline of a lesion at the image's border.
    padded = np.pad(own.astype(float), 1)
    steps = [mm / n for mm, n in zip((frame.width, frame.height), own.shape[::-1], strict=True)]
    x, y = ((np.arange(n) - 0.5) * step for n, step in zip(padded.shape[::-1], steps, strict=True))
    left, right, bottom, top = frame.extent
    inside = TransformedBbox(Bbox.from_extents(left, bottom, right, top), axes.transData)
    for points in contour_generator(x, y, padded).lines(0.5):
        (line,) = axes.plot(*frame.place(*np.asarray(points).T), color=COLOURS[lesion.label], linewidth=1.3)
        line.set_clip_box(inside)
    rows, columns = np.flatnonzero(own.any(axis=1)), np.flatnonzero(own.any(axis=0))
    at_right = columns[-1] + 1 < 0.8 * own.shape[1]
    place = frame.place((columns[-1] + 2 if at_right else columns[0] - 1) * steps[0], rows[0] * steps[1])
    style = {"color": COLOURS[lesion.label], "ha": "left" if at_right else "right", "va": "bottom"}
    name = _text(axes, place, lesion.name, size=9, rim=True, **style, clip_on=True)
    # Axes replace the box that a new artist brings along.
    name.set_clip_box(inside)


def _draw_scale_bar(axes: Axes, frame: _Frame) -> None:
    length = 50 if frame.width >= 120 else 10
    x, y = 0.04 * frame.width, 0.95 * frame.height
    ends = np.array([x, x + length])
    axes.plot(*frame.place(ends, np.array([y, y])), color="white", linewidth=2.5, solid_capstyle="butt")
    _text(axes, frame.place(x, y - 0.015 * frame.height), f"{length} mm", size=9, rim=True, va="bottom")


def _text(axes: Axes, place: tuple[Any, Any], text: str, *, size: float, rim: bool = False, **style: Any) -> Text:
    """Text at a place in inches; with a dark rim where it stands on an image."""
    from matplotlib.patheffects import withStroke

    effects = [withStroke(linewidth=1.5, foreground="black")] if rim else []
    style = {"color": "white", "va": "center", **style}
    return axes.text(*place, text, size=size, parse_math=False, path_effects=effects, **style)
