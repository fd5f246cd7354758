"""The first screen: open a folder, upload, recent patients, the sample."""

from __future__ import annotations

from typing import Any

from trame.widgets import html
from trame.widgets import vuetify3 as v3

_PICK = "document.getElementById('{}').click()"
_SEND = "window.hntargetsegSend($event, trigger)"


def build_start(actions: dict[str, Any]) -> None:
    """What to open."""
    with html.Div(classes="hn-start"), html.Div(classes="hn-start-box"):
        html.Img(src="__hntargetseg/logo.png", classes="hn-start-logo", alt="")
        html.Div("Review of head-and-neck targets on MR", classes="text-h5 mb-1")
        html.Div(
            "Pre-RT and mid-RT T2-weighted images in, primary tumour and lymph nodes out, lesion by lesion. "
            "Research use only.",
            classes="text-body-2 text-medium-emphasis mb-6",
        )
        with html.Div(classes="hn-choices"):
            _choice(
                "mdi-folder-open-outline",
                "Open a folder",
                "of the machine that runs the review",
                actions["open_browser"],
            )
            _choice(
                "mdi-tray-arrow-up",
                "Upload",
                "NIfTI, NRRD, MHA, or DICOM as a zip or files",
                _PICK.format("hn-files"),
            )
            _choice(
                "mdi-account-box-outline",
                "Sample patient",
                "synthetic, generated on the spot",
                actions["open_sample"],
            )
        html.Input(id="hn-files", type="file", multiple=True, classes="d-none", change=_SEND)
        html.Div(
            "Files are told apart by their names: patient_preRT_T2.nii.gz and patient_midRT_T2.nii.gz, or folders "
            "named pre and mid.",
            classes="text-caption text-medium-emphasis mt-3",
        )
        _reviews(actions)
        _recent(actions)


def _choice(icon: str, title: str, text: str, click: Any) -> None:
    with v3.VCard(click=click, variant="outlined", classes="hn-choice", disabled=("!!busy",)):
        v3.VIcon(icon, size="36", color="primary", classes="mb-2")
        html.Div(title, classes="text-subtitle-1 font-weight-medium")
        html.Div(text, classes="text-caption text-medium-emphasis")


def _reviews(actions: dict[str, Any]) -> None:
    with (
        html.Div(v_if="saved_reviews.length", classes="mt-6"),
        v3.VList(density="compact", classes="pa-0", bg_color="transparent"),
    ):
        v3.VListItem(
            v_for="s in saved_reviews",
            key="s.key",
            title=("`Go on with the review of patient ${s.patient} of ${s.time}`",),
            subtitle=("s.lesions",),
            prepend_icon="mdi-play-circle-outline",
            rounded=True,
            disabled=("!!busy",),
            click=(actions["go_on_with"], "[s.key]"),
        )


def _recent(actions: dict[str, Any]) -> None:
    with html.Div(v_if="recent.length", classes="mt-6"):
        html.Div("Recent patients", classes="text-overline text-medium-emphasis")
        with v3.VList(density="compact", classes="pa-0", bg_color="transparent"):
            v3.VListItem(
                v_for="r in recent",
                key="r.path",
                title=("r.name",),
                subtitle=("r.place",),
                prepend_icon="mdi-history",
                rounded=True,
                disabled=("!!busy",),
                click=(actions["open_folder"], "[r.path]"),
            )
