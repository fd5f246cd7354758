"""Segmentation runs of a review: asked of the worker, followed, stopped, and taken over when done."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.errors import BadInputError, ErrorCode, TargetSegError
from HNTargetSegLib.lesions.find import find_lesions
from HNTargetSegLib.lesions.lesion import LesionSet
from HNTargetSegLib.lesions.naming import named_after, without_names
from HNTargetSegLib.models.options import PredictOptions
from HNTargetSegLib.pipeline import SegmentOptions
from HNTargetSegLib.review.change import Change, Level, Message, Part
from HNTargetSegLib.review.prompting import Prompting, PromptingWorker
from HNTargetSegLib.review.registering import Registering, RegisteringWorker
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

REGISTER = "register"
"""Stage of a run that waits for the registration of its visits."""


class Worker(RegisteringWorker, PromptingWorker, Protocol):
    """What a run needs of :class:`HNTargetSegLib.worker.client.WorkerClient`."""

    def segment(self, request: SegmentRequest) -> str:
        """Begin a job; returns its id."""
        ...

    def poll(self) -> list[Event]:
        """What has happened since the last call; returns at once."""
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
        ``load``, ``preprocess``, ``network``, ``labels`` or ``lesions``; ``register`` while the visits are registered
        first; empty before the worker has answered.
    done, total
        Steps of the stage, percent of a registration; ``total`` is 0 where it is not known.
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
        self._native_cc: Mapping[int, float] | None = None
        self._waiting: Callable[[], None] | None = None
        # Before this: a closed case takes its registration with it first.
        self.registering = Registering(session, worker)
        self.prompting = Prompting(session, worker, lambda: self.busy)
        self.state = RunState()
        self._disconnect = session.changed.connect(self._on_change)

    def start(
        self,
        visits: Iterable[Visit] | None = None,
        *,
        model: str | None = None,
        predict: PredictOptions | None = None,
        options: SegmentOptions | None = None,
        register: bool = True,
    ) -> None:
        """Begin to segment visits, all that there are by default.

        Parameters
        ----------
        register
            Register the visits first where the mid-RT one is to be segmented, the pre-RT one has decided lesions and
            nothing is known yet of where they lie. A registration that is flagged is not used.

        Raises
        ------
        BadInputError
            If a run is at work, there is no image, or the image cannot be handed over.
        """
        self.require_idle()
        session = self._session
        chosen = tuple(session.visits) if visits is None else tuple(visits)
        if not chosen:
            raise BadInputError("No patient is open", remedy="Open a patient first")
        begin = partial(self._begin, chosen, model, predict or PredictOptions(), options or SegmentOptions())
        if not register or Visit.MID not in chosen or not self.registering.wanted:
            begin()
            return
        session.say(Level.INFO, "The visits are registered first, so that lesions can be matched.")
        self.registering.start(device=(predict or PredictOptions()).device)
        self._waiting = begin
        self._show(RunState(job=self.registering.state.job, visits=chosen, stage=REGISTER))

    @property
    def busy(self) -> bool:
        """Whether a run or a registration is at work."""
        return self.state.running or self.registering.state.running

    @property
    def working(self) -> bool:
        """Whether the worker is to be listened to: for a run, a registration or a box."""
        return self.busy or self.prompting.state.running

    def require_idle(self) -> None:
        """Raise BadInputError while a run or a registration is at work."""
        if self.busy:
            what = "segmentation" if self.state.running else "registration"
            raise BadInputError(f"A {what} is running", remedy="Wait for it or cancel it")

    def _begin(
        self, chosen: tuple[Visit, ...], model: str | None, predict: PredictOptions, options: SegmentOptions
    ) -> None:
        self._options = options
        self._prior, self._native_cc = self._registered_lesions() if Visit.MID in chosen else (None, None)
        asked = tuple(self._request_of(visit) for visit in chosen)
        request = SegmentRequest(asked, model=model, predict=predict, options=options)
        self._started = datetime.datetime.now(datetime.timezone.utc)
        self._show(RunState(job=self._worker.segment(request), visits=chosen))

    def cancel(self) -> None:
        """Stop the run at the next tile; the model stays loaded."""
        if self._waiting is not None:
            self.registering.cancel()
        elif self.state.job is not None and not self.state.cancelling:
            self._worker.cancel(self.state.job)
            self._show(replace(self.state, cancelling=True))

    def poll(self) -> bool:
        """Take in what the worker has said since the last call; returns whether a run is at work. Never waits."""
        for event in self._worker.poll():
            if self.registering.take(event):
                self._follow_registration()
            elif self.prompting.take(event):
                continue
            elif isinstance(event, LogEvent):
                self._session.say(Level(event.level), event.message)
            elif getattr(event, "job", None) == self.state.job and self.state.running:
                self._follow(event)
            elif isinstance(event, ErrorEvent) and event.job is None:
                self._session.tell_user(_message(event))
        self.prompting.go_on()
        return self.working

    def close(self) -> None:
        """End the run, if there is one, and the worker."""
        self._disconnect()
        self.registering.close()
        self.prompting.close()
        self.state, self._waiting = RunState(), None
        self._worker.close()

    def _request_of(self, visit: Visit) -> VisitRequest:
        image = self._session.require(visit).image.image
        if visit is not Visit.MID:
            return VisitRequest(visit.value, image)  # type: ignore[arg-type]
        return VisitRequest(visit.value, image, prior=self._prior, native_cc=self._native_cc)  # type: ignore[arg-type]

    def _registered_lesions(self) -> tuple[LesionSet | None, Mapping[int, float] | None]:
        """Lesions of the prior under the names that the pre-RT visit shows, and their volumes there where known."""
        case, ours = self._session.case, self.registering.current()
        if ours is not None:
            return ours.registered.lesions, ours.registered.native_cc
        if case is None or case.registered_mask is None:
            return None, None
        registered = find_lesions(case.registered_mask)
        before = self._session.visits.get(Visit.PRE)
        native = None if before is None else before.lesions
        return (registered if native is None else named_after(registered, native)), None

    def _follow_registration(self) -> None:
        """Go on with a run that has waited for the registration, whatever came of it, unless the user has stopped."""
        if self._waiting is None:
            return
        state = self.registering.state
        if state.running:
            done = round(100 * (state.fraction or 0.0))
            self._show(replace(self.state, done=done, total=100, cancelling=state.cancelling))
            return
        begin, self._waiting = self._waiting, None
        self._show(RunState())
        if self.registering.failure is ErrorCode.CANCELLED:
            return
        try:
            begin()
        except TargetSegError as error:
            self._session.tell_user(error)

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
        boxes = self.prompting.prompts(visit)
        try:
            self._session.take_proposal(visit, lesions, run, outcome.candidates)
        except TargetSegError as error:
            self._session.tell_user(error)
            return None
        for warning in outcome.warnings:
            self._session.say(Level.WARNING, f"{visit.title}: {warning}")
        self.prompting.ask_again(visit, boxes)
        return visit

    def _say_if_unrelated(self) -> None:
        case = self._session.case
        both = len([review for review in self._session.visits.values() if review.records]) == 2
        if both and case is not None and case.registered_mask is None and case.registration is None:
            self._session.say(
                Level.WARNING,
                "The visits are not registered: a name of one visit says nothing about the same name of the other.",
                "Accept the pre-RT lesions and register them, and the lesions are matched.",
            )

    def _on_change(self, change: Change) -> None:
        """A case that is closed, or a visit that is gone, takes its run with it."""
        if change.part is not Part.CASE or self.state.job is None:
            return
        if self._waiting is None:
            self._worker.cancel(self.state.job)
        self._waiting = None
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
