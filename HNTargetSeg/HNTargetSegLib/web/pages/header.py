"""The bar on top: patient, visit, layouts, messages, and what is always said."""

from __future__ import annotations

from typing import Any

from trame.widgets import html
from trame.widgets import vuetify3 as v3

from HNTargetSegLib.web.pages.parts import ARIA, icon_button


def build_header(actions: dict[str, Any]) -> None:
    """The bar; ``actions`` by name as in :mod:`HNTargetSegLib.web.app`."""
    with v3.VAppBar(density="compact", elevation=0, border="b", color="surface", classes="hn-bar"):
        html.Img(src="__hntargetseg/logo.png", classes="hn-logo", alt="")
        html.Div("HNTargetSeg", classes="hn-name")
        v3.VChip("Research use only", size="small", color="warning", variant="tonal", classes="mx-3 flex-shrink-0")
        with html.Div(v_if="screen === 'review'", classes="d-flex align-center hn-shrink"):
            _patient(actions)
        v3.VSpacer()
        with html.Div(v_if="screen === 'review'", classes="d-flex align-center"):
            _layouts(actions)
            v3.VDivider(vertical=True, classes="mx-2 my-2")
            icon_button("mdi-file-import-outline", "Delineation from a file", actions["open_import"])
            icon_button(
                "mdi-tray-arrow-down",
                "Export (Ctrl+S)",
                actions["open_export"],
                disabled="!visits.some(v => v.segmented)",
                why="there are no lesions yet",
            )
        _page_buttons(actions)


def _patient(actions: dict[str, Any]) -> None:
    v3.VIcon("mdi-account", size="small", classes="mr-1 text-medium-emphasis")
    html.Div("{{ patient }}", classes="hn-patient", title=("patient",))
    with (
        html.Div(classes="hn-visits ml-3"),
        html.Button(
            v_for="v in visits",
            key="v.value",
            type="button",
            classes=("['hn-visit', {active: v.value === active}]",),
            click=(actions["activate"], "[v.value]"),
            title=("`${v.title}: ${v.image}`",),
        ),
    ):
        html.Span("{{ v.title }}", classes="font-weight-medium")
        html.Span("{{ v.date }}", v_if="v.date", classes="hn-date")
        html.Span(
            "{{ v.open }}",
            v_if="v.open",
            classes="hn-open",
            title=("`${v.open} of ${v.lesions} lesions to decide about`",),
        )
        v3.VIcon("mdi-check", v_if="v.segmented && v.lesions && !v.open", size="x-small", color="success")


def _layouts(actions: dict[str, Any]) -> None:
    with v3.VBtnToggle(
        model_value=("orientation",), density="compact", variant="text", divided=False, mandatory=True, classes="mr-2"
    ):
        for name in ("Axial", "Sagittal", "Coronal"):
            v3.VBtn(
                name,
                value=name,
                size="small",
                click=(actions["set_orientation"], f"['{name}']"),
                disabled=("layout === 'four'",),
                title=(f"layout === 'four' ? 'The four views show all directions' : '{name} views (O)'",),
            )
    layouts = (
        ("compare", "mdi-view-split-vertical", "Pre-RT beside mid-RT (1)"),
        ("four", "mdi-view-grid-outline", "Four views of one visit (2)"),
        ("single", "mdi-square-outline", "One large view (3)"),
    )
    with v3.VBtnToggle(model_value=("layout",), density="compact", variant="text", mandatory=True):
        for value, icon, tip in layouts:
            with v3.VBtn(
                value=value,
                size="small",
                click=(actions["set_layout"], f"['{value}']"),
                __properties=ARIA,
                aria_label=tip,
            ):
                v3.VIcon(icon)
                v3.VTooltip(text=tip, activator="parent", location="bottom", open_delay="300")


def _page_buttons(actions: dict[str, Any]) -> None:
    with html.Span(classes="hn-tip"):
        with (
            v3.VBtn(
                icon=True,
                size="small",
                click="dialog = 'messages'; unread = 0",
                __properties=ARIA,
                aria_label="Messages",
            ),
            v3.VBadge(content=("unread",), model_value=("unread > 0",), color="error", offset_x="-2", offset_y="-2"),
        ):
            v3.VIcon("mdi-bell-outline")
        v3.VTooltip(text="Messages", activator="parent", location="bottom", open_delay="300")
    icon_button(("dark ? 'mdi-weather-sunny' : 'mdi-weather-night'",), "Light or dark", "dark = !dark")
    icon_button("mdi-cog-outline", "Settings", actions["open_settings"])
    icon_button("mdi-keyboard-outline", "Keys (?)", "dialog = 'help'")
    icon_button(
        "mdi-folder-open-outline",
        "Another patient",
        "dialog = 'leave'",
        disabled="screen !== 'review'",
        why="none is open",
    )
