"""What is asked of the worker to register two visits, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from HNTargetSegLib.errors import BadInputError

if TYPE_CHECKING:
    from HNTargetSegLib.case.volume import Volume
    from HNTargetSegLib.lesions.lesion import LesionSet
    from HNTargetSegLib.lesions.registered import RegisteredLesions
    from HNTargetSegLib.models.options import Device
    from HNTargetSegLib.prior.quality import Quality

EngineName = Literal["descriptor", "convexadam", "elastix", "hntsmrg", "rigid"]
ENGINES: tuple[EngineName, ...] = ("descriptor", "convexadam", "elastix", "hntsmrg", "rigid")


@dataclass(frozen=True, eq=False)
class RegisterRequest:
    """Two visits to register, and the lesions to carry from the one to the other.

    Attributes
    ----------
    fixed
        T2 of the mid-RT visit.
    moving
        T2 of the pre-RT visit.
    lesions
        Those of the pre-RT visit, on the grid of ``moving``; rejected ones stay behind.
    engine
        Name of a :class:`~HNTargetSegLib.prior.engines.Engine`.
    device
        Where PyTorch computes; ``mps`` lacks an operation and becomes the CPU.
    transform
        ``SimpleITK.Transform`` from points of ``fixed`` to the same tissue in ``moving``, made elsewhere; it is
        measured and used in place of a registration.

    Raises
    ------
    BadInputError
        If there is no such engine.
    GeometryError
        If the lesions do not lie on the grid of ``moving``.
    """

    fixed: Volume
    moving: Volume
    lesions: LesionSet
    engine: EngineName = "descriptor"
    device: Device = "auto"
    transform: Any | None = None

    def __post_init__(self) -> None:
        if self.engine not in ENGINES:
            raise BadInputError(f"There is no engine '{self.engine}'", remedy=f"Choose from {', '.join(ENGINES)}")
        self.moving.require_same_grid(self.lesions.ids)


@dataclass(frozen=True, eq=False)
class RegistrationOutcome:
    """Two visits registered.

    Attributes
    ----------
    registered
        The lesions on the grid of the fixed image.
    transform
        ``SimpleITK.Transform`` from points of the fixed image to the same tissue in the moving one, LPS mm.
    quality
        Figures and flag.
    engine
        Its name; ``given`` for a transform from elsewhere.
    seconds
        Wall time by stage.
    """

    registered: RegisteredLesions
    transform: Any
    quality: Quality
    engine: str
    seconds: Mapping[str, float]
