"""What a request with a box does: the model and the visit are there from before, only the box is looked at."""

from __future__ import annotations

from collections.abc import Callable

from HNTargetSegLib.errors import CancelledError
from HNTargetSegLib.export.manifest import ModelRecord
from HNTargetSegLib.models.options import PredictOptions
from HNTargetSegLib.worker.fallback import Fallback
from HNTargetSegLib.worker.kept_model import KeptModel, chosen_model
from HNTargetSegLib.worker.messages import Event, LogEvent, ProgressEvent, ResultEvent
from HNTargetSegLib.worker.prompt_messages import PromptOutcome, PromptRequest

Emit = Callable[[Event], None]
Cancelled = Callable[[], bool]


def answer_prompt(job: str, request: PromptRequest, models: KeptModel, emit: Emit, cancelled: Cancelled) -> ResultEvent:
    """Do a request.

    Raises
    ------
    BadInputError
        If the box lies outside the image, or the model needs more than was given.
    CancelledError
        If ``cancelled`` said so, which is asked between tiles; the model stays loaded.
    OutOfMemoryError
        If half precision and the CPU did not help.
    """
    stored = chosen_model(request.model)
    fallback = Fallback(request.predict, lambda text: emit(LogEvent("warning", text, job)))
    name = "mid" if request.visit == "mid" else "pre"

    def progress(stage: str, done: int, total: int) -> None:
        emit(ProgressEvent(job, name, stage, done, total))  # type: ignore[arg-type]

    def look(options: PredictOptions) -> PromptOutcome:
        model = models.get(job, stored, options, cancelled)
        assert models.key is not None, "it is loaded"
        visit = models.visits.visit(request.image, request.prior, model, models.key)
        answer = visit.answer(request.prompt, progress=progress, cancelled=cancelled)
        if cancelled():
            raise CancelledError
        return PromptOutcome(
            name,  # type: ignore[arg-type]
            answer,
            model.predictor.engine_name,
            options,
            ModelRecord.of(stored),
            (*model.predictor.notes, *fallback.warnings),
        )

    return ResultEvent(job, "prompt", prompt=fallback.run(look))
