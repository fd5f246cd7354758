"""How segments are drawn in the views."""

from __future__ import annotations

from dataclasses import dataclass

from HNTargetSegLib.errors import BadInputError


@dataclass(frozen=True)
class SegmentStyle:
    """Outline, fill, or both.

    Attributes
    ----------
    outline, fill
        Whether each is drawn in slice views.
    opacity
        Of the fill, 0 to 1; outlines are opaque.
    thickness
        Of the outline in screen pixels, 1 to 10.

    Raises
    ------
    BadInputError
        If opacity or thickness is out of range.
    """

    outline: bool = True
    fill: bool = False
    opacity: float = 0.35
    thickness: int = 2

    def __post_init__(self) -> None:
        if not 0 <= self.opacity <= 1 or not 1 <= self.thickness <= 10:
            raise BadInputError(
                f"Opacity {self.opacity} or thickness {self.thickness} is out of range",
                remedy="Give an opacity from 0 to 1 and a thickness from 1 to 10 pixels",
            )
