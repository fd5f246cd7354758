"""``slicer.app``: the application object."""

from __future__ import annotations

import platform
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets
from Testing.slicerhost.dialect import StandinProperty

VERSION = (5, 12, 0)
REVISION = "host"


def constant(kind: Any, read: Callable[[Any], Any]) -> StandinProperty:
    """A Qt property that cannot be written."""
    return StandinProperty(kind, read, constant=True)


class qSlicerCommandOptions(QtCore.QObject):
    """How the application was started."""

    def __init__(self) -> None:
        super().__init__()
        self._run_and_exit = False

    testingEnabled = constant(bool, lambda self: False)
    noMainWindow = constant(bool, lambda self: False)

    def _set_run_and_exit(self, value: bool) -> None:
        self._run_and_exit = value

    runPythonAndExit = StandinProperty(bool, lambda self: self._run_and_exit, _set_run_and_exit)


class qSlicerApplication(QtWidgets.QApplication):
    """The application: what it is called, where its files lie, and the way to its other parts."""

    startupCompleted = QtCore.Signal()
    mrmlSceneChanged = QtCore.Signal(object)
    renderPaused = QtCore.Signal(bool)

    def __init__(self, argv: list[str]) -> None:
        super().__init__(argv)
        self._temporary = tempfile.gettempdir()
        self._core: Any = None
        self._layout_manager: Any = None
        self._module_manager: Any = None
        self._options = qSlicerCommandOptions()
        self._dicom_database: Any = None

    def host_start(self, core: Any, layout_manager: Any, module_manager: Any, temporary: Path) -> None:
        """Give the application its parts."""
        self._core, self._layout_manager, self._module_manager = core, layout_manager, module_manager
        self._temporary = str(temporary)

    slicerHome = constant(str, lambda self: sys.prefix)
    slicerSharePath = constant(str, lambda self: "share/Slicer-5.12")
    slicerUserSettingsFilePath = constant(str, lambda self: QtCore.QSettings().fileName())
    startupWorkingPath = constant(str, lambda self: str(Path.cwd()))
    defaultScenePath = constant(str, lambda self: self._temporary)
    isInstalled = constant(bool, lambda self: True)
    majorVersion = constant(int, lambda self: VERSION[0])
    minorVersion = constant(int, lambda self: VERSION[1])
    revision = constant(str, lambda self: REVISION)
    repositoryRevision = constant(str, lambda self: REVISION)
    os = constant(str, lambda self: {"Linux": "linux", "Darwin": "macosx", "Windows": "win"}[platform.system()])
    arch = constant(str, lambda self: platform.machine())
    documentationBaseUrl = constant(str, lambda self: "https://slicer.readthedocs.io/en/5.12/")

    def _get_temporary(self) -> str:
        return self._temporary

    def _set_temporary(self, path: str) -> None:
        self._temporary = path

    temporaryPath = StandinProperty(str, _get_temporary, _set_temporary)

    def mrmlScene(self) -> Any:
        return self._core.scene

    def applicationLogic(self) -> Any:
        return self._core.application_logic

    def moduleLogic(self, moduleName: str) -> Any:
        return self._core.application_logic.GetModuleLogic(moduleName)

    def layoutManager(self) -> Any:
        return self._layout_manager

    def moduleManager(self) -> Any:
        return self._module_manager

    def commandOptions(self) -> qSlicerCommandOptions:
        return self._options

    def dicomDatabase(self) -> Any:
        return self._dicom_database

    def pythonConsole(self) -> None:
        return None

    def startupEnvironment(self) -> QtCore.QProcessEnvironment:
        return QtCore.QProcessEnvironment.systemEnvironment()

    def testingEnabled(self) -> bool:
        return False

    def settings(self) -> QtCore.QSettings:
        return QtCore.QSettings()

    def userSettings(self) -> QtCore.QSettings:
        return QtCore.QSettings()

    def revisionUserSettings(self) -> QtCore.QSettings:
        return QtCore.QSettings()

    def moduleDocumentationUrl(self, moduleName: str) -> str:
        return f"https://slicer.readthedocs.io/en/5.12/user_guide/modules/{moduleName.lower()}.html"

    def openUrl(self, url: str) -> None:
        QtGui.QDesktopServices.openUrl(QtCore.QUrl(url))

    def setRenderPaused(self, pause: bool) -> None:
        self._layout_manager.setRenderPaused(pause)
        self.renderPaused.emit(pause)

    def pauseRender(self) -> None:
        self.setRenderPaused(True)

    def resumeRender(self) -> None:
        self.setRenderPaused(False)
