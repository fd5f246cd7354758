"""Dialogs: folder, patients, questions, messages, keys, model card, leaving, waiting."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from trame.widgets import html
from trame.widgets import vuetify3 as v3

from HNTargetSegLib.web.pages.parts import ARIA, dialog_head

_CLOSE = "dialog = ''"


@contextmanager
def dialog(name: str, title: str, width: int = 560, *, persistent: bool = False) -> Iterator[None]:
    """A dialog that is open while the variable ``dialog`` has its name."""
    with (
        v3.VDialog(
            model_value=(f"dialog === '{name}'",),
            update_modelValue=f"!$event && dialog === '{name}' && (dialog = '')",
            max_width=width,
            scrollable=True,
            persistent=persistent,
        ),
        v3.VCard(color="surface", rounded="lg", raw_attrs=[f'data-dialog="{name}"']),
    ):
        dialog_head(title, _CLOSE)
        with v3.VCardText(classes="pt-2 pb-4"):
            yield


def build_dialogs(actions: dict[str, Any]) -> None:
    """All of them."""
    _folder(actions)
    _patients(actions)
    _images(actions)
    _questions(actions)
    _saved(actions)
    _messages()
    _keys()
    with dialog("card", "Model card", 820):
        html.Pre("{{ model_card }}", classes="hn-card-text")
    with dialog("leave", "Open another patient"):
        html.Div(
            "The review is kept on this machine: the first screen offers to go on with it. Nothing is exported.",
            classes="text-body-2 mb-4",
        )
        with html.Div(classes="d-flex justify-end hn-row"):
            v3.VBtn("Stay", variant="text", click=_CLOSE)
            v3.VBtn("Close the patient", color="primary", variant="flat", click=actions["close_patient"])
    with (
        v3.VOverlay(
            model_value=("!!busy",), persistent=True, classes="align-center justify-center", scrim="#000", opacity="0.6"
        ),
        v3.VCard(classes="pa-6 text-center", rounded="lg", min_width="320"),
    ):
        v3.VProgressCircular(indeterminate=True, color="primary", size="36", classes="mb-3")
        html.Div("{{ busy }}", classes="text-body-2")


def _folder(actions: dict[str, Any]) -> None:
    with dialog("folder", "Open a patient's folder", 640):
        v3.VTextField(
            v_model=("folder",),
            density="compact",
            variant="outlined",
            hide_details=True,
            label="Folder",
            __events=[("keydown_enter", "keydown.enter")],
            keydown_enter=(actions["browse"], "[folder]"),
            append_inner_icon="mdi-arrow-right",
            click_appendInner=(actions["browse"], "[folder]"),
        )
        with v3.VList(density="compact", height="300", classes="my-2 hn-scroll", border=True, rounded=True):
            v3.VListItem(
                v_for="f in folders",
                key="f.path",
                title=("f.name",),
                prepend_icon=("f.icon",),
                click=(actions["browse"], "[f.path]"),
            )
            v3.VListItem(
                v_for="f in folder_files",
                key="'file' + f",
                title=("f",),
                prepend_icon="mdi-file-outline",
                disabled=True,
            )
        with html.Div(classes="d-flex justify-end hn-row"):
            v3.VBtn("Cancel", variant="text", click=_CLOSE)
            v3.VBtn("Open this folder", color="primary", variant="flat", click=(actions["open_folder"], "[folder]"))


def _patients(actions: dict[str, Any]) -> None:
    with dialog("patients", "Which patient?"):
        html.Div("The folder holds {{ folder_patients.length }} patients.", classes="text-body-2 mb-2")
        with v3.VList(density="compact", max_height="360", classes="hn-scroll", border=True, rounded=True):
            v3.VListItem(
                v_for="p in folder_patients",
                key="p.number",
                title=("p.name",),
                subtitle=("p.images",),
                prepend_icon="mdi-account",
                click=(actions["choose_patient"], "[p.number]"),
            )


def _images(actions: dict[str, Any]) -> None:
    with dialog("images", "Which image is of which visit?", 720):
        html.Div("{{ images_reason }}", classes="text-body-2 text-medium-emphasis mb-3")
        with (
            html.Div(classes="hn-scroll hn-images"),
            html.Div(v_for="i in images", key="i.number", classes="d-flex align-center py-2 hn-message"),
        ):
            with html.Div(classes="flex-grow-1 mr-4"):
                html.Div("{{ i.name }}", classes="text-body-2 hn-path")
                html.Div("{{ i.details }}", v_if="i.details", classes="text-caption text-medium-emphasis")
            with v3.VBtnToggle(model_value=("i.visit",), density="compact", variant="outlined", divided=True):
                for value, title in (("pre", "pre-RT"), ("mid", "mid-RT")):
                    v3.VBtn(title, value=value, size="small", click=(actions["assign"], f"[i.number, '{value}']"))
        with html.Div(classes="d-flex justify-end hn-row mt-4"):
            v3.VBtn("Cancel", variant="text", click=_CLOSE)
            v3.VBtn(
                "Open",
                color="primary",
                variant="flat",
                disabled=("!images.some(i => i.visit)",),
                click=actions["open_assigned"],
            )


def _questions(actions: dict[str, Any]) -> None:
    with dialog("questions", "Please check the images", persistent=True):
        v3.VAlert(
            v_for="q in questions",
            key="q",
            text=("q",),
            type="warning",
            variant="tonal",
            density="compact",
            classes="mb-3",
        )
        with html.Div(classes="d-flex justify-end hn-row"):
            v3.VBtn("Cancel", variant="text", click=(actions["answer"], "['cancel']"))
            v3.VBtn("Swap the visits", variant="tonal", v_if="can_swap", click=(actions["answer"], "['swap']"))
            v3.VBtn("Continue as it is", color="primary", variant="flat", click=(actions["answer"], "['continue']"))


def _saved(actions: dict[str, Any]) -> None:
    with dialog("saved", "This patient was under review", persistent=True):
        html.Div(
            "The review of patient {{ saved.patient }} of {{ saved.time }} with {{ saved.lesions }} is kept on this "
            "machine.",
            classes="text-body-2 mb-4",
        )
        with html.Div(classes="d-flex justify-end hn-row"):
            v3.VBtn("Cancel", variant="text", click=(actions["answer_saved"], "['cancel']"))
            v3.VBtn("Begin anew", variant="tonal", click=(actions["answer_saved"], "['anew']"))
            v3.VBtn("Go on with it", color="primary", variant="flat", click=(actions["answer_saved"], "['continue']"))


def _messages() -> None:
    with dialog("messages", "Messages", 640):
        html.Div("Nothing has been said yet.", v_if="!messages.length", classes="text-body-2 text-medium-emphasis")
        with html.Div(v_for="m in messages", key="m.number", classes="d-flex align-start py-2 hn-message"):
            v3.VIcon(icon=("m.icon",), color=("m.level",), size="20", classes="mr-3 mt-1")
            with html.Div(classes="flex-grow-1"):
                html.Div("{{ m.text }}", classes="text-body-2")
                html.Div("{{ m.remedy }}", v_if="m.remedy", classes="text-body-2 text-medium-emphasis")
        v3.VBtn(
            "Copy all",
            v_if="messages.length",
            size="small",
            variant="tonal",
            prepend_icon="mdi-content-copy",
            classes="mt-3",
            click="window.hntargetsegCopy(messages.map(m => m.level + ': ' + m.text + ' ' + m.remedy).join('\\n'))",
        )


def _keys() -> None:
    group = {"v_for": "g in keys", "key": "g.title", "classes": "mb-4"}
    with dialog("help", "Keys and mouse", 1060), html.Div(classes="hn-keys"), html.Div(**group):
        html.Div("{{ g.title }}", classes="text-overline text-primary")
        with html.Div(v_for="k in g.keys", key="k.key + k.text", classes="d-flex align-center py-1"):
            html.Span("{{ k.key }}", classes="hn-key")
            html.Span("{{ k.text }}", classes="text-body-2")


def build_notice() -> None:
    """The last message, for some seconds; errors stay until they are closed."""
    with v3.VSnackbar(
        v_model=("notice_shown",),
        timeout=("notice.level === 'error' ? -1 : 5000",),
        color="surface-variant",
        location="top right",
        multi_line=True,
        max_width="640",
    ):
        with html.Div(classes="d-flex align-start", raw_attrs=[':data-notice="notice.level"']):
            v3.VIcon(icon=("notice.icon",), color=("notice.level",), classes="mr-3 mt-1")
            with html.Div():
                html.Div("{{ notice.text }}")
                html.Div("{{ notice.remedy }}", v_if="notice.remedy", classes="hn-remedy")
        with v3.Template(v_slot_actions=True):
            v3.VBtn(
                icon="mdi-close",
                size="small",
                click="notice_shown = false",
                __properties=ARIA,
                aria_label="Close the message",
            )
