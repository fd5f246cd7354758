"""Boxes of a review: asked of the worker one after the other, listed, moved, asked again, and taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any, Protocol

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.errors import BadInputError, ErrorCode, TargetSegError
from HNTargetSegLib.models.options import PredictOptions
from HNTargetSegLib.prompts.extent import extent_of
from HNTargetSegLib.prompts.prompt import Kind, Prompt
from HNTargetSegLib.review.change import Change, Level, Message, Part
from HNTargetSegLib.review.matching import matched_again
from HNTargetSegLib.review.prompt_record import PromptRecord
from HNTargetSegLib.review.prompted import with_prompt, without_prompt
from HNTargetSegLib.review.session import ReviewSession
from HNTargetSegLib.review.visit import RunRecord
from HNTargetSegLib.worker.messages import ErrorEvent, Event, ProgressEvent, ResultEvent
from HNTargetSegLib.worker.prompt_messages import PromptOutcome, PromptRequest

MOST = 50
"""Boxes that may wait at once."""


class PromptingWorker(Protocol):
    """What boxes need of :class:`HNTargetSegLib.worker.client.WorkerClient`."""

    def prompt(self, request: PromptRequest) -> str:
        """Begin a job; returns its id."""
        ...

    def cancel(self, job: str) -> None:
        """Stop a job."""
        ...


@dataclass(frozen=True)
class Asked:
    """A box that was asked for.

    Attributes
    ----------
    visit
        On which image.
    prompt
        The box.
    instead_of
        The earlier box whose place it takes; None for a new one.
    """

    visit: Visit
    prompt: Prompt
    instead_of: PromptRecord | None = None


@dataclass(frozen=True)
class PromptState:
    """What a screen shows of the boxes that are being looked at.

    Attributes
    ----------
    job
        Of the worker; None when nothing runs.
    asked
        The box at work.
    waiting
        Boxes that come after it.
    """

    job: str | None = None
    asked: Asked | None = None
    waiting: tuple[Asked, ...] = ()

    @property
    def running(self) -> bool:
        """Whether a box is being looked at."""
        return self.job is not None


class Prompting:
    """The boxes of one session, answered one at a time in the order in which they were drawn.

    Its owner hands it the worker's events, see :meth:`take`.

    Parameters
    ----------
    session
        Gets the lesions.
    worker
        Does the work.
    busy
        Whether something else is at work whose result the boxes come after; see :meth:`go_on`.

    Attributes
    ----------
    state
        Of the box at work.
    model, predict
        Model and options for visits that no model has segmented yet; others are looked at as they were segmented.
    """

    def __init__(
        self, session: ReviewSession, worker: PromptingWorker, busy: Callable[[], bool] = lambda: False
    ) -> None:
        self._session, self._worker, self._busy = session, worker, busy
        self.state = PromptState()
        self.model: str | None = None
        self.predict = PredictOptions()
        self._disconnect = session.changed.connect(self._on_change)

    def prompts(self, visit: Visit) -> tuple[PromptRecord, ...]:
        """The boxes of a visit, in their order."""
        review = self._session.visits.get(visit)
        return () if review is None else review.prompts

    def ask(self, visit: Visit, prompt: Prompt) -> None:
        """Look at a box, once those before it are answered.

        Raises
        ------
        BadInputError
            If there is no such image, the box lies outside it, or too many wait.
        """
        self._add(Asked(visit, prompt))

    def ask_slices(self, visit: Visit, kind: Kind, slices: tuple[slice, slice, slice], *, grow: bool = False) -> None:
        """As :meth:`ask`, for a box of voxels, slices along (k, j, i)."""
        geometry = self._session.require(visit).image.image.geometry
        self.ask(visit, Prompt.of_slices(kind, slices, geometry, grow=grow))

    def move(self, visit: Visit, number: int, prompt: Prompt) -> None:
        """Look at another box in the place of an earlier one, whose effect is taken back; errors as :meth:`ask`."""
        self._add(Asked(visit, prompt, self._numbered(visit, number)))

    def repeat(self, visit: Visit, number: int, *, grow: bool | None = None) -> None:
        """Look at a box again, and let it grow if ``grow`` says so; errors as :meth:`ask`."""
        earlier = self._numbered(visit, number)
        prompt = earlier.prompt if grow is None else replace(earlier.prompt, grow=grow)
        self._add(Asked(visit, prompt, earlier))

    def remove(self, visit: Visit, number: int) -> None:
        """Take a box and what came of it back.

        Raises
        ------
        BadInputError
            If there is no such box, or a lesion that it has drawn was accepted or edited since.
        """
        self._numbered(visit, number)
        session = self._session
        review, changed = without_prompt(session.require(visit), number, midline_mm=session.midline_mm(visit))
        session.take_prompted(visit, review, changed)

    def ask_again(self, visit: Visit, prompts: Iterable[PromptRecord]) -> None:
        """Ask boxes anew after another run: its result, then each box in their order.

        Boxes whose lesions are finished stay in the list as they are.
        """
        kept = {record.made for record in self.prompts(visit)}
        for record in prompts:
            if record.made not in kept:
                self._add(Asked(visit, record.prompt))

    def go_on(self) -> None:
        """Begin with the next box, unless one is at work, or a run: its result comes first."""
        if self.state.waiting and not self.state.running and not self._busy():
            self._next()

    def cancel(self) -> None:
        """Stop the box at work, and forget those that wait."""
        if self.state.job is not None:
            self._worker.cancel(self.state.job)
        if self.state.running or self.state.waiting:
            self._show(replace(self.state, waiting=()))

    def take(self, event: Event) -> bool:
        """Follow an event of the worker; returns whether it was of a box."""
        if self.state.job is None or getattr(event, "job", None) != self.state.job:
            return False
        if isinstance(event, ProgressEvent):
            return True
        asked = self.state.asked
        if isinstance(event, ResultEvent) and event.prompt is not None and asked is not None:
            self._told(partial(self._apply, asked, event.prompt))
        elif isinstance(event, ErrorEvent):
            self._fail(event)
        else:
            return False
        self._show(PromptState(waiting=self.state.waiting))
        self.go_on()
        return True

    def close(self) -> None:
        """Hear no more of the session."""
        self._disconnect()
        self.state = PromptState()

    def _add(self, asked: Asked) -> None:
        image = self._session.require(asked.visit).image.image
        # Before it is sent: a box that cannot be used is said at once.
        extent_of(asked.prompt, image.geometry)
        if len(self.state.waiting) >= MOST:
            raise BadInputError(f"{MOST} boxes are waiting", remedy="Wait until some are answered")
        self._show(replace(self.state, waiting=(*self.state.waiting, asked)))
        self.go_on()

    def _next(self) -> None:
        """Begin with the next box; what cannot be asked is said and left out."""
        waiting = self.state.waiting
        while waiting:
            asked, waiting = waiting[0], waiting[1:]
            try:
                job = self._worker.prompt(self._request(asked))
            except TargetSegError as error:
                self._session.tell_user(error)
                continue
            self._show(PromptState(job, asked, waiting))
            return
        self._show(PromptState())

    def _request(self, asked: Asked) -> PromptRequest:
        review = self._session.require(asked.visit)
        prior = self._prior_of(asked.visit)
        model, predict = self.model, self.predict
        if review.run is not None:
            model, predict = review.run.model.name, predict_of(review.run)
        return PromptRequest(asked.visit.value, review.image.image, asked.prompt, prior, model, predict)  # type: ignore[arg-type]

    def _prior_of(self, visit: Visit) -> Volume | None:
        case = self._session.case
        if visit is not Visit.MID or case is None:
            return None
        if case.registration is not None:
            return case.registration.registered.lesions.label_map()
        return case.registered_mask

    def _apply(self, asked: Asked, outcome: PromptOutcome) -> None:
        session, visit = self._session, asked.visit
        review, changed, number = session.require(visit), set[int](), None
        midline = session.midline_mm(visit)
        if asked.instead_of in review.prompts:
            number = review.prompts.index(asked.instead_of)
            review, gone = without_prompt(review, number, midline_mm=midline)
            changed.update(gone)
        review, more = with_prompt(review, outcome, midline_mm=midline)
        changed.update(more)
        *others, record = review.prompts
        if number is not None:
            review = replace(review, prompts=(*others[:number], record, *others[number:]))
        prior = None if session.case is None else session.case.registration
        if changed and visit is Visit.MID and prior is not None and review.lesions is not None:
            review = replace(review, lesions=matched_again(review.lesions, prior.registered))
        session.take_prompted(visit, review, tuple(sorted(changed)))
        for note in (*record.notes, *outcome.warnings):
            session.say(Level.INFO, f"{visit.title}: {note.rstrip('.')}.")

    def _numbered(self, visit: Visit, number: int) -> PromptRecord:
        found = self.prompts(visit)
        if not 0 <= number < len(found):
            raise BadInputError(f"There is no box {number + 1}", remedy=f"There are {len(found)}")
        return found[number]

    def _fail(self, event: ErrorEvent) -> None:
        if event.code is ErrorCode.CANCELLED:
            self._session.say(Level.INFO, "The box was not looked at: cancelled.", event.remedy)
            return
        place = f"{event.path}: " if event.path else ""
        remedy = f"{event.remedy.rstrip('.')}." if event.remedy else ""
        self._session.tell_user(Message(Level.ERROR, f"{place}{event.message.rstrip('.')}.", remedy))

    def _told(self, action: Callable[[], object]) -> None:
        try:
            action()
        except TargetSegError as error:
            self._session.tell_user(error)

    def _on_change(self, change: Change) -> None:
        """A case that is closed, or a visit that is gone, takes its boxes with it."""
        if change.part is Part.CASE and (self.state.running or self.state.waiting):
            if self.state.job is not None:
                self._worker.cancel(self.state.job)
            self._show(PromptState())

    def _show(self, state: PromptState) -> None:
        self.state = state
        self._session.changed.emit(Change(Part.RUN, None if state.asked is None else state.asked.visit))


def predict_of(run: RunRecord) -> PredictOptions:
    """How a run's network ran, so that a box finds it loaded."""
    names = (field.name for field in fields(PredictOptions))
    known: Mapping[str, Any] = {name: run.parameters[name] for name in names if name in run.parameters}
    folds = known.get("folds")
    return PredictOptions(**{**known, "folds": None if folds is None else tuple(folds)})
