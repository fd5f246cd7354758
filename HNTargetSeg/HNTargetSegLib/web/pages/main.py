"""The whole page: bar, left column, views, dialogs."""

from __future__ import annotations

from typing import Any

from trame.ui.vuetify3 import VAppLayout
from trame.widgets import client, html
from trame.widgets import vuetify3 as v3

from HNTargetSegLib.web.access_uploads import UPLOAD_SCRIPT
from HNTargetSegLib.web.pages.correct import build_correct
from HNTargetSegLib.web.pages.dialogs import build_dialogs, build_notice
from HNTargetSegLib.web.pages.display import build_display
from HNTargetSegLib.web.pages.export import build_export, build_settings
from HNTargetSegLib.web.pages.header import build_header
from HNTargetSegLib.web.pages.importing import build_import
from HNTargetSegLib.web.pages.lesions import build_lesions
from HNTargetSegLib.web.pages.prior import build_prior
from HNTargetSegLib.web.pages.segment import build_segment
from HNTargetSegLib.web.pages.start import build_start
from HNTargetSegLib.web.pages.viewport import build_viewport
from HNTargetSegLib.web.theme import VUETIFY

_SIDE_WIDTH = 500


def build_page(server: Any, actions: dict[str, Any]) -> Any:
    """The page; ``actions`` are what its widgets call, by name."""
    with VAppLayout(server, vuetify_config=VUETIFY, theme=("dark ? 'dark' : 'light'",)) as layout:
        client.Script(UPLOAD_SCRIPT)
        build_header(actions)
        with v3.VNavigationDrawer(
            permanent=True, width=_SIDE_WIDTH, v_if="screen === 'review'", classes="hn-side", color="surface"
        ):
            build_lesions(actions)
            _panels(actions)
        with v3.VMain(classes="hn-main"):
            with html.Div(v_if="screen === 'start'", classes="fill-height"):
                build_start(actions)
            with html.Div(v_if="screen === 'review'", classes="fill-height"):
                build_viewport(actions)
        build_dialogs(actions)
        build_export(actions)
        build_import(actions)
        build_settings(actions)
        build_notice()
    return layout


def _panels(actions: dict[str, Any]) -> None:
    cards = (
        ("segment", "mdi-auto-fix", "Segment", build_segment),
        ("prior", "mdi-vector-combine", "Pre-RT lesions on mid-RT", build_prior),
        ("correct", "mdi-brush", "Correct by hand", build_correct),
        ("display", "mdi-contrast-circle", "Display", build_display),
    )
    with v3.VExpansionPanels(v_model=("panel",), variant="accordion", elevation=0, classes="hn-panels", tile=True):
        for value, icon, title, build in cards:
            needed = {"v_if": "visits.length > 1"} if value == "prior" else {}
            with v3.VExpansionPanel(value=value, elevation=0, **needed):
                with v3.VExpansionPanelTitle():
                    v3.VIcon(icon, size="18", classes="mr-3")
                    html.Span(title)
                    v3.VSpacer()
                    if value == "segment":
                        html.Span("{{ run.text }}", v_if="run.running", classes="text-caption text-primary mr-2")
                    if value == "prior":
                        html.Span("{{ prior.stage }}", v_if="prior.running", classes="text-caption text-primary mr-2")
                        v3.VIcon("mdi-alert", v_if="prior.poor", size="18", color="warning", classes="mr-2")
                with v3.VExpansionPanelText():
                    build(actions)
