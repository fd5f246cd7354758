"""The lesion table and what can be said about the selected lesion."""

from __future__ import annotations

from typing import Any

from trame.widgets import html
from trame.widgets import vuetify3 as v3

from HNTargetSegLib.web.pages.parts import icon_button, text_button

_NONE = "!selected"
_WHY = "select a lesion first"


def build_lesions(actions: dict[str, Any]) -> None:
    """Table, verdict buttons and details."""
    with html.Div(classes="hn-table-box"):
        with html.Table(classes="hn-table", v_if="rows.length"):
            _head(actions)
            _body(actions)
        with html.Div(v_if="!rows.length", classes="hn-empty"):
            v3.VIcon("mdi-vector-circle-variant", size="36", classes="mb-2 text-disabled")
            html.Div(
                "{{ visits.some(v => v.value === active && v.segmented) ? 'No lesion at this visit' : "
                "'This visit is not segmented yet' }}"
            )
            html.Div("Segment it below, or draw a lesion by hand.", classes="text-caption text-medium-emphasis")
    _verdicts(actions)
    _details(actions)


def _head(actions: dict[str, Any]) -> None:
    with html.Thead(), html.Tr():
        with html.Th(classes="hn-eye"):
            v3.VBtn(
                icon=("rows.some(r => !r.shown) ? 'mdi-eye-off-outline' : 'mdi-eye-outline'",),
                size="x-small",
                variant="text",
                density="compact",
                click=actions["toggle_all_shown"],
                title="Show or hide all",
            )
        with html.Th(
            v_for="c in columns",
            key="c.key",
            click=(actions["sort"], "[c.key]"),
            title=("c.tip",),
            classes=("[{numeric: c.numeric, sorted: c.key === sort_key}]",),
        ):
            html.Span("{{ c.title }}")
            v3.VIcon(
                icon=("sort_descending ? 'mdi-menu-down' : 'mdi-menu-up'",),
                v_if="c.key === sort_key",
                size="x-small",
            )


def _body(actions: dict[str, Any]) -> None:
    with (
        html.Tbody(),
        html.Tr(
            v_for="row in rows",
            key="row.id",
            click=(actions["select"], "[row.id]"),
            classes=("[{selected: row.id === selected, rejected: row.state === 'rejected', gone: !row.shown}]",),
            raw_attrs=[':data-lesion="row.name"'],
        ),
    ):
        with html.Td(classes="hn-eye"):
            v3.VBtn(
                icon=("row.shown ? 'mdi-eye-outline' : 'mdi-eye-off-outline'",),
                size="x-small",
                variant="text",
                density="compact",
                # The row under the eye shall not take the click as well.
                raw_attrs=["@click.stop=\"trigger('toggle_shown', [row.id])\""],
                title=("row.shown ? 'Hide' : 'Show'",),
            )
        with html.Td(v_for="c in columns", key="c.key", classes=("[{numeric: c.numeric}]",)):
            with html.Template(v_if="c.key === 'name'"):
                _name(actions)
            with html.Template(v_else_if="c.key === 'state'"):
                v3.VIcon(icon=("row.icon",), color=("row.colour",), size="16", classes="mr-1")
                html.Span("{{ row.state }}")
            html.Template("{{ row.cells[c.key] }}", v_else=True)


def _name(actions: dict[str, Any]) -> None:
    html.Span(classes=("['hn-swatch', row.primary ? 'pt' : 'ln']",))
    html.Input(
        v_if="renaming === row.id",
        v_model="new_name",
        classes="hn-rename",
        maxlength=64,
        click="$event.stopPropagation()",
        __events=[("keydown_enter", "keydown.enter"), ("keydown_escape", "keydown.escape")],
        keydown_enter=(actions["rename"], "[new_name]"),
        keydown_escape=actions["cancel_rename"],
        blur=(actions["rename"], "[new_name]"),
        raw_attrs=['@vue:mounted="(node) => window.hntargetsegSelect(node.el)"'],
    )
    html.Span("{{ row.name }}", v_else=True)


def _verdicts(actions: dict[str, Any]) -> None:
    with html.Div(classes="d-flex align-center px-3 py-2 hn-row"):
        text_button("Accept", "mdi-check-circle", actions["accept"], disabled=_NONE, why=_WHY, color="success")
        text_button("Reject", "mdi-close-octagon", actions["reject"], disabled=_NONE, why=_WHY, color="error")
        text_button("Undecided", "mdi-help-circle-outline", actions["reset"], disabled=_NONE, why=_WHY, color="warning")
        v3.VSpacer()
        icon_button(
            "mdi-chevron-up", "Previous (P)", (actions["select_next"], "[-1]"), disabled="!rows.length", why="no lesion"
        )
        icon_button(
            "mdi-chevron-down", "Next (N)", (actions["select_next"], "[1]"), disabled="!rows.length", why="no lesion"
        )
        icon_button("mdi-undo", "Undo ${undo}", actions["undo_verdict"], disabled="!undo", why="nothing was said yet")
        icon_button("mdi-redo", "Redo ${redo}", actions["redo_verdict"], disabled="!redo", why="nothing was undone")


def _details(actions: dict[str, Any]) -> None:
    with html.Div(classes="d-flex align-center px-3 pb-2 hn-row"):
        text_button("Rename", "mdi-form-textbox", actions["begin_rename"], disabled=_NONE, why=_WHY)
        text_button("PT / LN", "mdi-swap-horizontal", actions["toggle_label"], disabled=_NONE, why=_WHY)
        text_button("Show / hide", "mdi-eye-outline", actions["toggle_shown"], disabled=_NONE, why=_WHY)
        v3.VSpacer()
        with html.Span(classes="hn-tip"):
            v3.VSelect(
                label="Fate",
                items=("current.fates || []",),
                model_value=("current.fate || null",),
                update_modelValue=(actions["overrule"], "[$event]"),
                disabled=("!selected || active === 'pre'",),
                density="compact",
                variant="outlined",
                hide_details=True,
                classes="hn-fate",
            )
            v3.VTooltip(
                text=(
                    "active === 'pre' ? 'Fates are of the mid-RT visit' : selected ? "
                    "'What became of the lesion since pre-RT' : 'Select a lesion first'",
                ),
                activator="parent",
                location="top",
            )
