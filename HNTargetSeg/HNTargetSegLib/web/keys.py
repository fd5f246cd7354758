"""The keys of the review page: one table for the page's script and for the help sheet; as in the Slicer module."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Shortcut:
    """A key and what it does.

    Attributes
    ----------
    key
        As the browser's ``KeyboardEvent.key``, with ``ctrl+`` before it where that key is held.
    action
        Method of :class:`HNTargetSegLib.web.actions.Actions`.
    text
        For the help sheet.
    arguments
        Of the action.
    also
        Another key that does the same.
    """

    key: str
    action: str
    text: str
    arguments: tuple[str | int | float, ...] = ()
    also: str = ""

    @property
    def keys(self) -> tuple[str, ...]:
        """All keys that do it."""
        return (self.key, self.also) if self.also else (self.key,)

    @property
    def shown(self) -> str:
        """The keys as the help sheet prints them."""
        return ", ".join(_shown(key) for key in self.keys)


def _shown(key: str) -> str:
    if key.startswith("ctrl+"):
        return f"Ctrl+{key[5:].upper()}"
    return _NAMES.get(key, key.upper() if len(key) == 1 else key)


_NAMES = {
    "ArrowDown": "↓",
    "ArrowUp": "↑",
    "ArrowLeft": "←",
    "ArrowRight": "→",
    "Escape": "Esc",
    "PageUp": "Page up",
    "PageDown": "Page down",
}

SHORTCUTS: dict[str, tuple[Shortcut, ...]] = {
    "Lesions": (
        Shortcut("n", "select_next", "Next lesion", (1,), also="ArrowDown"),
        Shortcut("p", "select_next", "Previous lesion", (-1,), also="ArrowUp"),
        Shortcut("a", "accept", "Accept"),
        Shortcut("x", "reject", "Reject"),
        Shortcut("u", "reset", "Undecided"),
        Shortcut("F2", "begin_rename", "Rename"),
        Shortcut("t", "toggle_label", "Primary tumour or lymph node"),
        Shortcut("h", "toggle_shown", "Show or hide"),
        Shortcut("z", "undo", "Undo; with a tool, the last stroke", also="ctrl+z"),
        Shortcut("y", "redo", "Do it again", also="ctrl+y"),
    ),
    "Views": (
        Shortcut("v", "next_visit", "Other visit"),
        Shortcut("1", "set_layout", "Compare visits", ("compare",)),
        Shortcut("2", "set_layout", "Four views", ("four",)),
        Shortcut("3", "set_layout", "Single view", ("single",)),
        Shortcut("o", "next_orientation", "Axial, sagittal, coronal"),
        Shortcut("PageUp", "step_slice", "Next slice", (1,)),
        Shortcut("PageDown", "step_slice", "Previous slice", (-1,)),
        Shortcut("w", "next_window", "Next grey window"),
        Shortcut("f", "next_drawing", "Outline, fill, both"),
        Shortcut("0", "fit_views", "Fit images to the views"),
    ),
    "Correct by hand": (
        Shortcut("b", "set_tool", "Brush", ("paint",)),
        Shortcut("e", "set_tool", "Eraser", ("erase",)),
        Shortcut("s", "set_tool", "Scissors", ("scissors",)),
        Shortcut("+", "grow_brush", "Larger brush", (1.25,)),
        Shortcut("-", "grow_brush", "Smaller brush", (0.8,)),
        Shortcut("Escape", "stop", "Put the tool away, close a dialog"),
    ),
    "Page": (
        Shortcut("?", "open_dialog", "This sheet", ("help",)),
        Shortcut("ctrl+s", "open_dialog", "Export", ("export",)),
    ),
}

MOUSE = (
    ("Wheel", "Go through the slices"),
    ("Ctrl + wheel", "Zoom"),
    ("Shift + wheel", "Size of the brush"),
    ("Left drag", "Grey window; with a tool: draw"),
    ("Right drag", "Zoom"),
    ("Middle drag", "Move the image"),
    ("Click a row", "Go to the lesion"),
)


def key_names() -> list[str]:
    """All keys that do something."""
    return list(_BY_KEY)


def shortcut_of(key: str) -> Shortcut | None:
    """What a key does; None for one that does nothing."""
    return _BY_KEY.get(key)


_BY_KEY = {key: shortcut for group in SHORTCUTS.values() for shortcut in group for key in shortcut.keys}
