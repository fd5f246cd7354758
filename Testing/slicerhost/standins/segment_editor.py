"""A placeholder of the Segment Editor: it keeps what it was given and records it; it draws nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets
from Testing.slicerhost.dialect import StandinProperty

from .mrml_widgets import qMRMLWidget

EFFECTS = ("Threshold", "Paint", "Draw", "Erase", "Level tracing", "Grow from seeds", "Fill between slices", "Margin")
EFFECTS += ("Hollow", "Smoothing", "Scissors", "Islands", "Logical operators", "Mask volume")
# What Slicer's editor begins with.
_DEFAULTS: dict[str, Any] = {
    "segmentationNodeSelectorVisible": True,
    "sourceVolumeNodeSelectorVisible": True,
    "switchToSegmentationsButtonVisible": True,
    "addRemoveSegmentButtonsVisible": True,
    "specifyGeometryButtonVisible": True,
    "maskingSectionVisible": True,
    "autoShowSourceVolumeNode": True,
    "undoEnabled": True,
    "readOnly": False,
    "jumpToSelectedSegmentEnabled": False,
    "maximumNumberOfUndoStates": 10,
    "effectColumnCount": 2,
    "unorderedEffectsVisible": True,
    "defaultTerminologyEntrySettingsKey": "",
}


def _kept(kind: type, name: str, write: Callable[[Any, Any], None] | None = None) -> StandinProperty:
    """A property that the placeholder only keeps; without ``write`` it has no set function in Slicer's Python."""

    def _keep(editor: Any, value: Any) -> None:
        editor._flags[name] = value

    return StandinProperty(kind, lambda editor: editor._flags[name], write or _keep)


class qSlicerSegmentEditorAbstractEffect(QtCore.QObject):
    """One tool of the editor: a name and its parameters."""

    def __init__(self, name: str, editor: Any) -> None:
        super().__init__(editor)
        self._name = name

    name = StandinProperty(str, lambda self: self._name)

    def parameter(self, name: str) -> str:
        return self.parent().mrmlSegmentEditorNode().GetAttribute(f"{self._name}.{name}") or ""

    def setParameter(self, name: str, value: str) -> None:
        self.parent().mrmlSegmentEditorNode().SetAttribute(f"{self._name}.{name}", str(value))


class qMRMLSegmentEditorWidget(qMRMLWidget):
    """Takes the editor's calls in their real order and refuses those that real Slicer would crash on.

    The tools are Slicer's C++ and Python, and are not in the wheel: hand edits are made on the segmentation itself.
    """

    currentSegmentIDChanged = QtCore.Signal(str)
    sourceVolumeNodeChanged = QtCore.Signal(object)
    segmentationNodeChanged = QtCore.Signal(object)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.host_calls: list[tuple[str, Any]] = []
        self._editor_node: Any = None
        self._volume: Any = None
        self._effects: list[qSlicerSegmentEditorAbstractEffect] = []
        self._active: qSlicerSegmentEditorAbstractEffect | None = None
        self._shortcuts: list[QtGui.QShortcut] = []
        self._order: list[str] = []
        self._undo_states = 0
        self._flags: dict[str, Any] = dict(_DEFAULTS)
        QtWidgets.QVBoxLayout(self).addWidget(QtWidgets.QLabel("Segment Editor", self))

    def setMRMLScene(self, newScene: Any) -> None:
        if newScene is not None and self._editor_node is None:
            raise AssertionError("setMRMLSegmentEditorNode has to come before setMRMLScene")
        self._record("setMRMLScene", newScene)
        super().setMRMLScene(newScene)

    def setMRMLSegmentEditorNode(self, newSegmentEditorNode: Any) -> None:
        self._record("setMRMLSegmentEditorNode", newSegmentEditorNode)
        self._editor_node = newSegmentEditorNode

    def mrmlSegmentEditorNode(self) -> Any:
        return self._editor_node

    def setSegmentationNode(self, node: Any) -> None:
        self._record("setSegmentationNode", node)
        if self._editor_node is None:
            raise AssertionError("setSegmentationNode without an editor node")
        self._editor_node.SetAndObserveSegmentationNode(node)
        self._editor_node.SetSelectedSegmentID("")
        self.segmentationNodeChanged.emit(node)

    def setSegmentationNodeID(self, nodeID: str) -> None:
        self.setSegmentationNode(self._scene.GetNodeByID(nodeID))

    def segmentationNode(self) -> Any:
        return None if self._editor_node is None else self._editor_node.GetSegmentationNode()

    def segmentationNodeID(self) -> str:
        node = self.segmentationNode()
        return "" if node is None else node.GetID()

    def setSourceVolumeNode(self, node: Any) -> None:
        self._record("setSourceVolumeNode", node)
        if node is not None and self.segmentationNode() is None:
            raise AssertionError("setSourceVolumeNode needs a segmentation first")
        self._editor_node.SetAndObserveSourceVolumeNode(node)
        self.sourceVolumeNodeChanged.emit(node)

    def setSourceVolumeNodeID(self, nodeID: str) -> None:
        self.setSourceVolumeNode(self._scene.GetNodeByID(nodeID))

    def sourceVolumeNode(self) -> Any:
        return None if self._editor_node is None else self._editor_node.GetSourceVolumeNode()

    def sourceVolumeNodeID(self) -> str:
        node = self.sourceVolumeNode()
        return "" if node is None else node.GetID()

    def setCurrentSegmentID(self, segmentID: str) -> None:
        self._record("setCurrentSegmentID", segmentID)
        if segmentID and self.segmentationNode().GetSegmentation().GetSegment(segmentID) is None:
            raise AssertionError(f"there is no segment {segmentID}")
        self._editor_node.SetSelectedSegmentID(segmentID)
        self.currentSegmentIDChanged.emit(segmentID)

    def currentSegmentID(self) -> str:
        return (self._editor_node.GetSelectedSegmentID() or "") if self._editor_node is not None else ""

    def availableEffectNames(self) -> list[str]:
        return list(EFFECTS)

    def effectByName(self, name: str) -> qSlicerSegmentEditorAbstractEffect | None:
        if name not in EFFECTS:
            return None
        known = next((effect for effect in self._effects if effect.name() == name), None)
        if known is None:
            known = qSlicerSegmentEditorAbstractEffect(name, self)
            self._effects.append(known)
        return known

    def setActiveEffectByName(self, effectName: str) -> None:
        self._record("setActiveEffectByName", effectName)
        if effectName and self.sourceVolumeNode() is None:
            raise AssertionError("an effect needs a source volume")
        self.setActiveEffect(self.effectByName(effectName) if effectName else None)

    def setActiveEffect(self, effect: Any) -> None:
        self._active = effect
        if self._editor_node is not None:
            self._editor_node.SetActiveEffectName("" if effect is None else effect.name())

    def activeEffect(self) -> Any:
        return self._active

    def setEffectNameOrder(self, effectNames: list[str]) -> None:
        self._order = list(effectNames)

    def effectNameOrder(self) -> list[str]:
        return list(self._order)

    def setupViewObservations(self) -> None:
        self._record("setupViewObservations", None)

    def removeViewObservations(self) -> None:
        self._record("removeViewObservations", None)

    def installKeyboardShortcuts(self, parent: QtWidgets.QWidget | None = None) -> None:
        self._record("installKeyboardShortcuts", parent)
        for key in ("1", "2", "3", "4", "5", "6", "7", "8", "9", "Space", "z", "y", "q", "w", "g", "f"):
            self._shortcuts.append(QtGui.QShortcut(QtGui.QKeySequence(key), parent or self.window()))

    def uninstallKeyboardShortcuts(self) -> None:
        self._record("uninstallKeyboardShortcuts", None)
        for shortcut in self._shortcuts:
            shortcut.setParent(None)
            shortcut.deleteLater()
        self._shortcuts = []

    def saveStateForUndo(self) -> None:
        self._undo_states += 1
        self._record("saveStateForUndo", None)

    def undo(self) -> None:
        self._record("undo", None)

    def redo(self) -> None:
        self._record("redo", None)

    def updateWidgetFromMRML(self) -> None:
        self._record("updateWidgetFromMRML", None)

    def rotateSliceViewsToSegmentation(self) -> None:
        self._record("rotateSliceViewsToSegmentation", None)

    def setSegmentationNodeSelectorVisible(self, visible: bool) -> None:
        self._flags["segmentationNodeSelectorVisible"] = visible

    def setSourceVolumeNodeSelectorVisible(self, visible: bool) -> None:
        self._flags["sourceVolumeNodeSelectorVisible"] = visible

    def setSwitchToSegmentationsButtonVisible(self, visible: bool) -> None:
        self._flags["switchToSegmentationsButtonVisible"] = visible

    def setAddRemoveSegmentButtonsVisible(self, visible: bool) -> None:
        self._flags["addRemoveSegmentButtonsVisible"] = visible

    def setSpecifyGeometryButtonVisible(self, visible: bool) -> None:
        self._flags["specifyGeometryButtonVisible"] = visible

    def setMaskingSectionVisible(self, visible: bool) -> None:
        self._flags["maskingSectionVisible"] = visible

    def setAutoShowSourceVolumeNode(self, autoShow: bool) -> None:
        self._flags["autoShowSourceVolumeNode"] = autoShow

    def setUndoEnabled(self, enabled: bool) -> None:
        self._flags["undoEnabled"] = enabled

    def setReadOnly(self, aReadOnly: bool) -> None:
        self._flags["readOnly"] = aReadOnly

    def setJumpToSelectedSegmentEnabled(self, enable: bool) -> None:
        self._flags["jumpToSelectedSegmentEnabled"] = enable

    def setMaximumNumberOfUndoStates(self, maximum: int) -> None:
        self._flags["maximumNumberOfUndoStates"] = maximum

    def setEffectColumnCount(self, columnCount: int) -> None:
        self._flags["effectColumnCount"] = columnCount

    segmentationNodeSelectorVisible = _kept(bool, "segmentationNodeSelectorVisible", setSegmentationNodeSelectorVisible)
    sourceVolumeNodeSelectorVisible = _kept(bool, "sourceVolumeNodeSelectorVisible", setSourceVolumeNodeSelectorVisible)
    switchToSegmentationsButtonVisible = _kept(
        bool, "switchToSegmentationsButtonVisible", setSwitchToSegmentationsButtonVisible
    )
    addRemoveSegmentButtonsVisible = _kept(bool, "addRemoveSegmentButtonsVisible", setAddRemoveSegmentButtonsVisible)
    specifyGeometryButtonVisible = _kept(bool, "specifyGeometryButtonVisible", setSpecifyGeometryButtonVisible)
    maskingSectionVisible = _kept(bool, "maskingSectionVisible", setMaskingSectionVisible)
    autoShowSourceVolumeNode = _kept(bool, "autoShowSourceVolumeNode", setAutoShowSourceVolumeNode)
    undoEnabled = _kept(bool, "undoEnabled", setUndoEnabled)
    readOnly = _kept(bool, "readOnly", setReadOnly)
    jumpToSelectedSegmentEnabled = _kept(bool, "jumpToSelectedSegmentEnabled", setJumpToSelectedSegmentEnabled)
    maximumNumberOfUndoStates = _kept(int, "maximumNumberOfUndoStates", setMaximumNumberOfUndoStates)
    effectColumnCount = _kept(int, "effectColumnCount", setEffectColumnCount)
    unorderedEffectsVisible = _kept(bool, "unorderedEffectsVisible")
    defaultTerminologyEntrySettingsKey = _kept(str, "defaultTerminologyEntrySettingsKey")

    def host_shortcut_count(self) -> int:
        """How many of the editor's keys are live, for the host."""
        return len(self._shortcuts)

    def _record(self, call: str, argument: Any) -> None:
        self.host_calls.append((call, argument))
