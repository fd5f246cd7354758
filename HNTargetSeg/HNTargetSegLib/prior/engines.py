"""The engines that register two visits: what each is, what it needs, and how it is called."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from enum import Enum

import SimpleITK as sitk

from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.errors import MissingDependencyError
from HNTargetSegLib.prior.deform import DeformOptions, deform
from HNTargetSegLib.prior.rigid import align_rigidly

Progress = Callable[[str, int, int], None]
Cancelled = Callable[[], bool]


class Engine(str, Enum):
    """Who finds the transform.

    ``DESCRIPTOR`` is ours and the default; ``CONVEXADAM`` the package convexAdam; ``ELASTIX`` itk-elastix after our
    rigid alignment, with few steps; ``HNTSMRG`` both stages as the organisers of HNTS-MRG 2024 set them, for
    comparison; ``RIGID`` rotation and translation only.
    """

    DESCRIPTOR = "descriptor"
    CONVEXADAM = "convexadam"
    ELASTIX = "elastix"
    HNTSMRG = "hntsmrg"
    RIGID = "rigid"

    @property
    def module(self) -> str | None:
        """The package that it imports, beyond SimpleITK."""
        return _NEEDED.get(self, (None, ""))[0]

    @property
    def available(self) -> bool:
        """Whether that package is installed; nothing is imported."""
        return self.module is None or importlib.util.find_spec(self.module) is not None

    def require(self) -> None:
        """Raise MissingDependencyError, with the line that installs it, unless the engine is available."""
        if not self.available:
            module, package = _NEEDED[self]
            raise MissingDependencyError(
                f"The registration engine {self.value} needs the package {module}",
                remedy=f"Run: pip install {package}; or choose another engine, {_others(self)}",
            )


_NEEDED = {
    Engine.DESCRIPTOR: ("torch", "torch"),
    Engine.CONVEXADAM: ("convexAdam", "convexAdam"),
    Engine.ELASTIX: ("itk", "itk-elastix"),
    Engine.HNTSMRG: ("itk", "itk-elastix"),
}


def find_transform(
    engine: Engine,
    fixed: Volume,
    moving: Volume,
    options: DeformOptions,
    progress: Progress,
    cancelled: Cancelled,
) -> sitk.CompositeTransform:
    """Transform from points of ``fixed`` to the same tissue in ``moving``: the displacement first, then the rigid one.

    Raises
    ------
    MissingDependencyError
        If the engine's package is not installed.
    CancelledError
        If ``cancelled`` said so.
    """
    engine.require()
    progress("rigid", 0, 1)
    if engine is Engine.HNTSMRG:
        from HNTargetSegLib.prior.elastix import align_as_organisers

        rigid = align_as_organisers(fixed, moving)
    else:
        rigid = align_rigidly(fixed, moving, cancelled)
    progress("rigid", 1, 1)
    second = _deformable(engine, fixed, moving, rigid, options, progress, cancelled)
    return sitk.CompositeTransform([rigid] if second is None else [rigid, second])


def _deformable(
    engine: Engine,
    fixed: Volume,
    moving: Volume,
    rigid: sitk.Transform,
    options: DeformOptions,
    progress: Progress,
    cancelled: Cancelled,
) -> sitk.Transform | None:
    if engine is Engine.RIGID:
        return None
    if engine is Engine.DESCRIPTOR:
        return deform(fixed, moving, rigid, options, progress, cancelled)
    if engine is Engine.CONVEXADAM:
        from HNTargetSegLib.prior.convexadam import deform_by_convexadam

        return deform_by_convexadam(fixed, moving, rigid, options.device, progress, cancelled)
    from HNTargetSegLib.prior.elastix import FEWER_STEPS, PUBLISHED_STEPS, deform_by_elastix

    steps = PUBLISHED_STEPS if engine is Engine.HNTSMRG else FEWER_STEPS
    return deform_by_elastix(fixed, moving, rigid, steps, progress, cancelled)


def _others(engine: Engine) -> str:
    return ", ".join(other.value for other in Engine if other.available and other is not engine)
