"""The host: a main window with a real scene and real views, a Slicer module in it, and hands to press things."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")

from PySide6 import QtCore, QtGui, QtTest, QtWidgets
from Testing.slicerhost import dialogs, install
from Testing.slicerhost.core import SlicerCore, start_core
from Testing.slicerhost.dialect import Dialect, speak
from Testing.slicerhost.messages import Messages
from Testing.slicerhost.standins import packaging, sample_data
from Testing.slicerhost.standins.application import qSlicerApplication
from Testing.slicerhost.standins.layout import qSlicerLayoutManager
from Testing.slicerhost.standins.main_window import qSlicerMainWindow
from Testing.slicerhost.standins.modules import qSlicerModuleManager, start_modules


def _spare_constants() -> None:
    """Keep a stock of references to None, True and False that is never given back.

    PySide6 6.12.0 gives one reference to True away with each ``signal.emit()``, and one to None with each call that
    returns nothing; before Python 3.12, where they live for ever, the process ends with "bool_dealloc" or
    "none_dealloc" when none is left.
    """
    if sys.version_info < (3, 12):
        import ctypes

        stock = [None, True, False] * 500_000
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(stock))


_spare_constants()
LEFT = QtCore.Qt.MouseButton.LeftButton


class Timeout(AssertionError):
    """What was waited for did not come."""


class Host:
    """One Slicer-like program; there is one in a process (scenes are not freed), so get it with :func:`the_host`."""

    def __init__(self) -> None:
        self.temporary = Path(tempfile.mkdtemp(prefix="slicerhost-"))
        atexit.register(shutil.rmtree, self.temporary, ignore_errors=True)
        self.messages = Messages()
        self.answers = dialogs.Answers()
        QtCore.QSettings.setDefaultFormat(QtCore.QSettings.Format.IniFormat)
        for scope in (QtCore.QSettings.Scope.UserScope, QtCore.QSettings.Scope.SystemScope):
            QtCore.QSettings.setPath(QtCore.QSettings.Format.IniFormat, scope, str(self.temporary))
        install.install()
        dialogs.install(self.answers)
        self.app = qSlicerApplication(["Slicer"])
        self.app.setOrganizationName("NA-MIC")
        self.app.setApplicationName("Slicer")
        self.messages.install()
        self.core: SlicerCore = start_core(self.temporary)
        self.scene = self.core.scene
        self._start_window()

    def _start_window(self) -> None:
        import slicer

        slicer.app, slicer.mrmlScene = self.app, self.scene
        self.modules = qSlicerModuleManager()
        start_modules(self.modules, self.core.logics)
        self.window = qSlicerMainWindow()
        self.window.host_start(self.modules)
        self.layout = qSlicerLayoutManager(self.window.host_viewport())
        self.app.host_start(self.core, self.layout, self.modules, self.temporary)
        self.layout.host_start(self.core)
        self.window.resize(1400, 900)
        self.window.show()
        self.process()

    # A test's beginning and end.

    def begin(self, dialect: Dialect = Dialect.ATTRIBUTES) -> None:
        """An empty scene, no module, no answers, and the code under test speaks ``dialect``."""
        import slicer

        speak(dialect)
        self.close_modules()
        self.scene.Clear(False)
        self.layout.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
        QtCore.QSettings().clear()
        packaging.host_installs.clear()
        packaging.host_when_installing.clear()
        self.answers.clear()
        self.process()
        self.messages.clear()

    def end(self) -> None:
        """Close the module and fail if anything went wrong unseen."""
        self.close_modules()
        self.process()
        unexpected = self.messages.unexpected()
        unforeseen, unused = self.answers.unforeseen(), self.answers.unused()
        speak(Dialect.ATTRIBUTES)
        assert not unexpected, "errors that nobody caught:\n" + "\n".join(unexpected)
        assert not unforeseen, f"dialogs that the test did not answer: {unforeseen}"
        assert not unused, f"answers that no dialog asked for: {unused}"

    # Modules.

    def open_module(self, file: Path | str) -> Any:
        """Load the scripted module in ``file``, open its panel and return its Python widget."""
        import slicer

        module = self.modules.host_load(Path(file))
        self.app.startupCompleted.emit()
        self.select_module(module.name)
        return slicer.util.getModuleWidget(module.name)

    def select_module(self, name: str) -> None:
        """Go to the panel of module ``name`` (no name: to none)."""
        self.window.moduleSelector().selectModule(name)
        self.process()

    def close_modules(self) -> None:
        """Leave and unload the scripted modules."""
        self.select_module("")
        for name in list(self.modules.modulesNames()):
            if name not in self.core.logics:
                self.modules.host_unload(name)
        self.process()

    def run_self_test(self, name: str) -> None:
        """The module's own tests, as "Reload and Test" runs them."""
        import slicer

        slicer.selfTests[name](msec=0)

    def open_sample(self, name: str) -> Any:
        """Press the sample data ``name``."""
        result = sample_data.host_press(name)
        self.process()
        return result

    # Looking.

    def find(self, name: str) -> Any:
        """The widget called ``name`` in the panel or in any dialog that is open."""
        for top in (self.window.host_panel(), *QtWidgets.QApplication.topLevelWidgets()):
            found = top if top.objectName() == name else top.findChild(QtWidgets.QWidget, name)
            if found is not None:
                return found
        raise LookupError(f"no widget is called {name}; there are {sorted(self._names())}")

    def view(self, name: str) -> Any:
        """The view "Red", "Yellow", "Green" or "3D"."""
        if name == "3D":
            three_d = self.layout.threeDWidget(0)
            assert three_d is not None
            return three_d.threeDView()
        widget = self.layout.sliceWidget(name)
        assert widget is not None, f"there is no view {name}"
        return widget.sliceView()

    def slice_offset(self, name: str) -> float:
        """Where the slice of view ``name`` lies (mm)."""
        return float(self.view(name).mrmlSliceNode().GetSliceOffset())

    def pixels(self, name: str) -> Any:
        """What view ``name`` shows: array (rows, columns, 3), uint8."""
        import numpy as np

        view = self.view(name)
        view.forceRender()
        image = view.host_image().convertToFormat(QtGui.QImage.Format.Format_RGB888)
        rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
        return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()

    def screenshot(self, path: Path | str) -> Path:
        """A picture of the whole window."""
        self.process()
        for view in self.layout.host_views():
            view.forceRender()
        self.window.grab().save(str(path))
        return Path(path)

    def status(self) -> str:
        """What the status bar says."""
        return self.window.statusBar().currentMessage()

    # Doing.

    def process(self) -> None:
        """Let all waiting events happen, deletions too."""
        for _ in range(3):
            QtWidgets.QApplication.sendPostedEvents(None, QtCore.QEvent.Type.DeferredDelete)
            QtWidgets.QApplication.processEvents()

    def wait_until(self, condition: Callable[[], bool], timeout: float = 10.0, what: str = "") -> None:
        """Process events until ``condition`` holds; a :class:`Timeout` after ``timeout`` seconds."""
        end = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > end:
                raise Timeout(f"waited {timeout} s for {what or getattr(condition, '__name__', 'a condition')}")
            QtWidgets.QApplication.processEvents(QtCore.QEventLoop.ProcessEventsFlag.WaitForMoreEvents, 20)
            time.sleep(0.002)
        self.process()

    def press(self, button: Any) -> None:
        """Click a button (a widget or its name) with the left mouse button; it has to be visible and enabled."""
        widget = self.find(button) if isinstance(button, str) else button
        assert widget.isVisible(), f"{widget.objectName()} is not visible"
        assert widget.isEnabled(), f"{widget.objectName()} is disabled"
        QtTest.QTest.mouseClick(widget, LEFT, pos=self._hit_point(widget))
        self.process()

    def write(self, field: Any, text: str) -> None:
        """Type ``text`` into a line or text field in place of what stands there."""
        widget = self.find(field) if isinstance(field, str) else field
        assert widget.isEnabled(), f"{widget.objectName()} is disabled"
        widget.setFocus()
        widget.selectAll()
        QtTest.QTest.keyClicks(widget, text)
        self.process()

    def choose(self, box: Any, text: str) -> None:
        """Choose the entry ``text`` of a combo box (also of a node selector) as a user does."""
        widget = self.find(box) if isinstance(box, str) else box
        inner = widget.host_combo_box() if hasattr(widget, "host_combo_box") else widget
        index = inner.findText(text)
        assert index >= 0, f"no entry {text} in {[inner.itemText(i) for i in range(inner.count())]}"
        inner.setCurrentIndex(index)
        inner.activated.emit(index)
        self.process()

    def click_row(self, table: Any, row: int, column: int = 0, double: bool = False) -> None:
        """Click a row of a table."""
        view = self.find(table) if isinstance(table, str) else table
        index = view.model().index(row, column)
        assert index.isValid(), f"no row {row}, column {column}"
        view.scrollTo(index)
        place = view.visualRect(index).center()
        QtTest.QTest.mouseClick(view.viewport(), LEFT, pos=place)
        if double:
            QtTest.QTest.mouseDClick(view.viewport(), LEFT, pos=place)
        self.process()

    def press_key(self, key: str, widget: Any = None, modifier: Any = QtCore.Qt.KeyboardModifier.NoModifier) -> None:
        """Press a key such as "A", "Space" or "Return" in ``widget`` (the window if there is none)."""
        QtTest.QTest.keyClick(widget or self.window, getattr(QtCore.Qt.Key, f"Key_{key}"), modifier)
        self.process()

    def click_in_view(self, name: str, ras: tuple[float, float, float]) -> None:
        """Click with the left mouse button where ``ras`` (mm) lies in slice view ``name``."""
        view = self.view(name)
        place = self.place_in_view(name, ras)
        QtTest.QTest.mouseMove(view, place)
        QtTest.QTest.mouseClick(view, LEFT, pos=place)
        self.process()

    def drag_in_view(self, name: str, start: QtCore.QPoint, end: QtCore.QPoint, steps: int = 10) -> None:
        """Press at ``start``, move to ``end`` and let go, in pixels of the view."""
        view = self.view(name)
        # A handle has to be hovered before it can be pressed.
        QtTest.QTest.mouseMove(view, start)
        self._mouse(view, QtCore.QEvent.Type.MouseMove, start, QtCore.Qt.MouseButton.NoButton)
        self.process()
        self._mouse(view, QtCore.QEvent.Type.MouseButtonPress, start, LEFT)
        for step in range(1, steps + 1):
            self._mouse(view, QtCore.QEvent.Type.MouseMove, start + (end - start) * (step / steps), LEFT)
        self._mouse(view, QtCore.QEvent.Type.MouseButtonRelease, end, LEFT)
        self.process()

    def place_in_view(self, name: str, ras: tuple[float, float, float]) -> QtCore.QPoint:
        """The pixel of slice view ``name`` where ``ras`` (mm) lies."""
        view = self.view(name)
        x, y, _ = view.convertRASToXYZ(list(ras))
        return QtCore.QPoint(round(x), round(view.height() - 1 - y))

    def scroll(self, name: str, steps: int) -> None:
        """Turn the mouse wheel over view ``name`` by ``steps`` (forward is positive)."""
        view = self.view(name)
        centre = QtCore.QPointF(view.rect().center())
        for _ in range(abs(steps)):
            event = QtGui.QWheelEvent(
                centre,
                QtCore.QPointF(view.mapToGlobal(centre.toPoint())),
                QtCore.QPoint(),
                QtCore.QPoint(0, 120 if steps > 0 else -120),
                QtCore.Qt.MouseButton.NoButton,
                QtCore.Qt.KeyboardModifier.NoModifier,
                QtCore.Qt.ScrollPhase.NoScrollPhase,
                False,
            )
            QtWidgets.QApplication.sendEvent(view, event)
        self.process()

    # The scene.

    def save_scene(self, path: Path | str) -> Path:
        """Write the scene as .mrb."""
        assert self.scene.WriteToMRB(str(path)), f"the scene was not written to {path}"
        return Path(path)

    def close_scene(self) -> None:
        """Close the scene, as File / Close Scene does."""
        self.scene.Clear(False)
        self.process()

    def load_scene(self, path: Path | str) -> None:
        """Close the scene and read a .mrb."""
        messages = _user_messages()
        assert self.scene.ReadFromMRB(str(path), True, messages), messages.GetAllMessagesAsString()
        self.process()

    def _names(self) -> set[str]:
        return {child.objectName() for child in self.window.host_panel().findChildren(QtWidgets.QWidget)} - {""}

    @staticmethod
    def _hit_point(widget: QtWidgets.QWidget) -> QtCore.QPoint:
        # The text of a tick box takes clicks, the empty room beside it does not.
        if isinstance(widget, QtWidgets.QCheckBox | QtWidgets.QRadioButton):
            return QtCore.QPoint(8, widget.height() // 2)
        if isinstance(widget, QtWidgets.QAbstractButton) and not widget.hitButton(widget.rect().center()):
            return QtCore.QPoint(12, 6)
        return widget.rect().center()

    @staticmethod
    def _mouse(view: QtWidgets.QWidget, kind: QtCore.QEvent.Type, place: QtCore.QPoint, button: Any) -> None:
        moving = kind == QtCore.QEvent.Type.MouseMove
        released = kind == QtCore.QEvent.Type.MouseButtonRelease
        none = QtCore.Qt.MouseButton.NoButton
        event = QtGui.QMouseEvent(
            kind,
            QtCore.QPointF(place),
            QtCore.QPointF(view.mapToGlobal(place)),
            none if moving else button,
            none if released else button,
            QtCore.Qt.KeyboardModifier.NoModifier,
        )
        QtWidgets.QApplication.sendEvent(view, event)


@cache
def the_host() -> Host:
    """The host of this process; made at the first call."""
    return Host()


def _user_messages() -> Any:
    import slicer

    return slicer.vtkMRMLMessageCollection()


def _main() -> int:
    """Open a module file and take a picture: ``python -m Testing.slicerhost.host MODULE.py PICTURE.png``."""
    host = the_host()
    host.begin()
    host.open_module(Path(sys.argv[1]).resolve())
    host.screenshot(sys.argv[2])
    host.end()
    return 0


if __name__ == "__main__":
    sys.exit(_main())
