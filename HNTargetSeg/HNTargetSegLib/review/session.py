"""The review session: one patient, what the reviewer says of the lesions, and who is told of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import numpy as np

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.case.volume import Triple
from HNTargetSegLib.errors import BadInputError, TargetSegError
from HNTargetSegLib.lesions.find import find_lesions
from HNTargetSegLib.lesions.lesion import Fate, Lesion, LesionSet, Origin, State
from HNTargetSegLib.lesions.merge import merge_proposal
from HNTargetSegLib.review import verdicts
from HNTargetSegLib.review.case import ReviewCase
from HNTargetSegLib.review.change import Change, Level, Message, Part
from HNTargetSegLib.review.edits import Drawn, after_edit
from HNTargetSegLib.review.given import GivenDelineation
from HNTargetSegLib.review.history import History, Step
from HNTargetSegLib.review.signal import Signal
from HNTargetSegLib.review.time_spent import TimeSpent
from HNTargetSegLib.review.visit import RunRecord, VisitReview

_MESSAGES_KEPT = 50


class ReviewSession:
    """The review of one patient after another.

    It knows no screen and no scene: panels, pages and scene call its methods and listen to ``changed`` and
    ``messages``. Lesions are named by visit and id. Records are immutable; each change makes new ones.

    Parameters
    ----------
    reviewer
        Who reviews; written into what is exported.

    Attributes
    ----------
    changed
        Emits a :class:`~HNTargetSegLib.review.change.Change` after each change.
    messages
        Emits each :class:`~HNTargetSegLib.review.change.Message` for the user.
    case
        The patient, or None.
    visits
        Review by visit.
    active
        The visit that the lesion table shows.
    selected
        Visit and id of the selected lesion, or None.
    """

    def __init__(self, reviewer: str = "") -> None:
        self.changed: Signal[Change] = Signal()
        self.messages: Signal[Message] = Signal()
        self.reviewer = reviewer
        self.case: ReviewCase | None = None
        self.visits: dict[Visit, VisitReview] = {}
        self.active = Visit.MID
        self.selected: tuple[Visit, int] | None = None
        self.said: list[Message] = []
        self._history = History()
        self._midlines: dict[Visit, float] = {}
        TimeSpent(self)

    # The patient

    def open(self, case: ReviewCase, visits: Mapping[Visit, VisitReview] | None = None) -> None:
        """Begin the review of a patient; the one before is closed.

        Parameters
        ----------
        case
            The patient. A delineation of the pre-RT image becomes accepted lesions drawn by hand.
        visits
            Reviews to go on with, such as those of a saved scene.
        """
        self.case = case
        self.visits = dict(visits) if visits is not None else {v: VisitReview(case.visits[v]) for v in case}
        self.active = Visit.MID if Visit.MID in self.visits else Visit.PRE
        self.selected = None
        self._midlines.clear()
        self._history.clear()
        if visits is None and case.pre_mask is not None and Visit.PRE in self.visits:
            given = find_lesions(case.pre_mask, midline_mm=self._midline(Visit.PRE), origin=Origin.HAND)
            accepted = [replace(lesion, state=State.ACCEPTED) for lesion in given]
            self.visits[Visit.PRE] = replace(self.visits[Visit.PRE], lesions=given.with_lesions(*accepted))
        self._tell(Part.CASE)
        for warning in case.warnings:
            self.say(Level.WARNING, warning)

    def close(self) -> None:
        """End the review; nothing is written."""
        if self.case is None:
            return
        self.case, self.selected = None, None
        self.visits.clear()
        self._midlines.clear()
        self._history.clear()
        self._tell(Part.CASE)

    def drop(self, visit: Visit) -> None:
        """Leave a visit out of the review, because its volume is gone; the last one closes the case."""
        if self.case is None or visit not in self.visits:
            return
        if len(self.visits) == 1:
            self.close()
            return
        del self.visits[visit]
        kept = {v: image for v, image in self.case.visits.items() if v is not visit}
        self.case = replace(self.case, visits=kept, pre_mask=None, registered_mask=None, registration=None)
        self.active = next(iter(self.visits))
        if self.selected is not None and self.selected[0] is visit:
            self.selected = None
        self._history.keep(lambda step: step.visit is not visit)
        self._tell(Part.CASE)

    def activate(self, visit: Visit) -> None:
        """Show another visit in the table."""
        self.require(visit)
        if visit is not self.active:
            self.active = visit
            self._tell(Part.SELECTION, visit)

    def require(self, visit: Visit) -> VisitReview:
        """Review of a visit.

        Raises
        ------
        BadInputError
            If the patient has no image of it.
        """
        if visit not in self.visits:
            raise BadInputError(f"There is no {visit.title} image", remedy=f"Open the {visit.title} T2w image first")
        return self.visits[visit]

    def lesions(self, visit: Visit | None = None) -> tuple[Lesion, ...]:
        """Records of a visit, of the active one by default; empty where there are none."""
        review = self.visits.get(visit or self.active)
        return () if review is None else review.records

    # What the views show

    def select(self, visit: Visit, lesion_id: int, *, jump: bool = True) -> None:
        """Select a lesion, and move the views to it unless told otherwise."""
        self.require(visit).require_lesion(lesion_id)
        self.selected, self.active = (visit, lesion_id), visit
        self._tell(Part.SELECTION, visit, (lesion_id,))
        if jump:
            self._tell(Part.JUMP, visit, (lesion_id,))

    def select_next(self, step: int = 1, *, order: Iterable[int] | None = None) -> None:
        """Select the lesion ``step`` places on in the table, round its end; ``order`` is the table's order of ids."""
        ids = list(order) if order is not None else [lesion.id for lesion in self.lesions()]
        if not ids:
            return
        here = self.selected[1] if self.selected is not None and self.selected[0] is self.active else None
        start = 0 if step > 0 else -1
        self.select(self.active, ids[(ids.index(here) + step) % len(ids)] if here in ids else ids[start])

    def place_of(self, visit: Visit, lesion_id: int) -> Triple:
        """LPS position in mm that shows a lesion: a voxel of its own that is nearest to its centroid."""
        review = self.require(visit)
        lesion = review.require_lesion(lesion_id)
        if review.lesions is None or not lesion.voxels:
            return lesion.centroid
        inside = np.argwhere(review.lesions.mask(lesion)) + [part.start for part in lesion.slices]
        points = review.lesions.ids.geometry.to_lps(inside)
        x, y, z = points[np.argmin(((points - lesion.centroid) ** 2).sum(axis=1))]
        return float(x), float(y), float(z)

    def set_shown(self, visit: Visit, ids: Iterable[int], shown: bool) -> None:
        """Show or hide lesions in the views; hidden ones are exported all the same."""
        review, wanted = self.require(visit), frozenset(ids)
        hidden = review.hidden - wanted if shown else review.hidden | wanted
        if hidden != review.hidden:
            self.visits[visit] = replace(review, hidden=hidden)
            self._tell(Part.SHOWN, visit, tuple(sorted(wanted)))

    # What the reviewer says

    def accept(self, visit: Visit, *ids: int) -> None:
        """Accept lesions: they leave with the export."""
        touched = self.require(visit).touched
        self._say_of(visit, ids, "accept", lambda lesion: verdicts.accepted(lesion, touched=lesion.id in touched))

    def reject(self, visit: Visit, *ids: int) -> None:
        """Reject lesions: they never leave."""
        self._say_of(visit, ids, "reject", verdicts.rejected)

    def reset(self, visit: Visit, *ids: int) -> None:
        """Take the verdict back: the lesions are to be decided about."""
        self._say_of(visit, ids, "reset", verdicts.undecided)

    def rename(self, visit: Visit, lesion_id: int, name: str) -> None:
        """Give a lesion another name; errors as :func:`HNTargetSegLib.review.verdicts.renamed`."""
        self._say_of(visit, (lesion_id,), "rename", lambda x: verdicts.renamed(self._lesion_set(visit), x, name))

    def relabel(self, visit: Visit, lesion_id: int, label: Target) -> None:
        """Make a lesion a primary tumour or a lymph node."""
        self._say_of(visit, (lesion_id,), "relabel", lambda x: verdicts.relabelled(self._lesion_set(visit), x, label))

    def overrule(self, visit: Visit, lesion_id: int, fate: Fate) -> None:
        """Say what became of a lesion since the pre-RT visit; errors as :func:`verdicts.with_fate`."""
        self._say_of(visit, (lesion_id,), "fate of", lambda lesion: verdicts.with_fate(lesion, fate))

    @property
    def next_undo(self) -> str:
        """What undo would take back, such as ``accept GTVn1``; empty where there is nothing."""
        return self._history.next_undo

    @property
    def next_redo(self) -> str:
        """What redo would do again; empty where there is nothing."""
        return self._history.next_redo

    def undo(self) -> None:
        """Take back what was said last."""
        self._replay(self._history.undo())

    def redo(self) -> None:
        """Say again what was taken back last."""
        self._replay(self._history.redo())

    # What models and hands draw

    def take_proposal(
        self, visit: Visit, proposal: LesionSet, run: RunRecord, candidates: tuple[Lesion, ...] = ()
    ) -> None:
        """Show what a model has found; finished lesions of an earlier run stay untouched beside it.

        Raises
        ------
        GeometryError
            If it lies on another grid than the visit's image.
        """
        review = self.require(visit)
        review.image.image.require_same_grid(proposal.ids)
        lesions = merge_proposal(review.lesions, proposal)
        # The merged map is what edits are measured against: it has the ids that the reviewer sees.
        self.visits[visit] = review.with_proposal(lesions, run, candidates)
        self._after_voxels(visit, ())

    def take_voxels(self, visit: Visit, ids: np.ndarray, drawn: Mapping[int, Drawn] | None = None) -> tuple[int, ...]:
        """Follow a lesion-id map that was changed by hand; returns the ids whose voxels differ.

        Parameters and errors are those of :func:`HNTargetSegLib.review.edits.after_edit`.
        """
        review, changed = after_edit(self.require(visit), ids, drawn or {}, midline_mm=self._midline(visit))
        if changed:
            self.visits[visit] = review
            self._after_voxels(visit, changed)
        return changed

    def take_given(self, visit: Visit, lesions: LesionSet, given: GivenDelineation) -> None:
        """Show the lesions of a file in the place of those that were there.

        At the pre-RT visit what was known of another delineation, such as its registration, is forgotten.

        Raises
        ------
        GeometryError
            If they lie on another grid than the visit's image.
        """
        review = self.require(visit)
        review.image.image.require_same_grid(lesions.ids)
        if visit is Visit.PRE and self.case is not None:
            self.case = replace(self.case, pre_mask=None, registered_mask=None, registration=None)
        self.visits[visit] = replace(review.without_lesions(), lesions=lesions, given=given)
        self._after_voxels(visit, ())

    def take_prompted(self, visit: Visit, review: VisitReview, changed: tuple[int, ...]) -> None:
        """Show a visit after a box was looked at or taken back.

        Parameters
        ----------
        review
            As :mod:`HNTargetSegLib.review.prompted` has made it of the present one.
        changed
            Ids of lesions whose voxels have changed or are gone.
        """
        self.require(visit)
        self.visits[visit] = review
        if changed:
            self._after_voxels(visit, changed, step=True)
        self._tell(Part.PROMPTS, visit)

    def midline_mm(self, visit: Visit) -> float:
        """LPS x of the mid-sagittal plane of a visit's image, in mm."""
        self.require(visit)
        return self._midline(visit)

    def put_back(self, visit: Visit, review: VisitReview) -> None:
        """Show an earlier review of a visit again: an undo has brought the voxels of an earlier run back."""
        self.require(visit)
        self.visits[visit] = review
        self._after_voxels(visit, (), back=True)
        self._tell(Part.PROMPTS, visit)

    def say(self, level: Level, text: str, remedy: str = "") -> None:
        """Tell the user something."""
        self.tell_user(Message(level, text, remedy))

    def tell_user(self, message: Message | TargetSegError) -> None:
        """Tell the user something, or what went wrong."""
        shown = message if isinstance(message, Message) else Message.of(message)
        self.said = [*self.said, shown][-_MESSAGES_KEPT:]
        self.messages.emit(shown)

    def _lesion_set(self, visit: Visit) -> LesionSet:
        lesions = self.require(visit).lesions
        if lesions is None:
            raise BadInputError(f"The {visit.title} visit has no lesions yet", remedy="Segment it first")
        return lesions

    def _say_of(self, visit: Visit, ids: Iterable[int], what: str, verdict: Callable[[Lesion], Lesion]) -> None:
        lesions = self._lesion_set(visit)
        before = tuple(lesions[i] for i in dict.fromkeys(ids))
        after = tuple(verdict(lesion) for lesion in before)
        pairs = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
        if not pairs:
            return
        names = ", ".join(old.name for old, _ in pairs[:3]) + (" ..." if len(pairs) > 3 else "")
        step = Step(visit, f"{what} {names}", tuple(old for old, _ in pairs), tuple(new for _, new in pairs))
        self._history.push(step)
        self._apply(step)

    def _replay(self, step: Step | None) -> None:
        if step is None:
            return
        try:
            self._apply(step)
        except BadInputError:
            self.say(Level.WARNING, f"'{step.what}' could not be undone or redone: a name is in use by now.")
            self._tell(Part.HISTORY)

    def _apply(self, step: Step) -> None:
        lesions = self._lesion_set(step.visit)
        concerned, touched = {lesion.id for lesion in step.after}, self.visits[step.visit].touched
        new = [step.applied_to(lesion, touched=lesion.id in touched) for lesion in lesions if lesion.id in concerned]
        self.visits[step.visit] = replace(self.visits[step.visit], lesions=lesions.with_lesions(*new))
        self._tell(Part.LESIONS, step.visit, tuple(lesion.id for lesion in new))
        self._tell(Part.HISTORY)

    def _after_voxels(self, visit: Visit, changed: tuple[int, ...], *, step: bool = False, back: bool = False) -> None:
        present = {lesion.id for lesion in self.lesions(visit)}
        lost = self.selected is not None and self.selected[0] is visit and self.selected[1] not in present
        if not changed:
            # Another run: ids mean other lesions now.
            self._history.keep(lambda step: step.visit is not visit)
            lost = lost or (self.selected is not None and self.selected[0] is visit)
        else:
            self._history.keep(lambda s: s.visit is not visit or all(lesion.id in present for lesion in s.after))
        if lost:
            self.selected = None
        self.changed.emit(Change(Part.VOXELS, visit, changed, step=step, back=back))
        if lost:
            self._tell(Part.SELECTION, visit)
        self._tell(Part.HISTORY)

    def _midline(self, visit: Visit) -> float:
        from HNTargetSegLib.lesions.side import body_midline

        if visit not in self._midlines:
            self._midlines[visit] = body_midline(self.visits[visit].image.image)
        return self._midlines[visit]

    def _tell(self, part: Part, visit: Visit | None = None, ids: tuple[int, ...] = ()) -> None:
        self.changed.emit(Change(part, visit, ids))
