"""Another channel in the place of a prepared one, computed only where the tiles of a prompt lie."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.models.network import NetworkPlan
from HNTargetSegLib.models.options import Mode
from HNTargetSegLib.models.preprocess import Prepared, resample_channels
from HNTargetSegLib.models.resample import DEFAULT_RESAMPLING, resample_image_part
from HNTargetSegLib.models.tiles import Box

_UNCHANGED = "NoNormalization"


def require_replaceable(prepared: Prepared, number: int, channel: np.ndarray, plan: NetworkPlan) -> None:
    """Refuse a channel whose place cannot be taken without looking at the whole image again.

    Raises
    ------
    BadInputError
        If its values are normalised by their own statistics, or some lie outside the part that was prepared.
    """
    place = prepared.placement
    if channel.shape != place.image_shape or not 0 <= number < len(prepared.data):
        raise BadInputError(f"A channel of shape {channel.shape} cannot be channel {number} of this image")
    scheme = plan.configuration["normalization_schemes"][number]
    if scheme != _UNCHANGED:
        raise BadInputError(
            f"Channel {number} of this model is normalised by {scheme}, over the whole image",
            remedy="Prepare the image with the channel, as the whole image is segmented",
        )
    inside = channel.transpose(place.transpose)[place.crop]
    if np.count_nonzero(inside) != np.count_nonzero(channel):
        raise BadInputError(
            "The channel is not 0 where the image is empty", remedy="Prepare the image with the channel"
        )


def replaced_part(
    prepared: Prepared, channel: np.ndarray, part: Sequence[slice], plan: NetworkPlan, mode: Mode
) -> np.ndarray:
    """A box of a channel on the network's grid: what preparing the image with it would have given there.

    Parameters
    ----------
    channel
        Float32, shape of the image.
    part
        Slices of the network's grid.

    Returns
    -------
    np.ndarray
        Float32, shape of the box.
    """
    place = prepared.placement
    k, j, i = part
    box: Box = (k, j, i)
    inside = channel.astype(np.float32, copy=False).transpose(place.transpose)[place.crop]
    if inside.shape == place.network_shape:
        return np.ascontiguousarray(inside[box])
    name, arguments = plan.configuration["resampling_fn_data"], plan.configuration["resampling_fn_data_kwargs"]
    if name != DEFAULT_RESAMPLING or arguments.get("order_z", 0) != 0:
        return resample_channels(inside[None], place.network_shape, place.spacing, plan, mode)[0][box]
    dtype = np.float64 if mode == "exact" else np.float32
    return resample_image_part(inside, place.network_shape, place.spacing, plan.spacing, arguments, box, dtype)
