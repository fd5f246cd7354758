"""A displacement on a lattice of cubic B-splines, evaluated on regular grids along the same axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Lattice:
    """Control points of a cubic B-spline along three axes.

    Attributes
    ----------
    spacing_mm
        Distance of neighbouring control points.
    size
        Control points along (k, j, i); the first lies one spacing before position 0.
    """

    spacing_mm: float
    size: tuple[int, int, int]

    @classmethod
    def covering(cls, extent_mm: tuple[float, float, float], spacing_mm: float) -> Lattice:
        """Lattice for positions from 0 to ``extent_mm`` along (k, j, i)."""
        k, j, i = (int(np.ceil(extent / spacing_mm)) + 3 for extent in extent_mm)
        return cls(spacing_mm, (k, j, i))

    def basis(self, axis: int, positions_mm: np.ndarray) -> np.ndarray:
        """Weights of the control points along an axis at positions; float32 of shape (positions, control points)."""
        points = np.arange(self.size[axis]) - 1.0
        distance = np.abs(np.asarray(positions_mm, float)[:, None] / self.spacing_mm - points)
        near = (4 - 6 * distance**2 + 3 * distance**3) / 6
        far = np.clip(2 - distance, 0, None) ** 3 / 6
        return np.where(distance < 1, near, far).astype(np.float32)


def displacement(coefficients: torch.Tensor, bases: list[torch.Tensor]) -> torch.Tensor:
    """Displacement on the grid that the bases of the three axes were made for.

    Parameters
    ----------
    coefficients
        Shape (3, control points k, j, i).
    bases
        One a spatial axis, shape (positions, control points).

    Returns
    -------
    torch.Tensor
        Shape (3, positions k, j, i).
    """
    import torch

    along_k = torch.einsum("pa,nabc->npbc", bases[0], coefficients)
    along_j = torch.einsum("qb,npbc->npqc", bases[1], along_k)
    return torch.einsum("rc,npqc->npqr", bases[2], along_j)


def bending(coefficients: torch.Tensor, spacing_mm: float) -> torch.Tensor:
    """Mean bending energy in 1/mm^2: squared second differences of the control points, mixed ones twice.

    Rueckert et al., IEEE TMI 18:712-721 (1999), equation 4, with differences of the control points for derivatives.
    """
    total = coefficients.new_zeros(())
    for axis in (1, 2, 3):
        first = coefficients.diff(dim=axis)
        total = total + (first.diff(dim=axis) ** 2).mean()
        for other in range(axis + 1, 4):
            total = total + 2 * (first.diff(dim=other) ** 2).mean()
    return total / spacing_mm**4
