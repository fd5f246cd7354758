"""Resampling between the image's grid and the network's, axis by axis, equal to nnU-Net's default functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from HNTargetSegLib.errors import ModelError
from HNTargetSegLib.models.tiles import every_channel

if TYPE_CHECKING:
    import torch

DEFAULT_RESAMPLING = "resample_data_or_seg_to_shape"
# Spacings that differ by more than this are anisotropic to nnU-Net.
_ANISOTROPIC = 3


@dataclass(frozen=True, eq=False)
class Taps:
    """Linear interpolation along one axis: output = (1 - weight) * input[low] + weight * input[high].

    Attributes
    ----------
    low, high
        Input indices, shape (outputs,).
    weight
        Shape (outputs,), 0 to 1; all 0 where an output takes one input as it is.
    inputs
        Length of the input axis.
    """

    low: np.ndarray
    high: np.ndarray
    weight: np.ndarray
    inputs: int

    @property
    def is_identity(self) -> bool:
        """Whether the axis stays as it is."""
        unmoved = len(self.low) == self.inputs and np.array_equal(self.low, np.arange(self.inputs))
        return bool(unmoved and not self.weight.any())

    def part(self, first: int, stop: int) -> Taps:
        """The taps of outputs ``first`` to ``stop``."""
        return Taps(self.low[first:stop], self.high[first:stop], self.weight[first:stop], self.inputs)


def _positions(inputs: int, outputs: int) -> np.ndarray:
    # Voxel centres, written as in nnU-Net: nearest-neighbour ties depend on the rounding.
    return (inputs / outputs) * (np.arange(outputs) + 0.5) - 0.5


def linear_taps(inputs: int, outputs: int) -> Taps:
    """Linear interpolation of ``inputs`` voxels over the same length in ``outputs`` voxels, with the edge repeated."""
    position = np.clip(_positions(inputs, outputs), 0, inputs - 1)
    low = np.floor(position).astype(np.int64)
    weight = position - low
    return Taps(low, low + (weight > 0), weight, inputs)


def nearest_taps(inputs: int, outputs: int) -> Taps:
    """The nearest input of each output."""
    index = np.clip(np.floor(_positions(inputs, outputs) + 0.5), 0, inputs - 1).astype(np.int64)
    return Taps(index, index, np.zeros(outputs), inputs)


@dataclass(frozen=True)
class ProbabilityResampling:
    """How nnU-Net's plans want logits resampled.

    Attributes
    ----------
    separate_z
        Whether the coarse axis is treated apart; None decides by whether either spacing is anisotropic by more than 3.
    nearest_z
        Whether an axis treated apart takes the nearest slice.
    half
        Whether the result is rounded to half precision, as nnU-Net's default function does.
    """

    separate_z: bool | None
    nearest_z: bool
    half: bool

    @classmethod
    def from_plans(cls, configuration: Mapping[str, Any]) -> ProbabilityResampling:
        """Read a configuration of the plans.

        Raises
        ------
        ModelError
            If it asks for anything but linear interpolation.
        """
        name = configuration["resampling_fn_probabilities"]
        arguments = configuration["resampling_fn_probabilities_kwargs"]
        if name == DEFAULT_RESAMPLING and arguments.get("order", 3) == 1 and arguments.get("order_z", 0) in (0, 1):
            return cls(arguments.get("force_separate_z", False), arguments.get("order_z", 0) == 0, half=True)
        if name == "resample_torch_fornnunet" and arguments.get("mode", "linear") == "linear":
            return cls(arguments.get("force_separate_z"), nearest_z=True, half=False)
        if name == "no_resampling_hack":
            return cls(separate_z=False, nearest_z=False, half=True)
        raise ModelError(
            f"The model's plans resample probabilities by '{name}' with {arguments}, which is not supported",
            remedy="Use nnU-Net's default, resample_data_or_seg_to_shape of order 1",
        )

    def taps(
        self, inputs: Sequence[int], outputs: Sequence[int], spacing: Sequence[float], new_spacing: Sequence[float]
    ) -> tuple[Taps, Taps, Taps]:
        """Taps of each axis, from a grid of shape ``inputs`` and ``spacing`` in mm to another."""
        separate, coarse = separate_axis(self.separate_z, spacing, new_spacing)
        k, j, i = (
            nearest_taps(n, m) if separate and self.nearest_z and axis == coarse else linear_taps(n, m)
            for axis, (n, m) in enumerate(zip(inputs, outputs, strict=True))
        )
        return k, j, i


def separate_axis(
    force: bool | None, spacing: Sequence[float], new_spacing: Sequence[float]
) -> tuple[bool, int | None]:
    """Whether nnU-Net's default treats one axis apart, and which: the coarsest, where it alone is coarse."""
    candidates = (spacing, new_spacing) if force is None else (spacing,) if force else ()
    for candidate in candidates:
        if force or max(candidate) / min(candidate) > _ANISOTROPIC:
            # Divided as nnU-Net does it: sizes that differ in the last bit count as one.
            coarsest = [axis for axis, size in enumerate(candidate) if max(candidate) / size == 1]
            return (True, coarsest[0]) if len(coarsest) == 1 else (False, None)
    return False, None


def resampled_shape(shape: Sequence[int], spacing: Sequence[float], new_spacing: Sequence[float]) -> tuple[int, ...]:
    """Shape of a grid of another spacing over the same volume, rounded as nnU-Net does."""
    return tuple(round(old / new * size) for size, old, new in zip(shape, spacing, new_spacing, strict=True))


def interpolate(logits: torch.Tensor, taps: Sequence[Taps], offset: Sequence[int] = (0, 0, 0)) -> torch.Tensor:
    """Apply taps to the last three axes.

    Parameters
    ----------
    logits
        Shape (c, k, j, i), any floating type; may be a part of the grid that the taps are for.
    taps
        One for each axis; their outputs are the shape of the result.
    offset
        Where ``logits`` begins on that grid. Taps that reach outside take the nearest voxel inside.

    Returns
    -------
    torch.Tensor
        Float32, or the type of ``logits`` where no axis needs more than cutting.
    """
    local = [_localised(axis, begin, size) for axis, begin, size in zip(taps, offset, logits.shape[1:], strict=True)]
    parts = tuple(slice(int(axis.low.min()), int(axis.high.max()) + 1) for axis in local)
    result = logits[every_channel(parts)]
    inner = [_localised(axis, part.start, part.stop - part.start) for axis, part in zip(local, parts, strict=True)]
    if all(axis.is_identity for axis in inner):
        return result
    result = result.float()
    # The last axis first: there are fewer rows before the others have grown.
    for axis in (2, 1, 0):
        if not inner[axis].is_identity:
            result = _interpolate_axis(result, axis + 1, inner[axis])
    return result


def _localised(taps: Taps, offset: int, size: int) -> Taps:
    return Taps(np.clip(taps.low - offset, 0, size - 1), np.clip(taps.high - offset, 0, size - 1), taps.weight, size)


def _interpolate_axis(values: torch.Tensor, axis: int, taps: Taps) -> torch.Tensor:
    import torch

    low = _take(values, axis, taps.low)
    if not taps.weight.any():
        return low
    shape = [1] * values.ndim
    shape[axis] = -1
    weight = torch.from_numpy(taps.weight).to(values).reshape(shape)
    return low.lerp_(_take(values, axis, taps.high), weight)


def _take(values: torch.Tensor, axis: int, index: np.ndarray) -> torch.Tensor:
    import torch

    if values.device.type == "cpu":
        # NumPy gathers several times faster than PyTorch, and faster still where it need not look for wrong indices.
        return torch.from_numpy(np.take(values.numpy(), index, axis, mode="clip"))
    return values.index_select(axis, torch.from_numpy(index).to(values.device))


@lru_cache(maxsize=16)
def spline_matrix(inputs: int, outputs: int, order: int) -> np.ndarray:
    """Matrix, shape (outputs, inputs), of ``skimage.transform.resize`` along one axis.

    Spline interpolation is linear in the image and separable, so that resizing unit vectors gives all of it. SciPy's
    ``zoom`` is what ``resize`` calls, without scikit-image's imports.
    """
    from scipy.ndimage import zoom

    units = np.eye(inputs)
    matrix: np.ndarray = zoom(units, (outputs / inputs, 1.0), order=order, mode="nearest", grid_mode=True)
    matrix.setflags(write=False)
    return matrix


def resample_image(
    image: np.ndarray,
    shape: Sequence[int],
    spacing: Sequence[float],
    new_spacing: Sequence[float],
    arguments: Mapping[str, Any],
    dtype: type[np.floating[Any]] = np.float64,
) -> np.ndarray:
    """What nnU-Net's ``resample_data_or_seg_to_shape`` does to one channel, by a matrix product for each axis.

    Parameters
    ----------
    image
        Shape (k, j, i), float32.
    arguments
        ``resampling_fn_data_kwargs`` of the plans.
    dtype
        Precision of the products; float64 repeats nnU-Net's to float32 rounding, float32 is twice as fast.

    Returns
    -------
    np.ndarray
        Float32, of shape ``shape``.
    """
    if tuple(image.shape) == tuple(shape):
        return image
    separate, coarse = separate_axis(arguments.get("force_separate_z", False), spacing, new_spacing)
    order = int(arguments.get("order", 3))
    if not separate or coarse is None:
        return _resize(image, shape, order, dtype)
    planes = np.moveaxis(image, coarse, 0)
    plane_shape = [size for axis, size in enumerate(shape) if axis != coarse]
    result: np.ndarray = np.empty((int(shape[coarse]), *plane_shape), np.float32)
    sources = nearest_taps(len(planes), int(shape[coarse])).low
    for source in np.unique(sources):
        result[sources == source] = _resize(planes[source], plane_shape, order, dtype)
    return np.ascontiguousarray(np.moveaxis(result, 0, coarse))


def resample_image_part(
    image: np.ndarray,
    shape: Sequence[int],
    spacing: Sequence[float],
    new_spacing: Sequence[float],
    arguments: Mapping[str, Any],
    part: Sequence[slice],
    dtype: type[np.floating[Any]] = np.float64,
) -> np.ndarray:
    """A box of what :func:`resample_image` gives, for an image that is 0 but for a few boxes.

    Only the rows that are asked for and the columns that are not 0 enter the products: what is 0 adds nothing, and the
    rest is equal up to the rounding of sums.

    Parameters
    ----------
    part
        Box of the result, slices with start and stop.

    Returns
    -------
    np.ndarray
        Float32, shape of the box.
    """
    separate, coarse = separate_axis(arguments.get("force_separate_z", False), spacing, new_spacing)
    order = int(arguments.get("order", 3))
    if not separate or coarse is None:
        return _resize_part(image, shape, order, part, dtype)
    planes = np.moveaxis(image, coarse, 0)
    across = [axis for axis in range(3) if axis != coarse]
    wanted = range(*part[coarse].indices(int(shape[coarse])))
    result: np.ndarray = np.empty((len(wanted), *(part[axis].stop - part[axis].start for axis in across)), np.float32)
    sources = nearest_taps(len(planes), int(shape[coarse])).low[wanted.start : wanted.stop]
    for source in np.unique(sources):
        result[sources == source] = _resize_part(
            planes[source], [shape[axis] for axis in across], order, [part[axis] for axis in across], dtype
        )
    return np.ascontiguousarray(np.moveaxis(result, 0, coarse))


def _resize_part(
    image: np.ndarray, shape: Sequence[int], order: int, part: Sequence[slice], dtype: type[np.floating[Any]]
) -> np.ndarray:
    columns = []
    for axis in range(image.ndim):
        used = np.flatnonzero(image.any(axis=tuple(other for other in range(image.ndim) if other != axis)))
        if not used.size:
            return np.zeros([one.stop - one.start for one in part], np.float32)
        columns.append(slice(int(used[0]), int(used[-1]) + 1))
    values = image[tuple(columns)].astype(dtype)
    for axis, (inputs, outputs, rows) in enumerate(zip(image.shape, shape, part, strict=True)):
        matrix = np.eye(inputs) if inputs == outputs else spline_matrix(inputs, int(outputs), order)
        needed = matrix[rows, columns[axis]].astype(dtype, copy=False)
        values = np.moveaxis(np.tensordot(needed, values, axes=(1, axis)), 0, axis)
    return np.clip(values, image.min(), image.max()).astype(np.float32)


def _resize(image: np.ndarray, shape: Sequence[int], order: int, dtype: type[np.floating[Any]]) -> np.ndarray:
    values = image.astype(dtype)
    for axis, (inputs, outputs) in enumerate(zip(image.shape, shape, strict=True)):
        if inputs == outputs:
            continue
        matrix = spline_matrix(inputs, int(outputs), order).astype(dtype, copy=False)
        values = np.moveaxis(np.tensordot(matrix, values, axes=(1, axis)), 0, axis)
    # Splines overshoot; skimage's resize cuts back to the range of its input.
    return np.clip(values, image.min(), image.max()).astype(np.float32)
