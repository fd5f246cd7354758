"""Slice and 3D views: the real displayable managers and interactor styles of slicer-core in an offscreen window."""

from __future__ import annotations

from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets
from Testing.slicerhost.offscreen_view import OffscreenView

SLICE_MANAGERS = (
    "vtkMRMLVolumeGlyphSliceDisplayableManager",
    "vtkMRMLModelSliceDisplayableManager",
    "vtkMRMLCrosshairDisplayableManager",
    "vtkMRMLOrientationMarkerDisplayableManager",
    "vtkMRMLRulerDisplayableManager",
    "vtkMRMLScalarBarDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager2D",
    "vtkMRMLMarkupsDisplayableManager",
    "vtkMRMLTransformsDisplayableManager2D",
)
THREE_D_MANAGERS = (
    "vtkMRMLCameraDisplayableManager",
    "vtkMRMLViewDisplayableManager",
    "vtkMRMLModelDisplayableManager",
    "vtkMRMLThreeDReformatDisplayableManager",
    "vtkMRMLCrosshairDisplayableManager3D",
    "vtkMRMLOrientationMarkerDisplayableManager",
    "vtkMRMLRulerDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager3D",
    "vtkMRMLMarkupsDisplayableManager",
    "vtkMRMLTransformsDisplayableManager3D",
)


class _MRMLView(OffscreenView):
    """What both kinds of view share: a group of displayable managers, and no rendering in a batch of scene changes."""

    def __init__(self, factory: Any, managers: tuple[str, ...], style: Any, parent: QtWidgets.QWidget | None) -> None:
        import slicer

        super().__init__(parent)
        for name in managers:
            if not factory.IsDisplayableManagerRegistered(name):
                factory.RegisterDisplayableManager(name)
        self._group = slicer.vtkMRMLDisplayableManagerGroup()
        self._group.Initialize(factory, self._renderer)
        self._group.AddObserver("UpdateEvent", self._wants_render)
        self._style = style
        self._style.SetDisplayableManagers(self._group)
        self._node: Any = None
        self._scene: Any = None

    def interactorObserver(self) -> Any:
        return self._style

    def displayableManagerByClassName(self, className: str) -> Any:
        return self._group.GetDisplayableManagerByClassName(className)

    def getDisplayableManagers(self, displayableManagers: Any) -> None:
        for index in range(self._group.GetDisplayableManagerCount()):
            displayableManagers.AddItem(self._group.GetNthDisplayableManager(index))

    def setMRMLScene(self, newScene: Any) -> None:
        self._scene = newScene
        newScene.AddObserver(newScene.StartBatchProcessEvent, self._starts_batch)
        newScene.AddObserver(newScene.EndBatchProcessEvent, self._ends_batch)

    def _set_node(self, node: Any) -> None:
        self._node = node
        self._group.SetMRMLDisplayableNode(node)

    def _wants_render(self, caller: Any, event: str) -> None:
        self.scheduleRender()

    def _starts_batch(self, caller: Any, event: str) -> None:
        self.host_pause(True)

    def _ends_batch(self, caller: Any, event: str) -> None:
        self.host_pause(False)


class qMRMLSliceView(_MRMLView):
    """One slice; the image of the slice logic behind, the displayable managers' actors before it."""

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        import slicer
        from vtkmodules.vtkInteractionStyle import vtkInteractorStyleUser
        from vtkmodules.vtkRenderingCore import vtkActor2D, vtkImageMapper, vtkRenderer

        factory = slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance()
        super().__init__(factory, SLICE_MANAGERS, slicer.vtkMRMLSliceViewInteractorStyle(), parent)
        self._renderer.GetActiveCamera().ParallelProjectionOn()
        self._overlay = vtkRenderer()
        self._overlay.SetLayer(1)
        self._window.SetNumberOfLayers(2)
        self._window.AddRenderer(self._overlay)
        self._mapper = vtkImageMapper()
        self._mapper.SetColorWindow(255)
        self._mapper.SetColorLevel(127.5)
        self._actor = vtkActor2D()
        self._actor.SetMapper(self._mapper)
        self._actor.GetProperty().SetDisplayLocationToBackground()
        self._interactor.SetInteractorStyle(vtkInteractorStyleUser())
        self._style.SetInteractor(self._interactor)
        self._logic: Any = None

    def mrmlSliceNode(self) -> Any:
        return self._node

    def setMRMLSliceNode(self, newSliceNode: Any) -> None:
        self._set_node(newSliceNode)

    def convertDeviceToXYZ(self, xy: list[int]) -> list[float]:
        xyz = [0.0, 0.0, 0.0]
        self.displayableManagerByClassName("vtkMRMLCrosshairDisplayableManager").ConvertDeviceToXYZ(*xy[:2], xyz)
        return xyz

    def convertXYZToRAS(self, xyz: list[float]) -> list[float]:
        ras = self._node.GetXYToRAS().MultiplyPoint((*xyz[:3], 1.0))
        return [value / ras[3] for value in ras[:3]]

    def convertRASToXYZ(self, ras: list[float]) -> list[float]:
        from vtkmodules.vtkCommonMath import vtkMatrix4x4

        inverse = vtkMatrix4x4()
        vtkMatrix4x4.Invert(self._node.GetXYToRAS(), inverse)
        return list(inverse.MultiplyPoint((*ras[:3], 1.0))[:3])

    def host_show_logic(self, logic: Any) -> None:
        """Show the image that the slice logic makes, now and whenever it has a new one."""
        self._logic = logic
        self._style.SetSliceLogic(logic)
        logic.AddObserver("ModifiedEvent", self._has_image)
        self._has_image(logic, "")

    def host_resized(self, width: int, height: int) -> None:
        if self._logic is not None:
            self._logic.ResizeSliceNode(width, height)

    def _has_image(self, caller: Any, event: str) -> None:
        connection = self._logic.GetImageDataConnection()
        if self._mapper.GetNumberOfInputConnections(0) == 0 or self._mapper.GetInputConnection(0, 0) != connection:
            self._mapper.SetInputConnection(connection)
        if connection is None:
            self._renderer.RemoveViewProp(self._actor)
        elif not self._renderer.HasViewProp(self._actor):
            self._renderer.AddViewProp(self._actor)
        self.scheduleRender()


class qMRMLThreeDView(_MRMLView):
    """The 3D view."""

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        import slicer
        from vtkmodules.vtkRenderingCore import vtkInteractorStyle3D

        factory = slicer.vtkMRMLThreeDViewDisplayableManagerFactory.GetInstance()
        super().__init__(factory, THREE_D_MANAGERS, slicer.vtkMRMLThreeDViewInteractorStyle(), parent)
        self._renderer.SetGradientBackground(True)
        self._interactor.SetInteractorStyle(vtkInteractorStyle3D())
        self._style.SetInteractor(self._interactor)

    def renderer(self) -> Any:
        return self._renderer

    def mrmlViewNode(self) -> Any:
        return self._node

    def setMRMLViewNode(self, newViewNode: Any) -> None:
        self._set_node(newViewNode)

    def cameraNode(self) -> Any:
        return self.displayableManagerByClassName("vtkMRMLCameraDisplayableManager").GetCameraNode()

    def resetFocalPoint(self) -> None:
        bounds = [0.0] * 6
        # The box and its letters are drawn round the content: they do not count as content.
        box, letters = self._node.GetBoxVisible(), self._node.GetAxisLabelsVisible()
        self._node.SetBoxVisible(False)
        self._node.SetAxisLabelsVisible(False)
        self._renderer.ComputeVisiblePropBounds(bounds)
        self._node.SetBoxVisible(box)
        self._node.SetAxisLabelsVisible(letters)
        if bounds[0] <= bounds[1]:
            centre = [(bounds[2 * axis] + bounds[2 * axis + 1]) / 2 for axis in range(3)]
            self.cameraNode().GetCamera().SetFocalPoint(*centre)
        self._node.InvokeEvent(self._node.ResetFocalPointRequestedEvent)
        self._renderer.ResetCameraClippingRange()
        self.scheduleRender()

    def resetCamera(
        self, resetRotation: bool = True, resetTranslation: bool = True, resetDistance: bool = True
    ) -> None:
        self.cameraNode().Reset(resetRotation, resetTranslation, resetDistance, self._renderer)
        self.scheduleRender()

    def host_reset(self) -> None:
        """Bring all that is there into sight."""
        self.resetFocalPoint()
        self.resetCamera(True, True, True)


class qMRMLSliceControllerWidget(QtWidgets.QLabel):
    """The strip above a slice view: its colour, its letter, and where the slice lies."""

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._logic: Any = None
        self.setFixedHeight(self.fontMetrics().height() + 4)

    def host_start(self, logic: Any) -> None:
        """Follow the slice of ``logic``."""
        self._logic = logic
        node = logic.GetSliceNode()
        colour = QtGui.QColor.fromRgbF(*node.GetLayoutColor())
        self.setStyleSheet(f"background: {colour.name()}; padding-left: 6px;")
        node.AddObserver("ModifiedEvent", self._moved)
        self._moved(node, "")

    def mrmlSliceNode(self) -> Any:
        return self._logic.GetSliceNode()

    @QtCore.Slot(float)
    def setSliceOffsetValue(self, offset: float) -> None:
        self._logic.SetSliceOffset(offset)

    @QtCore.Slot()
    def fitSliceToBackground(self) -> None:
        self._logic.FitSliceToBackground()

    def _moved(self, caller: Any, event: str) -> None:
        node = self.mrmlSliceNode()
        self.setText(f"{node.GetLayoutLabel()}   {node.GetOrientation()}   {node.GetSliceOffset():.1f} mm")


class qMRMLSliceWidget(QtWidgets.QWidget):
    """A slice view with its node and its logic."""

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._controller = qMRMLSliceControllerWidget(self)
        self._view = qMRMLSliceView(self)
        self._logic: Any = None
        _fill(self, self._controller, self._view)

    def host_start(self, name: str, scene: Any, application_logic: Any) -> None:
        """Show the slice node that the layout logic made for ``name``."""
        import slicer

        self._logic = slicer.vtkMRMLSliceLogic()
        self._logic.SetMRMLApplicationLogic(application_logic)
        application_logic.GetSliceLogics().AddItem(self._logic)
        self._logic.SetMRMLScene(scene)
        node = scene.GetSingletonNode(name, "vtkMRMLSliceNode")
        self._logic.SetSliceNode(node)
        self._view.setMRMLScene(scene)
        self._view.setMRMLSliceNode(node)
        self._view.host_show_logic(self._logic)
        self._controller.host_start(self._logic)

    def sliceController(self) -> qMRMLSliceControllerWidget:
        return self._controller

    def sliceView(self) -> qMRMLSliceView:
        return self._view

    def sliceLogic(self) -> Any:
        return self._logic

    def mrmlSliceNode(self) -> Any:
        return self._logic.GetSliceNode()

    def mrmlSliceCompositeNode(self) -> Any:
        return self._logic.GetSliceCompositeNode()

    def interactorStyle(self) -> Any:
        return self._view.interactorObserver()

    @QtCore.Slot()
    def fitSliceToBackground(self) -> None:
        self._logic.FitSliceToBackground()


class qMRMLThreeDWidget(QtWidgets.QWidget):
    """A 3D view with its node and its logic."""

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._view = qMRMLThreeDView(self)
        self._logic: Any = None
        _fill(self, self._view)

    def host_start(self, name: str, scene: Any, application_logic: Any) -> None:
        """Show the view node that the layout logic made for ``name``."""
        import slicer

        self._logic = slicer.vtkMRMLViewLogic()
        self._logic.SetMRMLApplicationLogic(application_logic)
        application_logic.GetViewLogics().AddItem(self._logic)
        # The logic finds its view node by its own name.
        self._logic.SetName(name)
        self._logic.SetMRMLScene(scene)
        node = scene.GetSingletonNode(name, "vtkMRMLViewNode")
        self._view.setMRMLScene(scene)
        self._view.setMRMLViewNode(node)

    def threeDView(self) -> qMRMLThreeDView:
        return self._view

    def viewLogic(self) -> Any:
        return self._logic

    def mrmlViewNode(self) -> Any:
        return self._view.mrmlViewNode()


def _fill(widget: QtWidgets.QWidget, *parts: QtWidgets.QWidget) -> None:
    layout = QtWidgets.QVBoxLayout(widget)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    for part in parts:
        layout.addWidget(part, 1 if isinstance(part, OffscreenView) else 0)
