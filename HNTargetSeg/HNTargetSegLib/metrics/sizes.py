"""Lesions by size: bins of volume."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from HNTargetSegLib.errors import BadInputError


@dataclass(frozen=True)
class SizeBins:
    """Bins of lesion volume.

    The defaults divide the mid-RT lesions of HNTS-MRG 2024 into about a tenth, a third, a third and the rest; 0.5 cc
    is a ball of 1 cm.

    Attributes
    ----------
    edges_cc
        Rising volumes over 0 that part the bins; the first and the last bin are open.

    Raises
    ------
    BadInputError
        If they do not rise or are not over 0.
    """

    edges_cc: tuple[float, ...] = (0.5, 2.0, 6.0)

    def __post_init__(self) -> None:
        if any(not 0 < edge < float("inf") for edge in self.edges_cc) or any(
            low >= high for low, high in pairwise(self.edges_cc)
        ):
            raise BadInputError(
                f"The size bins {', '.join(f'{edge:g}' for edge in self.edges_cc)} cc do not rise from over 0",
                remedy="Give volumes in cc such as 0.5,2,6",
            )

    def __len__(self) -> int:
        return len(self.edges_cc) + 1

    def of(self, volume_cc: float) -> int:
        """Number of the bin of a volume; an edge belongs to the bin above it."""
        return sum(volume_cc >= edge for edge in self.edges_cc)

    @property
    def names(self) -> tuple[str, ...]:
        """What each bin is called."""
        if not self.edges_cc:
            return ("all",)
        first, last = self.edges_cc[0], self.edges_cc[-1]
        between = (f"{low:g}-{high:g} cc" for low, high in pairwise(self.edges_cc))
        return (f"< {first:g} cc", *between, f">= {last:g} cc")

    def bounds(self, number: int) -> tuple[float, float | None]:
        """Volumes in cc from which and below which a bin reaches; None for the open end."""
        edges = (0.0, *self.edges_cc)
        return edges[number], edges[number + 1] if number + 1 < len(edges) else None
