"""The slice and 3D views of the page: how each is made, and which of them a layout shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from slicer import vtkMRMLLayerDisplayableManager
from trame_rca.rca import VtkRemoteControlledArea
from trame_rca.utils import RcaViewAdapter
from trame_slicer.rca_view.rca_view_factory import RcaRenderStrategy
from trame_slicer.views import IViewFactory, SliceView, ThreeDView, ViewLayoutDefinition, ViewProps, ViewType
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkCommand
from vtkmodules.vtkCommonDataModel import vtkImageData

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.web.layout import SLICE_TILES, THREE_D
from HNTargetSegLib.web.rendering import FrameScheduler


class PatientSliceView(SliceView):
    """A slice view along the patient's axes, without multisampling, which software rendering pays for dearly."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.render_window().SetMultiSamples(0)

    def _reset_node_view_properties(self) -> None:
        # The base class turns the slices to the volume's axes; a reader expects the patient's.
        node, wanted = self._view_node, self._view_properties
        if node is None:
            return
        with self.trigger_modified_once():
            if wanted.group is not None:
                node.SetViewGroup(wanted.group)
            if wanted.color is not None:
                self.set_layout_color_from_string(wanted.color)
            if wanted.orientation is not None:
                node.SetOrientation(wanted.orientation)


class PlainThreeDView(ThreeDView):
    """A 3D view without multisampling and depth peeling: surfaces of lesions are opaque."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.render_window().SetMultiSamples(0)
        self.renderer().SetUseDepthPeeling(False)
        self.renderer().SetUseDepthPeelingForVolumes(False)


class ViewWindow(VtkRemoteControlledArea):
    """Pixels of a view's render window, taken from its buffer as it is.

    Attributes
    ----------
    on_drag
        Called while the left button is down and the mouse moves.
    """

    on_drag: Callable[[], object] | None = None

    def __init__(self, view: Any) -> None:
        super().__init__(vtk_render_window=view.render_window())
        self._view = view
        self._image = vtkImageData()

    @property
    def img_cols_rows(self) -> tuple[Any, int, int]:
        """A frame: uint8 (rows, columns, 3) with the first row on top, columns, rows; empty while the view rests."""
        if self._view.is_render_blocked:
            return None, 0, 0
        self._vtk_render_window.Render()
        vtkMRMLLayerDisplayableManager.RenderWindowBufferToImage(self._vtk_render_window, self._image)
        columns, rows, _ = self._image.GetDimensions()
        pixels = vtk_to_numpy(self._image.GetPointData().GetScalars()).reshape((rows, columns, -1))
        return pixels[::-1].copy(), columns, rows

    def process_resize_event(self, width: int, height: int) -> None:
        """Follow the size of the page's area."""
        super().process_resize_event(width, height)
        self._iren.InvokeEvent(vtkCommand.WindowResizeEvent)

    def process_interaction_event(self, event: dict[str, Any]) -> None:
        """Hand an event of the mouse to Slicer's interaction; keys are the page's."""
        if str(event.get("type", "")).lower().startswith("key"):
            return
        super().process_interaction_event(event)
        if self.on_drag is not None and event.get("type") == "MouseMove" and event.get("buttonLeft"):
            self.on_drag()


class ViewAdapter(RcaViewAdapter):
    """The remote-controlled area of one view; a page that appears gets its picture at once.

    Attributes
    ----------
    after_size
        Called after the area has got its size.
    """

    after_size: Callable[[], object] | None = None

    def update_size(self, origin: str, size: dict[str, Any]) -> None:
        """Follow the size of the page's area, and send the picture again."""
        super().update_size(origin, size)
        if self.after_size is not None:
            self.after_size()
        self._scheduler.reset()


@dataclass(frozen=True)
class PageView:
    """A view with what brings it to the page."""

    view: Any
    window: ViewWindow
    adapter: ViewAdapter
    scheduler: FrameScheduler


class PageViewFactory(IViewFactory):
    """Makes views whose pictures go to the page's area of the same name.

    Parameters
    ----------
    server
        trame's.
    """

    def __init__(self, server: Any) -> None:
        super().__init__()
        self._server = server

    def can_create_view(self, view: ViewLayoutDefinition) -> bool:
        """Slice and 3D views."""
        return view.view_type in (ViewType.SLICE_VIEW, ViewType.THREE_D_VIEW)

    def page_views(self) -> dict[str, PageView]:
        """All views by name."""
        return dict(self._views)

    def _create_view(self, view: ViewLayoutDefinition, scene: Any, app_logic: Any) -> PageView:
        from trame_server.utils.asynchronous import create_task

        kind = PatientSliceView if view.view_type is ViewType.SLICE_VIEW else PlainThreeDView
        name = view.singleton_tag
        made = kind(scene=scene, app_logic=app_logic, name=name)
        made.set_view_properties(view.properties)
        window = ViewWindow(made)
        scheduler = FrameScheduler(window)
        adapter = ViewAdapter(window=window, name=name, scheduler=scheduler, do_schedule_render_on_interaction=False)
        made.set_scheduled_render(RcaRenderStrategy(scheduler))

        async def register() -> None:
            await self._server.ready
            self._server.root_server.controller.rc_area_register(adapter)

        create_task(register())
        return PageView(made, window, adapter, scheduler)

    def _get_slicer_view(self, view: PageView) -> Any:
        return view.view


def create_views(view_manager: Any, server: Any) -> PageViewFactory:
    """All views of the page; pre-RT views are in view group 1, mid-RT views in group 2, the 3D view in group 0."""
    factory = PageViewFactory(server)
    view_manager.register_factory(factory)
    colours = {"Axial": "#F34A33", "Sagittal": "#EFD64D", "Coronal": "#6DAD4A"}
    for tile in SLICE_TILES:
        props = ViewProps(
            label=tile.name, orientation=tile.orientation, color=colours[tile.orientation], group=_group(tile.visit)
        )
        view_manager.create_view(ViewLayoutDefinition(tile.name, ViewType.SLICE_VIEW, props))
    props = ViewProps(label=THREE_D, background_color="#101418", box_visible=False, group=0)
    view_manager.create_view(ViewLayoutDefinition(THREE_D, ViewType.THREE_D_VIEW, props))
    return factory


def _group(visit: Visit) -> int:
    return 1 if visit is Visit.PRE else 2
