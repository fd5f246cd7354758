"""A QWidget that shows what an offscreen VTK window rendered and gives it the mouse and the keys."""

from __future__ import annotations

from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets

_KEY_NAMES = {
    QtCore.Qt.Key.Key_Escape: "Escape",
    QtCore.Qt.Key.Key_Return: "Return",
    QtCore.Qt.Key.Key_Delete: "Delete",
    QtCore.Qt.Key.Key_Backspace: "BackSpace",
    QtCore.Qt.Key.Key_Left: "Left",
    QtCore.Qt.Key.Key_Right: "Right",
    QtCore.Qt.Key.Key_Up: "Up",
    QtCore.Qt.Key.Key_Down: "Down",
}
_BUTTON_EVENTS = {
    QtCore.Qt.MouseButton.LeftButton: ("LeftButtonPressEvent", "LeftButtonReleaseEvent"),
    QtCore.Qt.MouseButton.MiddleButton: ("MiddleButtonPressEvent", "MiddleButtonReleaseEvent"),
    QtCore.Qt.MouseButton.RightButton: ("RightButtonPressEvent", "RightButtonReleaseEvent"),
}


class OffscreenView(QtWidgets.QWidget):
    """Shows an offscreen render window.

    ``QVTKRenderWindowInteractor`` needs a native window, which Qt's ``offscreen`` platform does not have.
    """

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        from vtkmodules.vtkRenderingCore import vtkRenderer, vtkRenderWindow, vtkRenderWindowInteractor

        super().__init__(parent)
        self.setMouseTracking(True)
        self.setFocusPolicy(QtCore.Qt.FocusPolicy.WheelFocus)
        self.setMinimumSize(64, 64)
        self._renderer = vtkRenderer()
        self._window = vtkRenderWindow()
        self._window.SetMultiSamples(0)
        self._window.SetOffScreenRendering(True)
        self._window.ShowWindowOff()
        self._window.AddRenderer(self._renderer)
        self._interactor = vtkRenderWindowInteractor()
        self._interactor.SetRenderWindow(self._window)
        self._image = QtGui.QImage()
        self._paused = 0
        self._wanted = QtCore.QTimer(self)
        self._wanted.setSingleShot(True)
        self._wanted.timeout.connect(self._render_now)

    # What Slicer's views call their parts.

    def renderWindow(self) -> Any:
        """The ``vtkRenderWindow``."""
        return self._window

    def interactor(self) -> Any:
        """The ``vtkRenderWindowInteractor``."""
        return self._interactor

    def scheduleRender(self) -> None:
        """Render when the events at hand are done; many wishes make one image."""
        if not self._paused and not self._wanted.isActive():
            self._wanted.start(0)

    def forceRender(self) -> None:
        """Render now."""
        self._wanted.stop()
        self._render_now()

    # How the host sees it.

    def host_image(self) -> QtGui.QImage:
        """What was rendered last."""
        return self._image

    def host_pause(self, paused: bool) -> None:
        """Stop rendering (calls nest) or go on."""
        self._paused = max(0, self._paused + (1 if paused else -1))
        if not self._paused:
            self.scheduleRender()

    def host_finalize(self) -> None:
        """Give the graphics memory back."""
        self._wanted.stop()
        self._paused = 1
        self._window.Finalize()

    def host_resized(self, width: int, height: int) -> None:
        """Called when the window has a new size, for the classes built on this one."""

    def _render_now(self) -> None:
        from vtkmodules.util.numpy_support import vtk_to_numpy
        from vtkmodules.vtkCommonCore import vtkUnsignedCharArray

        if self._paused:
            return
        self._window.Render()
        width, height = self._window.GetSize()
        pixels = vtkUnsignedCharArray()
        self._window.GetPixelData(0, 0, width - 1, height - 1, 0, pixels, 0)
        rows = vtk_to_numpy(pixels).reshape(height, width, 3)[::-1].copy()
        self._image = QtGui.QImage(rows.data, width, height, 3 * width, QtGui.QImage.Format.Format_RGB888).copy()
        self.update()

    # Qt events.

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        painter = QtGui.QPainter(self)
        painter.drawImage(self.rect(), self._image)
        painter.end()

    def resizeEvent(self, event: QtGui.QResizeEvent) -> None:
        width, height = max(1, self.width()), max(1, self.height())
        self._window.SetSize(width, height)
        self._interactor.SetSize(width, height)
        self._interactor.ConfigureEvent()
        self.host_resized(width, height)
        self.scheduleRender()

    def mousePressEvent(self, event: QtGui.QMouseEvent) -> None:
        self.setFocus()
        self._send(event, _BUTTON_EVENTS[event.button()][0])

    def mouseDoubleClickEvent(self, event: QtGui.QMouseEvent) -> None:
        self._send(event, _BUTTON_EVENTS[event.button()][0], repeat=1)

    def mouseReleaseEvent(self, event: QtGui.QMouseEvent) -> None:
        self._send(event, _BUTTON_EVENTS[event.button()][1])

    def mouseMoveEvent(self, event: QtGui.QMouseEvent) -> None:
        self._send(event, "MouseMoveEvent")

    def enterEvent(self, event: QtGui.QEnterEvent) -> None:
        self._send(event, "EnterEvent")

    def leaveEvent(self, event: QtCore.QEvent) -> None:
        self._interactor.InvokeEvent("LeaveEvent")

    def wheelEvent(self, event: QtGui.QWheelEvent) -> None:
        forward = event.angleDelta().y() > 0
        self._send(event, "MouseWheelForwardEvent" if forward else "MouseWheelBackwardEvent")

    def keyPressEvent(self, event: QtGui.QKeyEvent) -> None:
        self._send_key(event, "KeyPressEvent")
        self._interactor.InvokeEvent("CharEvent")

    def keyReleaseEvent(self, event: QtGui.QKeyEvent) -> None:
        self._send_key(event, "KeyReleaseEvent")

    def _send(self, event: Any, name: str, repeat: int = 0) -> None:
        at = event.position().toPoint()
        shift = bool(event.modifiers() & QtCore.Qt.KeyboardModifier.ShiftModifier)
        control = bool(event.modifiers() & QtCore.Qt.KeyboardModifier.ControlModifier)
        self._interactor.SetEventInformationFlipY(at.x(), at.y(), control, shift, "\0", repeat, None)
        self._interactor.InvokeEvent(name)
        event.accept()

    def _send_key(self, event: QtGui.QKeyEvent, name: str) -> None:
        key = QtCore.Qt.Key(event.key())
        symbol = _KEY_NAMES.get(key) or event.text() or key.name.removeprefix("Key_")
        character = event.text()[:1] or "\0"
        shift = bool(event.modifiers() & QtCore.Qt.KeyboardModifier.ShiftModifier)
        control = bool(event.modifiers() & QtCore.Qt.KeyboardModifier.ControlModifier)
        self._interactor.SetKeyEventInformation(control, shift, character, 0, symbol)
        self._interactor.InvokeEvent(name)
        event.accept()
