"""Pre-RT visit onto the mid-RT visit: one call, its result, and the flag that says whether to trust it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import SimpleITK as sitk

from HNTargetSegLib.case.checks import check_image
from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.errors import BadInputError, CancelledError
from HNTargetSegLib.prior.carrying import carry_image, carry_labels
from HNTargetSegLib.prior.deform import DeformOptions, Level, deform
from HNTargetSegLib.prior.engines import Engine, find_transform
from HNTargetSegLib.prior.quality import Limits, Quality, measure_quality
from HNTargetSegLib.prior.rigid import align_rigidly

Progress = Callable[[str, int, int], None]
Cancelled = Callable[[], bool]

# The way back only serves to check the way there.
_BACK = (Level(5.0, 40.0, 1, 50), Level(3.0, 20.0, 2, 40))


@dataclass(frozen=True)
class RegisterOptions:
    """How two visits are registered.

    Attributes
    ----------
    engine
        Who finds the transform.
    deform
        Settings of the engine ``descriptor``; its device is also that of ``convexadam``.
    inverse
        Also register the other way round, coarsely, to measure the inverse consistency.
    limits
        When a registration is flagged.
    """

    engine: Engine = Engine.DESCRIPTOR
    deform: DeformOptions = field(default_factory=DeformOptions)
    inverse: bool = True
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, eq=False)
class Registration:
    """How to get from the points of the fixed visit to the moving one.

    Attributes
    ----------
    grid
        Of the fixed image.
    transform
        From points of the fixed image to the same tissue in the moving one, LPS mm, as SimpleITK resamples.
    quality
        Figures and flag.
    engine
        Its name, or ``given`` for a transform from elsewhere.
    seconds
        Wall time by stage.
    """

    grid: Geometry
    transform: sitk.Transform
    quality: Quality
    engine: str
    seconds: dict[str, float]

    def image(self, moving: Volume) -> Volume:
        """An image of the moving visit on the fixed grid, float32, linear; 0 outside its field of view."""
        return carry_image(moving, self.grid, self.transform)

    def labels(self, moving: Volume, *, nearest: bool = False) -> Volume:
        """A label or lesion-id map of the moving visit on the fixed grid, as :func:`carry_labels` does it."""
        return carry_labels(moving, self.grid, self.transform, nearest=nearest)

    def require_good(self, accept_poor: bool = False) -> None:
        """Raise BadInputError, with each broken limit, unless the quality is good or a poor one is accepted."""
        if self.quality.good or accept_poor:
            return
        raise BadInputError(
            f"The registration is poor and is not used: {'; '.join(self.quality.problems)}",
            remedy="Check that both images show one patient, in one position, with the same part of the neck, and that "
            "pre-RT and mid-RT are not swapped; give a transform or a registered mask from elsewhere, or look at the "
            "picture and accept it",
        )


def register(
    fixed: Volume,
    moving: Volume,
    options: RegisterOptions | None = None,
    *,
    masks: tuple[Volume, Volume] | None = None,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> Registration:
    """Register the moving visit (pre-RT) to the fixed one (mid-RT): rigid, then deformable, then measured.

    The same images and options give the same transform, up to rounding, with ``descriptor``, ``convexadam`` and
    ``rigid`` on a CPU; elastix adds up in an order that changes.

    Parameters
    ----------
    fixed, moving
        T2-weighted MR of two visits, on any grids.
    masks
        Delineations of the fixed and of the moving visit, where both have one, for their overlap.
    progress, cancelled
        Called with (stage, done, total), and between steps.

    Raises
    ------
    BadInputError
        If an image is flat or a single slice, or a mask lies on another grid than its image.
    MissingDependencyError
        If the engine's package is not installed.
    CancelledError
        If ``cancelled`` said so.
    """
    options = options or RegisterOptions()
    _require_usable(fixed, moving, masks)
    clock = _Clock(progress or _silent, cancelled or _never)
    transform = find_transform(options.engine, fixed, moving, options.deform, clock.progress, clock.cancelled)
    clock.lap(options.engine.value)
    back = _way_back(fixed, moving, options, clock)
    quality = measure_quality(fixed, moving, transform, back=back, masks=masks, limits=options.limits)
    clock.lap("quality")
    return Registration(fixed.geometry, transform, quality, options.engine.value, clock.seconds)


def take_transform(
    fixed: Volume,
    moving: Volume,
    transform: sitk.Transform,
    options: RegisterOptions | None = None,
    *,
    masks: tuple[Volume, Volume] | None = None,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> Registration:
    """A transform from elsewhere in place of a registration, measured in the same way.

    Parameters
    ----------
    transform
        From points of ``fixed`` to the same tissue in ``moving``, as SimpleITK and Slicer store it.
    fixed, moving, options, masks, progress, cancelled
        As for :func:`register`; the engine is not used.
    """
    options = options or RegisterOptions()
    _require_usable(fixed, moving, masks)
    clock = _Clock(progress or _silent, cancelled or _never)
    back = _way_back(fixed, moving, options, clock)
    quality = measure_quality(fixed, moving, transform, back=back, masks=masks, limits=options.limits)
    clock.lap("quality")
    return Registration(fixed.geometry, transform, quality, "given", clock.seconds)


class _Clock:
    """Seconds by stage, and the two callbacks."""

    def __init__(self, progress: Progress, cancelled: Cancelled) -> None:
        self.progress = progress
        self.cancelled = cancelled
        self.seconds: dict[str, float] = {}
        self._since = time.perf_counter()

    def lap(self, stage: str) -> None:
        """End a stage; raises CancelledError if the user wants to stop."""
        now = time.perf_counter()
        self.seconds[stage], self._since = now - self._since, now
        if self.cancelled():
            raise CancelledError()


def _way_back(fixed: Volume, moving: Volume, options: RegisterOptions, clock: _Clock) -> sitk.Transform | None:
    if not options.inverse or not Engine.DESCRIPTOR.available:
        return None

    def checking(stage: str, done: int, total: int) -> None:
        clock.progress("check", done, total)

    rigid = align_rigidly(moving, fixed, clock.cancelled)
    coarse = replace(options.deform, levels=_BACK)
    found = deform(moving, fixed, rigid, coarse, checking, clock.cancelled)
    clock.lap("check")
    return sitk.CompositeTransform([rigid, found])


def _require_usable(fixed: Volume, moving: Volume, masks: tuple[Volume, Volume] | None) -> None:
    for image in (fixed, moving):
        check_image(image)
    for image, mask in zip((fixed, moving), masks or (), strict=False):
        image.require_same_grid(mask)


def _silent(stage: str, done: int, total: int) -> None:
    pass


def _never() -> bool:
    return False
