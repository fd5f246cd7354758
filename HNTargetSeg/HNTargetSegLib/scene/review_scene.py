"""A review in a Slicer scene: what the session says is written there, what a hand changes there is read back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.case.volume import Triple
from HNTargetSegLib.errors import TargetSegError
from HNTargetSegLib.lesions.final_check import Finding
from HNTargetSegLib.lesions.lesion import LesionSet
from HNTargetSegLib.review.change import Change, Level, Part
from HNTargetSegLib.review.session import ReviewSession
from HNTargetSegLib.scene import segments, views
from HNTargetSegLib.scene.following import follow
from HNTargetSegLib.scene.keeping import KeptReview
from HNTargetSegLib.scene.logics import SceneLogics
from HNTargetSegLib.scene.opening import nodes_of_case
from HNTargetSegLib.scene.overlaps import overlaps_of
from HNTargetSegLib.scene.prior_nodes import PriorNodes
from HNTargetSegLib.scene.shown_visits import ShownVisits
from HNTargetSegLib.scene.style import SegmentStyle
from HNTargetSegLib.scene.terminology import teach_terminology
from HNTargetSegLib.scene.visit_nodes import VisitNodes
from HNTargetSegLib.scene.watching import Due, Reactions, Watch

_STORED = frozenset({Part.CASE, Part.VOXELS, Part.LESIONS, Part.SELECTION, Part.SHOWN, Part.PRIOR, Part.PROMPTS})


class ReviewScene:
    """The scene side of one review session.

    It listens to ``session.changed`` and writes MRML; it observes the scene and tells the session what was changed
    there. All calls on the thread of the scene.

    Parameters
    ----------
    session
        The review; an open one is shown at once.
    scene
        ``vtkMRMLScene``. A review that it holds is gone on with, where the session has no case.
    logics
        Logics of the scene.

    Attributes
    ----------
    before_write
        Called with the visit before an AI step writes voxels, so that a face can save its editor's undo state.
    prior_nodes
        What the scene shows of the registration of the visits.
    """

    def __init__(self, session: ReviewSession, scene: Any, *, logics: SceneLogics | None = None) -> None:
        self.before_write: Callable[[Visit], object] | None = None
        self.logics = SceneLogics() if logics is None else logics
        self._session, self._scene = session, scene
        self._nodes: dict[Visit, VisitNodes] = {}
        self._style, self._surfaces = SegmentStyle(), False
        self._following = False
        self._shown = ShownVisits(scene)
        self.prior_nodes = PriorNodes(scene)
        self._watch = Watch(scene, Reactions(self.process_pending, self._scene_closed, self._scene_imported))
        self._kept = KeptReview(scene, session, self._watch)
        teach_terminology(self.logics.terminologies)
        self._disconnect = session.changed.connect(self._session_changed)
        if session.case is not None:
            self._session_changed(Change(Part.CASE))
        else:
            self._told(self.restore)

    def volume_node(self, visit: Visit) -> Any | None:
        """``vtkMRMLScalarVolumeNode`` of a visit, or None."""
        return self._nodes[visit].volume if visit in self._nodes else None

    def segmentation_node(self, visit: Visit) -> Any | None:
        """``vtkMRMLSegmentationNode`` of a visit, or None; there is one as soon as the visit is open."""
        return self._nodes[visit].segmentation if visit in self._nodes else None

    def segment_id(self, visit: Visit, lesion_id: int) -> str:
        """Id of the segment that shows a lesion; empty where there is none."""
        return self._nodes[visit].segment_of(lesion_id) if visit in self._nodes else ""

    def lesion_of(self, visit: Visit, segment_id: str) -> int | None:
        """Lesion that a segment shows; None where it shows none yet."""
        known = {lesion.id for lesion in self._session.lesions(visit)}
        found = self._nodes[visit].lesions.get(segment_id) if visit in self._nodes else None
        return found if found in known else None

    def new_segment(self, visit: Visit, label: Target) -> str:
        """Add an empty segment to draw a new lesion into; returns its id. It becomes a lesion with its first voxel."""
        nodes = self._require(visit)
        with self._watch.own_changes():
            return nodes.add_segment(label)

    def show_visits(self, compare: bool, views: Mapping[str, Visit] | None = None) -> None:
        """Put the images into the slice views; call again when views were added.

        Parameters
        ----------
        compare
            False: all views show the active visit. True: pre-RT beside mid-RT, and views of one orientation move
            together in position, zoom and window.
        views
            Visit by layout name of the view (``Red``); views that are not named are left alone. Without it the view
            groups decide in compare mode: the lowest group shows pre-RT, all others mid-RT.
        """
        self._shown.arrange(compare, views)
        self._show_views()

    def set_style(self, style: SegmentStyle) -> None:
        """Draw all segments in another style."""
        self._style = style
        for nodes in self._nodes.values():
            segments.apply_style(nodes.display, style)

    def set_window(self, center: float | str, width: float | None = None, visit: Visit | None = None) -> None:
        """Set the grey window of the images, of one visit or of all.

        Parameters
        ----------
        center, width
            In the image's units; or the name of a preset of :data:`HNTargetSegLib.scene.window.PRESETS` alone.

        Raises
        ------
        BadInputError
            If there is no such preset, or the width is not positive.
        """
        self._shown.set_window(self._nodes, center, width, visit)

    def range_of(self, visit: Visit) -> tuple[float, float]:
        """Grey values between which the image of a visit is worth looking at; a slider's ends."""
        return self._require(visit).bounds

    def set_surfaces(self, shown: bool) -> None:
        """Show segments as surfaces in 3D views; off at first because they are made anew after each edit."""
        self._surfaces = shown
        with self._watch.own_changes():
            for nodes in self._nodes.values():
                nodes.show_surfaces(shown)

    def preview_prior(self, lesions: LesionSet | None) -> None:
        """Show outlines of pre-RT lesions on the mid-RT image, or none."""
        with self._watch.own_changes():
            self.prior_nodes.show(lesions, self._nodes.get(Visit.MID))

    def look_at(self, place: Triple) -> None:
        """Move the views to a place, LPS mm."""
        views.jump(self._scene, place)

    def overlaps(self) -> dict[Visit, tuple[Finding, ...]]:
        """What segments claim together, by visit, for the final check; errors as :meth:`follow_edits`."""
        reviews = self._session.visits
        return {visit: overlaps_of(nodes, reviews[visit]) for visit, nodes in self._nodes.items() if visit in reviews}

    def follow_edits(self, visit: Visit) -> tuple[int, ...]:
        """Read the segmentation back into the session now; returns the lesion ids whose voxels differ.

        Raises
        ------
        BadInputError, GeometryError
            As :func:`HNTargetSegLib.scene.reading.read_segments`; the session is as it was.
        """
        return self._follow(visit)

    def process_pending(self) -> None:
        """Follow what was changed in the scene since the last call; never raises, the user is told.

        Call from a timer of about 100 ms, and before the session takes a model's result or exports.
        """
        due = self._watch.take_due()
        if (Due.STATE, None) in due:
            self._told(self._kept.follow)
        if (Due.NODES, None) in due:
            self._follow_removed()
        for visit, nodes in tuple(self._nodes.items()):
            if (Due.SEGMENTS, visit) in due and self._nodes.get(visit) is nodes:
                self._told(partial(self._follow, visit))
            if (Due.PLACE, visit) in due and self._nodes.get(visit) is nodes:
                self._told(nodes.require_place)

    @property
    def pending(self) -> bool:
        """Whether :meth:`process_pending` has something to do."""
        return self._watch.pending

    @property
    def on_pending(self) -> Callable[[], object] | None:
        """Called when :attr:`pending` becomes true, so that a face can start a timer for :meth:`process_pending`."""
        return self._watch.on_pending

    @on_pending.setter
    def on_pending(self, callback: Callable[[], object] | None) -> None:
        self._watch.on_pending = callback

    def save_undo(self, visit: Visit) -> None:
        """Remember the voxels of a visit, before a tool changes them, for :meth:`undo_voxels`."""
        self._require(visit).history.save()

    def undo_voxels(self, visit: Visit) -> None:
        """Take back the last change of voxels; the session follows."""
        if self.can_undo_voxels(visit):
            self._follow(visit)
            self._require(visit).history.undo()
            self._follow(visit, undone=True)

    def redo_voxels(self, visit: Visit) -> None:
        """Do again what :meth:`undo_voxels` took back."""
        if self.can_redo_voxels(visit):
            self._require(visit).history.redo()
            self._follow(visit, undone=True)

    def can_undo_voxels(self, visit: Visit) -> bool:
        """Whether there is a change of voxels to take back."""
        return visit in self._nodes and self._nodes[visit].history.can_undo

    def can_redo_voxels(self, visit: Visit) -> bool:
        """Whether there is a change of voxels to do again."""
        return visit in self._nodes and self._nodes[visit].history.can_redo

    def restore(self) -> bool:
        """Go on with the review that the scene holds; False where it holds none.

        Raises
        ------
        BadInputError, GeometryError
            If it cannot be used; the session is as it was.
        """
        return self._kept.restore()

    def save_state(self) -> None:
        """Write the state of the review into the scene; done by itself after each change."""
        self._kept.save(self._nodes)

    def dispose(self) -> None:
        """End listening to the session and observing the scene; the nodes stay. Twice does no harm."""
        self._disconnect()
        self._watch.clear()
        self._forget()

    @property
    def observers(self) -> int:
        """Number of observers on the scene and its nodes."""
        return len(self._watch) + len(self._shown)

    def _session_changed(self, change: Change) -> None:
        if not self._watch.away:
            with self._watch.own_changes():
                self._told(partial(self._show, change))
                if change.part in _STORED:
                    self.save_state()

    def _show(self, change: Change) -> None:
        visit, session = change.visit, self._session
        if change.part is Part.CASE:
            self._show_case()
        elif change.part is Part.VOXELS and visit in self._nodes:
            self._write(self._nodes[visit], change)
        elif change.part in (Part.LESIONS, Part.SHOWN) and visit in self._nodes:
            self._nodes[visit].refresh(session.visits[visit], change.ids)
        elif change.part is Part.SELECTION and session.active is not self._shown.active:
            self._show_views()
        elif change.part is Part.PRIOR:
            self._show_prior()
        elif change.part is Part.JUMP and visit is not None:
            views.jump(self._scene, session.place_of(visit, change.ids[0]))

    def _show_case(self) -> None:
        self._watch.leave_nodes()
        self._shown.clear()
        nodes = nodes_of_case(self._scene, self._session, self._nodes, restoring=self._kept.restoring)
        begun = [found for visit, found in nodes.items() if self._nodes.get(visit) is not found]
        self._nodes = nodes
        for found in begun:
            segments.apply_style(found.display, self._style)
            self._begin(found)
        for found in nodes.values():
            self._watch.watch_nodes(found)
        self._show_views()
        self._show_prior()

    def _show_views(self) -> None:
        self._shown.show(self._nodes, self._session.active)
        self.prior_nodes.follow_views(self._nodes.get(Visit.MID))

    def _show_prior(self) -> None:
        case = self._session.case
        self.prior_nodes.follow(*((None, "") if case is None else (case.registration, case.name)))

    def _begin(self, nodes: VisitNodes) -> None:
        review = self._session.visits[nodes.visit]
        if nodes.holds(review):
            nodes.history.run = nodes.run_of_segments() or nodes.history.run
            nodes.refresh(review)
            nodes.mark_seen()
        elif self._kept.restoring:
            # Segments that nobody has followed yet.
            self._watch.wait_for(Due.SEGMENTS, nodes.visit)
        else:
            nodes.write(review)
        nodes.show_surfaces(self._surfaces)

    def _write(self, nodes: VisitNodes, change: Change) -> None:
        """Write the voxels of a visit, unless they are there already because they were read."""
        review = self._session.visits[nodes.visit]
        if nodes.lost:
            # A segmentation that was removed is made anew; a visit without its image will be left out.
            if nodes.volume.GetScene() is not None:
                self._show_case()
            return
        # A box has always changed voxels; whether they are there already takes as long as to write them.
        if self._following or self._kept.restoring or (not change.step and nodes.holds(review)):
            nodes.refresh(review)
            return
        if self.before_write is not None:
            self.before_write(nodes.visit)
        if change.step:
            nodes.overwrite_part(review, change.ids)
        else:
            nodes.overwrite(review, new_run=not change.ids)
        nodes.show_surfaces(self._surfaces)

    def _scene_closed(self) -> None:
        """The nodes are gone, and the review with them."""
        self._forget()
        self._told(self._session.close)

    def _scene_imported(self) -> None:
        """A scene that was read may hold a review; an open one goes on, whatever was read."""
        if self._session.case is None:
            self._told(self.restore)
        elif self._kept.text not in ("", self._watch.text):
            text = "The scene that was added holds a review of its own."
            self._session.say(Level.WARNING, text, "Close the scene first to open it.")
            self.save_state()

    def _follow_removed(self) -> None:
        """What the user has deleted; found before anything is made anew, which brings all visits' nodes back."""
        lost = [visit for visit, nodes in self._nodes.items() if nodes.segmentation.GetScene() is None]
        gone = [visit for visit, nodes in self._nodes.items() if nodes.volume.GetScene() is None]
        for visit in gone:
            self._session.say(Level.WARNING, f"The {visit.title} image was removed from the scene.")
            self._told(partial(self._session.drop, visit))
        if lost := [visit for visit in lost if visit in self._session.visits]:
            titles = " and ".join(visit.title for visit in lost)
            self._session.say(
                Level.WARNING,
                f"The lesions of {titles} were removed from the scene, and what was said of them.",
                "Open the patient again to go on with the review as it was, or segment it again.",
            )
            self._told(partial(self._lose_lesions, lost))

    def _lose_lesions(self, visits: Sequence[Visit]) -> None:
        """Go on with empty segmentations."""
        with self._watch.own_changes(), self._reading():
            for visit in visits:
                self._session.put_back(visit, self._session.visits[visit].without_lesions())
            self._show_case()
        self.save_state()

    def _follow(self, visit: Visit, *, undone: bool = False) -> tuple[int, ...]:
        nodes = self._require(visit)
        with self._watch.own_changes(), self._reading():
            changed = follow(self._session, nodes, undone=undone)
            if changed or undone:
                nodes.show_surfaces(self._surfaces)
        self._watch.done(Due.SEGMENTS, visit)
        return changed

    def _require(self, visit: Visit) -> VisitNodes:
        self._session.require(visit)
        return self._nodes[visit]

    def _forget(self) -> None:
        self._watch.leave_nodes()
        self._shown.clear()
        self.prior_nodes.clear()
        for nodes in self._nodes.values():
            nodes.dispose()
        self._nodes = {}

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """What the session says meanwhile comes from the segments, and is not written into them."""
        before, self._following = self._following, True
        try:
            yield
        finally:
            self._following = before

    def _told(self, action: Callable[[], object]) -> None:
        """Do something; what goes wrong is told to the user."""
        try:
            action()
        except TargetSegError as error:
            self._session.tell_user(error)
