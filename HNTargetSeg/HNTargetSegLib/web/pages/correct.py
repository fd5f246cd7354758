"""The Correct card: tools for drawing by hand."""

from __future__ import annotations

from typing import Any

from trame.widgets import html
from trame.widgets import vuetify3 as v3

from HNTargetSegLib.web.editing import BRUSH_MM
from HNTargetSegLib.web.pages.parts import icon_button, text_button
from HNTargetSegLib.web.shaping import SMOOTH_MM

_TOOLS = (
    ("paint", "mdi-brush", "Brush", "Brush (B)"),
    ("erase", "mdi-eraser", "Erase", "Eraser (E)"),
    ("scissors", "mdi-content-cut", "Cut", "Scissors: cut away what you circle, on all slices (S)"),
)


def build_correct(actions: dict[str, Any]) -> None:
    """Tools, brush size, islands, shape of the whole lesion, undo of voxels."""
    _tools(actions)
    _brush()
    _lesions(actions)
    _shape(actions)
    html.Div(
        "{{ draw_label === 'lesion' ? (tool ? 'Draws on ' + current.name : '') : "
        "'Draw the new ' + (draw_label === 'PT' ? 'tumour' : 'node') + ' into the image' }}",
        v_if="tool",
        classes="text-caption text-primary mt-1",
    )


def _tools(actions: dict[str, Any]) -> None:
    nothing = "!current.voxels && draw_label === 'lesion'"
    with html.Div(classes="d-flex align-center hn-row mb-2"):
        for value, icon, text, tip in _TOOLS:
            with html.Span(classes="hn-tip"):
                v3.VBtn(
                    text=text,
                    prepend_icon=icon,
                    size="small",
                    variant=(f"tool === '{value}' ? 'flat' : 'tonal'",),
                    color=(f"tool === '{value}' ? 'primary' : undefined",),
                    click=(actions["set_tool"], f"['{value}']"),
                    disabled=(nothing,),
                )
                v3.VTooltip(
                    text=(f"({nothing}) ? 'Select a lesion that has voxels, or begin a new one' : '{tip}'",),
                    activator="parent",
                    location="bottom",
                )
        v3.VSpacer()
        icon_button(
            "mdi-undo-variant",
            "Undo drawing or segmentation",
            actions["undo_voxels"],
            disabled="!undo_voxels",
            why="nothing was drawn",
        )
        icon_button(
            "mdi-redo-variant",
            "Redo drawing or segmentation",
            actions["redo_voxels"],
            disabled="!redo_voxels",
            why="nothing was undone",
        )


def _brush() -> None:
    with html.Div(classes="d-flex align-center hn-row mb-1"):
        html.Div("Brush", classes="hn-label")
        v3.VSlider(
            v_model=("brush_mm",),
            min=BRUSH_MM[0],
            max=BRUSH_MM[1],
            step=0.5,
            density="compact",
            hide_details=True,
            color="primary",
        )
        html.Div("{{ Number(brush_mm).toFixed(1) }} mm", classes="hn-figure")
        v3.VCheckbox(v_model=("sphere",), label="Sphere", density="compact", hide_details=True, classes="flex-shrink-0")


def _lesions(actions: dict[str, Any]) -> None:
    nothing = {"disabled": "!current.voxels", "why": "select a lesion that has voxels"}
    with html.Div(classes="d-flex align-center hn-row"):
        text_button("New tumour", "mdi-plus", (actions["begin_lesion"], "['PT']"), classes="hn-pt")
        text_button("New node", "mdi-plus", (actions["begin_lesion"], "['LN']"), classes="hn-ln")
        v3.VSpacer()
        largest, small = ((actions["apply_islands"], f"['{mode}']") for mode in ("largest", "small"))
        text_button("Largest part", "mdi-selection-remove", largest, **nothing)
        text_button("Drop specks", "mdi-blur", small, **nothing)


def _shape(actions: dict[str, Any]) -> None:
    nothing = {"disabled": "!current.voxels", "why": "select a lesion that has voxels"}
    with html.Div(classes="d-flex align-center hn-row mt-2"):
        text_button("Smooth", "mdi-wave", actions["smooth"], **nothing)
        v3.VSlider(
            v_model=("smooth_mm",),
            min=SMOOTH_MM[0],
            max=SMOOTH_MM[1],
            step=0.5,
            density="compact",
            hide_details=True,
            color="primary",
        )
        html.Div("{{ Number(smooth_mm).toFixed(1) }} mm", classes="hn-figure")
        text_button("Fill between", "mdi-layers-plus", actions["fill_between"], **nothing)
    with html.Div(classes="d-flex align-center hn-row"):
        text_button("Keep greys", "mdi-contrast-box", actions["keep_range"], **nothing)
        v3.VRangeSlider(
            v_model=("grey_range",),
            min=("grey_limits[0]",),
            max=("grey_limits[1]",),
            step=("(grey_limits[1] - grey_limits[0]) / 200",),
            density="compact",
            hide_details=True,
            color="primary",
        )
        figure = "grey_limits[1] > 50 ? Math.round(g) : Number(g).toPrecision(2)"
        html.Div(f"{{{{ grey_range.map(g => {figure}).join(' – ') }}}}", classes="hn-figure hn-range")
