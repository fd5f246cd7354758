"""The export and the settings dialog."""

from __future__ import annotations

from typing import Any

from trame.widgets import html
from trame.widgets import vuetify3 as v3

from HNTargetSegLib.web.pages.dialogs import dialog
from HNTargetSegLib.web.pages.parts import text_button

_DOWNLOAD = (
    "trigger('download_export').then(content => "
    "content && utils.download('HNTargetSeg-' + patient + '.zip', content, 'application/zip'))"
)

_FIELD: dict[str, Any] = {"density": "compact", "variant": "outlined"}


def build_export(actions: dict[str, Any]) -> None:
    """What leaves, what is confirmed by name, and where it goes."""
    with dialog("export", "Export", 760):
        with html.Div(classes="d-flex mb-2 hn-row"):
            _checkboxes("v in leaving.visits || []", "export_visits")
        _formats()
        _findings(actions)
        _undecided()
        html.Div(
            "Rejected and left out: {{ (leaving.rejected || []).join(', ') }}",
            v_if="(leaving.rejected || []).length",
            classes="text-body-2 text-medium-emphasis mb-3",
        )
        v3.VTextField(v_model=("export_folder",), label="Folder", hide_details=True, classes="mb-3", **_FIELD)
        _buttons(actions)
        with html.Div(v_if="export_files.length", classes="mt-4"):
            html.Div("Written", classes="text-overline")
            html.Div("{{ f }}", v_for="f in export_files", key="f", classes="text-caption hn-path")


def _formats() -> None:
    lacking = "(leaving.series || [])"
    with html.Div(classes="hn-formats mb-2"):
        v3.VCheckbox(
            v_for="v in formats",
            key="v.value",
            v_model=("export_formats",),
            value=("v.value",),
            label=("v.title",),
            disabled=(f"v.dicom && {lacking}.some(s => !s.named)",),
            density="compact",
            hide_details=True,
        )
    for visit in ("pre", "mid"):
        with html.Div(v_if=f"{lacking}.some(s => s.value === '{visit}')", classes="mb-2"):
            html.Div(
                f"For DICOM the series of the {visit}-RT image is needed: "
                f"{{{{ {lacking}.filter(s => s.value === '{visit}').map(s => s.reason).join() }}}}.",
                classes="text-caption text-medium-emphasis mb-1",
            )
            v3.VTextField(
                v_model=(f"export_series_{visit}",),
                label=f"DICOM folder of the {visit}-RT image",
                hide_details=True,
                **_FIELD,
            )


def _findings(actions: dict[str, Any]) -> None:
    with html.Div(classes="d-flex align-center mb-1"):
        html.Div("Final check", classes="text-overline flex-grow-1")
        html.Div("Nothing was found", v_if="checked && !findings.length", classes="text-caption mr-3")
        v3.VBtn("Check", size="small", variant="tonal", click=actions["check_export"])
    with v3.VList(
        v_if="findings.length", density="compact", max_height="180", classes="hn-scroll mb-2", border=True, rounded=True
    ):
        v3.VListItem(
            v_for="f in findings",
            key="f.number",
            title=("f.text",),
            prepend_icon="mdi-crosshairs-gps",
            click=(actions["show_finding"], "[f.number]"),
        )


def _undecided() -> None:
    with html.Div(v_if="(leaving.undecided || []).length"):
        v3.VAlert(
            "Nobody has decided about these lesions. Decide about them, or confirm each by its name.",
            type="warning",
            variant="tonal",
            density="compact",
            classes="mb-1",
        )
        with html.Div(classes="hn-confirm mb-2"):
            _checkboxes("v in leaving.undecided", "confirmed")


def _checkboxes(loop: str, variable: str) -> None:
    v3.VCheckbox(
        v_for=loop,
        key="v.value",
        v_model=(variable,),
        value=("v.value",),
        label=("v.title",),
        density="compact",
        hide_details=True,
    )


def _buttons(actions: dict[str, Any]) -> None:
    wanting = {
        "disabled": "!export_visits.length || !export_formats.length || "
        "(leaving.undecided || []).length > confirmed.length",
        "why": "choose visit and format, and confirm each undecided lesion by its name, or decide about it",
        "size": "default",
    }
    main = {"color": "primary", "variant": "flat"}
    with html.Div(classes="d-flex justify-end hn-row"):
        text_button("Download zip", "mdi-folder-zip-outline", _DOWNLOAD, **wanting)
        text_button("Write into the folder", "mdi-tray-arrow-down", actions["write_export"], **wanting, **main)


def build_settings(actions: dict[str, Any]) -> None:
    """Reviewer and device."""
    with dialog("settings", "Settings"):
        v3.VTextField(
            v_model=("reviewer",),
            label="Reviewer",
            hint="Written into what is exported",
            persistent_hint=True,
            classes="mb-3",
            **_FIELD,
        )
        v3.VSelect(label="Device", items=("devices",), v_model=("device",), hide_details=True, classes="mb-3", **_FIELD)
        with html.Div(classes="d-flex justify-end hn-row"):
            v3.VBtn("Cancel", variant="text", click="dialog = ''")
            v3.VBtn("Save", color="primary", variant="flat", click=actions["save_settings"])
