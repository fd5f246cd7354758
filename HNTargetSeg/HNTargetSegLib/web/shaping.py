"""Changing a whole lesion in the page: smooth it, fill between slices, keep a range of grey values."""

from __future__ import annotations

from typing import Any

import numpy as np

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.lesions.shaping import filled_between, smoothed, within_range
from HNTargetSegLib.review.change import Change, Part
from HNTargetSegLib.web.desk import Desk, told

SMOOTH_MM = (0.5, 5.0)
"""Smallest and largest width of the smoothing."""


class Shaping:
    """What is done to the selected lesion at once; each is one step of undo, as a stroke is."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._shown: Visit | None = None
        desk.session.changed.connect(self._on_change)

    @told
    def smooth(self) -> None:
        """Round the lesion off."""
        ids, lesion, image = self._selected()
        self._take(smoothed(ids, lesion, image.geometry.spacing_kji, float(self.desk.state.smooth_mm)))

    @told
    def fill_between(self) -> None:
        """Fill the slices between those that were drawn."""
        ids, lesion, image = self._selected()
        self._take(filled_between(ids, lesion, image.geometry.spacing_kji))

    @told
    def keep_range(self) -> None:
        """Keep the voxels whose grey values are in the range of the slider."""
        ids, lesion, image = self._selected()
        low, high = (float(value) for value in self.desk.state.grey_range)
        self._take(within_range(ids, lesion, image.array, low, high))

    def _selected(self) -> tuple[np.ndarray, int, Any]:
        session = self.desk.session
        # What was drawn last belongs to the lesion.
        self.desk.scene.follow_edits(session.active)
        review = session.visits[session.active]
        if session.selected is None or session.selected[0] is not session.active or review.lesions is None:
            raise BadInputError("No lesion is selected", remedy="Click on its row")
        return review.lesions.ids.array, session.selected[1], review.image.image

    def _take(self, ids: np.ndarray) -> None:
        session = self.desk.session
        if not session.take_voxels(session.active, ids):
            raise BadInputError("The lesion is like that already", remedy="Change the width or the range")

    def _on_change(self, change: Change) -> None:
        """The slider's ends are those of the image that is shown."""
        session = self.desk.session
        if change.part is Part.CASE:
            self._shown = None
        if change.part not in (Part.CASE, Part.SELECTION) or session.active not in session.visits:
            return
        if self._shown is not session.active:
            self._shown = session.active
            low, high = session.visits[session.active].image.image.intensity_range
            self.desk.state.grey_limits = [low, high]
            self.desk.state.grey_range = [low, high]
