"""A model card as text for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

from HNTargetSegLib.models.card import SECTIONS, ModelCard


def card_text(card: ModelCard, width: int = 100) -> str:
    """Card as text, one block a section in the order of the AID-RT card.

    Parameters
    ----------
    width
        Longest line in characters.
    """
    network = card.network
    use = {
        "channels": " + ".join(card.recipe.channels),
        "configuration": network.configuration,
        "trainer": network.trainer,
        "checkpoint": network.checkpoint,
        "folds": ", ".join(network.folds),
        "mirrored_axes": ", ".join("kji"[axis] for axis in network.mirror_axes) or "none",
        "storage": card.storage,
    }
    lines = [f"{card.name}, version {card.version}" + (" (default)" if card.default else "")]
    for key, (title, _) in SECTIONS.items():
        lines += ["", title, "-" * len(title), *_entries(getattr(card, key), width)]
        if key == "technical":
            lines += _entries(use, width)
    lines += ["", "Files", "-----", *(f"{digest[:16]}...  {name}" for name, digest in sorted(card.files.items()))]
    return "\n".join(lines) + "\n"


def _entries(section: Mapping[str, Any], width: int, indent: str = "") -> list[str]:
    lines: list[str] = []
    for key, value in section.items():
        label = f"{indent}{str(key).replace('_', ' ')}:"
        if isinstance(value, Mapping):
            lines += [label, *_entries(value, width, indent + "  ")]
        elif isinstance(value, list) and all(isinstance(item, str) for item in value):
            lines.append(label)
            for item in value:
                lines += textwrap.wrap(item, width, initial_indent=f"{indent}  - ", subsequent_indent=f"{indent}    ")
        else:
            lines += textwrap.wrap(f"{label} {value}", width, subsequent_indent=indent + "  ")
    return lines
