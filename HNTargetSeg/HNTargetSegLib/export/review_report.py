"""The report of a review on one page: what leaves, a picture of each lesion, who decided and with what."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.export.format import REPORT_HTML, REPORT_PDF
from HNTargetSegLib.export.html_parts import Picture, document, image, table
from HNTargetSegLib.export.manifest import RESEARCH_USE_ONLY, package_versions
from HNTargetSegLib.export.picture import close_up
from HNTargetSegLib.export.report_content import Fact, ReportSection, ReportTable, ReviewReport
from HNTargetSegLib.files import replacing, write_text
from HNTargetSegLib.lesions.lesion import Lesion, LesionSet

LESION_TITLES = (
    *("Lesion", "Kind", "Side", "State", "Volume [cc]", "Long [mm]", "Short [mm]", "pre-RT [cc]", "Change [%]"),
    *("Fate", "Probability"),
)


def visit_section(
    title: str, shown: Volume, lesions: LesionSet, facts: Sequence[Fact], tables: Sequence[ReportTable] = ()
) -> ReportSection:
    """Section of a visit: table and pictures of the lesions that were not rejected.

    Parameters
    ----------
    title
        Such as ``mid-RT``.
    shown, lesions
        MR and lesions, on one grid.
    facts, tables
        As the attributes of :class:`ReportSection`; ``tables`` come after that of the lesions.

    Raises
    ------
    GeometryError
        If the lesions lie on another grid.
    """
    shown.require_same_grid(lesions.ids)
    leaving = lesions.without_rejected()
    listed = [lesion for lesion in leaving if lesion.voxels]
    gone = [lesion.name for lesion in leaving if not lesion.voxels]
    rows = tuple(_lesion_row(lesion) for lesion in leaving)
    pictures = tuple(Picture(close_up(shown, leaving, lesion), _caption(lesion)) for lesion in listed)
    vanished = (("Vanished since pre-RT", ", ".join(gone)),) if gone else ()
    return ReportSection(title, (*facts, *vanished), (ReportTable("Lesions", LESION_TITLES, rows), *tables), pictures)


def common_facts(reviewer: str | None, now: datetime.datetime) -> tuple[Fact, ...]:
    """Who, when and with which package: what every report says first."""
    versions = package_versions()
    package = f"HNTargetSeg {versions['hntargetseg']}, Python {versions['python']}"
    return (
        ("Reviewer", reviewer or "not given"),
        ("Written", now.astimezone(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")),
        ("Package", package),
    )


def write_report(report: ReviewReport, folder: Path) -> None:
    """Write ``report.html`` and ``report.pdf``, each whole or not at all.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    from HNTargetSegLib.export.review_report_pdf import as_pdf

    write_text(folder / REPORT_HTML, as_html(report))
    content = as_pdf(report)
    with replacing(folder / REPORT_PDF) as temporary:
        temporary.write_bytes(content)


def as_html(report: ReviewReport) -> str:
    """The report as one HTML document that loads nothing from anywhere."""
    return document(report.title, _parts(report))


def _parts(report: ReviewReport) -> Iterable[str]:
    yield f"<h1>{escape(report.title)}</h1>"
    yield f'<p class="note">{escape(RESEARCH_USE_ONLY)}</p>'
    yield _facts(report.facts)
    yield from (f'<p class="note">{escape(note)}</p>' for note in report.notes)
    for section in report.sections:
        yield f"<h2>{escape(section.title)}</h2>"
        yield _facts(section.facts)
        yield from (table(part.caption, part.titles, part.rows) for part in section.tables if part.rows)
        if not section.pictures:
            yield "<p>No lesion leaves.</p>"
        figures = "".join(
            f"<figure>{image(picture)}<figcaption>{escape(picture.text)}</figcaption></figure>"
            for picture in section.pictures
        )
        yield f'<div class="figures">{figures}</div>'
    yield "<p>Axial and coronal planes have the patient's right at the left. Green: GTVp. Yellow: GTVn.</p>"


def _facts(facts: Sequence[Fact]) -> str:
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in facts)
    return f'<div class="scroll"><table class="facts">{rows}</table></div>' if facts else ""


def _lesion_row(lesion: Lesion) -> tuple[str, ...]:
    return (
        lesion.name,
        lesion.label.title,
        lesion.side.value,
        lesion.state.value,
        f"{lesion.volume_cc:.2f}",
        f"{lesion.long_mm:.1f}",
        f"{lesion.short_mm:.1f}",
        _number(lesion.prior_cc, ".2f"),
        _number(lesion.change_pct, "+.0f"),
        "\u2013" if lesion.fate is None else lesion.fate.value,
        _number(lesion.p_mean, ".2f"),
    )


def _number(value: float | None, form: str) -> str:
    return "\u2013" if value is None else format(value, form)


def _caption(lesion: Lesion) -> str:
    return f"{lesion.name}, {lesion.side.value}, {lesion.volume_cc:.2f} cc, {lesion.state.value}"
