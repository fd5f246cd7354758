"""Segmentation runs of a review: asked of the worker, followed, stopped, and taken over when done."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.errors import BadInputError, ErrorCode, TargetSegError
from HNTargetSegLib.lesions.find import find_lesions
from HNTargetSegLib.lesions.lesion import LesionSet
from HNTargetSegLib.lesions.naming import named_after, without_names
from HNTargetSegLib.models.options import PredictOptions
from HNTargetSegLib.pipeline import SegmentOptions
from HNTargetSegLib.review.change import Change, Level, Message, Part
from HNTargetSegLib.review.session import ReviewSession
from HNTargetSegLib.review.visit import RunRecord
from HNTargetSegLib.worker.messages import (
    ErrorEvent,
    Event,
    LogEvent,
    ProgressEvent,
    ResultEvent,
    SegmentRequest,
    VisitOutcome,
    VisitRequest,
)


class Worker(Protocol):
    """What a run needs of :class:`HNTargetSegLib.worker.client.WorkerClient`."""

    def segment(self, request: SegmentRequest) -> str:
        """Begin a job; returns its id."""
        ...

    def poll(self) -> list[Event]:
        """What has happened since the last call; returns at once."""
        ...

    def cancel(self, job: str) -> None:
        """Stop a job."""
        ...

    def close(self) -> None:
        """End the process."""
        ...


@dataclass(frozen=True)
class RunState:
    """What a screen shows of the run.

    Attributes
    ----------
    job
        Of the worker; None when nothing runs.
    visits
        What is being segmented.
    visit
        The visit at work; None while the model is loaded.
    stage
        ``load``, ``preprocess``, ``network``, ``labels`` or ``lesions``; empty before the worker has answered.
    done, total
        Steps of the stage; ``total`` is 0 where it is not known.
    cancelling
        Whether the user has asked to stop.
    """

    job: str | None = None
    visits: tuple[Visit, ...] = ()
    visit: Visit | None = None
    stage: str = ""
    done: int = 0
    total: int = 0
    cancelling: bool = False

    @property
    def running(self) -> bool:
        """Whether a job is at work."""
        return self.job is not None

    @property
    def fraction(self) -> float | None:
        """Share of the whole run that is done, 0 to 1, by tiles; None where it is not known yet."""
        if self.visit is None or not self.visits:
            return None
        stages = {"preprocess": 0.0, "network": 0.05, "labels": 0.95, "lesions": 0.97}
        within = stages.get(self.stage, 0.0)
        if self.stage == "network" and self.total:
            within += 0.9 * self.done / self.total
        if self.visit not in self.visits:
            return None
        # Rounded, so that a bar never goes back by the last bit.
        return round((self.visits.index(self.visit) + within) / len(self.visits), 4)


class Segmenting:
    """The runs of one session, one at a time.

    Parameters
    ----------
    session
        Gets the lesions.
    worker
        Does the work. It is closed by :meth:`close` only.
    """

    def __init__(self, session: ReviewSession, worker: Worker) -> None:
        self._session = session
        self._worker = worker
        self._started = datetime.datetime.now(datetime.timezone.utc)
        self._options = SegmentOptions()
        self._prior: LesionSet | None = None
        self.state = RunState()
        self._disconnect = session.changed.connect(self._on_change)

    def start(
        self,
        visits: Iterable[Visit] | None = None,
        *,
        model: str | None = None,
        predict: PredictOptions | None = None,
        options: SegmentOptions | None = None,
    ) -> None:
        """Begin to segment visits, all that there are by default.

        Raises
        ------
        BadInputError
            If a run is at work, there is no image, or the image cannot be handed over.
        """
        if self.state.running:
            raise BadInputError("A segmentation is running", remedy="Wait for it or cancel it")
        session = self._session
        chosen = tuple(session.visits) if visits is None else tuple(visits)
        if not chosen:
            raise BadInputError("No patient is open", remedy="Open a patient first")
        self._options = options or SegmentOptions()
        self._prior = self._registered_lesions() if Visit.MID in chosen else None
        asked = tuple(self._request_of(visit) for visit in chosen)
        request = SegmentRequest(asked, model=model, predict=predict or PredictOptions(), options=self._options)
        self._started = datetime.datetime.now(datetime.timezone.utc)
        self._show(RunState(job=self._worker.segment(request), visits=chosen))

    def cancel(self) -> None:
        """Stop the run at the next tile; the model stays loaded."""
        if self.state.job is not None and not self.state.cancelling:
            self._worker.cancel(self.state.job)
            self._show(replace(self.state, cancelling=True))

    def poll(self) -> bool:
        """Take in what the worker has said since the last call; returns whether a run is at work. Never waits."""
        for event in self._worker.poll():
            if isinstance(event, LogEvent):
                self._session.say(Level(event.level), event.message)
            elif getattr(event, "job", None) == self.state.job and self.state.running:
                self._follow(event)
            elif isinstance(event, ErrorEvent) and event.job is None:
                self._session.tell_user(_message(event))
        return self.state.running

    def close(self) -> None:
        """End the run, if there is one, and the worker."""
        self._disconnect()
        self.state = RunState()
        self._worker.close()

    def _request_of(self, visit: Visit) -> VisitRequest:
        image = self._session.require(visit).image.image
        prior = self._prior if visit is Visit.MID else None
        return VisitRequest(visit.value, image, prior=prior)  # type: ignore[arg-type]

    def _registered_lesions(self) -> LesionSet | None:
        """The registered delineation, its lesions under the names that the pre-RT visit shows."""
        case = self._session.case
        if case is None or case.registered_mask is None:
            return None
        registered = find_lesions(case.registered_mask)
        before = self._session.visits.get(Visit.PRE)
        native = None if before is None else before.lesions
        return registered if native is None else named_after(registered, native)

    def _follow(self, event: Event) -> None:
        if isinstance(event, ProgressEvent):
            visit = None if event.visit is None else Visit(event.visit)
            self._show(replace(self.state, visit=visit, stage=event.stage, done=event.done, total=event.total))
        elif isinstance(event, ResultEvent):
            self._show(RunState())
            taken = [visit for visit in map(self._take, event.visits) if visit is not None]
            if taken:
                self._session.say(Level.INFO, " ".join(_found(visit, self._session) for visit in taken))
                self._say_if_unrelated()
        elif isinstance(event, ErrorEvent):
            self._show(RunState())
            if event.code is ErrorCode.CANCELLED:
                self._session.say(Level.INFO, f"{event.message.rstrip('.')}.", event.remedy)
            else:
                self._session.tell_user(_message(event))

    def _unmatched_names(self) -> set[str]:
        """Names of pre-RT lesions that the registered delineation does not have: no mid-RT lesion may take one."""
        before = self._session.visits.get(Visit.PRE)
        if self._prior is None or before is None:
            return set()
        return {lesion.name for lesion in before.records} - {lesion.name for lesion in self._prior}

    def _take(self, outcome: VisitOutcome) -> Visit | None:
        """Show what was found; the visit, or None where it could not be."""
        visit = Visit(outcome.visit)
        run = RunRecord.ending_now(
            model=outcome.model,
            device=outcome.engine,
            predict=outcome.predict,
            options=self._options,
            started=self._started,
            seconds=dict(outcome.seconds),
            warnings=outcome.warnings,
        )
        lesions = without_names(outcome.lesions, self._unmatched_names()) if visit is Visit.MID else outcome.lesions
        try:
            self._session.take_proposal(visit, lesions, run, outcome.candidates)
        except TargetSegError as error:
            self._session.tell_user(error)
            return None
        for warning in outcome.warnings:
            self._session.say(Level.WARNING, f"{visit.title}: {warning}")
        return visit

    def _say_if_unrelated(self) -> None:
        case = self._session.case
        both = len([review for review in self._session.visits.values() if review.records]) == 2
        if both and case is not None and case.registered_mask is None:
            self._session.say(
                Level.WARNING,
                "The visits are not registered: a name of one visit says nothing about the same name of the other.",
                "A registered pre-RT delineation beside the images matches the lesions.",
            )

    def _on_change(self, change: Change) -> None:
        """A case that is closed, or a visit that is gone, takes its run with it."""
        if change.part is not Part.CASE or self.state.job is None:
            return
        self._worker.cancel(self.state.job)
        self._session.say(Level.WARNING, "The segmentation was stopped because its images were closed.")
        self._show(RunState())

    def _show(self, state: RunState) -> None:
        self.state = state
        self._session.changed.emit(Change(Part.RUN, state.visit))


def _found(visit: Visit, session: ReviewSession) -> str:
    lesions = [lesion for lesion in session.lesions(visit) if lesion.voxels]
    if not lesions:
        return f"{visit.title}: no lesion was found."
    return f"{visit.title}: {len(lesions)} lesion{'s' if len(lesions) > 1 else ''} to review."


def _message(event: ErrorEvent) -> Message:
    place = f"{event.path}: " if event.path else ""
    remedy = f"{event.remedy.rstrip('.')}." if event.remedy else ""
    return Message(Level.ERROR, f"{place}{event.message.rstrip('.')}.", remedy)
