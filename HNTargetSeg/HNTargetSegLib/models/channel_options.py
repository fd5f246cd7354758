"""How the channels beside the T2 are made: parameters of a model's recipe, as its card keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from HNTargetSegLib.errors import BadInputError, ModelError
from HNTargetSegLib.prior.options import GradientOptions, Margin


@dataclass(frozen=True)
class ChannelOptions:
    """Parameters of the channels that come from the prior visit or from boxes.

    Attributes
    ----------
    gradient
        Of the recipe ``t2+gradient``; its margin counts where it is fixed: nothing is drawn at inference.
    boxes
        Margin of the recipe ``t2+boxes``.
    """

    gradient: GradientOptions = field(default_factory=GradientOptions)
    boxes: Margin = field(default_factory=Margin)

    def to_dict(self) -> dict[str, Any]:
        """JSON form, for the card's entry ``channels``."""
        return {"gradient": asdict(self.gradient), "boxes": asdict(self.boxes)}


def channel_options_from(content: Any) -> ChannelOptions:
    """Options of their JSON form; what is missing has its default.

    Raises
    ------
    ModelError
        If an entry is unknown or of the wrong kind.
    """
    content = {} if content is None else content
    try:
        gradient = {**_object(content, {"gradient", "boxes"}).get("gradient", {})}
        if "margin" in _object(gradient, set(asdict(GradientOptions()))):
            gradient["margin"] = _margin(gradient["margin"])
        return ChannelOptions(GradientOptions(**gradient), _margin(content.get("boxes", {})))
    except (BadInputError, TypeError, ValueError) as error:
        raise ModelError(f"The card's entry 'channels' cannot be used ({error})") from error


def _margin(content: Any) -> Margin:
    values = dict(_object(content, {"voxels", "drawn", "inclusive"}))
    if values.get("drawn") is not None:
        low, high = values["drawn"]
        values["drawn"] = (int(low), int(high))
    return Margin(**values)


def _object(content: Any, known: set[str]) -> Mapping[str, Any]:
    if not isinstance(content, Mapping) or not content.keys() <= known:
        raise ValueError(f"{content!r:.80} is no object with {', '.join(sorted(known))}")
    return content
