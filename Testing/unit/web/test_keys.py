"""The keys of the page."""

from __future__ import annotations

from HNTargetSegLib.web.keys import SHORTCUTS, shortcut_of

ALL = [shortcut for group in SHORTCUTS.values() for shortcut in group]


def test_no_key_does_two_things():
    keys = [key for shortcut in ALL for key in shortcut.keys]
    assert len(set(keys)) == len(keys)


def test_a_key_is_found_with_its_arguments():
    found = shortcut_of("ArrowUp")
    assert (found.action, found.arguments) == ("select_next", (-1,))
    assert shortcut_of("q") is None


def test_the_help_sheet_prints_each_key_and_what_it_does():
    assert all(shortcut.shown and shortcut.text for shortcut in ALL)
    assert (shortcut_of("a").shown, shortcut_of("ctrl+z").shown, shortcut_of("ArrowUp").shown) == (
        "A",
        "Z, Ctrl+Z",
        "P, ↑",
    )
