"""Axial, coronal and sagittal slices of a volume as a radiologist sees them, whatever way it was acquired."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cached_property

import numpy as np

from HNTargetSegLib.case.orientation import AxialTurn, axial_turn
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.lesions.lesion import Lesion, LesionSet

Point = tuple[int, int, int]


class Plane(Enum):
    """A plane of view; the value holds the letters at the left, right, top and bottom edge."""

    AXIAL = ("R", "L", "A", "P")
    CORONAL = ("R", "L", "S", "I")
    SAGITTAL = ("A", "P", "S", "I")


@dataclass(frozen=True, eq=False)
class Display:
    """One visit ready to be looked at: image and lesion ids with axes running to superior, posterior and left.

    An oblique volume keeps its tilt: its slices are shown as they are, named after the nearest anatomical plane.
    """

    image: Volume
    lesions: LesionSet

    @cached_property
    def turn(self) -> AxialTurn:
        """How the volume's axes are swapped and flipped for display."""
        return axial_turn(self.image.geometry)

    @cached_property
    def spacing(self) -> tuple[float, float, float]:
        """Voxel size in mm along superior, posterior and left."""
        s, p, left = (self.image.geometry.spacing_kji[axis] for axis in self.turn.order)
        return s, p, left

    @cached_property
    def extent(self) -> tuple[float, float, float]:
        """Size of the volume in mm along superior, posterior and left."""
        s, p, left = (n * step for n, step in zip(self._array(self.image).shape, self.spacing, strict=True))
        return s, p, left

    @cached_property
    def window(self) -> tuple[float, float]:
        """Intensities shown as black and white: the 1st and 99.5th percentile of a thinned-out copy."""
        steps = tuple(slice(None, None, max(1, n // 128)) for n in self.image.array.shape)
        low, high = np.percentile(self.image.array[steps].astype(np.float32), (1, 99.5))
        return float(low), float(high) if high > low else float(low) + 1.0

    def middle(self) -> Point:
        """The central voxel."""
        s, p, left = (n // 2 for n in self._array(self.image).shape)
        return s, p, left

    def centre_of(self, lesion: Lesion) -> Point:
        """Voxel of a lesion that is nearest to its centroid."""
        voxels = np.argwhere(self.turn.array(self.lesions.mask(lesion)))
        nearest = voxels[(((voxels - voxels.mean(axis=0)) * self.spacing) ** 2).sum(axis=1).argmin()]
        box = self.turn.box(lesion.slices, self.image.geometry.shape)
        s, p, left = (int(place) + side.start for place, side in zip(nearest, box, strict=True))
        return s, p, left

    def image_slice(self, plane: Plane, at: Point) -> np.ndarray:
        """Intensities, rows from top to bottom and columns from left to right."""
        return _cut(self._array(self.image), plane, at)

    def id_slice(self, plane: Plane, at: Point) -> np.ndarray:
        """Lesion ids of the same slice."""
        return _cut(self._array(self.lesions.ids), plane, at)

    def size_mm(self, plane: Plane) -> tuple[float, float]:
        """Width and height of a plane."""
        s, p, left = self.extent
        return {Plane.AXIAL: (left, p), Plane.CORONAL: (left, s), Plane.SAGITTAL: (p, s)}[plane]

    def _array(self, volume: Volume) -> np.ndarray:
        return self.turn.array(volume.array)


def _cut(array: np.ndarray, plane: Plane, at: Point) -> np.ndarray:
    if plane is Plane.AXIAL:
        return array[at[0]]
    # Superior is up: rows run from the last slice to the first.
    return array[::-1, at[1], :] if plane is Plane.CORONAL else array[::-1, :, at[2]]
