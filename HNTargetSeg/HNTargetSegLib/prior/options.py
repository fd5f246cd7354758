"""Options of boxes and gradient maps; a model's card names them, so that they are read without NumPy."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

from HNTargetSegLib.errors import BadInputError

if TYPE_CHECKING:
    import numpy as np

Reading = Literal["code", "paper"]
SigmaUnit = Literal["voxel", "mm"]


@dataclass(frozen=True)
class Margin:
    """How far a box reaches beyond its lesion, in voxels.

    Attributes
    ----------
    voxels
        Per axis and side, where nothing is drawn at random: at inference.
    drawn
        Smallest and largest margin, both possible, that are drawn per axis and side in training; None draws nothing.
    inclusive
        Whether the upper side reaches as far as the lower one. The method's published code stops one voxel short.

    Raises
    ------
    BadInputError
        If a margin is negative or the range is empty.
    """

    voxels: int = 5
    drawn: tuple[int, int] | None = None
    inclusive: bool = True

    def __post_init__(self) -> None:
        low, high = self.drawn or (self.voxels, self.voxels)
        if low < 0 or high < low or self.voxels < 0:
            raise BadInputError(f"A box margin of {self.voxels} or {self.drawn} voxels is not one of 0 or more")

    def sides(self, rng: np.random.Generator | None) -> np.ndarray:
        """Margins, int, shape (3 axes, lower and upper)."""
        import numpy as np

        if self.drawn is None or rng is None:
            return np.full((3, 2), self.voxels)
        return rng.integers(self.drawn[0], self.drawn[1], size=(3, 2), endpoint=True)


@dataclass(frozen=True)
class GradientOptions:
    """How a gradient map is made.

    Attributes
    ----------
    reading
        ``code``: the gradient is scaled to 0 to 1 inside each box, times ``gain``, clipped at 1; image intensities and
        their scale do not matter. ``paper`` (our reading of its text): the image is scaled over its whole range, the
        gradient is divided by ``scale``, the same for all patients, and clipped at 1.
    margin
        How far the boxes reach.
    sigma
        Standard deviation of the Gaussian derivative.
    sigma_unit
        ``voxel``, as published, where anisotropic voxels make it depend on the direction; or ``mm``.
    gain
        Factor of the reading ``code``.
    scale
        Gradient that becomes 1 under the reading ``paper``, see :func:`fitted_scale`.

    Raises
    ------
    BadInputError
        If a value is out of its range.
    """

    reading: Reading = "code"
    margin: Margin = field(default_factory=Margin)
    sigma: float = 1.0
    sigma_unit: SigmaUnit = "voxel"
    gain: float = 2.0
    scale: float | None = None

    def __post_init__(self) -> None:
        if self.reading not in get_args(Reading) or self.sigma_unit not in get_args(SigmaUnit):
            raise BadInputError(f"There is no reading '{self.reading}' with sigma in '{self.sigma_unit}'")
        if not self.sigma > 0 or not self.gain > 0:
            raise BadInputError(f"A gradient map needs sigma and gain above 0, not {self.sigma} and {self.gain}")
        if self.reading == "paper" and not (self.scale or 0) > 0:
            raise BadInputError(
                "The paper's reading of the gradient map needs one scale for all patients",
                remedy="Fit it on the training patients and write it into the model's recipe",
            )
