"""The pre-RT lesions on mid-RT: state, figures, and how they get there."""

from __future__ import annotations

from typing import Any

from trame.widgets import html
from trame.widgets import vuetify3 as v3

from HNTargetSegLib.web.pages.parts import text_button

_SMALL = {"density": "compact", "hide_details": True}


def build_prior(actions: dict[str, Any]) -> None:
    """What was carried, how well, and from what."""
    with html.Div(raw_attrs=["data-prior"]):
        with html.Div(classes="d-flex align-start mb-1"):
            v3.VIcon(
                icon=("prior.poor ? 'mdi-alert' : prior.good ? 'mdi-check-circle' : 'mdi-circle-outline'",),
                color=("prior.poor ? 'warning' : prior.good ? 'success' : undefined",),
                size="18",
                classes="mr-2 mt-1",
            )
            html.Div("{{ prior.text }}", classes="text-body-2", raw_attrs=['data-prior-state="text"'])
        html.Div("{{ p }}.", v_for="p in prior.problems", key="p", classes="text-caption text-warning ml-6")
        _figures()
        _progress(actions)
        _buttons(actions)
        _file(actions)
        v3.VCheckbox(
            v_model=("prior_preview",),
            label="Show the carried outlines on mid-RT",
            disabled=("!prior.carried",),
            **_SMALL,
        )
        v3.VCheckbox(v_model=("register_first",), label="Register before mid-RT is segmented", **_SMALL)


def _figures() -> None:
    with html.Div(v_if="prior.figures && prior.figures.length", classes="text-caption text-medium-emphasis ml-6 mb-2"):
        html.Div("{{ f.title }}: {{ f.value }}", v_for="f in prior.figures", key="f.title")


def _progress(actions: dict[str, Any]) -> None:
    with html.Div(v_if="prior.running", classes="mb-2"):
        with html.Div(classes="d-flex align-center mb-1"):
            html.Div("{{ prior.stage }}", classes="text-body-2 flex-grow-1", raw_attrs=['data-prior-stage="text"'])
            text_button(
                "Stop",
                "mdi-stop-circle-outline",
                actions["cancel_registration"],
                disabled="prior.cancelling",
                why="it is being stopped",
                color="error",
            )
        v3.VProgressLinear(
            model_value=("prior.percent",),
            indeterminate=("prior.percent < 0",),
            color="primary",
            height="6",
            rounded=True,
        )


def _buttons(actions: dict[str, Any]) -> None:
    with html.Div(v_if="!prior.running", classes="d-flex align-center hn-row mb-2"):
        text_button(
            "Register",
            "mdi-vector-combine",
            actions["register_visits"],
            disabled="!!prior.obstacle || prior.busy",
            why="accepted or given pre-RT lesions and both images are needed",
        )
        with html.Span(v_if="prior.offered"):
            text_button(
                "Use it all the same", "mdi-alert-decagram-outline", actions["confirm_registration"], color="warning"
            )
        text_button(
            "Forget",
            "mdi-close",
            actions["forget_prior"],
            disabled="!prior.carried || prior.busy",
            why="there is nothing to forget",
        )


def _file(actions: dict[str, Any]) -> None:
    with html.Div(v_if="!prior.running", classes="d-flex align-center hn-row mb-1"):
        v3.VTextField(
            v_model=("prior_file",),
            label="Transform (.h5, .tfm) or registered mask, with its path",
            variant="outlined",
            classes="flex-grow-1",
            **_SMALL,
        )
        text_button(
            "Use file",
            "mdi-file-import-outline",
            actions["take_prior_file"],
            disabled="!prior_file || prior.busy",
            why="name a file of the machine that runs the review",
        )
