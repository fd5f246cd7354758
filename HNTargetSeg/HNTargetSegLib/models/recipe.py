"""Channel recipes: which images a network expects, in which order."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from HNTargetSegLib.errors import ModelError


class Recipe(str, Enum):
    """What the channels of a network are, first to last.

    ``t2`` is the T2-weighted MR of the visit. The gradient map is that of the pre-RT tumour regions in mid-RT geometry,
    the registered T2 and mask are the pre-RT ones brought into mid-RT geometry, the boxes are those round each prior
    lesion.
    """

    T2 = "t2"
    T2_GRADIENT = "t2+gradient"
    T2_REGISTERED = "t2+registered_t2+registered_mask"
    T2_BOXES = "t2+boxes"

    def __str__(self) -> str:
        return self.value

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the channels in order."""
        return tuple(self.value.split("+"))

    @property
    def needs_prior(self) -> bool:
        """Whether the recipe has channels that come from the pre-RT visit or from boxes."""
        return len(self.channels) > 1


def recipe_from(text: str) -> Recipe:
    """Recipe of a name such as ``t2+gradient``.

    Raises
    ------
    ModelError
        If there is none of that name.
    """
    try:
        return Recipe(text)
    except ValueError:
        names = ", ".join(recipe.value for recipe in Recipe)
        raise ModelError(f"There is no channel recipe '{text}'", remedy=f"Choose one of {names}") from None


def guess_recipe(channel_names: Sequence[str]) -> Recipe:
    """Recipe that the channel names of a ``dataset.json`` allow and no other does.

    Parameters
    ----------
    channel_names
        In channel order, such as ``("MR_T1", "MR_T1", "noNorm")``. Only ``noNorm`` says something: that a channel is no
        image.

    Raises
    ------
    ModelError
        If the names fit several recipes or none.
    """
    masks = [name.lower() == "nonorm" for name in channel_names]
    if masks == [False]:
        return Recipe.T2
    if masks == [False, False, True]:
        return Recipe.T2_REGISTERED
    fitting = [recipe.value for recipe in Recipe if len(recipe.channels) == len(masks)]
    named = ", ".join(channel_names)
    if fitting:
        raise ModelError(
            f"The channels ({named}) do not say what they are",
            remedy=f"Name them with --recipe {' or --recipe '.join(fitting)}; the model's authors know which",
        )
    raise ModelError(
        f"No channel recipe has {len(masks)} channels ({named})", remedy="This network cannot be used here"
    )
