"""The main window: module panel on the left, views on the right, status bar below."""

from __future__ import annotations

from typing import Any

from PySide6 import QtCore, QtWidgets
from Testing.slicerhost.dialect import StandinProperty


class qSlicerModuleSelectorToolBar(QtWidgets.QToolBar):
    """Chooses the module whose panel is shown."""

    moduleSelected = QtCore.Signal(str)

    def __init__(self, title: str, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(title, parent)
        self._selected = ""

    def _get_selected(self) -> str:
        return self._selected

    @QtCore.Slot(str)
    def selectModule(self, moduleName: str) -> None:
        if moduleName != self._selected:
            self._selected = moduleName
            self.moduleSelected.emit(moduleName)

    selectedModule = StandinProperty(str, _get_selected, selectModule, notify=moduleSelected)


class qSlicerModulePanel(QtWidgets.QScrollArea):
    """Shows one module's panel; tells it when it is entered and left."""

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("ModulePanel")
        self.setWidgetResizable(True)
        self._shown: Any = None

    def host_show_module(self, module: Any) -> None:
        """Leave the panel that is shown and enter that of ``module`` (None: of none)."""
        if self._shown is not None:
            self._shown.exit()
            self.takeWidget()
        self._shown = None if module is None else module.widgetRepresentation()
        if self._shown is not None:
            self.setWidget(self._shown)
            self._shown.show()
            self._shown.enter()


class qSlicerMainWindow(QtWidgets.QMainWindow):
    """The window."""

    initialWindowShown = QtCore.Signal()

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("qSlicerMainWindow")
        self.setWindowTitle("3D Slicer host")
        self._manager: Any = None
        self._selector = qSlicerModuleSelectorToolBar("Modules", self)
        self._selector.moduleSelected.connect(self._show_module)
        self.addToolBar(self._selector)
        self._panel = qSlicerModulePanel()
        self._dock = QtWidgets.QDockWidget("", self)
        self._dock.setObjectName("PanelDockWidget")
        self._dock.setWidget(self._panel)
        self.addDockWidget(QtCore.Qt.DockWidgetArea.LeftDockWidgetArea, self._dock)
        self._probe = QtWidgets.QWidget(self._panel)
        self._probe.setObjectName("DataProbeCollapsibleWidget")
        self._viewport = QtWidgets.QWidget()
        self.setCentralWidget(self._viewport)
        self.statusBar()

    def host_start(self, manager: Any) -> None:
        """Give the window the module manager."""
        self._manager = manager

    def moduleSelector(self) -> qSlicerModuleSelectorToolBar:
        return self._selector

    def pythonConsole(self) -> None:
        return None

    def host_viewport(self) -> QtWidgets.QWidget:
        """Where the layout manager puts the views."""
        return self._viewport

    def host_panel(self) -> qSlicerModulePanel:
        """The module panel."""
        return self._panel

    def _show_module(self, name: str) -> None:
        self._panel.host_show_module(self._manager.module(name) if name else None)
        self.resizeDocks([self._dock], [480], QtCore.Qt.Orientation.Horizontal)
