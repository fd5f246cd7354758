"""The report of a review as PDF: A4 pages that are filled from top to bottom."""

from __future__ import annotations

import io
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from HNTargetSegLib.export.html_parts import Picture
from HNTargetSegLib.export.manifest import RESEARCH_USE_ONLY
from HNTargetSegLib.export.report_content import Fact, ReportTable, ReviewReport

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH, _HEIGHT, _MARGIN = 8.27, 11.69, 0.6
_LINE, _SMALL = 0.17, 7.0
_LETTERS_ACROSS = 118
_NOTE_COLOUR = "#8a5a00"
_PICTURES_ACROSS, _PICTURE_GAP = 2, 0.15


def as_pdf(report: ReviewReport) -> bytes:
    """The report as a PDF document, as many pages as it takes; ``research use only`` stands on each."""
    from matplotlib.backends.backend_pdf import PdfPages

    stream = io.BytesIO()
    with (
        _quiet_fonts(),
        # TrueType, so that text can be searched and copied.
        _settings({"pdf.fonttype": 42}),
        PdfPages(stream, metadata={"Title": _drawable(report.title), "Creator": "HNTargetSeg"}) as pages,
    ):
        sheet = _Sheet(pages)
        sheet.text(report.title, size=15, weight="bold", step=0.34)
        sheet.paragraph(RESEARCH_USE_ONLY, colour=_NOTE_COLOUR)
        sheet.facts(report.facts)
        for note in report.notes:
            sheet.paragraph(note, colour=_NOTE_COLOUR)
        for section in report.sections:
            sheet.skip(0.12)
            sheet.text(section.title, size=12, weight="bold", step=0.28, keep=1.0)
            sheet.facts(section.facts)
            for part in section.tables:
                sheet.table(part)
            sheet.pictures(section.pictures)
        sheet.end()
    return stream.getvalue()


class _Sheet:
    """The page at work, in inches, and how far down it is written."""

    def __init__(self, pages: Any) -> None:
        self._pages = pages
        self._number = 0
        self._axes: Axes | None = None
        self._top = 0.0

    def text(self, text: str, *, size: float = 8.5, step: float = _LINE, keep: float = 0.0, **style: Any) -> None:
        """A line; ``keep`` inches below it stay on the same page."""
        axes = self._room(step + keep)
        self._write(axes, _MARGIN, text, size=size, **style)
        self._top -= step

    def paragraph(self, text: str, *, colour: str = "black") -> None:
        """Text in as many lines as it takes."""
        for line in textwrap.wrap(text, _LETTERS_ACROSS) or [""]:
            self.text(line, color=colour)

    def facts(self, facts: Sequence[Fact]) -> None:
        """Names and values in two columns."""
        for name, value in facts:
            lines = textwrap.wrap(value, _LETTERS_ACROSS - 26) or [""]
            for number, line in enumerate(lines):
                axes = self._room(_LINE)
                if number == 0:
                    self._write(axes, _MARGIN, name, size=8.5, weight="bold")
                self._write(axes, _MARGIN + 1.6, line, size=8.5)
                self._top -= _LINE

    def table(self, part: ReportTable) -> None:
        """A table; its head is drawn again on each page."""
        if not part.rows:
            return
        widths = [max(len(row[n]) for row in (part.titles, *part.rows)) + 2 for n in range(len(part.titles))]
        starts = np.concatenate([[0], np.cumsum(widths)[:-1]]) * (_WIDTH - 2 * _MARGIN) / max(sum(widths), 80)
        self.skip(0.06)
        self.text(part.caption, size=9, weight="bold", keep=3 * _LINE)
        head = True
        for row in part.rows:
            page = self._number
            self._room(2 * _LINE if head else _LINE)
            if head or page != self._number:
                self._row(part.titles, starts, weight="bold")
                head = False
            self._row(row, starts)

    def pictures(self, pictures: Sequence[Picture]) -> None:
        """Pictures side by side, each with its words below."""
        from PIL import Image

        width = (_WIDTH - 2 * _MARGIN - (_PICTURES_ACROSS - 1) * _PICTURE_GAP) / _PICTURES_ACROSS
        for first in range(0, len(pictures), _PICTURES_ACROSS):
            row = pictures[first : first + _PICTURES_ACROSS]
            drawn = [np.asarray(Image.open(io.BytesIO(picture.png))) for picture in row]
            heights = [width * image.shape[0] / image.shape[1] for image in drawn]
            axes = self._room(max(heights) + _LINE + _PICTURE_GAP)
            for place, (picture, image, height) in enumerate(zip(row, drawn, heights, strict=True)):
                left = _MARGIN + place * (width + _PICTURE_GAP)
                axes.imshow(image, extent=(left, left + width, self._top - height, self._top), aspect="auto")
                below = self._top - height - 0.6 * _LINE
                axes.text(left, below, _drawable(picture.text), size=_SMALL, va="center", parse_math=False)
            self._top -= max(heights) + _LINE + _PICTURE_GAP

    def skip(self, inches: float) -> None:
        """Leave some room."""
        self._top -= inches

    def end(self) -> None:
        """Put the last page into the document."""
        if self._axes is not None:
            self._pages.savefig(self._axes.figure)
            self._axes = None

    def _row(self, cells: Sequence[str], starts: np.ndarray, **style: Any) -> None:
        axes = self._room(_LINE)
        for start, cell in zip(starts, cells, strict=True):
            self._write(axes, _MARGIN + start, cell, size=_SMALL, **style)
        self._top -= _LINE

    def _room(self, height: float) -> Axes:
        """The axes of a page with at least this much room left."""
        if self._axes is None or self._top - height < _MARGIN:
            self.end()
            self._axes = self._new_page()
        return self._axes

    def _new_page(self) -> Axes:
        from matplotlib.figure import Figure

        self._number += 1
        axes = Figure(figsize=(_WIDTH, _HEIGHT), dpi=150).add_axes((0, 0, 1, 1), frame_on=False)
        axes.set(xlim=(0, _WIDTH), ylim=(0, _HEIGHT), autoscale_on=False)
        axes.set_axis_off()
        foot = f"{RESEARCH_USE_ONLY}   Page {self._number}"
        axes.text(_WIDTH / 2, _MARGIN / 2, foot, size=_SMALL, ha="center", va="center", color=_NOTE_COLOUR)
        self._top = _HEIGHT - _MARGIN
        return axes

    def _write(self, axes: Axes, left: float, text: str, **style: Any) -> None:
        axes.text(left, self._top - _LINE / 2, _drawable(text), va="center", parse_math=False, **style)


def _drawable(text: str) -> str:
    # Bytes of a file name that are not UTF-8 are lone surrogates, which cannot be drawn.
    return text.encode("utf-8", "replace").decode("utf-8")


@contextmanager
def _quiet_fonts() -> Iterator[None]:
    with warnings.catch_warnings():
        # A name in a script that the font lacks is drawn with boxes; that is no reason to stop.
        warnings.filterwarnings("ignore", message=".*[Gg]lyph", category=UserWarning)
        yield


@contextmanager
def _settings(values: dict[str, Any]) -> Iterator[None]:
    import matplotlib as mpl

    with mpl.rc_context(values):
        yield
