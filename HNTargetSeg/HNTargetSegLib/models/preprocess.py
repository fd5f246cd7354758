"""From an image to the network's input: nnU-Net's preprocessing without the steps that only training needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from HNTargetSegLib.errors import ModelError
from HNTargetSegLib.models.network import NetworkPlan
from HNTargetSegLib.models.options import Mode
from HNTargetSegLib.models.resample import DEFAULT_RESAMPLING, resample_image, resampled_shape
from HNTargetSegLib.models.tiles import Box, every_channel


@dataclass(frozen=True)
class Placement:
    """Where the network's input lies in the image.

    Attributes
    ----------
    image_shape
        Shape of the image, (k, j, i).
    transpose
        Image axes in the network's order.
    crop
        Box of the non-zero part, on the image in the network's axis order.
    spacing, network_spacing
        Voxel size in mm of the image and of the network's grid, in the network's axis order.
    network_shape
        Shape of the network's grid.
    """

    image_shape: tuple[int, ...]
    transpose: tuple[int, ...]
    crop: Box
    spacing: tuple[float, ...]
    network_spacing: tuple[float, ...]
    network_shape: tuple[int, ...]

    @property
    def crop_shape(self) -> tuple[int, ...]:
        """Shape of the non-zero part, in the network's axis order."""
        return tuple(part.stop - part.start for part in self.crop)

    def on_crop(self, box: Sequence[slice]) -> Box:
        """A box of the image, in the network's axis order, relative to the crop and cut to it; may be empty."""
        parts = []
        for axis, limit in zip(self.transpose, self.crop, strict=True):
            first, stop, _ = box[axis].indices(self.image_shape[axis])
            size = limit.stop - limit.start
            begin = min(max(first - limit.start, 0), size)
            parts.append(slice(begin, max(begin, min(stop - limit.start, size))))
        return parts[0], parts[1], parts[2]

    def on_network(self, box: Box) -> Box:
        """The part of the network's grid that a box of the crop is interpolated from."""
        parts = []
        for part, image, network in zip(box, self.crop_shape, self.network_shape, strict=True):
            first = int(np.floor((part.start + 0.5) * network / image - 0.5))
            last = int(np.ceil((part.stop - 0.5) * network / image - 0.5))
            parts.append(slice(max(first, 0), min(last + 1, network)))
        return parts[0], parts[1], parts[2]


@dataclass(frozen=True, eq=False)
class Prepared:
    """Input of the network.

    Attributes
    ----------
    data
        Float32, shape (channels, *placement.network_shape), C-contiguous.
    placement
        Where it lies in the image.
    """

    data: np.ndarray
    placement: Placement


def preprocess(channels: np.ndarray, spacing_kji: Sequence[float], plan: NetworkPlan, mode: Mode = "exact") -> Prepared:
    """Transpose, crop to the non-zero part, normalise and resample, as ``DefaultPreprocessor.run_case_npy``.

    Left out is the segmentation that nnU-Net resamples along with the image, and the filling of holes where no
    normalisation asks for the mask: neither changes the image.

    Parameters
    ----------
    channels
        Shape (c, k, j, i).
    spacing_kji
        Voxel size in mm in array order.
    mode
        ``exact`` resamples in float64 as nnU-Net does, ``fast`` in float32 (differences of 1e-6 of the range).
    """
    # The order of copy, transposition and crop is nnU-Net's: sums over an array depend on its layout in memory.
    data: np.ndarray = channels.astype(np.float32).transpose([0, *(axis + 1 for axis in plan.transpose)])
    spacing = tuple(float(spacing_kji[axis]) for axis in plan.transpose)
    crop, mask = _nonzero(data, any(plan.configuration["use_mask_for_norm"]))
    data = data[every_channel(crop)]
    _normalise(data, mask, plan)
    shape = resampled_shape(data.shape[1:], spacing, plan.spacing)
    data = resample_channels(data, shape, spacing, plan, mode)
    placement = Placement(tuple(channels.shape[1:]), plan.transpose, crop, spacing, plan.spacing, tuple(data.shape[1:]))
    return Prepared(np.ascontiguousarray(data, dtype=np.float32), placement)


def _nonzero(data: np.ndarray, with_mask: bool) -> tuple[Box, np.ndarray]:
    """Box of the voxels that are not 0 in some channel, and the mask of nnU-Net's normalisation in that box."""
    if with_mask:
        from nnunetv2.preprocessing.cropping.cropping import crop_to_nonzero

        _, mask, limits = crop_to_nonzero(data)
        k, j, i = (slice(int(first), int(stop)) for first, stop in limits)
        return (k, j, i), mask
    occupied = np.any(data != 0, axis=0)
    parts = []
    for axis in range(3):
        found = np.flatnonzero(occupied.any(axis=tuple(other for other in range(3) if other != axis)))
        parts.append(slice(int(found[0]), int(found[-1]) + 1) if len(found) else slice(0, occupied.shape[axis]))
    # No normalisation reads this mask; nnU-Net's interface wants one.
    return (parts[0], parts[1], parts[2]), np.zeros((1, 1, 1, 1), np.int8)


def _normalise(data: np.ndarray, mask: np.ndarray, plan: NetworkPlan) -> None:
    """Normalise each channel in place, by nnU-Net's own classes."""
    masked = plan.configuration["use_mask_for_norm"]
    for index, name in enumerate(plan.configuration["normalization_schemes"][: plan.channels]):
        scheme = _normalisation(name)(
            use_mask_for_norm=masked[index], intensityproperties=plan.intensities.get(str(index), {})
        )
        data[index] = scheme.run(data[index], mask[0])


def _normalisation(name: str) -> Any:
    """nnU-Net's class of that name.

    Raises
    ------
    ModelError
        If this nnU-Net has none.
    """
    from nnunetv2.preprocessing.normalization import default_normalization_schemes

    found = getattr(default_normalization_schemes, name, None)
    if found is None:
        raise ModelError(
            f"The model's images were normalised by '{name}', which the installed nnU-Net lacks",
            remedy="Use a model with nnU-Net's own normalisation, such as ZScoreNormalization",
        )
    return found


def resample_channels(
    data: np.ndarray,
    shape: tuple[int, ...],
    spacing: tuple[float, ...],
    plan: NetworkPlan,
    mode: Mode,
) -> np.ndarray:
    """Channels (c, k, j, i) on the network's grid, as the plans want them resampled."""
    if tuple(data.shape[1:]) == shape:
        return data
    name, arguments = plan.configuration["resampling_fn_data"], plan.configuration["resampling_fn_data_kwargs"]
    if name != DEFAULT_RESAMPLING or arguments.get("order_z", 0) != 0:
        from nnunetv2.preprocessing.resampling.utils import recursive_find_resampling_fn_by_name

        resample = recursive_find_resampling_fn_by_name(name)
        resampled: np.ndarray = resample(data, list(shape), list(spacing), list(plan.spacing), **arguments)
        return resampled
    dtype = np.float64 if mode == "exact" else np.float32
    return np.stack([resample_image(channel, shape, spacing, plan.spacing, arguments, dtype) for channel in data])
