"""Where the network is applied: tiles on a volume, their weights, and the tiles that a region needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    import torch

Box = tuple[slice, slice, slice]
RegionTiles = Literal["shared", "fewest"]

# nnU-Net's values: the half-precision weights keep their relative accuracy, and no sum of logits overflows.
_SIGMA_SHARE = 1.0 / 8.0
_PEAK = 10.0


def every_channel(box: Sequence[slice]) -> tuple[slice, ...]:
    """Index of a box in an array with a channel axis before it."""
    return (slice(None), *box)


def tile_starts(size: int, patch: int, step: float) -> tuple[int, ...]:
    """First voxels of the tiles along one axis, evenly spread, as nnU-Net places them.

    Parameters
    ----------
    size, patch
        Voxels of the volume (at least ``patch``) and of a tile.
    step
        Largest distance of two tiles, as a share of the patch.
    """
    count = int(np.ceil((size - patch) / (patch * step))) + 1
    if count == 1:
        return (0,)
    distance = (size - patch) / (count - 1)
    return tuple(int(np.round(distance * index)) for index in range(count))


@dataclass(frozen=True)
class TileGrid:
    """Tiles that cover a box of a volume without gaps.

    Attributes
    ----------
    starts
        First voxels along each array axis, ascending.
    patch
        Shape of each tile.
    """

    starts: tuple[tuple[int, ...], ...]
    patch: tuple[int, ...]

    @property
    def box(self) -> Box:
        """What the tiles cover together."""
        k, j, i = (slice(s[0], s[-1] + p) for s, p in zip(self.starts, self.patch, strict=True))
        return k, j, i

    def __len__(self) -> int:
        return int(np.prod([len(starts) for starts in self.starts]))

    def __iter__(self) -> Iterator[Box]:
        """Tiles relative to :attr:`box`, in nnU-Net's order (half-precision sums depend on it)."""
        relative = [[start - starts[0] for start in starts] for starts in self.starts]
        for corner in product(*relative):
            k, j, i = (slice(start, start + patch) for start, patch in zip(corner, self.patch, strict=True))
            yield k, j, i


def region_grid(
    shape: Sequence[int], patch: Sequence[int], step: float, region: Box, tiles: RegionTiles = "shared"
) -> TileGrid:
    """The tiles that a region needs.

    Parameters
    ----------
    shape
        Of the volume, which is nowhere smaller than the patch.
    region
        Box in the volume; the whole of it gives all tiles.
    tiles
        ``shared`` takes tiles out of the whole volume's grid, so that everything further inside the region than
        ``patch * (1 - step) / 2`` is what the whole volume gives, bit for bit. ``fewest`` lays a grid of its own over
        the region: up to five times fewer tiles, and labels that can differ a little.
    """
    choose = _shared_starts if tiles == "shared" else _own_starts
    starts = tuple(
        choose(size, edge, step, part.start, part.stop) for size, edge, part in zip(shape, patch, region, strict=True)
    )
    return TileGrid(starts, tuple(patch))


def _shared_starts(size: int, patch: int, step: float, first: int, stop: int) -> tuple[int, ...]:
    starts = tile_starts(size, patch, step)
    reach = patch * step / 2
    # The outer tiles answer for all that lies between them and the border of the volume.
    low = [-np.inf, *(start + patch / 2 - reach for start in starts[1:])]
    high = [*(start + patch / 2 + reach for start in starts[:-1]), np.inf]
    chosen = [start for start, a, b in zip(starts, low, high, strict=True) if a < stop and b > first]
    return tuple(chosen)


def _own_starts(size: int, patch: int, step: float, first: int, stop: int) -> tuple[int, ...]:
    length = max(stop - first, patch)
    begin = int(np.clip((first + stop - length) // 2, 0, size - length))
    return tuple(begin + start for start in tile_starts(length, patch, step))


def padding(shape: Sequence[int], patch: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Voxels to add before and after each axis so that the volume is nowhere smaller than the patch."""
    missing = [max(edge - size, 0) for size, edge in zip(shape, patch, strict=True)]
    return tuple((count // 2, count - count // 2) for count in missing)


def gaussian_weights(patch: Sequence[int]) -> torch.Tensor:
    """Weight of each voxel of a tile, half precision, shape ``patch``: a Gaussian of sigma 1/8 patch with maximum 10.

    The same numbers as nnU-Net's ``compute_gaussian``, from three one-dimensional profiles.
    """
    import torch
    from scipy.ndimage import gaussian_filter1d

    profiles = []
    for edge in patch:
        impulse = np.zeros(edge)
        impulse[edge // 2] = 1.0
        profiles.append(gaussian_filter1d(impulse, edge * _SIGMA_SHARE, mode="constant"))
    weights = profiles[0][:, None, None] * profiles[1][None, :, None] * profiles[2][None, None, :]
    weights /= weights.max() / _PEAK
    half = torch.from_numpy(weights).to(torch.float16)
    zero = half == 0
    half[zero] = half[~zero].min()
    return half
