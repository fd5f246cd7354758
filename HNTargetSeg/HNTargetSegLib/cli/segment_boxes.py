"""Boxes on the command line of `hntargetseg segment`."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from HNTargetSegLib.errors import BadInputError

if TYPE_CHECKING:
    from HNTargetSegLib.prompts.prompt import Prompt

BOX = "--box"
# A value that begins with a minus sign is an option to argparse.
_NEGATIVE = re.compile(r"-[\d.][^:]*:.*")


def add_box_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --box, --only-boxes and --grow."""
    group = parser.add_argument_group("boxes", "on the mid-RT image where both visits are segmented")
    group.add_argument(
        BOX,
        action="append",
        default=[],
        metavar="L,P,S,L,P,S:KIND",
        help="look into a box of two corners in LPS mm; KIND is PT or LN (here is one), nothing (here is none) or "
        "again (look again); may be repeated, each box comes after those before it",
    )
    group.add_argument(
        "--only-boxes", action="store_true", help="segment the boxes alone, without the automatic pass over the image"
    )
    group.add_argument(
        "--grow",
        action="store_true",
        help="let a box grow while what is found in it reaches the border of its reach (12 voxels round the box)",
    )


def boxes_of(options: argparse.Namespace) -> tuple[Prompt, ...]:
    """The boxes in their order.

    Raises
    ------
    BadInputError
        If one is no box, or an option of boxes is given without any.
    """
    from HNTargetSegLib.prompts.prompt import prompt_from_text

    for name in ("only_boxes", "grow"):
        if getattr(options, name) and not options.box:
            raise BadInputError(f"--{name.replace('_', '-')} was given without a box", remedy="Give boxes with --box")
    return tuple(prompt_from_text(text, grow=options.grow) for text in options.box)


def joined_boxes(arguments: Sequence[str]) -> list[str]:
    """Arguments in which a box that begins with a minus sign is joined to its option by ``=``."""
    joined: list[str] = []
    for argument in arguments:
        if joined and joined[-1] == BOX and _NEGATIVE.fullmatch(argument):
            joined[-1] = f"{BOX}={argument}"
        else:
            joined.append(argument)
    return joined


def box_lines(prompts: Sequence[Mapping[str, Any]], names: Mapping[int, str]) -> list[str]:
    """What came of each box, a line each, for a person."""
    lines = []
    for number, record in enumerate(prompts, start=1):
        drawn = ", ".join(names.get(lesion_id, f"lesion {lesion_id}") for lesion_id in record["lesion_ids"])
        notes = "; ".join(record["notes"])
        lines.append(f"Box {number} ({record['kind']}): {drawn or 'no lesion'}{f'. {notes}' if notes else ''}")
    return lines
