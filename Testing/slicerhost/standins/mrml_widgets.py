"""Widgets that show nodes of the scene."""

from __future__ import annotations

from typing import Any

from PySide6 import QtCore, QtWidgets
from Testing.slicerhost.dialect import StandinProperty


class _Observations:
    """Observers of a widget, which have to go before the widget does: VTK would call what Qt has deleted."""

    def __init__(self, widget: QtWidgets.QWidget) -> None:
        self._kept: list[tuple[Any, int]] = []
        widget.destroyed.connect(self.clear)

    def add(self, subject: Any, event: Any, callback: Any) -> None:
        self._kept.append((subject, subject.AddObserver(event, callback)))

    def clear(self, *_: Any) -> None:
        for subject, tag in self._kept:
            subject.RemoveObserver(tag)
        self._kept.clear()


def _switch(name: str, write: Any) -> StandinProperty:
    return StandinProperty(bool, lambda box: box._switches[name], write)


class qMRMLWidget(QtWidgets.QWidget):
    """A widget with a scene."""

    mrmlSceneChanged = QtCore.Signal(object)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: Any = None

    def mrmlScene(self) -> Any:
        return self._scene

    def setMRMLScene(self, newScene: Any) -> None:
        if newScene is not self._scene:
            self._scene = newScene
            self.mrmlSceneChanged.emit(newScene)


class qMRMLNodeComboBox(QtWidgets.QWidget):
    """Chooses a node of the scene by its class."""

    currentNodeChanged = QtCore.Signal(object)
    currentNodeIDChanged = QtCore.Signal(str)
    nodeActivated = QtCore.Signal(object)
    nodeAdded = QtCore.Signal(object)
    nodeAddedByUser = QtCore.Signal(object)
    nodeAboutToBeRemoved = QtCore.Signal(object)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: Any = None
        self._observations = _Observations(self)
        self._types: list[str] = []
        self._attributes: dict[str, dict[str, Any]] = {}
        self._current = ""
        self._switches = {"showHidden": False, "showChildNodeTypes": True, "noneEnabled": False, "addEnabled": True}
        self._switches |= {"removeEnabled": True, "editEnabled": False, "renameEnabled": False}
        self._switches |= {"selectNodeUponCreation": True}
        self._words = {"baseName": "", "noneDisplay": "None"}
        self._box = QtWidgets.QComboBox(self)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._box)
        self._box.activated.connect(self._activated)

    def mrmlScene(self) -> Any:
        return self._scene

    def setMRMLScene(self, scene: Any) -> None:
        if scene is self._scene:
            return
        self._observations.clear()
        self._scene = scene
        if scene is not None:
            for event in (scene.NodeAddedEvent, scene.NodeRemovedEvent, scene.EndCloseEvent, scene.EndImportEvent):
                self._observations.add(scene, event, self._scene_changed)
        self._fill()

    def addAttribute(self, nodeType: str, attributeName: str, attributeValue: Any = None) -> None:
        self._attributes.setdefault(nodeType, {})[attributeName] = attributeValue
        self._fill()

    def removeAttribute(self, nodeType: str, attributeName: str) -> None:
        self._attributes.get(nodeType, {}).pop(attributeName, None)
        self._fill()

    def nodeCount(self) -> int:
        return len(self._nodes())

    def nodeFromIndex(self, index: int) -> Any:
        nodes = self._nodes()
        return nodes[index] if 0 <= index < len(nodes) else None

    def currentNode(self) -> Any:
        return self._scene.GetNodeByID(self._current) if self._scene is not None and self._current else None

    def setCurrentNode(self, node: Any) -> None:
        self.setCurrentNodeID(node if isinstance(node, str) else "" if node is None else node.GetID())

    def setCurrentNodeID(self, nodeID: str) -> None:
        known = {node.GetID() for node in self._nodes()}
        self._choose(nodeID if nodeID in known else "")

    def setCurrentNodeIndex(self, index: int) -> None:
        self.setCurrentNode(self.nodeFromIndex(index))

    def addNode(self, nodeType: str = "") -> Any:
        kind = nodeType or self._types[0]
        node = self._scene.AddNewNodeByClass(kind, self._scene.GenerateUniqueName(self._words["baseName"] or kind))
        if self._switches["selectNodeUponCreation"]:
            self.setCurrentNode(node)
        self.nodeAddedByUser.emit(node)
        return node

    def removeCurrentNode(self) -> None:
        node = self.currentNode()
        self.nodeAboutToBeRemoved.emit(node)
        self._scene.RemoveNode(node)

    def _get_current(self) -> str:
        return self._current

    def _get_types(self) -> list[str]:
        return list(self._types)

    def _set_node_types(self, nodeTypes: list[str]) -> None:
        self._types = list(nodeTypes)
        self._fill()

    def _set_base_name(self, baseName: str) -> None:
        self._words["baseName"] = baseName

    def _set_none_display(self, displayName: str) -> None:
        self._words["noneDisplay"] = displayName
        self._fill()

    def _set_show_hidden(self, show: bool) -> None:
        self._turn("showHidden", show)

    def _set_show_child_node_types(self, show: bool) -> None:
        self._turn("showChildNodeTypes", show)

    def _set_none_enabled(self, enable: bool) -> None:
        self._turn("noneEnabled", enable)

    def _set_add_enabled(self, enable: bool) -> None:
        self._turn("addEnabled", enable)

    def _set_remove_enabled(self, enable: bool) -> None:
        self._turn("removeEnabled", enable)

    def _set_edit_enabled(self, enable: bool) -> None:
        self._turn("editEnabled", enable)

    def _set_rename_enabled(self, enable: bool) -> None:
        self._turn("renameEnabled", enable)

    def _set_select_node_upon_creation(self, value: bool) -> None:
        self._turn("selectNodeUponCreation", value)

    currentNodeID = StandinProperty(str, _get_current, setCurrentNodeID, notify=currentNodeIDChanged)
    nodeTypes = StandinProperty("QStringList", _get_types, _set_node_types)
    baseName = StandinProperty(str, lambda self: self._words["baseName"], _set_base_name)
    noneDisplay = StandinProperty(str, lambda self: self._words["noneDisplay"], _set_none_display)
    showHidden = _switch("showHidden", _set_show_hidden)
    showChildNodeTypes = _switch("showChildNodeTypes", _set_show_child_node_types)
    noneEnabled = _switch("noneEnabled", _set_none_enabled)
    addEnabled = _switch("addEnabled", _set_add_enabled)
    removeEnabled = _switch("removeEnabled", _set_remove_enabled)
    editEnabled = _switch("editEnabled", _set_edit_enabled)
    renameEnabled = _switch("renameEnabled", _set_rename_enabled)
    selectNodeUponCreation = _switch("selectNodeUponCreation", _set_select_node_upon_creation)

    def host_combo_box(self) -> QtWidgets.QComboBox:
        """The box inside, for the host to press."""
        return self._box

    def _turn(self, name: str, on: bool) -> None:
        self._switches[name] = on
        self._fill()

    def _nodes(self) -> list[Any]:
        if self._scene is None:
            return []
        nodes = [self._scene.GetNthNode(index) for index in range(self._scene.GetNumberOfNodes())]
        return [node for node in nodes if self._fits(node)]

    def _fits(self, node: Any) -> bool:
        if node.GetHideFromEditors() and not self._switches["showHidden"]:
            return False
        kind = next((kind for kind in self._types if self._is(node, kind)), None)
        wanted = self._attributes.get(kind or "", {})
        return kind is not None and all(
            node.GetAttribute(name) is not None and (value is None or node.GetAttribute(name) == str(value))
            for name, value in wanted.items()
        )

    def _is(self, node: Any, kind: str) -> bool:
        return bool(node.IsA(kind)) if self._switches["showChildNodeTypes"] else node.GetClassName() == kind

    def _fill(self) -> None:
        nodes = self._nodes()
        blocked = self._box.blockSignals(True)
        self._box.clear()
        if self._switches["noneEnabled"]:
            self._box.addItem(self._words["noneDisplay"], "")
        for node in nodes:
            self._box.addItem(node.GetName(), node.GetID())
        self._box.blockSignals(blocked)
        known = [node.GetID() for node in nodes]
        if self._current in known:
            self._box.setCurrentIndex(self._box.findData(self._current))
        else:
            self._choose("" if self._switches["noneEnabled"] or not known else known[0])

    def _choose(self, identifier: str) -> None:
        self._box.setCurrentIndex(self._box.findData(identifier))
        if identifier != self._current:
            self._current = identifier
            self.currentNodeChanged.emit(self.currentNode())
            self.currentNodeIDChanged.emit(identifier)

    def _activated(self, index: int) -> None:
        self._choose(self._box.itemData(index) or "")
        self.nodeActivated.emit(self.currentNode())

    def _scene_changed(self, caller: Any, event: str) -> None:
        self._fill()


class qMRMLSegmentsTableView(qMRMLWidget):
    """Lists the segments of a segmentation."""

    selectionChanged = QtCore.Signal(object, object)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._node: Any = None
        self._observations = _Observations(self)
        self._table = QtWidgets.QTableWidget(0, 1, self)
        self._table.setSelectionBehavior(QtWidgets.QAbstractItemView.SelectionBehavior.SelectRows)
        self._table.selectionModel().selectionChanged.connect(self.selectionChanged)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._table)

    def segmentationNode(self) -> Any:
        return self._node

    def setSegmentationNode(self, node: Any) -> None:
        self._observations.clear()
        self._node = node
        if node is not None:
            self._observations.add(node, "ModifiedEvent", self._changed)
        self._fill()

    def tableWidget(self) -> QtWidgets.QTableView:
        return self._table

    def displayedSegmentIDs(self) -> list[str]:
        return [] if self._node is None else list(self._node.GetSegmentation().GetSegmentIDs())

    def selectedSegmentIDs(self) -> list[str]:
        rows = sorted({index.row() for index in self._table.selectedIndexes()})
        return [self.segmentIDForRow(row) for row in rows]

    def setSelectedSegmentIDs(self, segmentIDs: list[str]) -> None:
        self._table.clearSelection()
        for identifier in segmentIDs:
            self._table.selectRow(self.rowForSegmentID(identifier))

    def clearSelection(self) -> None:
        self._table.clearSelection()

    def rowForSegmentID(self, segmentID: str) -> int:
        return self.displayedSegmentIDs().index(segmentID)

    def segmentIDForRow(self, row: int) -> str:
        return self.displayedSegmentIDs()[row]

    segmentCount = StandinProperty(int, lambda self: len(self.displayedSegmentIDs()))

    def _changed(self, caller: Any, event: str) -> None:
        self._fill()

    def _fill(self) -> None:
        identifiers = self.displayedSegmentIDs()
        self._table.setRowCount(len(identifiers))
        for row, identifier in enumerate(identifiers):
            name = self._node.GetSegmentation().GetSegment(identifier).GetName()
            self._table.setItem(row, 0, QtWidgets.QTableWidgetItem(name))
