"""The review as the scene keeps it: written after each change, gone on with where one is found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.review.session import ReviewSession
from HNTargetSegLib.review.stored import review_to_json
from HNTargetSegLib.scene import state
from HNTargetSegLib.scene.restoring import restore_from
from HNTargetSegLib.scene.visit_nodes import VisitNodes
from HNTargetSegLib.scene.watching import Watch


class KeptReview:
    """The state node of a scene and the session that it is of.

    Parameters
    ----------
    scene
        ``vtkMRMLScene``.
    session
        The review.
    watch
        Observes the node, and knows the text that was written or read last.

    Attributes
    ----------
    restoring
        Whether the session is being given what the scene holds.
    """

    def __init__(self, scene: Any, session: ReviewSession, watch: Watch) -> None:
        self.restoring = False
        self._scene, self._session, self._watch = scene, session, watch

    @property
    def text(self) -> str:
        """The review in the scene as JSON; empty where it holds none."""
        return state.stored_text(state.find_state(self._scene))

    def restore(self) -> bool:
        """Go on with the review in the scene; as :meth:`ReviewScene.restore`."""
        node = state.find_state(self._scene)
        text = state.stored_text(node)
        if not text:
            return False
        self._watch.text = text
        self._watch.watch_state(node)
        self.restoring = True
        try:
            return restore_from(node, self._session)
        finally:
            self.restoring = False

    def follow(self) -> None:
        """Go on with the review as another module has written it, which may have closed it."""
        text = self.text
        if text != self._watch.text and not self.restore():
            self._watch.text = text
            self._session.close()

    def save(self, nodes: Mapping[Visit, VisitNodes]) -> None:
        """Write the review, and which nodes are its."""
        self._watch.text = text = review_to_json(self._session)
        if not text and state.find_state(self._scene) is None:
            return
        node = state.state_node(self._scene)
        shown = {visit: found.volume for visit, found in nodes.items()}
        drawn = {visit: found.segmentation for visit, found in nodes.items()}
        state.store(node, text, shown, drawn)
        self._watch.watch_state(node)
