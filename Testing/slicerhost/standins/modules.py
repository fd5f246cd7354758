"""``slicer.modules``, the module manager, and the C++ side of a scripted module."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets
from Testing.slicerhost.dialect import StandinProperty

from .mrml_widgets import qMRMLWidget


class qSlicerScriptedLoadableModule:
    """A module written in Python, as Slicer's C++ holds it.

    Not a QObject: Slicer's modules write ``parent.title = ...``, which PythonQt turns into the property's setter.
    """

    __slots__ = (
        "_instance",
        "_name",
        "_path",
        "_widget",
        "acknowledgementText",
        "associatedNodeTypes",
        "categories",
        "contributors",
        "dependencies",
        "extensions",
        "helpText",
        "hidden",
        "icon",
        "index",
        "title",
        "widgetRepresentationCreationEnabled",
    )

    def __init__(self) -> None:
        self._name = self._path = ""
        self._instance: Any = None
        self._widget: qSlicerScriptedLoadableModuleWidget | None = None
        self.title = self.helpText = self.acknowledgementText = ""
        self.categories: list[str] = []
        self.contributors: list[str] = []
        self.dependencies: list[str] = []
        self.associatedNodeTypes: list[str] = []
        self.extensions: dict[str, Any] = {}
        self.icon = QtGui.QIcon()
        self.hidden = False
        self.index = -1
        self.widgetRepresentationCreationEnabled = True

    @property
    def name(self) -> str:
        return self._name

    @property
    def path(self) -> str:
        return self._path

    def setPythonSource(self, filePath: str) -> bool:
        import slicer

        name = Path(filePath).stem
        self._name, self._path = name, filePath
        module = sys.modules.get(name) or _load(name, filePath)
        self._instance = getattr(module, name)(self)
        setattr(slicer.modules, name + "Instance", self._instance)
        self.widgetRepresentationCreationEnabled = hasattr(module, name + "Widget")
        return True

    def setup(self) -> None:
        if hasattr(self._instance, "setup"):
            self._instance.setup()

    def widgetRepresentation(self) -> qSlicerScriptedLoadableModuleWidget | None:
        if self._widget is None:
            self._widget = self.createNewWidgetRepresentation()
        return self._widget

    def createNewWidgetRepresentation(self) -> qSlicerScriptedLoadableModuleWidget | None:
        import slicer

        if not self.widgetRepresentationCreationEnabled:
            return None
        widget = qSlicerScriptedLoadableModuleWidget()
        widget.setPythonSource(self._path)
        widget.setMRMLScene(slicer.mrmlScene)
        widget.setup()
        return widget

    def host_forget_widget(self) -> None:
        """Destroy the panel, as Slicer does when a module is unloaded."""
        if self._widget is not None:
            self._widget.setParent(None)
            self._widget.deleteLater()
        self._widget = None


class qSlicerScriptedLoadableModuleWidget(qMRMLWidget):
    """The panel of a scripted module: calls the Python class behind it."""

    def __init__(self, parentWidget: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parentWidget)
        QtWidgets.QVBoxLayout(self)
        self._source = ""
        self._self: Any = None
        self._entered = False

    def setPythonSource(self, filePath: str, className: str = "") -> bool:
        import slicer

        name = Path(filePath).stem
        class_name = className or name + "Widget"
        module = sys.modules.get(name) or _load(name, filePath)
        self._self = getattr(module, class_name)(self)
        self._source = filePath
        setattr(slicer.modules, class_name, self._self)
        return True

    def self(self) -> Any:
        return self._self

    def setup(self) -> None:
        self._self.setup()

    def reload(self) -> None:
        self.setPythonSource(self._source)
        self.setup()

    def enter(self) -> None:
        self._entered = True
        _call(self._self, "enter")

    def exit(self) -> None:
        self._entered = False
        _call(self._self, "exit")

    def setEditedNode(self, node: Any, role: str = "", context: str = "") -> bool:
        return bool(_call(self._self, "setEditedNode", node, role, context))

    def nodeEditable(self, node: Any) -> float:
        return float(_call(self._self, "nodeEditable", node) or 0.0)

    isEntered = StandinProperty(bool, lambda self: self._entered)
    moduleName = StandinProperty(str, lambda self: self._self.moduleName)


class qSlicerLoadableModule:
    """A C++ module: here its logic alone."""

    def __init__(self, name: str, logic: Any) -> None:
        self.name, self.title, self.path = name, name, ""
        self._logic = logic

    def logic(self) -> Any:
        return self._logic

    def widgetRepresentation(self) -> None:
        return None


class qSlicerModuleFactoryManager:
    """Knows which modules are there."""

    def __init__(self, modules: dict[str, Any]) -> None:
        self._modules = modules

    def loadedModuleNames(self) -> list[str]:
        return list(self._modules)

    def isLoaded(self, name: str) -> bool:
        return name in self._modules


class qSlicerModuleManager(QtCore.QObject):
    """Loads modules and finds them by name."""

    moduleLoaded = QtCore.Signal(str)
    moduleAboutToBeUnloaded = QtCore.Signal(str)

    def __init__(self, newParent: QtCore.QObject | None = None) -> None:
        super().__init__(newParent)
        self._modules: dict[str, Any] = {}

    def factoryManager(self) -> qSlicerModuleFactoryManager:
        return qSlicerModuleFactoryManager(self._modules)

    def modulesNames(self) -> list[str]:
        return list(self._modules)

    def module(self, name: str) -> Any:
        return self._modules.get(name)

    def connect(self, signal: str, slot: Callable[[str], None]) -> bool:
        getattr(self, signal.split("(")[0]).connect(slot)
        return True

    def disconnect(self, signal: str, slot: Callable[[str], None]) -> bool:
        return bool(getattr(self, signal.split("(")[0]).disconnect(slot))

    def host_add(self, module: Any) -> None:
        """Make ``module`` known, also as ``slicer.modules.<name in small letters>``."""
        import slicer

        self._modules[module.name] = module
        setattr(slicer.modules, module.name.lower(), module)
        self.moduleLoaded.emit(module.name)

    def host_load(self, file: Path) -> qSlicerScriptedLoadableModule:
        """Load the scripted module in ``file`` as Slicer does when it starts."""
        if str(file.parent) not in sys.path:
            sys.path.insert(0, str(file.parent))
        module = qSlicerScriptedLoadableModule()
        module.setPythonSource(str(file))
        module.setup()
        self.host_add(module)
        return module

    def host_unload(self, name: str) -> None:
        """Unload the scripted module: its widget cleans up, its panel goes, its source is forgotten."""
        import slicer

        self.moduleAboutToBeUnloaded.emit(name)
        module = self._modules.pop(name)
        module.host_forget_widget()
        for attribute in (name.lower(), name + "Instance", name + "Widget"):
            if hasattr(slicer.modules, attribute):
                delattr(slicer.modules, attribute)
        sys.modules.pop(name, None)


def start_modules(manager: qSlicerModuleManager, logics: dict[str, Any]) -> None:
    """Fill ``slicer.modules`` with the C++ modules whose logics are there."""
    import slicer

    slicer.modules = SimpleNamespace()
    slicer.moduleNames = SimpleNamespace()
    for name, logic in logics.items():
        manager.host_add(qSlicerLoadableModule(name, logic))


def _load(name: str, file: str) -> Any:
    specification = importlib.util.spec_from_file_location(name, file)
    assert specification is not None, f"{file} is no Python file"
    assert specification.loader is not None, f"{file} is no Python file"
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    try:
        specification.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _call(target: Any, method: str, *arguments: Any) -> Any:
    """Call a method that a module may leave out."""
    return getattr(target, method)(*arguments) if hasattr(target, method) else None
