"""What is on screen: layout, slices, grey window, and how segments are drawn."""

from __future__ import annotations

from typing import Any

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.review.change import Change, Part
from HNTargetSegLib.scene.style import SegmentStyle
from HNTargetSegLib.scene.views import shown_slice
from HNTargetSegLib.scene.window import PRESETS
from HNTargetSegLib.web.desk import Desk, told
from HNTargetSegLib.web.layout import ORIENTATIONS, SLICE_TILES, THREE_D, Layout, letters_of, tiles_of

_DRAWINGS = ("outline", "fill", "both")


class Stage:
    """The views of the page.

    Positions of the slice sliders are written by :meth:`refresh`, which the page's loop calls: a wheel must not wait
    for them.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._moved: set[str] = set()
        self._to_fit: set[str] = set()
        # Whether the layout was changed because there was nothing to compare.
        self._compares = False
        state = desk.state
        state.presets = list(PRESETS)
        for tile in SLICE_TILES:
            state[slider_variable(tile.name)] = 0
            desk.views.get_view(tile.name).modified.connect(lambda _, name=tile.name: self._moved.add(name))
            state.change(slider_variable(tile.name))(lambda name=tile.name, **_: self._on_slider(name))
        for name, page_view in desk.views.page_views().items():
            page_view.adapter.after_size = lambda name=name: self._fit_once(name)
            page_view.window.on_drag = self._dragged
        state.change("opacity", "thickness", "drawing")(lambda **_: self._draw())
        desk.session.changed.connect(self._on_change)

    @told
    def set_layout(self, layout: str) -> None:
        """Show other views."""
        self.desk.state.layout = Layout(layout).value
        self._arrange()

    @told
    def set_orientation(self, orientation: str) -> None:
        """Turn the layouts with one orientation."""
        if orientation in ORIENTATIONS:
            self.desk.state.orientation = orientation
            self._arrange()

    @told
    def next_orientation(self) -> None:
        """Axial, sagittal, coronal, and round."""
        here = ORIENTATIONS.index(self.desk.state.orientation)
        self.set_orientation(ORIENTATIONS[(here + 1) % len(ORIENTATIONS)])

    @told
    def enlarge(self, name: str) -> None:
        """Show one view alone; from there back to the comparison."""
        state = self.desk.state
        if state.layout == Layout.SINGLE.value:
            self.set_layout(Layout.COMPARE.value)
            return
        tile = next((tile for tile in SLICE_TILES if tile.name == name), None)
        if tile is not None:
            state.orientation = tile.orientation
            self.desk.session.activate(tile.visit)
            self.set_layout(Layout.SINGLE.value)

    @told
    def step_slice(self, step: int) -> None:
        """Move the active visit's view by slices."""
        names = [name for name in self.desk.state.tiles if name != THREE_D]
        mine = [name for name in names if name.startswith(self.desk.session.active.value)] or names
        if mine:
            self._step(mine[0], int(step))

    @told
    def turn_wheel(self, name: str, steps: int) -> None:
        """Move a view by slices; those linked to it follow."""
        if name in self.desk.state.tiles and name != THREE_D:
            # The view under the mouse is drawn before those that follow it.
            self.desk.views.page_views()[name].scheduler.schedule_render()
            self._step(name, int(steps))

    @told
    def fit_views(self) -> None:
        """Fit the images to the views."""
        for name in self.desk.state.tiles:
            self._fit(name)

    @told
    def set_window(self, preset: str) -> None:
        """Use a grey window for both visits."""
        if preset in PRESETS:
            self.desk.state.window_preset = preset
            self.desk.scene.set_window(preset)

    @told
    def next_window(self) -> None:
        """The next grey window."""
        names = list(PRESETS)
        here = self.desk.state.window_preset
        self.set_window(names[(names.index(here) + 1) % len(names)] if here in names else names[0])

    @told
    def next_drawing(self) -> None:
        """Outline, fill, both, and round."""
        here = self.desk.state.drawing
        self.desk.state.drawing = _DRAWINGS[(_DRAWINGS.index(here) + 1) % len(_DRAWINGS)]

    def refresh(self) -> None:
        """Write the positions of the slices that have moved since the last call."""
        moved, self._moved = self._moved, set()
        if THREE_D in self._to_fit and THREE_D in self.desk.state.tiles:
            self._fit_once(THREE_D)
        if not moved or self.desk.session.case is None:
            return
        state = self.desk.state
        views = dict(state.views)
        for name in (moved & set(state.tiles)) - {THREE_D}:
            view = self.desk.views.get_view(name)
            views[name] = self._view_item(name)
            state[slider_variable(name)] = round(view.get_slice_value(), 3)
        state.views = views

    def _on_change(self, change: Change) -> None:
        if change.part is Part.CASE:
            self._show_case()
        elif change.part is Part.SELECTION:
            self._arrange()
        elif change.part is Part.VOXELS and not change.ids:
            self._to_fit.add(THREE_D)

    def _show_case(self) -> None:
        if self.desk.session.case is None:
            self._arrange()
            return
        state = self.desk.state
        self.desk.scene.show_visits(True, {tile.name: tile.visit for tile in SLICE_TILES})
        state.window_preset = "default"
        single = len(self.desk.session.visits) == 1
        state.run_visits = next(iter(self.desk.session.visits)).value if single else "both"
        if single and state.layout == Layout.COMPARE.value:
            state.layout, self._compares = Layout.FOUR.value, True
        elif not single and self._compares:
            state.layout, self._compares = Layout.COMPARE.value, False
        self._arrange()
        for tile in SLICE_TILES:
            self.desk.views.get_view(tile.name).fit_view_to_content()
        self._to_fit = {*(tile.name for tile in SLICE_TILES), THREE_D}
        state.views = {tile.name: self._view_item(tile.name) for tile in SLICE_TILES}
        self._moved |= set(state.tiles)
        self._draw()

    def _arrange(self) -> None:
        """Let the views of the layout draw, and all others rest."""
        state, session = self.desk.state, self.desk.session
        tiles: tuple[str, ...] = ()
        if session.case is not None:
            visits = tuple(session.visits)
            tiles = tiles_of(Layout(state.layout), session.active, state.orientation, visits)
        if list(tiles) == list(state.tiles):
            return
        # A view that appears has another size than it had, if it had one at all.
        self._to_fit |= set(tiles)
        state.tiles = list(tiles)
        self.desk.core.view_manager.set_current_view_ids(list(tiles))
        self.desk.scene.set_surfaces(THREE_D in tiles)
        self._moved |= set(tiles)

    def _dragged(self) -> None:
        # Without a tool a drag changes the grey window: it is none of the presets any more.
        if not self.desk.state.tool and self.desk.state.window_preset:
            with self.desk.state as state:
                state.window_preset = ""

    def _step(self, name: str, steps: int) -> None:
        view = self.desk.views.get_view(name)
        low, high = view.get_slice_range()
        view.set_slice_value(min(high, max(low, view.get_slice_value() + steps * view.get_slice_step())))

    def _fit_once(self, name: str) -> None:
        if name in self._to_fit and self.desk.session.case is not None:
            self._to_fit.discard(name)
            self._fit(name)

    def _fit(self, name: str) -> None:
        view = self.desk.views.get_view(name)
        if name == THREE_D:
            view.fit_view_to_content()
            return
        # Fitting would also go to the middle of the image.
        here = view.get_slice_value()
        view.fit_view_to_content()
        view.set_slice_value(here)

    def _view_item(self, name: str) -> dict[str, Any]:
        view = self.desk.views.get_view(name)
        low, high = view.get_slice_range()
        step = view.get_slice_step()
        volume = self.desk.scene.volume_node(Visit(name.split("-")[0]))
        shown = None if volume is None else shown_slice(view.get_view_node(), volume)
        return {
            "letters": list(letters_of(view.get_view_node().GetSliceToRAS())),
            "min": round(low, 3),
            "max": round(high, 3),
            "step": round(step, 4),
            "number": 0 if shown is None else shown.number,
            "count": 0 if shown is None else shown.count,
            "tilted": shown is not None and shown.tilted,
            "visit": name.split("-")[0],
        }

    def _on_slider(self, name: str) -> None:
        if name not in self.desk.state.tiles:
            return
        view, wanted = self.desk.views.get_view(name), float(self.desk.state[slider_variable(name)] or 0)
        # The variable is rounded: a refresh must not move the slice by a thousandth.
        if abs(wanted - view.get_slice_value()) > 2e-3:
            view.set_slice_value(wanted)

    @told
    def _draw(self) -> None:
        state = self.desk.state
        drawing = state.drawing if state.drawing in _DRAWINGS else "outline"
        self.desk.scene.set_style(
            SegmentStyle(
                outline=drawing != "fill",
                fill=drawing != "outline",
                opacity=float(state.opacity),
                thickness=int(state.thickness),
            )
        )


def slider_variable(name: str) -> str:
    """State variable of a view's slice slider."""
    return f"slice_{name.replace('-', '_')}"
