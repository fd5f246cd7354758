"""The lesion table as a screen shows it: columns, their text, their order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from HNTargetSegLib.lesions.lesion import Lesion, State


@dataclass(frozen=True)
class Column:
    """A column of the lesion table.

    Attributes
    ----------
    key
        As in ``lesions.csv``; screens translate titles by it.
    title, tip
        Heading and explanation in English.
    text
        What a cell shows; empty where the figure is not known.
    order
        What sorting goes by; None sorts last in either direction.
    numeric
        Whether the figures stand right-aligned.
    """

    key: str
    title: str
    tip: str
    text: Callable[[Lesion], str]
    order: Callable[[Lesion], Any]
    numeric: bool = False


def _number(key: str, title: str, tip: str, format_: str) -> Column:
    def value(lesion: Lesion) -> Any:
        return getattr(lesion, key)

    def text(lesion: Lesion) -> str:
        number = value(lesion)
        return "" if number is None else format(number, format_)

    return Column(key, title, tip, text, value, numeric=True)


def _natural(name: str) -> tuple[str, int]:
    digits = name[len(name.rstrip("0123456789")) :]
    return name[: len(name) - len(digits)], int(digits or 0)


_STATES = list(State)

COLUMNS = (
    Column("name", "Lesion", "Structure name", lambda x: x.name, lambda x: _natural(x.name)),
    Column("state", "State", "What the reviewer said", lambda x: x.state.value, lambda x: _STATES.index(x.state)),
    Column("side", "Side", "Side of the patient", lambda x: x.side.value, lambda x: x.side.value),
    _number("volume_cc", "cc", "Volume in cubic centimetres", ".2f"),
    _number("long_mm", "Long mm", "Long axial diameter in mm", ".1f"),
    _number("short_mm", "Short mm", "Short axial diameter in mm", ".1f"),
    _number("p_mean", "p", "Mean probability of the model inside the lesion", ".2f"),
    _number("prior_cc", "Pre cc", "Volume of the matched pre-RT lesion", ".2f"),
    _number("change_pct", "Change %", "Change of volume since the pre-RT visit", "+.0f"),
    Column(
        "fate",
        "Fate",
        "What became of the lesion since the pre-RT visit",
        lambda x: "" if x.fate is None else x.fate.value,
        lambda x: None if x.fate is None else x.fate.value,
    ),
)


def column(key: str) -> Column:
    """Column of a key; KeyError if there is none."""
    return _BY_KEY[key]


def sorted_lesions(lesions: Iterable[Lesion], key: str = "name", *, descending: bool = False) -> list[Lesion]:
    """Lesions in the order of a column; those where it is not known stand last, equal ones by name."""
    by_name = sorted(lesions, key=lambda lesion: (lesion.label, _natural(lesion.name)))
    if key == "name":
        return by_name[::-1] if descending else by_name
    order = column(key).order
    known = [lesion for lesion in by_name if order(lesion) is not None]
    unknown = [lesion for lesion in by_name if order(lesion) is None]
    return sorted(known, key=order, reverse=descending) + unknown


_BY_KEY = {found.key: found for found in COLUMNS}
