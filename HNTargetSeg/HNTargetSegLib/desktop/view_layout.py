"""Which views are on screen: the usual four, or both visits beside each other."""

from __future__ import annotations

from typing import Any

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.scene.review_scene import ReviewScene

COMPARED = {"Red": Visit.PRE, "Yellow": Visit.MID}
"""Layout name of the view by visit in the layout with two views."""


class ViewLayout:
    """Sets Slicer's layout and tells the scene which view shows which visit.

    Parameters
    ----------
    review_scene
        Fills the views.
    """

    def __init__(self, review_scene: ReviewScene) -> None:
        self._scene = review_scene
        self._before: int | None = None

    def show(self, *, compare: bool) -> None:
        """Show pre-RT beside mid-RT, or go back to the layout that was there before."""
        layouts = _layout_manager()
        if layouts is not None and compare and self._before is None:
            self._before = _layout_of(layouts)
            layouts.setLayout(_side_by_side())
            _turn(layouts, "Yellow", "Axial")
        elif layouts is not None and not compare and self._before is not None:
            layouts.setLayout(self._before)
            _turn(layouts, "Yellow", "Sagittal")
        self._scene.show_visits(compare, COMPARED if compare else None)
        if layouts is not None and not compare and self._before is not None:
            # The views that were compared have the zoom of the wide ones.
            layouts.resetSliceViews()
            self._before = None


def _layout_manager() -> Any:
    import slicer

    return slicer.app.layoutManager()


def _layout_of(layouts: Any) -> int:
    from HNTargetSegLib.desktop.qt_values import value_of

    return int(value_of(layouts, "layout"))


def _side_by_side() -> int:
    import slicer

    return int(slicer.vtkMRMLLayoutNode.SlicerLayoutSideBySideView)


def _turn(layouts: Any, view: str, orientation: str) -> None:
    widget = layouts.sliceWidget(view)
    if widget is not None:
        widget.mrmlSliceNode().SetOrientation(orientation)
