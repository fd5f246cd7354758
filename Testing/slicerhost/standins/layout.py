"""The layout manager: which views there are, and where."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from PySide6 import QtCore, QtWidgets
from Testing.slicerhost.dialect import StandinProperty

from .views import qMRMLSliceWidget, qMRMLThreeDWidget

_SLICE_VIEWS = ("Red", "Yellow", "Green")


class qSlicerLayoutManager(QtCore.QObject):
    """Holds the red, yellow and green slice views and one 3D view, and shows those that the layout names."""

    layoutChanged = QtCore.Signal(int)

    def __init__(self, viewport: QtWidgets.QWidget | None = None, parent: QtCore.QObject | None = None) -> None:
        super().__init__(parent)
        self._viewport = viewport or QtWidgets.QWidget()
        self._slices: dict[str, qMRMLSliceWidget] = {}
        self._three_d: qMRMLThreeDWidget | None = None
        self._core: Any = None
        self._layout_logic: Any = None
        self._layout_node: Any = None
        self._shown = -1
        self._container: QtWidgets.QWidget | None = None
        self._box = QtWidgets.QVBoxLayout(self._viewport)
        self._box.setContentsMargins(0, 0, 0, 0)

    def host_start(self, core: Any) -> None:
        """Make the views in ``core``'s scene."""
        import slicer

        self._core = core
        self._layout_logic = slicer.vtkMRMLLayoutLogic()
        self._layout_logic.SetMRMLScene(core.scene)
        self._layout_node = self._layout_logic.GetLayoutNode()
        self._layout_node.SetViewArrangement(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
        self._layout_node.AddObserver("ModifiedEvent", self._layout_modified)
        for name in _SLICE_VIEWS:
            widget = qMRMLSliceWidget(self._viewport)
            widget.host_start(name, core.scene, core.application_logic)
            self._slices[name] = widget
        self._three_d = qMRMLThreeDWidget(self._viewport)
        self._three_d.host_start("1", core.scene, core.application_logic)
        # After the displayable managers have heard of it.
        core.scene.AddObserver(core.scene.EndBatchProcessEvent, self._map_views, -1000.0)
        self._arrange()

    def host_views(self) -> list[Any]:
        """All views, for the host."""
        views: list[Any] = [widget.sliceView() for widget in self._slices.values()]
        return views if self._three_d is None else [*views, self._three_d.threeDView()]

    def mrmlScene(self) -> Any:
        return self._core.scene

    def viewport(self) -> QtWidgets.QWidget:
        return self._viewport

    def sliceViewNames(self) -> list[str]:
        return list(self._slices)

    def sliceWidget(self, name: str) -> qMRMLSliceWidget | None:
        return self._slices.get(name)

    def threeDWidget(self, id: int | str) -> qMRMLThreeDWidget | None:
        return self._three_d if id in (0, "1", "ViewNode1", "View1") else None

    threeDViewCount = StandinProperty(int, lambda self: 0 if self._three_d is None else 1)
    tableViewCount = StandinProperty(int, lambda self: 0)
    plotViewCount = StandinProperty(int, lambda self: 0)

    def layoutLogic(self) -> Any:
        return self._layout_logic

    def mrmlSliceLogics(self) -> Any:
        return self._core.application_logic.GetSliceLogics()

    def mrmlViewLogics(self) -> Any:
        return self._core.application_logic.GetViewLogics()

    def _get_layout(self) -> int:
        return int(self._layout_node.GetViewArrangement())

    def setLayout(self, newLayout: int) -> None:
        self._layout_node.SetViewArrangement(newLayout)

    layout = StandinProperty(int, _get_layout, setLayout, notify=layoutChanged)

    def resetThreeDViews(self) -> None:
        assert self._three_d is not None
        self._three_d.threeDView().host_reset()

    def resetSliceViews(self) -> None:
        for widget in self._slices.values():
            widget.fitSliceToBackground()

    def setRenderPaused(self, pause: bool) -> None:
        for view in self.host_views():
            view.host_pause(pause)

    def pauseRender(self) -> None:
        self.setRenderPaused(True)

    def resumeRender(self) -> None:
        self.setRenderPaused(False)

    def _layout_modified(self, caller: Any, event: str) -> None:
        # While a scene is being closed there is no layout: what is shown stays until there is one.
        if self._get_layout() != self._shown and self._layout_node.GetCurrentLayoutDescription():
            self._arrange()
            self.layoutChanged.emit(self._shown)

    def _arrange(self) -> None:
        assert self._three_d is not None
        self._shown = self._get_layout()
        widgets = {("vtkMRMLSliceNode", name): widget for name, widget in self._slices.items()}
        everything = {**widgets, ("vtkMRMLViewNode", "1"): self._three_d}
        description = ElementTree.fromstring(self._layout_node.GetCurrentLayoutDescription())
        container = QtWidgets.QWidget(self._viewport)
        shown = _fill(_box_of(description, container), description, everything)
        for widget in everything.values():
            if widget not in shown:
                widget.setParent(self._viewport)
            widget.setVisible(widget in shown)
        self._box.addWidget(container)
        if self._container is not None:
            self._box.removeWidget(self._container)
            self._container.deleteLater()
        self._container = container
        container.show()
        self._map_views(None, "")

    def _map_views(self, caller: Any, event: str) -> None:
        """Take the views out of the layout and put back those that are shown, as Slicer does when a scene was read.

        The displayable managers look at the scene anew when their view comes back into the layout.
        """
        assert self._three_d is not None
        nodes = {widget.mrmlSliceNode(): widget for widget in self._slices.values()}
        for node, widget in {**nodes, self._three_d.mrmlViewNode(): self._three_d}.items():
            node.SetMappedInLayout(False)
            node.SetMappedInLayout(not widget.isHidden())


def _box_of(description: ElementTree.Element, parent: QtWidgets.QWidget | None) -> QtWidgets.QBoxLayout:
    kind = description.get("type")
    if kind not in ("horizontal", "vertical"):
        raise LookupError(f"the host has no layout of type {kind}")
    box = (QtWidgets.QHBoxLayout if kind == "horizontal" else QtWidgets.QVBoxLayout)(*filter(None, [parent]))
    box.setContentsMargins(0, 0, 0, 0)
    box.setSpacing(2)
    return box


def _fill(
    box: QtWidgets.QBoxLayout, description: ElementTree.Element, views: dict[tuple[str, str], QtWidgets.QWidget]
) -> list[QtWidgets.QWidget]:
    """Put the views that a layout names into ``box``; returns them."""
    shown: list[QtWidgets.QWidget] = []
    for item in description.findall("item"):
        for inner in item.findall("layout"):
            within = _box_of(inner, None)
            box.addLayout(within, 1)
            shown += _fill(within, inner, views)
        for view in item.findall("view"):
            name = (view.get("class", ""), view.get("singletontag", ""))
            if name not in views:
                raise LookupError(f"the host has no view {name[1]} of class {name[0]}")
            box.addWidget(views[name], 1)
            shown.append(views[name])
    return shown
