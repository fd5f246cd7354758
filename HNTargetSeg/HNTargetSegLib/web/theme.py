"""Colours of the page, dark and light."""

from __future__ import annotations

from typing import Any

_DARK = {
    "background": "#0f1318",
    "surface": "#171c23",
    "surface-variant": "#2b333d",
    "on-surface-variant": "#e8edf2",
    "primary": "#5aa9ff",
    "success": "#3fce7f",
    "warning": "#f2b640",
    "error": "#ff6b73",
    "info": "#4fc3f7",
}
_LIGHT = {
    "background": "#f3f5f8",
    "surface": "#ffffff",
    "surface-variant": "#27303b",
    "on-surface-variant": "#f3f5f8",
    "primary": "#1463c2",
    "success": "#11803f",
    "warning": "#9a5b00",
    "error": "#c62834",
    "info": "#0277a8",
}

VUETIFY: dict[str, Any] = {
    "theme": {
        "defaultTheme": "dark",
        "themes": {
            "dark": {"dark": True, "colors": _DARK},
            "light": {"dark": False, "colors": _LIGHT},
        },
    }
}
"""Configuration of Vuetify."""
