"""The Segment card: model, device, mode, progress."""

from __future__ import annotations

from typing import Any

from trame.widgets import html
from trame.widgets import vuetify3 as v3

from HNTargetSegLib.web.pages.parts import icon_button, text_button

_DEVICES = [
    {"title": "Automatic", "value": "auto"},
    {"title": "CPU", "value": "cpu"},
    {"title": "GPU (CUDA)", "value": "cuda"},
    {"title": "GPU (Apple)", "value": "mps"},
]
_MODES = [{"title": "Exact", "value": "exact"}, {"title": "Fast", "value": "fast"}]


def build_segment(actions: dict[str, Any]) -> None:
    """What to segment with, and the run."""
    _choices()
    with html.Div(v_if="!run.running && !prior.running", classes="d-flex align-center"):
        text_button(
            "Segment",
            "mdi-auto-fix",
            actions["start_run"],
            disabled="!models.length",
            why="no model is installed",
            color="primary",
            variant="flat",
            size="default",
        )
        html.Div(
            "Lesions that you have decided about stay as they are.",
            classes="text-caption text-medium-emphasis ml-3",
        )
    html.Div(
        "The pre-RT lesions are carried to mid-RT first: see the card below.",
        v_if="prior.running",
        classes="text-body-2",
    )
    _progress(actions)


def _choices() -> None:
    small = {"density": "compact", "variant": "outlined", "hide_details": True, "disabled": ("run.running",)}
    with html.Div(classes="d-flex align-center hn-row mb-2"):
        v3.VSelect(label="Model", items=("models",), v_model=("model",), classes="flex-grow-1", **small)
        icon_button("mdi-card-text-outline", "Model card", "dialog = 'card'", disabled="!model_card", why="no model")
    with html.Div(classes="d-flex align-center hn-row mb-2"):
        v3.VSelect(
            label="Visits",
            items=(
                "[{title: 'Both', value: 'both'}, ...visits].filter(v => v.value !== 'both' || visits.length > 1)"
                ".map(v => ({title: v.title, value: v.value}))",
            ),
            v_model=("run_visits",),
            **small,
        )
        v3.VSelect(label="Device", items=("devices", _DEVICES), v_model=("device",), **small)
        v3.VSelect(label="Mode", items=("modes", _MODES), v_model=("mode",), **small)


def _progress(actions: dict[str, Any]) -> None:
    with html.Div(v_if="run.running"):
        with html.Div(classes="d-flex align-center mb-1"):
            html.Div("{{ run.text }}", classes="text-body-2 flex-grow-1 text-truncate", raw_attrs=['data-run="text"'])
            text_button(
                "Cancel",
                "mdi-stop-circle-outline",
                actions["cancel_run"],
                disabled="run.cancelling",
                why="it is being stopped",
                color="error",
            )
        v3.VProgressLinear(
            model_value=("run.percent",), indeterminate=("run.percent < 0",), color="primary", height="6", rounded=True
        )
