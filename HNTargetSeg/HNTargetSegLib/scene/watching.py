"""What happens in the scene: some is acted on at once, edits are collected until there is time to follow them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.scene.observing import Observers
from HNTargetSegLib.scene.state import stored_text
from HNTargetSegLib.scene.visit_nodes import VisitNodes


class Due(str, Enum):
    """What is to be followed."""

    STATE = "state"
    NODES = "nodes"
    SEGMENTS = "segments"
    PLACE = "place"


@dataclass(frozen=True)
class Reactions:
    """What is done at once before the scene is closed, and when it was closed or read."""

    closing: Callable[[], object]
    closed: Callable[[], object]
    imported: Callable[[], object]


class Watch:
    """Observers of a scene and of the nodes of a review.

    Parameters
    ----------
    scene
        ``vtkMRMLScene``.
    reactions
        Called at once.

    Attributes
    ----------
    on_pending
        Called when something is due and nothing was before.
    text
        The stored review that is known; another one is due.
    away
        Whether the scene is being closed.
    """

    def __init__(self, scene: Any, reactions: Reactions) -> None:
        self.on_pending: Callable[[], object] | None = None
        self.text = ""
        self.away = False
        self._reactions = reactions
        self._due: set[tuple[Due, Visit | None]] = set()
        self._own = 0
        self._state: Any = None
        self._nodes: list[Any] = []
        self._of_scene, self._of_nodes, self._of_state = Observers(), Observers(), Observers()
        for event, callback in (
            (scene.StartCloseEvent, self._closing),
            (scene.EndCloseEvent, self._closed),
            (scene.EndImportEvent, reactions.imported),
            (scene.NodeRemovedEvent, self._removed),
        ):
            self._of_scene.add(scene, event, callback)

    @property
    def pending(self) -> bool:
        """Whether something is due."""
        return bool(self._due)

    def take_due(self) -> set[tuple[Due, Visit | None]]:
        """What is due; it is no longer afterwards."""
        due, self._due = self._due, set()
        return due

    def done(self, due: Due, visit: Visit | None = None) -> None:
        """Something has been followed."""
        self._due.discard((due, visit))

    @contextmanager
    def own_changes(self) -> Iterator[None]:
        """Changes of the scene that are not to be followed."""
        self._own += 1
        try:
            yield
        finally:
            self._own -= 1

    def wait_for(self, due: Due, visit: Visit | None = None) -> None:
        """Make something due."""
        begins = not self._due
        self._due.add((due, visit))
        if begins and self.on_pending is not None:
            self.on_pending()

    def watch_nodes(self, nodes: VisitNodes) -> None:
        """Observe the nodes of a visit as well."""
        import slicer

        self._nodes += [nodes.volume, nodes.segmentation]
        events = slicer.vtkSegmentation
        edited = partial(self._changed, Due.SEGMENTS, nodes.visit)
        for event in (
            events.SourceRepresentationModified,
            events.SegmentAdded,
            events.SegmentRemoved,
            events.SegmentModified,
            events.SegmentsOrderModified,
            nodes.segmentation.TransformModifiedEvent,
        ):
            self._of_nodes.add(nodes.segmentation, event, edited)
        self._of_nodes.add(nodes.display, "ModifiedEvent", edited)
        for event in (nodes.volume.TransformModifiedEvent, "ModifiedEvent"):
            self._of_nodes.add(nodes.volume, event, partial(self._changed, Due.PLACE, nodes.visit))

    def leave_nodes(self) -> None:
        """Observe the nodes of no visit any more."""
        self._of_nodes.clear()
        self._due.clear()
        self._nodes.clear()

    def watch_state(self, node: Any) -> None:
        """Observe the node that keeps the review's state, in place of the one before."""
        if node is not self._state:
            self._of_state.clear()
            self._of_state.add(node, "ModifiedEvent", self._stored)
            self._state = node

    def clear(self) -> None:
        """End all observers."""
        self._of_scene.clear()
        self._of_state.clear()
        self.leave_nodes()

    def __len__(self) -> int:
        return len(self._of_scene) + len(self._of_nodes) + len(self._of_state)

    def _changed(self, due: Due, visit: Visit) -> None:
        if not self._own and not self.away:
            self.wait_for(due, visit)

    def _stored(self) -> None:
        if not self.away and stored_text(self._state) != self.text:
            self.wait_for(Due.STATE)

    def _closing(self) -> None:
        self._reactions.closing()
        self.away = True

    def _closed(self) -> None:
        self.away = False
        self._reactions.closed()

    def _removed(self) -> None:
        # Not at once: other modules are in the middle of taking the node out.
        if not self._own and not self.away and any(node.GetScene() is None for node in self._nodes):
            self.wait_for(Due.NODES)
