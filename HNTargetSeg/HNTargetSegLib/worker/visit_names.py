"""The visits as messages name them."""

from __future__ import annotations

from typing import Literal

VisitName = Literal["pre", "mid"]
VISITS: tuple[VisitName, ...] = ("pre", "mid")
