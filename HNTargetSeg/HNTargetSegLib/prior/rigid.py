"""Rigid alignment of two visits: mutual information, several starts, coarse to fine."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import SimpleITK as sitk

from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.errors import CancelledError
from HNTargetSegLib.prior.grids import even_grid, resampled, smoothed

_COARSE_MM, _FINE_MM = 5.0, 3.0
_STARTS_MM = (0.0, -20.0, 20.0)
_BINS = 32
_SEED = 1

Cancelled = Callable[[], bool]


def align_rigidly(fixed: Volume, moving: Volume, cancelled: Cancelled | None = None) -> sitk.Euler3DTransform:
    """Rotation and translation from points of ``fixed`` to the same tissue in ``moving``.

    Mattes' mutual information (it bears fat saturation at one visit only) on even grids of 5 mm, from the middle of
    one field of view to that of the other and from 20 mm above and below it, because a neck looks alike along its
    length; the best end is refined at 3 mm. Samples lie on a fixed lattice with seeded
    jitter, so that the same images give the same transform up to rounding (sums of several threads).

    Parameters
    ----------
    fixed, moving
        T2-weighted MR of two visits.
    cancelled
        Asked at each step of the optimiser.

    Raises
    ------
    CancelledError
        If ``cancelled`` said so.
    """
    stop = cancelled or _never
    coarse, fine = ((_prepared(fixed, spacing), _prepared(moving, spacing)) for spacing in (_COARSE_MM, _FINE_MM))
    middle, other = (_middle(volume.geometry) for volume in (fixed, moving))
    up = fixed.geometry.axes[:, int(np.abs(fixed.geometry.axes[2]).argmax())]
    ends = []
    # Where the grids of both visits are those of the scanner, its own positions are a good start too.
    for offset in [other - middle + step * up for step in _STARTS_MM] + [np.zeros(3)]:
        start = sitk.Euler3DTransform()
        start.SetCenter(tuple(middle.tolist()))
        start.SetTranslation(tuple(offset.tolist()))
        ends.append(_optimised(coarse, start, stop, share=0.3, step_mm=2.0, iterations=60))
    usable = [end for end in ends if end is not None]
    if not usable:
        start = sitk.Euler3DTransform()
        start.SetCenter(tuple(middle.tolist()))
        start.SetTranslation(tuple((other - middle).tolist()))
        return start
    best, _ = min(usable, key=lambda end: end[1])
    refined = _optimised(fine, best, stop, share=0.15, step_mm=1.0, iterations=40)
    return best if refined is None else refined[0]


def _optimised(
    images: tuple[sitk.Image, sitk.Image],
    start: sitk.Euler3DTransform,
    cancelled: Cancelled,
    *,
    share: float,
    step_mm: float,
    iterations: int,
) -> tuple[sitk.Euler3DTransform, float] | None:
    """Where a descent ends and its metric (lower is better); None where the images do not meet."""
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(_BINS)
    method.SetMetricSamplingStrategy(method.REGULAR)
    method.SetMetricSamplingPercentage(share, _SEED)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(step_mm, 0.01, iterations, 0.5, 1e-6)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetNumberOfThreads(1)
    found = sitk.Euler3DTransform(start)
    method.SetInitialTransform(found, inPlace=True)
    method.AddCommand(sitk.sitkIterationEvent, lambda: method.StopRegistration() if cancelled() else None)
    try:
        method.Execute(*images)
        met = True
    except RuntimeError:
        met = False
    # The command holds on to the method, and the method to the command.
    method.RemoveAllCommands()
    if cancelled():
        raise CancelledError()
    return (found, method.GetMetricValue()) if met else None


def _prepared(volume: Volume, spacing_mm: float) -> sitk.Image:
    grid = even_grid(volume.geometry, spacing_mm)
    return Volume(resampled(smoothed(volume, spacing_mm / 2), grid), grid).to_sitk()


def _middle(geometry: Geometry) -> np.ndarray:
    return geometry.to_lps((np.array(geometry.shape) - 1) / 2)


def _never() -> bool:
    return False
