"""The Display card: grey window, outline or fill."""

from __future__ import annotations

from typing import Any

from trame.widgets import html
from trame.widgets import vuetify3 as v3


def build_display(actions: dict[str, Any]) -> None:
    """How images and lesions are drawn."""
    with html.Div(classes="d-flex align-center hn-row mb-2"):
        html.Div("Window", classes="hn-label")
        with v3.VBtnToggle(model_value=("window_preset",), density="compact", variant="outlined", divided=True):
            v3.VBtn(
                "{{ p }}",
                v_for="p in presets",
                key="p",
                value=("p",),
                size="x-small",
                click=(actions["set_window"], "[p]"),
            )
    with html.Div(classes="d-flex align-center hn-row mb-2"):
        html.Div("Lesions", classes="hn-label")
        with v3.VBtnToggle(v_model=("drawing",), density="compact", variant="outlined", divided=True, mandatory=True):
            v3.VBtn("outline", value="outline", size="x-small")
            v3.VBtn("fill", value="fill", size="x-small")
            v3.VBtn("both", value="both", size="x-small")
    for label, variable, low, high, step, unit, live in (
        ("Opacity", "opacity", 0.0, 1.0, 0.05, "Math.round(100 * opacity) + ' %'", "drawing !== 'outline'"),
        ("Line", "thickness", 1, 6, 1, "thickness + ' px'", "drawing !== 'fill'"),
    ):
        with html.Div(classes="d-flex align-center hn-row"):
            html.Div(label, classes="hn-label")
            v3.VSlider(
                v_model=(variable,),
                min=low,
                max=high,
                step=step,
                density="compact",
                hide_details=True,
                color="primary",
                disabled=(f"!({live})",),
            )
            html.Div("{{ " + unit + " }}", classes="hn-figure")
