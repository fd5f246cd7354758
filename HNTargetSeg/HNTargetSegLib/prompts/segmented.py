"""A visit segmented with boxes: the automatic result, then each box in its order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from HNTargetSegLib.case.checks import check_image
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.lesions.lesion import LesionSet
from HNTargetSegLib.lesions.side import body_midline
from HNTargetSegLib.models.channels import VisitPrior
from HNTargetSegLib.pipeline import LoadedModel, SegmentOptions, VisitResult, segment_visit
from HNTargetSegLib.prompts.applied import applied
from HNTargetSegLib.prompts.extent import extent_of
from HNTargetSegLib.prompts.prompt import Prompt, prompt_to_json
from HNTargetSegLib.prompts.prompted_visit import PromptedVisit

if TYPE_CHECKING:
    from HNTargetSegLib.models.prediction import Prediction

Progress = Callable[[str, int, int], None]
Cancelled = Callable[[], bool]


@dataclass(frozen=True, eq=False)
class PromptedResult:
    """A visit and what each box did.

    Attributes
    ----------
    result
        Lesions after all boxes.
    prompts
        For the manifest, in the order of the boxes: the box, the ids of the lesions that it has drawn, whether what was
        found goes on at the border of its reach, and notes.
    """

    result: VisitResult
    prompts: tuple[dict[str, Any], ...]


def segment_with_prompts(
    image: Volume,
    model: LoadedModel,
    prompts: Sequence[Prompt],
    options: SegmentOptions | None = None,
    *,
    only_prompts: bool = False,
    prior: VisitPrior | None = None,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> PromptedResult:
    """Segment one T2-weighted MR and look at boxes.

    Parameters
    ----------
    prompts
        In their order.
    only_prompts
        Leave the automatic pass out: the boxes are all that is segmented.
    image, model, options, prior, progress, cancelled
        As for :func:`~HNTargetSegLib.pipeline.segment_visit`.

    Raises
    ------
    BadInputError
        If a box lies outside the image, before anything is computed; else errors are those of ``segment_visit``.
    """
    for prompt in prompts:
        extent_of(prompt, image.geometry)
    kept: list[Prediction] = []
    if only_prompts:
        none = LesionSet(image.with_array(np.zeros(image.array.shape, np.uint16)), ())
        result = VisitResult(image, none, warnings=(*check_image(image), *model.predictor.notes))
    else:
        result = segment_visit(
            image, model, options, prior=prior, progress=progress, cancelled=cancelled, on_prediction=kept.append
        )
    visit = PromptedVisit(image, model, prior, kept[0] if kept else None)
    lesions, records, seconds = result.lesions, [], 0.0
    midline = body_midline(image) if prompts else None
    used = {lesion.id for lesion in lesions}
    for prompt in prompts:
        answer = visit.answer(prompt, progress=progress, cancelled=cancelled)
        done = applied(lesions, answer, used=used, midline_mm=midline)
        lesions = done.lesions
        used.update(done.drawn)
        seconds += sum(answer.seconds.values())
        records.append(
            {
                **prompt_to_json(prompt),
                "lesion_ids": list(done.drawn),
                "touches_reach": answer.touches,
                "notes": [*answer.notes, *done.notes],
            }
        )
    timed = {**result.seconds, "prompts": seconds} if prompts else result.seconds
    return PromptedResult(replace(result, lesions=lesions, seconds=timed), tuple(records))
