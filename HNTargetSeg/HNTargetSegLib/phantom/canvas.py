"""Painting soft-edged shapes into a signal and a tissue map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from HNTargetSegLib.phantom.fields import Coordinates
from HNTargetSegLib.phantom.shapes import Shape
from HNTargetSegLib.phantom.tissues import Tissue

_STEP = (2, 4, 4)


@dataclass(frozen=True, eq=False)
class Canvas:
    """One visit while it is painted.

    Attributes
    ----------
    position
        Where each voxel lies in the space of the shapes, mm; three float32 arrays of shape (k, j, i).
    voxel_mm
        Largest voxel size over the coarse steps that find a shape's box.
    signal
        float32.
    tissue
        uint8, values of :class:`Tissue`.
    lesions
        uint16 ids of lesions and benign nodes.
    """

    position: Coordinates
    voxel_mm: tuple[float, float, float]
    signal: np.ndarray
    tissue: np.ndarray
    lesions: np.ndarray

    def box(
        self, low: np.ndarray | tuple[float, ...], high: np.ndarray | tuple[float, ...]
    ) -> tuple[slice, ...] | None:
        """Slices that hold all voxels between two corners in mm; None when there is none."""
        margin = max(step * size for step, size in zip(_STEP, self.voxel_mm, strict=True)) + 1.0
        thin = tuple(slice(None, None, step) for step in _STEP)
        inside = np.ones(self.signal[thin].shape, bool)
        for part, a, b in zip(self.position, low, high, strict=True):
            coarse = part[thin]
            inside &= (coarse > a - margin) & (coarse < b + margin)
        if not inside.any():
            return None
        slices = []
        for axis, step in enumerate(_STEP):
            hit = np.flatnonzero(inside.any(axis=tuple(other for other in range(3) if other != axis)))
            slices.append(slice(max(int(hit[0]) - 1, 0) * step, (int(hit[-1]) + 1) * step + 1))
        return tuple(slices)

    def paint(self, tissue: Tissue, shape: Shape, signal: float, blur: float) -> None:
        """Lay a shape of even signal over what is there."""
        where = self.box(np.subtract(shape.low, blur), np.add(shape.high, blur))
        if where is None:
            return
        x, y, z = (part[where] for part in self.position)
        weight = soft_step(shape.distance(x, y, z), blur)
        part = self.signal[where]
        part += weight * (np.float32(signal) - part)
        self.tissue[where][weight > 0.5] = tissue


def soft_step(distance: np.ndarray, blur: float) -> np.ndarray:
    """1 inside, 0 outside, linear over ``blur`` mm on both sides of the border; float32."""
    return np.clip(np.float32(0.5) - distance * np.float32(0.5 / blur), 0, 1).astype(np.float32)
