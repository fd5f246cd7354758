"""The review of one visit: its image, the model's proposal, and the lesions as the reviewer has them now."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from HNTargetSegLib.export.manifest import ModelRecord
from HNTargetSegLib.lesions.lesion import Lesion, LesionSet, Origin, State
from HNTargetSegLib.models.options import PredictOptions
from HNTargetSegLib.pipeline import SegmentOptions
from HNTargetSegLib.review.case import VisitImage
from HNTargetSegLib.review.given import GivenDelineation
from HNTargetSegLib.review.prompt_record import PromptRecord
from HNTargetSegLib.review.proposed import ProposedLesion, proposed_lesions


@dataclass(frozen=True)
class RunRecord:
    """The run that proposed a visit's lesions, as the manifest writes it down.

    Attributes
    ----------
    model
        Name, version and hash.
    device
        What computed the network.
    parameters
        Options by name, plain values.
    started, finished
        With their time zone.
    seconds
        Wall time by stage.
    warnings
        What a reader should know.
    """

    model: ModelRecord
    device: str
    parameters: Mapping[str, Any]
    started: datetime.datetime
    finished: datetime.datetime
    seconds: Mapping[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @classmethod
    def ending_now(
        cls, *, predict: PredictOptions, options: SegmentOptions, started: datetime.datetime, **facts: Any
    ) -> RunRecord:
        """Record of a run that ends now; ``facts`` are the other attributes."""
        # A clock that was set back during the run is no reason to lose its result.
        finished = max(started, datetime.datetime.now(datetime.timezone.utc))
        return cls(parameters={**asdict(predict), **asdict(options)}, started=started, finished=finished, **facts)


@dataclass(frozen=True, eq=False)
class VisitReview:
    """Everything about one visit under review.

    Attributes
    ----------
    image
        Its MR.
    lesions
        As they are now; None before anything was segmented, drawn or read.
    proposed
        By id, as models left them; what edits are measured against. Lesions that were erased since are among them.
    candidates
        Low-probability regions of the last run, not part of the segmentation.
    hidden
        Ids of lesions that the views do not show.
    touched
        Ids of lesions whose voxels differ from the proposal's.
    retired
        Records of lesions that were erased, for the case that an undo brings their voxels back.
    run
        The last run.
    seconds
        Time spent on lesions, by id; see :mod:`HNTargetSegLib.review.time_spent`.
    given
        The file that lesions were read from; None where they came from models and hands alone.
    prompts
        Boxes that were drawn since the last run, in their order.
    """

    image: VisitImage
    lesions: LesionSet | None = None
    proposed: Mapping[int, ProposedLesion] = field(default_factory=dict)
    candidates: tuple[Lesion, ...] = ()
    hidden: frozenset[int] = frozenset()
    touched: frozenset[int] = frozenset()
    retired: tuple[Lesion, ...] = ()
    run: RunRecord | None = None
    seconds: Mapping[int, float] = field(default_factory=dict)
    given: GivenDelineation | None = None
    prompts: tuple[PromptRecord, ...] = ()

    @property
    def records(self) -> tuple[Lesion, ...]:
        """All lesions, empty before there are any."""
        return () if self.lesions is None else self.lesions.lesions

    @property
    def unreviewed(self) -> tuple[Lesion, ...]:
        """Lesions with voxels that the reviewer has not decided about."""
        return tuple(lesion for lesion in self.records if lesion.voxels and not lesion.state.reviewed)

    @property
    def rejected(self) -> tuple[Lesion, ...]:
        """Lesions that the reviewer has rejected."""
        return tuple(lesion for lesion in self.records if lesion.state is State.REJECTED)

    def require_lesion(self, lesion_id: int) -> Lesion:
        """Lesion of an id; KeyError if there is none."""
        if self.lesions is None:
            raise KeyError(lesion_id)
        return self.lesions[lesion_id]

    def model_of(self, lesion: Lesion) -> ModelRecord | None:
        """The model that proposed a lesion; None for one that a hand drew."""
        if lesion.id in self.proposed:
            return self.proposed[lesion.id].model
        return None if lesion.origin is Origin.HAND or self.run is None else self.run.model

    def with_proposal(self, lesions: LesionSet, run: RunRecord, candidates: tuple[Lesion, ...]) -> VisitReview:
        """The review after a run: what was known about lesions that are gone is forgotten, and not said of new ones."""
        # Lesions that the run has brought are undecided, and may have the id of one that is gone.
        ids = {lesion.id for lesion in lesions if lesion.state.reviewed}
        return replace(
            self,
            lesions=lesions,
            proposed=proposed_lesions(lesions, run.model, self.proposed),
            candidates=candidates,
            hidden=self.hidden & ids,
            touched=self.touched & ids,
            retired=(),
            run=run,
            # Lesions of these are finished; the others are asked for again.
            prompts=tuple(x.settled() for x in self.prompts if x.drawn and ids.issuperset(x.drawn)),
            seconds={number: spent for number, spent in self.seconds.items() if number in ids},
        )

    def without_lesions(self) -> VisitReview:
        """The review before anything was segmented or drawn."""
        return VisitReview(self.image)
