"""One line a figure: ours, theirs, the goal, and whether it is met."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """A figure.

    Attributes
    ----------
    ours, peer
        In ``unit``; ``peer`` is None where nobody is compared with.
    goal
        In words; empty where the line only informs.
    met
        None where there is no goal.
    """

    name: str
    ours: float | None
    unit: str = "s"
    peer: float | None = None
    goal: str = ""
    met: bool | None = None

    @property
    def ratio(self) -> float | None:
        """How many times larger the peer's figure is."""
        return self.peer / self.ours if self.ours and self.peer is not None else None

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {**asdict(self), "ratio": self.ratio}


def below_peer(name: str, ours: float, peer: float, times: float | None = None, unit: str = "s") -> Row:
    """Ours is to be at least ``times`` below the peer's; without ``times`` the line only informs."""
    if times is None:
        return Row(name, ours, unit, peer)
    return Row(name, ours, unit, peer, f"{times:g}x below", bool(ours * times <= peer))


def at_most(name: str, ours: float | None, limit: float, unit: str) -> Row:
    """A figure that may not exceed a limit; an undefined one does not meet it."""
    return Row(name, ours, unit, None, f"at most {limit:g} {unit}".strip(), bool(ours is not None and ours <= limit))


def at_least(name: str, ours: float | None, limit: float, unit: str) -> Row:
    """A figure that is to reach a limit; an undefined one does not."""
    return Row(name, ours, unit, None, f"at least {limit:g} {unit}".strip(), bool(ours is not None and ours >= limit))


def as_text(rows: Iterable[Row]) -> str:
    """The lines as a table."""
    heads = ("", "ours", "peer", "ratio", "goal", "")
    cells = [heads, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(heads))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column in (0, 4, 5) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    )


def _cells(row: Row) -> tuple[str, ...]:
    verdict = {None: "", True: "met", False: "NOT met"}[row.met]
    ratio = "" if row.ratio is None else f"{row.ratio:.1f}x"
    return (
        row.name,
        _value(row.ours, row.unit),
        "" if row.peer is None else _value(row.peer, row.unit),
        ratio,
        (row.goal),
        verdict,
    )


def _value(value: float | None, unit: str) -> str:
    if value is None:
        return "undefined"
    shown = f"{value:.2e}" if 0 < abs(value) < 0.0005 else f"{value:.4f}" if abs(value) < 0.1 else f"{value:.3f}"
    return f"{shown} {unit}".strip()
