"""From a visit and what is known of the visit before to the channels that a network reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.models.channel_options import ChannelOptions
from HNTargetSegLib.models.recipe import Recipe
from HNTargetSegLib.prior.boxes import PriorBox, prior_boxes
from HNTargetSegLib.prior.gradient_map import box_gradient, gradient_map


@dataclass(frozen=True, eq=False)
class VisitPrior:
    """What the pre-RT visit tells of the mid-RT one, on the grid of the mid-RT image.

    Attributes
    ----------
    mask
        Registered delineation: 0, 1 (PT), 2 (LN); None where there is none.
    image
        Registered pre-RT T2; only the recipe ``t2+registered_t2+registered_mask`` reads it.
    """

    mask: Volume | None = None
    image: Volume | None = None


def channels(
    recipe: Recipe,
    image: Volume,
    prior: VisitPrior | None = None,
    options: ChannelOptions | None = None,
    boxes: Sequence[PriorBox] = (),
) -> np.ndarray:
    """Network input of a recipe, float32 of shape (channels, k, j, i).

    Without a prior the channel of ``t2+gradient`` and of ``t2+boxes`` is zero, which such a network was trained for.

    Parameters
    ----------
    image
        T2-weighted MR.
    prior
        On its grid.
    options
        Parameters of the recipe, as the model's card has them.
    boxes
        Boxes that a reviewer has drawn, in their order: each overwrites what the channel holds there.

    Raises
    ------
    BadInputError
        If the recipe asks for something that was not given; the message names it.
    GeometryError
        If the prior lies on another grid.
    """
    prior = prior or VisitPrior()
    options = options or ChannelOptions()
    for volume in (prior.mask, prior.image):
        if volume is not None:
            image.require_same_grid(volume)
    first = np.asarray(image.array, dtype=np.float32)
    if recipe is Recipe.T2:
        return np.ascontiguousarray(first[None])
    if recipe is Recipe.T2_REGISTERED:
        return np.stack([first, *_registered(recipe, image, prior)])
    return np.stack([first, guiding_channel(recipe, image, prior.mask, options, boxes)])


def guiding_channel(
    recipe: Recipe, image: Volume, mask: Volume | None, options: ChannelOptions, boxes: Sequence[PriorBox] = ()
) -> np.ndarray:
    """Second channel of ``t2+gradient`` and ``t2+boxes``, float32 of shape (k, j, i).

    Parameters
    ----------
    mask
        Registered delineation, or None.
    boxes
        Drawn by a reviewer; each overwrites what lies under it.
    """
    channel: np.ndarray = np.zeros(image.array.shape, np.float32)
    if mask is not None and recipe is Recipe.T2_GRADIENT:
        channel = gradient_map(image, mask, options.gradient)
    elif mask is not None:
        for box in prior_boxes(mask.array, options.boxes):
            channel[box.slices] = box_channel(recipe, image, box, options)
    for box in boxes:
        channel[box.slices] = box_channel(recipe, image, box, options)
    return channel


def box_channel(recipe: Recipe, image: Volume, box: PriorBox, options: ChannelOptions) -> np.ndarray | float:
    """Second channel of ``t2+gradient`` or ``t2+boxes`` inside a box: float32 of its shape, or one value."""
    if recipe is Recipe.T2_GRADIENT:
        return box_gradient(image, box.slices, options.gradient)
    return float(box.label)


def _registered(recipe: Recipe, image: Volume, prior: VisitPrior) -> tuple[np.ndarray, np.ndarray]:
    given = {"registered T2": prior.image, "registered mask": prior.mask}
    if missing := [name for name, volume in given.items() if volume is None]:
        raise BadInputError(
            f"The model reads {recipe}; missing: {', '.join(missing)}",
            path=image.name,
            remedy="Register the pre-RT visit and its delineation first, or choose a model of another recipe; "
            "hntargetseg models list shows the recipes",
        )
    assert prior.image is not None, "nothing is missing"
    assert prior.mask is not None, "nothing is missing"
    return prior.image.array.astype(np.float32), prior.mask.array.astype(np.float32)
