"""Which voxels a box holds, and how far its prompt reaches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from HNTargetSegLib.case.volume import Geometry
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.prompts.prompt import Prompt, Slices

REACH_VOXELS = 12
"""How far a prompt reaches beyond its box, along each axis and side."""

_AXES = ("left-right", "front-back", "head-foot")
# Shorter than any voxel: what a hand that drew in one slice gives.
_FLAT_MM = 1e-3


@dataclass(frozen=True)
class Extent:
    """Voxels of a box.

    Attributes
    ----------
    box
        Slices along (k, j, i), inside the volume.
    reach
        The box and 12 voxels round it, inside the volume: nothing outside changes.
    notes
        What was made of the box, in sentences for the user.
    """

    box: Slices
    reach: Slices
    notes: tuple[str, ...] = ()

    @property
    def box_in_reach(self) -> Slices:
        """The box relative to the reach."""
        k, j, i = (slice(b.start - r.start, b.stop - r.start) for b, r in zip(self.box, self.reach, strict=True))
        return k, j, i


def extent_of(prompt: Prompt, geometry: Geometry) -> Extent:
    """Voxels of a prompt's box on a grid.

    All eight corners are brought onto the grid; on an oblique one the voxels are those of the box round them. A box
    that was drawn in one slice becomes as deep as its shorter side is long.

    Parameters
    ----------
    geometry
        Of the image, any orientation.

    Raises
    ------
    BadInputError
        If the box is a line or a point, or lies outside the volume.
    """
    low, high, notes = _deepened(prompt)
    corners = np.array([(x, y, z) for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])])
    voxels = geometry.to_kji(corners)
    # Voxels that the box covers at least in part; rounding away what computing with decimals has added.
    first = np.floor(np.round(voxels.min(axis=0), 6) + 0.5).astype(int)
    stop = np.maximum(np.ceil(np.round(voxels.max(axis=0), 6) - 0.5).astype(int) + 1, first + 1)
    shape = np.array(geometry.shape)
    if (stop <= 0).any() or (first >= shape).any():
        raise BadInputError(
            f"The box {prompt} lies outside the volume of {geometry}",
            remedy="Give corners in LPS mm (to the left, to the back, to the head) inside the image",
        )
    if (first < 0).any() or (stop > shape).any():
        notes = (*notes, "The box was cut to the image")
    box = _clipped(first, stop, shape)
    reach = _clipped(first.clip(0) - REACH_VOXELS, stop.clip(max=shape) + REACH_VOXELS, shape)
    return Extent(box, reach, notes)


def grown(extent: Extent, found: Slices, shape: tuple[int, int, int]) -> Extent:
    """The extent enlarged to what was found, with a new reach round it.

    Parameters
    ----------
    found
        Bounding box of what was found, in the volume.
    shape
        Of the volume.
    """
    first = np.array([min(a.start, b.start) for a, b in zip(extent.box, found, strict=True)])
    stop = np.array([max(a.stop, b.stop) for a, b in zip(extent.box, found, strict=True)])
    limit = np.array(shape)
    reach = _clipped(first - REACH_VOXELS, stop + REACH_VOXELS, limit)
    return Extent(_clipped(first, stop, limit), reach, extent.notes)


def _deepened(prompt: Prompt) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    low, high = np.array(prompt.low), np.array(prompt.high)
    size = high - low
    flat = np.flatnonzero(size < _FLAT_MM)
    if len(flat) > 1:
        raise BadInputError(
            f"The box {prompt} is a {'point' if len(flat) == 3 else 'line'}", remedy="Give two corners of a box"
        )
    if not len(flat):
        return low, high, ()
    axis, depth = int(flat[0]), float(np.delete(size, flat[0]).min())
    low[axis] -= depth / 2
    high[axis] += depth / 2
    return low, high, (f"The box was flat {_AXES[axis]}; it was made {depth:.3g} mm deep",)


def _clipped(first: np.ndarray, stop: np.ndarray, shape: np.ndarray) -> Slices:
    k, j, i = (slice(int(max(a, 0)), int(min(b, size))) for a, b, size in zip(first, stop, shape, strict=True))
    return k, j, i
