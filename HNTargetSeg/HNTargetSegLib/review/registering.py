"""Pre-RT lesions onto the mid-RT visit: asked of the worker, followed, judged, confirmed or refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.errors import BadInputError, ErrorCode
from HNTargetSegLib.lesions.find import find_lesions
from HNTargetSegLib.lesions.lesion import LesionSet
from HNTargetSegLib.lesions.registered import RegisteredLesions
from HNTargetSegLib.review.change import Change, Level, Message, Part
from HNTargetSegLib.review.matching import matched_again
from HNTargetSegLib.review.prior import Prior, decided_lesions, fingerprint, refreshed
from HNTargetSegLib.review.session import ReviewSession
from HNTargetSegLib.worker.messages import ErrorEvent, Event, ProgressEvent, ResultEvent
from HNTargetSegLib.worker.register_messages import EngineName, RegisterRequest, RegistrationOutcome

_STAGES = {"rigid": (0.0, 0.1), "deformable": (0.1, 0.6), "check": (0.7, 0.25), "carry": (0.95, 0.05)}
"""Where each stage begins in the whole, and its share."""


class RegisteringWorker(Protocol):
    """What a registration needs of :class:`HNTargetSegLib.worker.client.WorkerClient`."""

    def register(self, request: RegisterRequest) -> str:
        """Begin a job; returns its id."""
        ...

    def cancel(self, job: str) -> None:
        """Stop a job."""
        ...


@dataclass(frozen=True)
class RegisterState:
    """What a screen shows of a registration.

    Attributes
    ----------
    job
        Of the worker; None when nothing runs.
    stage
        ``rigid``, ``deformable``, ``check`` or ``carry``; empty before the worker has answered.
    done, total
        Steps of the stage.
    cancelling
        Whether the user has asked to stop.
    """

    job: str | None = None
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
        """Share that is done, 0 to 1; None where it is not known yet."""
        if self.stage not in _STAGES:
            return None
        begin, share = _STAGES[self.stage]
        return round(begin + share * (self.done / self.total if self.total else 0.0), 4)


class Registering:
    """The registrations of one session, one at a time.

    Its owner hands it the worker's events, see :meth:`take`.

    Parameters
    ----------
    session
        Gets the registered lesions.
    worker
        Does the work.

    Attributes
    ----------
    state
        Of the registration at work.
    offered
        A registration that was flagged as poor: not used until :meth:`confirm`.
    failure
        How the last one failed; None where it did not.
    """

    def __init__(self, session: ReviewSession, worker: RegisteringWorker) -> None:
        self._session, self._worker = session, worker
        self._asked, self._source = "", ""
        self._given: LesionSet | None = None
        self._given_of: Volume | None = None
        self.state = RegisterState()
        self.offered: Prior | None = None
        self.failure: ErrorCode | None = None
        self._disconnect = session.changed.connect(self._on_change)

    @property
    def prior(self) -> Prior | None:
        """The registration that the review uses."""
        return None if self._session.case is None else self._session.case.registration

    @property
    def given(self) -> bool:
        """Whether a registered delineation from elsewhere is used."""
        case = self._session.case
        return case is not None and case.registration is None and case.registered_mask is not None

    @property
    def carried(self) -> LesionSet | None:
        """What may be looked at on the mid-RT image: the lesions offered, else those in use, from wherever."""
        if self.offered is not None:
            return self.offered.registered.lesions
        if self.prior is not None:
            return self.prior.registered.lesions
        mask = None if self._session.case is None else self._session.case.registered_mask
        if mask is None:
            return None
        if self._given is None or self._given_of is not mask:
            self._given, self._given_of = find_lesions(mask), mask
        return self._given

    @property
    def obstacle(self) -> str:
        """What keeps the visits from being registered, as a sentence; empty where nothing does."""
        if len(self._session.visits) < 2:
            return "Both visits are needed"
        if self._decided() is None:
            return "The pre-RT visit has no accepted or given lesions"
        return ""

    @property
    def wanted(self) -> bool:
        """Whether a run on the mid-RT visit should register first: there is something to carry and no prior yet."""
        return not self.obstacle and not self.given and self.prior is None and self.offered is None

    def start(
        self,
        *,
        engine: EngineName = "descriptor",
        device: str = "auto",
        transform: Any | None = None,
        source: str = "",
    ) -> None:
        """Begin to register.

        Parameters
        ----------
        engine, device
            As of :class:`~HNTargetSegLib.worker.register_messages.RegisterRequest`.
        transform
            ``SimpleITK.Transform`` from mid-RT points to the pre-RT image, made elsewhere; it is measured and used.
        source
            File or node that it came from.

        Raises
        ------
        BadInputError
            If one is at work, a visit is missing, or there is nothing to carry.
        """
        if self.state.running:
            raise BadInputError("A registration is running", remedy="Wait for it or cancel it")
        lesions = self._decided()
        if self.obstacle or lesions is None:
            remedy = "Open both visits, and accept, draw or bring the lesions of the pre-RT visit"
            raise BadInputError(self.obstacle, remedy=remedy)
        visits = self._session.visits
        request = RegisterRequest(
            fixed=visits[Visit.MID].image.image,
            moving=visits[Visit.PRE].image.image,
            lesions=lesions,
            engine=engine,
            device=device,  # type: ignore[arg-type]
            transform=transform,
        )
        self._asked, self._source = fingerprint(lesions), source
        self.offered, self.failure = None, None
        self._show(RegisterState(job=self._worker.register(request)))

    def cancel(self) -> None:
        """Stop at the next step."""
        if self.state.job is not None and not self.state.cancelling:
            self._worker.cancel(self.state.job)
            self._show(replace(self.state, cancelling=True))

    def take(self, event: Event) -> bool:
        """Follow an event of the worker; returns whether it was of this registration."""
        if self.state.job is None or getattr(event, "job", None) != self.state.job:
            return False
        if isinstance(event, ProgressEvent):
            self._show(replace(self.state, stage=event.stage, done=event.done, total=event.total))
        elif isinstance(event, ResultEvent):
            self._finish(event.registration)
        elif isinstance(event, ErrorEvent):
            self._fail(event)
        else:
            return False
        return True

    def confirm(self) -> None:
        """Use the registration that was flagged: the reviewer has looked at it."""
        if self.offered is not None:
            self._use(replace(self.offered, confirmed=True))

    def use_mask(self, mask: Volume) -> None:
        """Take a delineation that was registered elsewhere.

        Raises
        ------
        BadInputError
            If there is no mid-RT visit, or a registration is at work.
        GeometryError
            If the mask does not lie on the grid of the mid-RT image.
        """
        self._session.require(Visit.MID)
        if self.state.running:
            raise BadInputError("A registration is running", remedy="Wait for it or cancel it")
        self._change(None, mask)
        self._session.say(Level.INFO, "The registered delineation is used.", self._segment_again())

    def forget(self) -> None:
        """Go on without a prior: matches are taken away."""
        self.offered = None
        self._change(None, None)
        self._match(None)

    def current(self) -> Prior | None:
        """The registration with the pre-RT lesions as they are now; None where there is none or it cannot follow."""
        prior, lesions = self.prior, self._decided()
        if prior is None or lesions is None:
            return None
        fresh = refreshed(prior, lesions)
        if fresh is None:
            self._session.say(
                Level.WARNING, "The pre-RT lesions have changed since they were registered.", "Register again."
            )
            return prior
        if fresh is not prior:
            self._change(fresh, None)
        return fresh

    def close(self) -> None:
        """Hear no more of the session."""
        self._disconnect()
        self.state = RegisterState()

    def _decided(self) -> LesionSet | None:
        """Pre-RT lesions that may be carried; None where there are none."""
        review = self._session.visits.get(Visit.PRE)
        return None if review is None else decided_lesions(review.lesions)

    def _finish(self, outcome: RegistrationOutcome | None) -> None:
        self._show(RegisterState())
        if outcome is None:
            return
        prior = Prior(
            registered=outcome.registered,
            quality=outcome.quality,
            engine=outcome.engine,
            seconds=dict(outcome.seconds),
            transform=outcome.transform,
            source=self._source,
            carried=self._asked,
        )
        if prior.usable:
            self._use(prior)
            return
        self.offered = prior
        self._session.say(
            Level.WARNING,
            f"The registration is poor and is not used: {'; '.join(prior.quality.problems)}.",
            "Check that both images show one patient and are not swapped; look at the carried outlines, and use it all "
            "the same, or give a transform or a registered mask from elsewhere.",
        )
        self._tell()

    def _fail(self, event: ErrorEvent) -> None:
        self.failure = event.code
        self._show(RegisterState())
        if event.code is ErrorCode.CANCELLED:
            self._session.say(Level.INFO, f"The registration was cancelled. {event.message.rstrip('.')}.", event.remedy)
            return
        place = f"{event.path}: " if event.path else ""
        remedy = f"{event.remedy.rstrip('.')}." if event.remedy else ""
        self._session.tell_user(Message(Level.ERROR, f"{place}{event.message.rstrip('.')}.", remedy))

    def _use(self, prior: Prior) -> None:
        self.offered = None
        self._change(prior, None)
        self._match(prior.registered)
        lost = prior.registered.lost
        self._session.say(Level.INFO, _summary(prior))
        if lost:
            self._session.say(
                Level.WARNING,
                f"Outside the mid-RT field of view: {', '.join(lost)}; nothing is said about what became of them.",
            )

    def _change(self, prior: Prior | None, mask: Volume | None) -> None:
        case = self._session.case
        if case is not None:
            self._session.case = replace(case, registration=prior, registered_mask=mask)
            self._tell()

    def _match(self, registered: RegisteredLesions | None) -> None:
        """Say of lesions that are under review already what became of them."""
        review = self._session.visits.get(Visit.MID)
        if review is None or review.lesions is None:
            return
        lesions = matched_again(review.lesions, registered)
        self._session.visits[Visit.MID] = replace(review, lesions=lesions)
        self._session.changed.emit(Change(Part.LESIONS, Visit.MID))

    def _segment_again(self) -> str:
        return "Segment mid-RT to match its lesions." if self._session.lesions(Visit.MID) else ""

    def _on_change(self, change: Change) -> None:
        """A case that is closed, or a visit that is gone, takes its registration with it."""
        if change.part is not Part.CASE:
            return
        self.offered = None
        if self.state.job is not None:
            self._worker.cancel(self.state.job)
            self._session.say(Level.WARNING, "The registration was stopped because its images were closed.")
            self._show(RegisterState())

    def _show(self, state: RegisterState) -> None:
        self.state = state
        self._session.changed.emit(Change(Part.RUN))

    def _tell(self) -> None:
        self._session.changed.emit(Change(Part.PRIOR))


def figures(prior: Prior) -> Mapping[str, str]:
    """Figures of a registration in words, for a screen: title and value."""
    quality = prior.quality

    def number(value: float | None, unit: str = "") -> str:
        return "unknown" if value is None else f"{value:.3g}{unit}"

    def change(before: float | None, after: float | None) -> str:
        return f"{number(before)} before, {number(after)} after"

    return {
        "Overlap of the bodies (DSC)": change(quality.body_dsc_before, quality.body_dsc_after),
        "Difference of the images": change(quality.difference_before, quality.difference_after),
        "Folded share of the body": number(quality.folded),
        "There and back again": f"{number(quality.inverse_mm, ' mm')} on average",
        "Body within the other image": f"{quality.covered:.0%}",
        "Doubt that it is one patient": number(quality.doubt),
    }


def _summary(prior: Prior) -> str:
    count = len(prior.registered.lesions.lesions)
    how = f"with the transform {prior.source}" if prior.engine == "given" else f"by {prior.engine}"
    judged = "good" if prior.quality.good else "flagged, used as you have confirmed"
    return f"{count} pre-RT lesion{'' if count == 1 else 's'} carried to mid-RT {how}: {judged}."
