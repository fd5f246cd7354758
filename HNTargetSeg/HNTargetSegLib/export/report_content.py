"""What a report of a review says, before it is HTML or PDF."""

from __future__ import annotations

from dataclasses import dataclass

from HNTargetSegLib.export.html_parts import Picture

Fact = tuple[str, str]


@dataclass(frozen=True)
class ReportTable:
    """A table of plain texts: caption, heads of columns, rows."""

    caption: str
    titles: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class ReportSection:
    """What is said of one visit.

    Attributes
    ----------
    title
        Its headline.
    facts
        Names and values, such as image and model.
    tables
        Lesions first.
    pictures
        One a lesion.
    """

    title: str
    facts: tuple[Fact, ...]
    tables: tuple[ReportTable, ...]
    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class ReviewReport:
    """The report, ready to be written as HTML or PDF.

    Attributes
    ----------
    title
        Headline.
    facts
        Names and values about the whole, such as reviewer and versions.
    sections
        One a visit.
    notes
        What a reader should know.
    """

    title: str
    facts: tuple[Fact, ...]
    sections: tuple[ReportSection, ...]
    notes: tuple[str, ...] = ()
