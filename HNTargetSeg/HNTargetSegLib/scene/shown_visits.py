"""Which visit each slice view shows, and how its image looks there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.scene import views, volumes
from HNTargetSegLib.scene.linking import LinkedViews
from HNTargetSegLib.scene.visit_nodes import VisitNodes
from HNTargetSegLib.scene.window import PRESETS, Window, preset


class ShownVisits:
    """The slice views of a scene.

    Parameters
    ----------
    scene
        ``vtkMRMLScene``.

    Attributes
    ----------
    compare
        Whether pre-RT stands beside mid-RT.
    active
        The visit that was the active one when they were shown last.
    """

    def __init__(self, scene: Any) -> None:
        self.compare = False
        self.active: Visit | None = None
        self._scene = scene
        self._views: dict[str, Visit] | None = None
        self._links = LinkedViews()

    def arrange(self, compare: bool, chosen: Mapping[str, Visit] | None) -> None:
        """Remember what :meth:`show` is to show; as :meth:`ReviewScene.show_visits`."""
        self.compare, self._views = compare, None if chosen is None else dict(chosen)

    def show(self, nodes: Mapping[Visit, VisitNodes], active: Visit) -> None:
        """Put images and segments of the visits into the views."""
        chosen, self.active = self._views, active
        if chosen is None:
            chosen = views.visits_of_views(self._scene, nodes, active, self.compare)
        slices = {view.GetLayoutName(): view for view in views.slice_nodes(self._scene)}
        shown = {name: visit for name, visit in chosen.items() if name in slices and visit in nodes}
        known = [found.volume.GetID() for found in nodes.values()]
        self._links.clear()
        for name, visit in shown.items():
            views.show_volume(self._scene, slices[name], nodes[visit].volume, known)
        displays = {visit: found.display for visit, found in nodes.items()}
        views.show_segments(self._scene, displays, shown, active)
        if self.compare:
            self._links.link_views(slices[name] for name in shown)
            self._links.link_windows((found.volume, found.bounds) for found in nodes.values())

    def set_window(
        self, nodes: Mapping[Visit, VisitNodes], center: float | str, width: float | None, visit: Visit | None
    ) -> None:
        """Set the grey window; parameters and errors are those of :meth:`ReviewScene.set_window`."""
        chosen = [found for found in nodes.values() if visit in (None, found.visit)]
        if isinstance(center, str):
            if center not in PRESETS:
                raise BadInputError(f"There is no grey window '{center}'", remedy=f"Choose from {', '.join(PRESETS)}")
            windows = {found.visit: preset(center, found.bounds) for found in chosen}
        elif width is None or width <= 0:
            raise BadInputError("The width of a grey window is not above 0", remedy="Give a larger width")
        else:
            windows = {found.visit: Window(center, width) for found in chosen}
        with self._links.apart():
            for found in chosen:
                volumes.set_window(found.volume, windows[found.visit])

    def clear(self) -> None:
        """Let all views go their own way."""
        self._links.clear()

    def __len__(self) -> int:
        return len(self._links)
