"""The views with what is written on them: visit, date, directions, slice."""

from __future__ import annotations

from typing import Any

from trame.widgets import html, rca
from trame.widgets import vuetify3 as v3

from HNTargetSegLib.web.layout import SLICE_TILES, THREE_D
from HNTargetSegLib.web.pages.parts import ARIA
from HNTargetSegLib.web.stage import slider_variable

_TILTED = "The image is tilted: this is the slice of it that the view meets in its middle"
_EDGES = ("left", "right", "top", "bottom")


def build_viewport(actions: dict[str, Any]) -> None:
    """All views; those that the layout does not show are not in the page."""
    with html.Div(classes=("['hn-grid', 'hn-' + layout, 'n' + tiles.length]",)):
        for tile in SLICE_TILES:
            with html.Div(**_tile(tile.name)):
                _area(tile.name)
                _slice_marks(tile.name, tile.orientation)
                _enlarge(actions, tile.name)
                _slider(tile.name)
        with html.Div(**_tile(THREE_D)):
            _area(THREE_D)
            with html.Div(classes="hn-mark top-left"):
                html.Div("3D", classes="hn-visit-name")
                html.Div("{{ (visits.find(v => v.value === active) || {}).title }}")
            html.Div("Research use only", classes="hn-mark bottom-left hn-research")


def _tile(name: str) -> dict[str, Any]:
    return {
        "v_if": f"tiles.includes('{name}')",
        "key": f"'{name}'",
        "classes": (f"['hn-tile', {{active: '{name}'.startsWith(active)}}]",),
        "style": (f"{{order: tiles.indexOf('{name}')}}",),
        "raw_attrs": [f'data-view="{name}"'],
    }


def _area(name: str) -> None:
    rca.RemoteControlledArea(
        name=name,
        display="image",
        classes="hn-area",
        send_mouse_move=("tool !== ''",),
        event_throttle_ms=10,
        image_style=("{width: '100%', height: '100%'}",),
    )


def _slice_marks(name: str, orientation: str) -> None:
    visit = name.split("-")[0]
    with html.Div(classes="hn-mark top-left", v_for=f"v in visits.filter(v => v.value === '{visit}')", key="v.value"):
        with html.Div(classes="hn-visit-name"):
            html.Span("{{ v.title }}")
            html.Span("{{ v.date }}", classes="hn-date ml-2")
        html.Div("{{ patient }}")
        html.Div(orientation)
    for number, edge in enumerate(_EDGES):
        html.Div(f"{{{{ ((views['{name}'] || {{}}).letters || [])[{number}] }}}}", classes=f"hn-letter {edge}")
    html.Div("Research use only", classes="hn-mark bottom-left hn-research")


def _enlarge(actions: dict[str, Any], name: str) -> None:
    v3.VBtn(
        icon=("layout === 'single' ? 'mdi-fullscreen-exit' : 'mdi-fullscreen'",),
        size="x-small",
        variant="text",
        classes="hn-enlarge",
        click=(actions["enlarge"], f"['{name}']"),
        title=("layout === 'single' ? 'Back to the comparison' : 'This view alone'",),
    )


def _slider(name: str) -> None:
    view = f"views['{name}']"
    with html.Div(classes="hn-slider", v_if=view):
        v3.VSlider(
            v_model=(slider_variable(name),),
            min=(f"{view}.min",),
            max=(f"{view}.max",),
            step=(f"{view}.step",),
            density="compact",
            hide_details=True,
            thumb_size="12",
            track_size="2",
            color="grey-lighten-1",
            theme="dark",
            __properties=ARIA,
            aria_label=f"Slice of {name}",
        )
        html.Div(
            f"{{{{ {view}.tilted ? '\u2248 ' : '' }}}}{{{{ {view}.number }}}} / {{{{ {view}.count }}}}",
            classes="hn-slice-number",
            title=(f"{view}.tilted ? '{_TILTED}' : ''",),
        )
