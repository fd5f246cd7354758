"""What is asked of the worker with a box, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.models.options import PredictOptions
from HNTargetSegLib.worker.visit_names import VISITS, VisitName

if TYPE_CHECKING:
    from HNTargetSegLib.case.volume import Volume
    from HNTargetSegLib.export.manifest import ModelRecord
    from HNTargetSegLib.prompts.answer import Answer
    from HNTargetSegLib.prompts.prompt import Prompt


@dataclass(frozen=True, eq=False)
class PromptRequest:
    """One box on one visit.

    The image is handed over with the first box only: after that its content is known, and what the network has said of
    it stays in the worker.

    Attributes
    ----------
    visit
        ``pre`` or ``mid``; a :class:`~HNTargetSegLib.case.patient.Visit` will do.
    image
        Its T2, any orientation.
    prompt
        The box and what it says.
    prior
        Registered delineation on the grid of ``image``, as it was given to the segmentation; None where there was none.
    model, predict
        As of :class:`~HNTargetSegLib.worker.messages.SegmentRequest`; with those of the segmentation its answer is used
        again.

    Raises
    ------
    BadInputError
        If the visit is unknown.
    """

    visit: VisitName
    image: Volume
    prompt: Prompt
    prior: Volume | None = None
    model: str | Path | None = None
    predict: PredictOptions = field(default_factory=PredictOptions)

    def __post_init__(self) -> None:
        if self.visit not in VISITS:
            raise BadInputError(f"There is no visit '{self.visit}'", remedy=f"Choose from {', '.join(VISITS)}")


@dataclass(frozen=True, eq=False)
class PromptOutcome:
    """The answer to a box.

    Attributes
    ----------
    visit
        As it was asked.
    answer
        What was found, inside the reach of the box only.
    engine, predict, model
        As of :class:`~HNTargetSegLib.worker.messages.VisitOutcome`.
    warnings
        What was replaced or is not as asked.
    """

    visit: VisitName
    answer: Answer
    engine: str
    predict: PredictOptions
    model: ModelRecord
    warnings: tuple[str, ...] = ()
