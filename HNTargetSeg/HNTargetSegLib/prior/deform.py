"""The deformable registration that needs nothing new: self-similarity descriptors, a B-spline lattice, Adam.

The measure is that of ConvexAdam's instance optimisation (Siebert et al., IEEE TMI 2024), the displacement a sum of
B-spline lattices (Rueckert et al. 1999) under bending energy, and each step looks at a shifted coarse grid of points
instead of all of them, as stochastic methods do (Klein et al., IJCV 2009).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import SimpleITK as sitk

from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.errors import BadInputError, CancelledError
from HNTargetSegLib.prior.body import body_mask
from HNTargetSegLib.prior.descriptor import CHANNELS, self_similarity
from HNTargetSegLib.prior.grids import even_grid, inside, resampled, smoothed
from HNTargetSegLib.prior.lattice import Lattice, bending, displacement

if TYPE_CHECKING:
    import torch

Progress = Callable[[str, int, int], None]
Cancelled = Callable[[], bool]

_MARGIN_MM = 12.0
_FIELD_MM = 5.0
# Voxels from which a descriptor takes its patches.
_REACH = 2


@dataclass(frozen=True)
class Level:
    """One resolution.

    Attributes
    ----------
    image_mm
        Voxel size at which the images are compared.
    lattice_mm
        Distance of the control points that this level adds.
    stride
        Each step looks at every so many-th voxel along each axis, from an offset that changes.
    steps
        Of the optimiser.
    """

    image_mm: float
    lattice_mm: float
    stride: int
    steps: int


@dataclass(frozen=True)
class DeformOptions:
    """How the displacement is found.

    Attributes
    ----------
    levels
        From coarse to fine.
    stiffness_mm2
        Weight of the bending energy against the mean squared difference of the descriptors.
    damping_mm2
        Weight of the mean squared displacement, which brings it back to none where one visit was not imaged.
    rate_mm
        First step of the optimiser; it falls to a tenth over each level.
    seed
        Of the offsets.
    device
        ``cpu``, ``cuda`` or any that PyTorch knows. On the CPU the same images, rigid alignment and seed
        give the same displacement; one core is used.

    Raises
    ------
    BadInputError
        If there is no level, or a number is not positive.
    """

    levels: tuple[Level, ...] = (Level(5.0, 40.0, 2, 60), Level(2.5, 20.0, 3, 100))
    stiffness_mm2: float = 400.0
    damping_mm2: float = 1e-5
    rate_mm: float = 1.0
    seed: int = 0
    device: str = "cpu"

    def __post_init__(self) -> None:
        numbers = [value for level in self.levels for value in vars(level).values()]
        if not numbers or min(*numbers, self.stiffness_mm2, self.damping_mm2, self.rate_mm) <= 0:
            raise BadInputError("A deformable registration needs levels, and steps, sizes and weights above 0")


def deform(
    fixed: Volume,
    moving: Volume,
    rigid: sitk.Transform,
    options: DeformOptions | None = None,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> sitk.DisplacementFieldTransform:
    """Displacement of points of ``fixed`` after which ``rigid`` takes them to the same tissue in ``moving``.

    Parameters
    ----------
    fixed, moving
        T2-weighted MR of two visits.
    rigid
        Their rigid alignment, from ``fixed`` to ``moving``.
    progress
        Called with (stage, done, total) after each step.
    cancelled
        Asked before each step.

    Returns
    -------
    SimpleITK.DisplacementFieldTransform
        On a grid of 5 mm over the field of view of ``fixed``, which resolves the finest lattice.

    Raises
    ------
    CancelledError
        If ``cancelled`` said so.
    """
    with _one_thread():
        return _deformed(fixed, moving, rigid, options or DeformOptions(), progress, cancelled)


def _deformed(
    fixed: Volume,
    moving: Volume,
    rigid: sitk.Transform,
    options: DeformOptions,
    progress: Progress | None,
    cancelled: Cancelled | None,
) -> sitk.DisplacementFieldTransform:
    import torch

    generator = torch.Generator().manual_seed(options.seed)
    total = sum(level.steps for level in options.levels)
    done, found = 0, list[_Part]()
    for level in options.levels:
        pair = _Pair.prepared(fixed, moving, rigid, level.image_mm, options.device)
        found.append(_Part.zero(pair.grid, level.lattice_mm, options.device))
        wanted = [part.coefficients for part in found]
        optimiser = torch.optim.Adam(wanted, lr=options.rate_mm)
        schedule = torch.optim.lr_scheduler.ExponentialLR(optimiser, 0.1 ** (1 / level.steps))
        bases = [part.bases(pair.grid) for part in found]
        for _ in range(level.steps):
            if cancelled is not None and cancelled():
                raise CancelledError()
            offsets = torch.randint(level.stride, (3,), generator=generator).tolist()
            optimiser.zero_grad()
            loss = pair.difference(found, bases, offsets, level.stride)
            loss = loss + sum(part.penalty(options) for part in found)
            loss.backward()
            optimiser.step()
            schedule.step()
            done += 1
            if progress is not None:
                progress("deformable", done, total)
    return _as_transform(found, fixed.geometry)


@contextmanager
def _one_thread() -> Iterator[None]:
    """PyTorch on one core: the steps are too small to be shared, and the result does not depend on the machine."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@dataclass(frozen=True, eq=False)
class _Part:
    """A lattice over a field of view with its coefficients in mm along (k, j, i) of its axes."""

    lattice: Lattice
    origin: np.ndarray
    coefficients: torch.Tensor

    @classmethod
    def zero(cls, grid: Geometry, spacing_mm: float, device: str) -> _Part:
        import torch

        k, j, i = ((n - 1) * mm for n, mm in zip(grid.shape, grid.spacing_kji, strict=True))
        lattice = Lattice.covering((k, j, i), spacing_mm)
        origin = np.asarray(grid.origin)
        return cls(lattice, origin, torch.zeros((3, *lattice.size), device=device, requires_grad=True))

    def penalty(self, options: DeformOptions) -> torch.Tensor:
        """What the displacement costs."""
        stiff = options.stiffness_mm2 * bending(self.coefficients, self.lattice.spacing_mm)
        return stiff + options.damping_mm2 * (self.coefficients**2).mean()

    def bases(self, grid: Geometry) -> list[torch.Tensor]:
        """One a spatial axis of a grid along the same axes, which may begin elsewhere."""
        import torch

        start = (grid.axes.T @ (np.asarray(grid.origin) - self.origin))[::-1]
        return [
            torch.from_numpy(self.lattice.basis(axis, start[axis] + np.arange(grid.shape[axis]) * grid.spacing[0])).to(
                self.coefficients.device
            )
            for axis in range(3)
        ]


@dataclass(frozen=True, eq=False)
class _Pair:
    """Both visits as descriptors on one even grid, and how much each voxel counts."""

    grid: Geometry
    region: tuple[slice, slice, slice]
    fixed: torch.Tensor
    moving: torch.Tensor
    weight: torch.Tensor

    @classmethod
    def prepared(cls, fixed: Volume, moving: Volume, rigid: sitk.Transform, image_mm: float, device: str) -> _Pair:
        import torch

        grid = even_grid(fixed.geometry, image_mm, _MARGIN_MM)
        seen = _well_inside(moving.geometry, grid, rigid)
        weight = _with_border(body_mask(fixed, grid), image_mm) & _well_inside(fixed.geometry, grid)
        arrays = (
            resampled(smoothed(fixed, image_mm / 2), grid),
            resampled(smoothed(moving, image_mm / 2), grid, rigid),
        )
        first, second = (self_similarity(torch.from_numpy(array).to(device)) for array in arrays)
        return cls(
            grid,
            _bounds(weight),
            first,
            # The field of view of the moving image travels along as one more channel.
            torch.cat([second, torch.from_numpy(seen.astype(np.float32)).to(device)[None]])[None],
            torch.from_numpy(weight.astype(np.float32)).to(device),
        )

    def difference(
        self, parts: list[_Part], bases: list[list[torch.Tensor]], offsets: list[int], stride: int
    ) -> torch.Tensor:
        """Mean squared difference of the descriptors at every ``stride``-th voxel of the body."""
        import torch
        from torch.nn import functional

        rows = [
            slice(part.start + offset, part.stop, stride) for part, offset in zip(self.region, offsets, strict=True)
        ]
        moved = sum(
            displacement(part.coefficients, [basis[row] for basis, row in zip(three, rows, strict=True)])
            for part, three in zip(parts, bases, strict=True)
        )
        index = torch.meshgrid(
            *(torch.arange(n, device=self.weight.device)[row] for n, row in zip(self.grid.shape, rows, strict=True)),
            indexing="ij",
        )
        half = [(n - 1) / 2 for n in self.grid.shape]
        places = [
            (at + shift / self.grid.spacing[0]) / length - 1
            for at, shift, length in zip(index, moved, half, strict=True)
        ]
        sampled = functional.grid_sample(
            self.moving, torch.stack(places[::-1], dim=-1)[None], align_corners=True, padding_mode="border"
        )[0]
        k, j, i = rows
        weight = self.weight[k, j, i] * (sampled[CHANNELS].detach() > 0.99)
        squares = ((sampled[:CHANNELS] - self.fixed[:, k, j, i]) ** 2).mean(0)
        return (squares * weight).sum() / weight.sum().clamp_min(1)


def _as_transform(parts: list[_Part], geometry: Geometry) -> sitk.DisplacementFieldTransform:
    import torch

    grid = even_grid(geometry, _FIELD_MM)
    with torch.no_grad():
        moved = sum(displacement(part.coefficients, part.bases(grid)) for part in parts)
    along = torch.as_tensor(moved).cpu().numpy().astype(float)[::-1]
    lps = np.ascontiguousarray(np.moveaxis(along, 0, -1) @ grid.axes.T)
    image = sitk.GetImageFromArray(lps, isVector=True)
    image.SetSpacing(grid.spacing)
    image.SetOrigin(grid.origin)
    image.SetDirection(grid.direction)
    return sitk.DisplacementFieldTransform(image)


def _well_inside(geometry: Geometry, grid: Geometry, transform: sitk.Transform | None = None) -> np.ndarray:
    """Voxels whose descriptor has seen nothing of the border of a field of view, which would look like an edge."""
    from scipy import ndimage

    seen = resampled(inside(geometry), grid, transform) > 0.99
    eroded: np.ndarray = ndimage.binary_erosion(seen, np.ones((3, 3, 3)), iterations=_REACH)
    return eroded


def _with_border(body: np.ndarray, spacing_mm: float) -> np.ndarray:
    """The body with the border to the air round it, which is the strongest edge there is."""
    from scipy import ndimage

    grown: np.ndarray = ndimage.binary_dilation(body, iterations=max(1, round(5.0 / spacing_mm)))
    return grown


def _bounds(mask: np.ndarray) -> tuple[slice, slice, slice]:
    from scipy import ndimage

    found = ndimage.find_objects(mask.astype(np.uint8))
    k, j, i = found[0] if found else (slice(0, n) for n in mask.shape)
    return k, j, i
