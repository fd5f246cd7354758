"""The report of a review: its lesions, who decided, with what, and the work on each lesion."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Sequence

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.export.review_report import (
    Fact,
    ReportSection,
    ReportTable,
    ReviewReport,
    common_facts,
    visit_section,
)
from HNTargetSegLib.review.edit_record import EditRecord, edit_record
from HNTargetSegLib.review.session import ReviewSession
from HNTargetSegLib.review.visit import RunRecord, VisitReview

_EDIT_TITLES = (
    *("Lesion", "State", "Proposed by", "Voxels added", "Voxels removed", "Surface Dice 1 mm", "Added path [mm]"),
    "Time [s]",
)


def review_report(
    session: ReviewSession, visits: Sequence[Visit], confirmed: Collection[tuple[Visit, str]] = ()
) -> ReviewReport:
    """The report of visits that have lesions.

    Parameters
    ----------
    confirmed
        Visit and name of lesions that leave although nobody has decided about them.
    """
    now = datetime.datetime.now(datetime.timezone.utc)
    name = session.case.name if session.case is not None else ""
    notes = [f"{visit.title} {lesion}: nobody has decided about it." for visit, lesion in sorted(confirmed)]
    warnings = [] if session.case is None else list(session.case.warnings)
    sections = tuple(_section(session, visit) for visit in visits)
    return ReviewReport(f"Review of patient {name}", common_facts(session.reviewer, now), sections, (*notes, *warnings))


def _section(session: ReviewSession, visit: Visit) -> ReportSection:
    review = session.require(visit)
    assert review.lesions is not None
    records = edit_record(session, visit)
    rows = tuple(_edit_row(record) for record in records if record.state is None or record.state.reviewed)
    edits = ReportTable("Work on the lesions", _EDIT_TITLES, rows)
    return visit_section(visit.title, review.image.image, review.lesions, _facts(review), (edits,))


def _facts(review: VisitReview) -> list[Fact]:
    image = review.image
    facts = [("Image", str(image.source or image.image.name))]
    if image.date:
        facts.append(("Date", image.date))
    if review.given is not None:
        facts.append(("Read from", review.given.path))
    if review.run is not None:
        facts += _run_facts(review.run)
    if review.rejected:
        facts.append(("Rejected", ", ".join(lesion.name for lesion in review.rejected)))
    return facts


def _run_facts(run: RunRecord) -> list[Fact]:
    seconds = f", {sum(run.seconds.values()):.1f} s" if run.seconds else ""
    started = run.started.astimezone(datetime.timezone.utc)
    return [
        ("Model", f"{run.model.name} {run.model.version}, SHA-256 {run.model.sha256}"),
        ("Run", f"{started:%Y-%m-%d %H:%M UTC} on {run.device}{seconds}"),
    ]


def _edit_row(record: EditRecord) -> tuple[str, ...]:
    return (
        record.lesion,
        "erased" if record.state is None else record.state.value,
        record.model or "\u2013",
        str(record.voxels_added),
        str(record.voxels_removed),
        "\u2013" if record.surface_dice_1mm is None else f"{record.surface_dice_1mm:.3f}",
        "\u2013" if record.added_path_mm is None else f"{record.added_path_mm:.0f}",
        f"{record.seconds:.0f}",
    )
