"""Which segment shows which lesion, also of segments that a user has added, copied or brought back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from HNTargetSegLib.lesions.lesion import MAXIMUM_ID
from HNTargetSegLib.review.visit import VisitReview
from HNTargetSegLib.scene.segments import segment_name
from HNTargetSegLib.scene.tags import written


def segment_ids(segmentation: Any) -> list[str]:
    """Ids of the segments, in the order of the list."""
    return [segmentation.GetNthSegmentID(n) for n in range(segmentation.GetNumberOfSegments())]


def lesions_of_segments(segmentation: Any, known: Mapping[str, int]) -> dict[str, int]:
    """Lesion id by segment id, in the order of the list; segments that show no lesion yet are left out.

    What a segment's own id says counts first, then what was known, then its tag: a copy carries the tag of the segment
    that it was made of, and is another lesion.

    Parameters
    ----------
    known
        Lesion id by segment id, as it was known before.
    """
    names = segment_ids(segmentation)
    said = {name: written(segmentation.GetSegment(name)) for name in names}
    sources = (
        {name: own for name in names if (own := _own_number(name)) is not None},
        {name: known[name] for name in names if name in known},
        {name: tags.lesion for name, tags in said.items() if tags is not None},
    )
    found: dict[str, int] = {}
    for source in sources:
        for name, number in source.items():
            if name not in found and number not in found.values():
                found[name] = number
    return {name: found[name] for name in names if name in found}


def free_id(review: VisitReview, taken: Iterable[int]) -> int:
    """Lowest id above all that a lesion of the visit has or had."""
    of_records = (lesion.id for lesion in (*review.records, *review.retired))
    return max((*review.proposed, *of_records, *taken), default=0) + 1


def _own_number(segment_id: str) -> int | None:
    digits = segment_id.removeprefix(segment_name(0)[:-1])
    if digits == segment_id or not digits.isdecimal():
        return None
    number = int(digits)
    return number if 1 <= number <= MAXIMUM_ID and segment_name(number) == segment_id else None
