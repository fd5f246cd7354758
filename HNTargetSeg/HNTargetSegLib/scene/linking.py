"""Views of one orientation move together, pre-RT beside mid-RT.

Slicer links views of one view group only, and only while its own interactor moves them; the two visits are in two
groups, and a page or a jump moves views as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from HNTargetSegLib.scene.geometry import array_of
from HNTargetSegLib.scene.observing import Observers
from HNTargetSegLib.scene.segments import modifying
from HNTargetSegLib.scene.volumes import display, set_window, window_of
from HNTargetSegLib.scene.window import from_fractions, to_fractions

_EQUAL = 1e-6


class LinkedViews:
    """Slice views that follow each other's position and zoom, and images that follow each other's grey window."""

    def __init__(self) -> None:
        self._views = Observers()
        self._windows = Observers()
        self._following = False

    def link_views(self, slice_nodes: Iterable[Any]) -> None:
        """Let these views follow each other from now on, and no others; those in front lead at first."""
        self._views.clear()
        nodes = list(slice_nodes)
        for node in nodes:
            self._views.add(node, "ModifiedEvent", partial(self._follow_view, node, nodes))
        for node in nodes:
            self._follow_view(node, nodes)

    def link_windows(self, volumes: Iterable[tuple[Any, tuple[float, float]]]) -> None:
        """Let the grey windows of these volumes follow each other, each within its own robust range."""
        self._windows.clear()
        known = list(volumes)
        for node, bounds in known if len(known) > 1 else ():
            self._windows.add(display(node), "ModifiedEvent", partial(self._follow_window, node, bounds, known))

    @contextmanager
    def apart(self) -> Iterator[None]:
        """Let each be set on its own meanwhile."""
        following, self._following = self._following, True
        try:
            yield
        finally:
            self._following = following

    def clear(self) -> None:
        """Let all go their own way."""
        self._views.clear()
        self._windows.clear()

    def __len__(self) -> int:
        return len(self._views) + len(self._windows)

    def _follow_view(self, leader: Any, nodes: list[Any]) -> None:
        if self._following:
            return
        with self.apart():
            for node in nodes:
                if node is not leader and node.GetOrientation() == leader.GetOrientation():
                    _look_alike(leader, node)

    def _follow_window(self, leader: Any, bounds: tuple[float, float], known: list[Any]) -> None:
        if self._following:
            return
        fractions = to_fractions(window_of(leader), bounds)
        with self.apart():
            for node, own in known:
                wanted, shown = from_fractions(*fractions, own), window_of(node)
                same = np.allclose((wanted.center, wanted.width), (shown.center, shown.width), rtol=_EQUAL)
                if node is not leader and not same:
                    set_window(node, wanted)


def _look_alike(leader: Any, node: Any) -> None:
    """Give a view place, pan and millimetres a pixel of another."""
    here, there = array_of(leader.GetSliceToRAS()), array_of(node.GetSliceToRAS())
    zoom = leader.GetFieldOfView()[0] / max(1, leader.GetDimensions()[0])
    columns, rows, _ = (max(1, n) for n in node.GetDimensions())
    wanted, view = (columns * zoom, rows * zoom), node.GetFieldOfView()
    origin, own = leader.GetXYZOrigin(), node.GetXYZOrigin()
    if (
        np.allclose(here, there, atol=_EQUAL)
        and np.allclose(view[:2], wanted, rtol=_EQUAL)
        and np.allclose(origin[:2], own[:2], atol=_EQUAL)
    ):
        return
    with modifying(node):
        node.GetSliceToRAS().DeepCopy(leader.GetSliceToRAS())
        node.SetXYZOrigin(origin[0], origin[1], own[2])
        node.SetFieldOfView(*wanted, view[2])
        node.UpdateMatrices()
