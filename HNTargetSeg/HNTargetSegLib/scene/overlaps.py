"""Voxels that several segments claim, as findings of the final check."""

from __future__ import annotations

from HNTargetSegLib.lesions.final_check import Finding, overlap_finding
from HNTargetSegLib.review.visit import VisitReview
from HNTargetSegLib.scene.visit_nodes import VisitNodes


def overlaps_of(nodes: VisitNodes, review: VisitReview) -> tuple[Finding, ...]:
    """A finding for each pair of segments that overlap, of the lesion that loses the voxels; not of rejected ones.

    Raises
    ------
    BadInputError, GeometryError
        If the segments cannot be read.
    """
    reading = nodes.read()
    numbers = nodes.number()
    present = {} if review.lesions is None else {lesion.id: lesion for lesion in review.lesions.present}
    geometry = review.image.image.geometry
    found = []
    for (under, over), shared in reading.shared.items():
        loser, winner = (numbers.get(reading.names[rank - 1], 0) for rank in (under, over))
        if winner in present and loser in present:
            x, y, z = geometry.to_lps(shared.first)
            place = float(x), float(y), float(z)
            found.append(overlap_finding(present[loser], present[winner].name, shared.voxels, place))
    return tuple(found)
