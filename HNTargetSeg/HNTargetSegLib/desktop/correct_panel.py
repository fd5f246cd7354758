"""Correcting by hand: Slicer's Segment Editor on the segmentation of the active visit."""

from __future__ import annotations

from typing import Any

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.desktop.desk import ReviewDesk
from HNTargetSegLib.desktop.texts import tr as _
from HNTargetSegLib.desktop.ui_files import load_ui
from HNTargetSegLib.review.change import Change, Part

SINGLETON_TAG = "HNTargetSegEditor"
UNDO_STATES = 20


class CorrectPanel:
    """Embeds the Segment Editor; edits are followed by the scene side of the review.

    Parameters
    ----------
    desk
        The review.
    """

    def __init__(self, desk: ReviewDesk) -> None:
        self.widget, self._ui = load_ui("Correct")
        self._desk = desk
        self._scene: Any = None
        self._active = False
        editor = self._ui.editor
        editor.setMaximumNumberOfUndoStates(UNDO_STATES)
        editor.setSegmentationNodeSelectorVisible(False)
        editor.setSourceVolumeNodeSelectorVisible(False)
        editor.setSwitchToSegmentationsButtonVisible(False)
        self._ui.primaryButton.clicked.connect(self._on_primary)
        self._ui.nodeButton.clicked.connect(self._on_node)
        self._disconnect = desk.session.changed.connect(self._on_change)
        self._before = desk.review_scene.before_write
        desk.review_scene.before_write = self._save_undo
        self._refresh_text()

    def set_scene(self, scene: Any) -> None:
        """Give the editor its scene; its parameter node comes first, so that it keeps what is chosen then."""
        self._scene = scene
        self._ui.editor.setMRMLSegmentEditorNode(self._editor_node())
        self._ui.editor.setMRMLScene(scene)

    def close(self) -> None:
        """Stop listening and let go of the scene."""
        self._disconnect()
        self.leave()
        if self._desk.review_scene.before_write == self._save_undo:
            self._desk.review_scene.before_write = self._before
        self._ui.editor.setSegmentationNode(None)

    def enter(self) -> None:
        """The user begins to correct: the editor gets the segmentation, the views and its keys."""
        self._active = True
        editor = self._ui.editor
        editor.setMRMLSegmentEditorNode(self._editor_node())
        self._follow_visit()
        editor.setupViewObservations()
        editor.installKeyboardShortcuts()
        editor.updateWidgetFromMRML()

    def leave(self) -> None:
        """The user is done correcting: no tool, no keys, and what was drawn is taken in."""
        if not self._active:
            return
        self._active = False
        editor = self._ui.editor
        editor.setActiveEffect(None)
        editor.uninstallKeyboardShortcuts()
        editor.removeViewObservations()
        with self._desk.telling():
            self._desk.follow_edits()

    def scene_closes(self) -> None:
        """The scene is about to go: the editor must not hold anything of it."""
        self._ui.editor.setSegmentationNode(None)
        self._ui.editor.removeViewObservations()

    def scene_closed(self) -> None:
        """The scene is empty: a new parameter node is needed."""
        self._ui.editor.setMRMLSegmentEditorNode(self._editor_node())
        if self._active:
            self._follow_visit()
            self._ui.editor.updateWidgetFromMRML()

    def _editor_node(self) -> Any:
        node = self._scene.GetSingletonNode(SINGLETON_TAG, "vtkMRMLSegmentEditorNode")
        if node is not None:
            return node
        node = self._scene.CreateNodeByClass("vtkMRMLSegmentEditorNode")
        node.UnRegister(None)
        node.SetSingletonTag(SINGLETON_TAG)
        node.SetHideFromEditors(True)
        return self._scene.AddNode(node)

    def _follow_visit(self) -> None:
        session, editor = self._desk.session, self._ui.editor
        segmentation = self._desk.review_scene.segmentation_node(session.active) if session.case else None
        if editor.segmentationNode() != segmentation:
            editor.setActiveEffect(None)
            editor.setSegmentationNode(segmentation)
        if segmentation is not None:
            editor.setSourceVolumeNode(self._desk.review_scene.volume_node(session.active))
        self._follow_selection()

    def _follow_selection(self) -> None:
        session, editor = self._desk.session, self._ui.editor
        if session.selected is not None and editor.segmentationNode() is not None:
            segment = self._desk.review_scene.segment_id(*session.selected)
            if segment and segment != editor.currentSegmentID():
                editor.setCurrentSegmentID(segment)

    def _save_undo(self, visit: Visit) -> None:
        """An AI step is about to write: the editor's undo shall bring back what was there."""
        if self._before is not None:
            self._before(visit)
        if visit is self._desk.session.active:
            # The editor remembers states of one segmentation only: that of the visit on screen.
            self._follow_visit()
            if self._ui.editor.segmentationNode() is not None:
                self._ui.editor.saveStateForUndo()

    def _on_primary(self) -> None:
        self._add(Target.PT)

    def _on_node(self) -> None:
        self._add(Target.LN)

    def _add(self, label: Target) -> None:
        with self._desk.telling():
            segment = self._desk.add_lesion(label)
            self._follow_visit()
            self._ui.editor.setCurrentSegmentID(segment)
            self._ui.editor.setActiveEffectByName("Paint")

    def _on_change(self, change: Change) -> None:
        if change.part in (Part.CASE, Part.SELECTION, Part.LESIONS):
            self._refresh_text()
        if self._active and change.part in (Part.CASE, Part.SELECTION):
            self._follow_visit()

    def _refresh_text(self) -> None:
        session, ui = self._desk.session, self._ui
        has_case = session.case is not None
        ui.primaryButton.setEnabled(has_case)
        ui.nodeButton.setEnabled(has_case)
        if not has_case:
            ui.lesionLabel.setText(_("Open a patient in the tab Patient."))
            return
        name = _("no lesion is selected")
        if session.selected is not None:
            name = next((x.name for x in session.lesions(session.selected[0]) if x.id == session.selected[1]), name)
        ui.lesionLabel.setText(f"{session.active.title}: {name}")
