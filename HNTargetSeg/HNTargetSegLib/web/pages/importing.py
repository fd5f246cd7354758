"""The import dialog: a file, what its structures are, and what they replace."""

from __future__ import annotations

from typing import Any

from trame.widgets import html
from trame.widgets import vuetify3 as v3

from HNTargetSegLib.web.pages.dialogs import dialog

_PICK = "document.getElementById('hn-delineation').click()"
_SEND = "window.hntargetsegSend($event, trigger)"
_FIELD: dict[str, Any] = {"density": "compact", "variant": "outlined", "hide_details": True}


def build_import(actions: dict[str, Any]) -> None:
    """A delineation of the pre-RT image is the prior; one of the mid-RT image is to be reviewed."""
    with dialog("import", "Delineation from a file", 680):
        with html.Div(classes="d-flex align-center mb-3"):
            html.Div("Drawn on", classes="text-body-2 mr-3")
            with v3.VBtnToggle(
                v_model=("import_visit",), density="compact", variant="outlined", divided=True, mandatory=True
            ):
                v3.VBtn("{{ v.title }}", v_for="v in import_visits", key="v.value", value=("v.value",), size="small")
        v3.VTextField(
            v_model=("import_path",), label="RTSTRUCT, SEG or mask on the machine that runs the review", **_FIELD
        )
        with html.Div(classes="d-flex justify-end hn-row my-2"):
            v3.VBtn("Send a file", variant="tonal", prepend_icon="mdi-tray-arrow-up", click=_PICK)
            v3.VBtn("Read", color="primary", variant="tonal", click=actions["read_import"], disabled=("!import_path",))
        html.Input(id="hn-delineation", type="file", classes="d-none", change=_SEND)
        _question(actions)
        with html.Div(v_if="import_file"):
            _structures(actions)


def _question(actions: dict[str, Any]) -> None:
    with html.Div(v_if="import_question"):
        v3.VAlert(text=("import_question",), type="warning", variant="tonal", density="compact", classes="mb-2")
        with html.Div(classes="d-flex justify-end hn-row"):
            v3.VBtn("They belong together", variant="tonal", click=actions["agree_import"])


def _structures(actions: dict[str, Any]) -> None:
    html.Div("{{ import_file }}", classes="text-overline")
    html.Div("A mask: 1 is a primary tumour, 2 a lymph node.", v_if="!import_structures.length", classes="text-body-2")
    with (
        html.Div(classes="hn-scroll hn-images"),
        html.Div(v_for="s in import_structures", key="s.number", classes="d-flex align-center py-1 hn-message"),
    ):
        html.Div("{{ s.name }}", classes="text-body-2 flex-grow-1")
        html.Div("{{ s.cc }} cc", classes="text-caption text-medium-emphasis mr-3")
        with v3.VBtnToggle(model_value=("s.kind",), density="compact", variant="outlined", divided=True):
            for value, title in (("", "leave out"), ("PT", "GTVp"), ("LN", "GTVn")):
                v3.VBtn(title, value=value, size="small", click=(actions["set_import_kind"], f"[s.number, '{value}']"))
    v3.VAlert(
        "Lesions that were decided about are replaced: {{ import_replaces.join(', ') }}",
        v_if="import_replaces.length",
        type="warning",
        variant="tonal",
        density="compact",
        classes="my-2",
    )
    with html.Div(classes="d-flex justify-end hn-row mt-3"):
        v3.VBtn("Take the structures", color="primary", variant="flat", click=actions["take_import"])
