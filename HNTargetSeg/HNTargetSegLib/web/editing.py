"""Correction by hand in the page: trame-slicer's segment editor on the lesions of the active visit."""

from __future__ import annotations

from typing import Any

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.review.change import Change, Part
from HNTargetSegLib.web.desk import Desk, told

BRUSH_MM = (1.0, 40.0)
"""Smallest and largest brush."""

_BRUSHES = ("paint", "erase")


class Editing:
    """The tools: brush, eraser, scissors, islands, and undo of voxels.

    The tool works on the selected lesion, or on a new one that is begun with :meth:`begin_lesion`.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._editor = desk.core.segmentation_editor
        self._begun: tuple[Visit, str] | None = None
        self._edited: Visit | None = None
        # trame-slicer's editor makes and removes surfaces by a switch of its own; here the scene does.
        self._editor.segmentation_modified.disconnect(self._editor._on_segmentation_modified)
        desk.session.changed.connect(self._on_change)
        desk.state.change("brush_mm", "sphere")(lambda **_: self._set_brush())

    @told
    def set_tool(self, tool: str) -> None:
        """Take a tool into the hand; the one that is there already is put away."""
        if not tool or tool == self.desk.state.tool:
            self._put_away()
            return
        self._take_up()
        self._editor.set_active_effect_type(_effects()[tool])
        self._protect_neighbours(tool)
        self.desk.state.tool = tool
        self._set_brush()
        self._set_mouse()

    @told
    def begin_lesion(self, label: str) -> None:
        """Begin a new lesion, and take the brush."""
        visit = self.desk.session.active
        self.desk.session.require(visit)
        self._begun = (visit, self.desk.scene.new_segment(visit, Target[label]))
        self.desk.state.draw_label = label
        self._use(visit, self._begun[1])
        if self.desk.state.tool != "paint":
            self.set_tool("paint")

    @told
    def apply_islands(self, mode: str) -> None:
        """Keep the largest part of the lesion, or remove its small parts."""
        from trame_slicer.segmentation import SegmentationEffectIslands

        before = self.desk.state.tool
        self._take_up()
        effect = self._editor.set_active_effect_type(SegmentationEffectIslands)
        if mode == "largest":
            effect.keep_largest_island()
        else:
            effect.remove_small_islands(20)
        self.desk.scene.follow_edits(self.desk.session.active)
        self.desk.state.tool = ""
        if before:
            self.set_tool(before)
        else:
            self._put_away()

    @told
    def grow_brush(self, factor: float) -> None:
        """Make the brush larger or smaller."""
        low, high = BRUSH_MM
        self.desk.state.brush_mm = round(min(high, max(low, float(self.desk.state.brush_mm) * float(factor))), 1)

    @told
    def undo_voxels(self) -> None:
        """Take the last stroke back."""
        if self.desk.scene.can_undo_voxels(self.desk.session.active):
            self.desk.scene.undo_voxels(self.desk.session.active)
        self.refresh()

    @told
    def redo_voxels(self) -> None:
        """Do it again."""
        if self.desk.scene.can_redo_voxels(self.desk.session.active):
            self.desk.scene.redo_voxels(self.desk.session.active)
        self.refresh()

    @told
    def put_away(self) -> None:
        """Put the tool away."""
        self._put_away()

    def refresh(self) -> None:
        """Write what the tools have changed, and select a lesion that was begun once it has voxels."""
        state, scene, session = self.desk.state, self.desk.scene, self.desk.session
        if state.tool in _BRUSHES:
            # The wheel with Shift changes the size in the view.
            state.brush_mm = round(self._editor.get_effect(_effects()[state.tool]).get_brush_diameter(), 1)
        there = session.active in session.visits
        state.undo_voxels = there and scene.can_undo_voxels(session.active)
        state.redo_voxels = there and scene.can_redo_voxels(session.active)
        if self._begun is not None:
            visit, segment = self._begun
            lesion = scene.lesion_of(visit, segment)
            if lesion is not None:
                self._begun = None
                state.draw_label = "lesion"
                session.select(visit, lesion, jump=False)

    def _take_up(self) -> None:
        """Point the editor at what shall be edited."""
        session, scene = self.desk.session, self.desk.scene
        if self._begun is not None and self._begun[0] is session.active:
            self._use(*self._begun)
            return
        if session.selected is None or session.selected[0] is not session.active:
            raise BadInputError("No lesion is selected", remedy="Click on its row, or begin a new lesion")
        visit, lesion = session.selected
        segment = scene.segment_id(visit, lesion)
        if not segment:
            name = session.require(visit).require_lesion(lesion).name
            raise BadInputError(f"{name} has no voxels to correct", remedy="Begin a new lesion to draw it")
        self._use(visit, segment)

    def _use(self, visit: Visit, segment: str) -> None:
        scene = self.desk.scene
        node = scene.segmentation_node(visit)
        if self._editor.active_segmentation_node is not node or self._edited is not visit:
            self._editor.set_active_segmentation(node, scene.volume_node(visit))
            self._save_before_each_change(visit)
            self._edited = visit
        self._editor.set_active_segment_id(segment)

    def _save_before_each_change(self, visit: Visit) -> None:
        """Have the scene remember the voxels before a tool changes them: its history also holds the AI's steps."""
        modifier = self._editor.active_segment_modifier
        apply = modifier.apply_labelmap

        def saved_and_applied(*args: Any, **kwargs: Any) -> None:
            self.desk.scene.save_undo(visit)
            apply(*args, **kwargs)

        modifier.apply_labelmap = saved_and_applied

    def _protect_neighbours(self, tool: str) -> None:
        from trame_slicer.segmentation import SegmentationEditableAreaMode as Area

        outside = next((area for area in Area if "OUTSIDE_ALL" in area.name.upper()), None)
        everywhere = next(area for area in Area if "EVERYWHERE" in area.name.upper())
        self._editor.set_editable_area(outside if tool == "paint" and outside is not None else everywhere)

    @told
    def _set_brush(self) -> None:
        from trame_slicer.segmentation import BrushDiameterMode

        tool = self.desk.state.tool
        if tool in _BRUSHES:
            effect = self._editor.get_effect(_effects()[tool])
            effect.set_brush_diameter(float(self.desk.state.brush_mm), BrushDiameterMode.Absolute)
            effect.set_use_sphere_brush(bool(self.desk.state.sphere))

    def _put_away(self) -> None:
        self._editor.deactivate_effect()
        self.desk.state.tool = ""
        self._begun = None
        self.desk.state.draw_label = "lesion"
        self._set_mouse()

    def _set_mouse(self) -> None:
        """Left drag changes the grey window while no tool is in the hand."""
        from slicer import vtkMRMLInteractionNode

        node = self.desk.core.app_logic.GetInteractionNode()
        if node is not None:
            resting = vtkMRMLInteractionNode.AdjustWindowLevel
            node.SetCurrentInteractionMode(vtkMRMLInteractionNode.ViewTransform if self.desk.state.tool else resting)

    def _on_change(self, change: Change) -> None:
        if change.part is Part.CASE:
            self._edited = None
            self._put_away()
        elif change.part is Part.SELECTION and self.desk.state.tool and self._begun is None:
            self._follow_selection()
        elif change.part is Part.HISTORY:
            self.refresh()

    def _follow_selection(self) -> None:
        session = self.desk.session
        selected = session.selected
        if selected is None or not self.desk.scene.segment_id(*selected):
            self._put_away()
        elif self._edited is not selected[0]:
            tool = self.desk.state.tool
            self._put_away()
            self.set_tool(tool)
        else:
            self._use(selected[0], self.desk.scene.segment_id(*selected))


def _effects() -> dict[str, Any]:
    from trame_slicer.segmentation import SegmentationEffectErase, SegmentationEffectPaint, SegmentationEffectScissors

    return {
        "paint": SegmentationEffectPaint,
        "erase": SegmentationEffectErase,
        "scissors": SegmentationEffectScissors,
    }
