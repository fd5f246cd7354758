"""Small parts that the cards share."""

from __future__ import annotations

from typing import Any

from trame.widgets import html
from trame.widgets import vuetify3 as v3

ARIA = [("aria_label", "aria-label")]
"""What a widget must be told so that it does not drop ``aria_label`` unsaid: its ``__properties``."""


def icon_button(icon: Any, tip: str, click: Any, *, disabled: str = "", why: str = "", **options: Any) -> None:
    """A button with an icon and a tooltip.

    Parameters
    ----------
    icon
        Name, or a tuple with a JavaScript expression.
    tip, why
        What it does; and what keeps it from that while ``disabled`` (both JavaScript strings without quotes).
    disabled
        JavaScript expression.
    """
    size = options.pop("size", "small")
    shown = options.pop("v_show", None)
    text = f"({disabled}) ? `{tip}: {why}` : `{tip}`" if disabled else f"`{tip}`"
    extra = {"disabled": (disabled,)} if disabled else {}
    # A disabled button gets no mouse events: the tooltip belongs to what is round it.
    with html.Span(classes="hn-tip", **({"v_show": shown} if shown else {})):
        v3.VBtn(
            icon=icon,
            click=click,
            size=size,
            variant=options.pop("variant", "text"),
            density=options.pop("density", "comfortable"),
            __properties=ARIA,
            aria_label=(f"`{tip}`",),
            **extra,
            **options,
        )
        v3.VTooltip(text=(text,), activator="parent", location="bottom", open_delay="300")


def text_button(text: str, icon: str, click: Any, *, disabled: str = "", why: str = "", **options: Any) -> None:
    """A button with an icon and a text; ``why`` is shown while it is disabled."""
    extra = {"disabled": (disabled,)} if disabled else {}
    span = options.pop("span_classes", "")
    with html.Span(classes=f"hn-tip {span}"):
        v3.VBtn(
            text=text,
            prepend_icon=icon,
            click=click,
            size=options.pop("size", "small"),
            variant=options.pop("variant", "tonal"),
            **extra,
            **options,
        )
        if disabled and why:
            v3.VTooltip(text=why, activator="parent", location="bottom", disabled=(f"!({disabled})",))


def dialog_head(title: str, close: Any) -> None:
    """Title of a dialog with the button that closes it."""
    with html.Div(classes="d-flex align-center pl-6 pr-3 pt-3 pb-1"):
        html.Div(title, classes="text-h6 flex-grow-1")
        v3.VBtn(icon="mdi-close", variant="text", size="small", click=close, __properties=ARIA, aria_label="Close")
