"""Deformable registration by the package convexAdam (Siebert et al., IEEE TMI 2024; Apache-2.0), an optional engine."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import SimpleITK as sitk

from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.errors import CancelledError
from HNTargetSegLib.prior.grids import even_grid, resampled, smoothed

_SPACING_MM = 2.5


def deform_by_convexadam(
    fixed: Volume,
    moving: Volume,
    rigid: sitk.Transform,
    device: str,
    progress: Callable[[str, int, int], None],
    cancelled: Callable[[], bool],
) -> sitk.DisplacementFieldTransform:
    """Displacement of points of ``fixed`` after which ``rigid`` takes them to the same tissue in ``moving``.

    Both visits on an even grid of 2.5 mm, the package's own settings. It reports nothing on its way and is asked to
    stop before and after only.

    Raises
    ------
    CancelledError
        If ``cancelled`` said so.
    """
    import torch

    grid = even_grid(fixed.geometry, _SPACING_MM)
    images = (
        resampled(smoothed(fixed, _SPACING_MM / 2), grid),
        resampled(smoothed(moving, _SPACING_MM / 2), grid, rigid),
    )
    _stop_if(cancelled)
    progress("deformable", 0, 1)
    # The package turns off all warnings of the process when it is imported, and warns of PyTorch's in its own code.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from convexAdam.convex_adam_MIND import convex_adam_pt

        first, second = (torch.from_numpy(image) for image in images)
        voxels = convex_adam_pt(first, second, dtype=torch.float32, device=torch.device(device))
    progress("deformable", 1, 1)
    _stop_if(cancelled)
    along = np.asarray(voxels, float)[..., ::-1] * _SPACING_MM
    image = sitk.GetImageFromArray(np.ascontiguousarray(along @ grid.axes.T), isVector=True)
    image.SetSpacing(grid.spacing)
    image.SetOrigin(grid.origin)
    image.SetDirection(grid.direction)
    return sitk.DisplacementFieldTransform(image)


def _stop_if(cancelled: Callable[[], bool]) -> None:
    if cancelled():
        raise CancelledError()
