"""The review of a visit with the answer to one more box, or without that of one."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.export.manifest import ModelRecord
from HNTargetSegLib.lesions.find import remeasure
from HNTargetSegLib.lesions.lesion import Lesion, LesionSet
from HNTargetSegLib.prompts.applied import FINISHED, applied
from HNTargetSegLib.review.prompt_record import PromptRecord
from HNTargetSegLib.review.proposed import ProposedLesion
from HNTargetSegLib.review.visit import VisitReview
from HNTargetSegLib.worker.prompt_messages import PromptOutcome


def with_prompt(
    review: VisitReview, outcome: PromptOutcome, *, midline_mm: float | None = None
) -> tuple[VisitReview, tuple[int, ...]]:
    """The review with the answer to one more box; see :func:`~HNTargetSegLib.prompts.applied.applied` for the rules.

    Returns
    -------
    VisitReview, tuple of int
        The review, and the ids of lesions whose voxels have changed or are gone; none where nothing was found.
    """
    image = review.image.image
    lesions = review.lesions or LesionSet(image.with_array(np.zeros(image.array.shape, np.uint16)), ())
    used = [*(lesion.id for lesion in review.retired), *review.proposed]
    answer = outcome.answer
    result = applied(lesions, answer, used=used, midline_mm=midline_mm)
    record = PromptRecord(
        prompt=answer.prompt,
        drawn=result.drawn,
        touches=answer.touches,
        notes=(*answer.notes, *result.notes),
        model=outcome.model,
        made=datetime.datetime.now(datetime.timezone.utc),
        seconds=sum(answer.seconds.values()),
        region=result.region,
        before=lesions.ids.array[result.region].copy(),
        after=result.lesions.ids.array[result.region].copy(),
        replaced=tuple(lesion for lesion in lesions if lesion.id in result.changed),
    )
    found = result.lesions if result.changed else lesions
    changed = _followed(replace(review, lesions=lesions), found, result.changed, outcome.model)
    return replace(changed, prompts=(*review.prompts, record)), result.changed


def without_prompt(
    review: VisitReview, number: int, *, midline_mm: float | None = None
) -> tuple[VisitReview, tuple[int, ...]]:
    """The review without the effect of a box, in the order in which they were drawn; what came later stays.

    A voxel goes back to what it was before the box where it still is as the box has left it.

    Raises
    ------
    BadInputError
        If there is no such box, or a lesion that it has drawn was accepted or edited since.
    """
    if not 0 <= number < len(review.prompts):
        raise BadInputError(f"There is no box {number + 1}", remedy=f"There are {len(review.prompts)}")
    record = review.prompts[number]
    rest = tuple(prompt for prompt in review.prompts if prompt is not record)
    lesions = review.lesions
    if lesions is None or np.array_equal(record.before, record.after):
        return replace(review, prompts=rest), ()
    finished = {lesion.id: lesion for lesion in lesions if lesion.state in FINISHED}
    if kept := [finished[lesion_id].name for lesion_id in record.drawn if lesion_id in finished]:
        raise BadInputError(
            f"{', '.join(kept)} came of this box and was accepted or edited since",
            remedy="Take that verdict back first",
        )
    now = lesions.ids.array[record.region]
    back = (now == record.after) & (record.before != record.after)
    ids = lesions.ids.array.copy()
    records = {lesion.id: lesion for lesion in record.replaced} | {lesion.id: lesion for lesion in lesions}
    usable = np.isin(record.before, [x for x in records if x not in finished])
    ids[record.region] = np.where(back, np.where(usable, record.before, 0), now)
    different = ids[record.region] != now
    changed = {int(x) for x in np.union1d(now[different], ids[record.region][different])} - {0}
    if not changed:
        return replace(review, prompts=rest), ()
    measured = _remeasured(lesions, ids, records, changed, record, midline_mm)
    found = _followed(review, measured, tuple(sorted(changed)), record.model)
    return replace(found, prompts=rest), tuple(sorted(changed))


def _remeasured(
    lesions: LesionSet,
    ids: np.ndarray,
    records: Mapping[int, Lesion],
    changed: set[int],
    record: PromptRecord,
    midline_mm: float | None,
) -> LesionSet:
    alone = np.where(np.isin(ids, sorted(changed)), ids, 0).astype(np.uint16)
    as_it_was = {lesion.id: lesion for lesion in record.replaced}
    measured = []
    for new in remeasure(lesions.ids.with_array(alone), [records[x] for x in changed], midline_mm=midline_mm):
        old = as_it_was.get(new.id)
        whole = old is not None and (old.voxels, old.box, old.centroid) == (new.voxels, new.box, new.centroid)
        kept = records[new.id] if new.id not in as_it_was or not whole else old
        assert kept is not None, "it is one of both"
        size = {name: getattr(new, name) for name in ("side", "voxels", "volume_cc", "long_mm", "short_mm")}
        measured.append(replace(kept, **size, centroid=new.centroid, box=new.box, state=records[new.id].state))
    others = [lesion for lesion in lesions if lesion.id not in changed and lesion.voxels]
    vanished = [lesion for lesion in lesions if lesion.id not in changed and not lesion.voxels]
    present = sorted((*others, *measured), key=lambda lesion: lesion.id)
    names = {lesion.name for lesion in present}
    return LesionSet(lesions.ids.with_array(ids), (*present, *(x for x in vanished if x.name not in names)))


def _followed(review: VisitReview, found: LesionSet, changed: tuple[int, ...], model: ModelRecord) -> VisitReview:
    """The review with lesions that an AI step has changed: they are what was proposed, and no hand's work."""
    if not changed:
        return review
    present = {lesion.id: lesion for lesion in found if lesion.voxels}
    proposed = {number: was for number, was in review.proposed.items() if number not in changed or number in present}
    for number in changed:
        if number in present and number not in review.touched:
            proposed[number] = ProposedLesion(present[number], found.mask(present[number]), model)
    gone = [lesion for lesion in review.records if lesion.id in changed and lesion.id not in present]
    retired = [lesion for lesion in review.retired if lesion.id not in present]
    return replace(
        review,
        lesions=found,
        proposed=proposed,
        hidden=review.hidden & present.keys(),
        touched=review.touched & present.keys(),
        retired=(*retired, *(lesion for lesion in gone if lesion.voxels)),
    )


def with_later_verdicts(earlier: VisitReview, now: VisitReview) -> VisitReview:
    """A review from before a box, with what the reviewer has said since of lesions that are the same in both.

    Of reviews of two runs nothing is carried over: their ids mean other lesions.
    """
    if earlier.run is not now.run or earlier.lesions is None:
        return earlier
    said = {lesion.id: lesion for lesion in now.records}
    same = [
        said[was.id]
        for was in earlier.records
        if was.id in said and (said[was.id].voxels, said[was.id].box, said[was.id].centroid) == _place(was)
    ]
    names = [{lesion.id: lesion for lesion in same}.get(was.id, was).name for was in earlier.records]
    if len(set(names)) < len(names):
        return earlier
    return replace(earlier, lesions=earlier.lesions.with_lesions(*same), seconds=now.seconds)


def _place(lesion: Lesion) -> tuple[object, ...]:
    return lesion.voxels, lesion.box, lesion.centroid
