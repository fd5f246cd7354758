"""The final check of a review before its lesions leave."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.case.volume import Triple
from HNTargetSegLib.lesions.final_check import Check, Finding, check_lesions
from HNTargetSegLib.review.session import ReviewSession

TITLES = {
    Check.UNREVIEWED: "Undecided",
    Check.OVERLAP: "Overlap",
    Check.OUTSIDE: "Outside the body",
    Check.ISLAND: "Single-slice island",
    Check.HOLE: "Hole",
    Check.NAME: "Name",
}
"""What a finding is called, the gravest first."""


@dataclass(frozen=True)
class VisitFinding:
    """A finding and the visit that it is of."""

    visit: Visit
    finding: Finding

    @property
    def text(self) -> str:
        """As a list shows it."""
        found = self.finding
        kind = "" if found.check is Check.UNREVIEWED else f"{TITLES[found.check].lower()}, "
        return f"{self.visit.title} {found.name}: {kind}{found.text}"


def final_check(
    session: ReviewSession,
    visits: Iterable[Visit] | None = None,
    overlaps: Mapping[Visit, Iterable[Finding]] | None = None,
) -> tuple[VisitFinding, ...]:
    """Everything to look at before an export, by visit, the gravest first. Nothing of it forbids the export.

    Parameters
    ----------
    visits
        All by default; those without lesions have no findings.
    overlaps
        What a scene knows of overlapping segments.
    """
    order = list(TITLES)
    found: list[VisitFinding] = []
    for visit in session.visits if visits is None else visits:
        review = session.require(visit)
        if review.lesions is None:
            continue
        here = [*check_lesions(review.lesions, review.image.image), *(overlaps or {}).get(visit, ())]
        found += [VisitFinding(visit, finding) for finding in sorted(here, key=lambda x: order.index(x.check))]
    return tuple(found)


def show_finding(session: ReviewSession, found: VisitFinding, look_at: Callable[[Triple], object]) -> None:
    """Select the lesion of a finding and move the views to its place.

    Parameters
    ----------
    look_at
        Moves the views to a place, LPS mm.
    """
    if any(lesion.id == found.finding.lesion_id for lesion in session.lesions(found.visit)):
        session.select(found.visit, found.finding.lesion_id, jump=False)
    look_at(found.finding.place)
