"""A box prompt: two corners in patient space and what is said of what lies between them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.volume import Geometry, Triple
from HNTargetSegLib.errors import BadInputError

Slices = tuple[slice, slice, slice]

_TEXT = re.compile(r"(?P<numbers>[^:]+):(?P<kind>[A-Za-z ?]+)")
_LARGEST_MM = 1e6


class Kind(str, Enum):
    """What a box says.

    * ``PT``, ``LN``: here is one primary tumour, or one lymph node.
    * ``NOTHING``: here is none.
    * ``AGAIN``: look here again; what is found keeps the network's own label.
    """

    PT = "PT"
    LN = "LN"
    NOTHING = "nothing"
    AGAIN = "again"

    @property
    def label(self) -> Target | None:
        """The label that is written, None where the network's counts or nothing is written."""
        return {Kind.PT: Target.PT, Kind.LN: Target.LN}.get(self)


@dataclass(frozen=True)
class Prompt:
    """A box along the patient's axes.

    Attributes
    ----------
    kind
        What it says.
    low, high
        Opposite corners, LPS mm; they are sorted, so that each of ``low`` is at most that of ``high``.
    grow
        Whether the box may be enlarged where what is found reaches the border of its reach.

    Raises
    ------
    BadInputError
        If a corner is not three finite numbers.
    """

    kind: Kind
    low: Triple
    high: Triple
    grow: bool = False

    def __post_init__(self) -> None:
        corners = [(*self.low,), (*self.high,)]
        if any(len(corner) != 3 or not all(_is_position(value) for value in corner) for corner in corners):
            raise BadInputError(
                f"The corners of a box are {self.low} and {self.high}", remedy="Give L, P and S in mm of two corners"
            )
        pairs = [sorted((float(a), float(b))) for a, b in zip(*corners, strict=True)]
        object.__setattr__(self, "low", tuple(pair[0] for pair in pairs))
        object.__setattr__(self, "high", tuple(pair[1] for pair in pairs))

    @classmethod
    def of_slices(cls, kind: Kind, slices: Slices, geometry: Geometry, *, grow: bool = False) -> Prompt:
        """The box along the patient's axes round a box of voxels, from border to border."""
        edges = [(part.start - 0.5, part.stop - 0.5) for part in slices]
        corners = geometry.to_lps(np.array([(k, j, i) for k in edges[0] for j in edges[1] for i in edges[2]]))
        (a, b, c), (d, e, f) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
        return cls(kind, (a, b, c), (d, e, f), grow)

    def __str__(self) -> str:
        return f"{','.join(f'{value:g}' for value in (*self.low, *self.high))}:{self.kind.value}"


def prompt_from_text(text: str, *, grow: bool = False) -> Prompt:
    """Prompt of ``L,P,S,L,P,S:KIND``: two corners in LPS mm, and PT, LN, nothing or again.

    Raises
    ------
    BadInputError
        If it is not of that form.
    """
    remedy = (
        "Write two corners in LPS mm and what lies between them, such as 10,-20,5,30,0,25:LN (or PT, nothing, again)"
    )
    matched = _TEXT.fullmatch(text.strip())
    words = matched["numbers"].split(",") if matched else []
    kinds = {kind.value.casefold(): kind for kind in Kind}
    if matched is None or len(words) != 6 or matched["kind"].strip().casefold() not in kinds:
        raise BadInputError(f"'{text}' is no box", remedy=remedy)
    try:
        l0, p0, s0, l1, p1, s1 = (float(word) for word in words)
        return Prompt(kinds[matched["kind"].strip().casefold()], (l0, p0, s0), (l1, p1, s1), grow)
    except (ValueError, BadInputError):
        raise BadInputError(f"'{text}' is no box", remedy=remedy) from None


def prompt_to_json(prompt: Prompt) -> dict[str, Any]:
    """Plain values of a prompt, also for the manifest."""
    return {"kind": prompt.kind.value, "low_lps": list(prompt.low), "high_lps": list(prompt.high), "grow": prompt.grow}


def prompt_from_json(content: Any) -> Prompt:
    """The prompt that :func:`prompt_to_json` described.

    Raises
    ------
    BadInputError
        If it is none.
    """
    if not isinstance(content, Mapping) or not isinstance(content.get("grow"), bool):
        raise BadInputError(f"These are no values of a prompt: {content!r:.200}")
    try:
        return Prompt(Kind(content["kind"]), (*content["low_lps"],), (*content["high_lps"],), content["grow"])
    except (KeyError, TypeError, ValueError) as error:
        raise BadInputError(f"These are no values of a prompt: {content!r:.200}") from error


def _is_position(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return math.isfinite(value) and abs(value) < _LARGEST_MM
