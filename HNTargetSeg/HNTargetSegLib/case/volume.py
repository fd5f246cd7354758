"""A volume: an array on a grid in patient space (LPS, mm), which checks itself."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import SimpleITK as sitk

from HNTargetSegLib.errors import BadInputError, GeometryError

Triple = tuple[float, float, float]

_ORTHONORMAL_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Geometry:
    """A voxel grid in patient space, in SimpleITK's conventions.

    Attributes
    ----------
    size
        Voxels along (i, j, k).
    spacing
        Voxel size in mm along (i, j, k), each over 0.
    origin
        LPS position in mm of the centre of voxel (0, 0, 0).
    direction
        3x3 matrix, row by row; its columns are the LPS directions of i, j and k.

    Raises
    ------
    GeometryError
        If a size or spacing is not positive, a number is not finite, or the direction is not orthonormal to 1e-3.
    """

    size: tuple[int, int, int]
    spacing: Triple = (1.0, 1.0, 1.0)
    origin: Triple = (0.0, 0.0, 0.0)
    direction: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)

    def __post_init__(self) -> None:
        if len(self.size) != 3 or min(self.size) < 1:
            raise GeometryError(f"The grid size {self.size} is not three positive numbers")
        numbers = (*self.spacing, *self.origin, *self.direction)
        if len(numbers) != 15 or not np.all(np.isfinite(numbers)):
            raise GeometryError("Spacing, origin or direction holds a missing or non-finite number")
        if min(self.spacing) <= 0:
            raise GeometryError(f"The voxel spacing {self.spacing} mm is not positive")
        axes = self.axes
        if np.abs(axes.T @ axes - np.eye(3)).max() > _ORTHONORMAL_TOLERANCE:
            raise GeometryError(
                f"The direction matrix {self.direction} is not orthonormal",
                remedy="Resample the image onto a grid with right angles",
            )

    @property
    def shape(self) -> tuple[int, int, int]:
        """Array shape, (k, j, i)."""
        return self.size[::-1]

    @property
    def spacing_kji(self) -> Triple:
        """Voxel size in mm in array order."""
        return self.spacing[::-1]

    @property
    def axes(self) -> np.ndarray:
        """Direction as a 3x3 array; columns are the LPS directions of i, j, k."""
        return np.asarray(self.direction, float).reshape(3, 3)

    @property
    def voxel_cc(self) -> float:
        """Volume of one voxel in cm^3."""
        return float(np.prod(self.spacing)) / 1000.0

    def to_lps(self, kji: np.ndarray) -> np.ndarray:
        """LPS positions in mm of (fractional) array indices, shape (..., 3) in (k, j, i) order."""
        ijk = np.asarray(kji, float)[..., ::-1]
        return (ijk * self.spacing) @ self.axes.T + self.origin

    def to_kji(self, lps: np.ndarray) -> np.ndarray:
        """Fractional array indices, shape (..., 3) in (k, j, i) order, of LPS positions in mm."""
        ijk = ((np.asarray(lps, float) - self.origin) @ self.axes) / self.spacing
        return ijk[..., ::-1]

    def orthonormalised(self) -> Geometry:
        """The same grid with the nearest orthonormal axes, or itself where they are so to 1e-12."""
        axes = nearest_orthonormal(self.axes)
        if np.abs(axes - self.axes).max() < 1e-12:
            return self
        return replace(self, direction=tuple(float(value) for value in axes.ravel()))

    def largest_shift(self, other: Geometry) -> float:
        """Largest distance in mm, along any axis, between the corners of this grid and another of the same size."""
        corners = np.array([(k, j, i) for k in (0, 1) for j in (0, 1) for i in (0, 1)]) * (np.array(self.shape) - 1)
        return float(np.abs(self.to_lps(corners) - other.to_lps(corners)).max())

    def matches(self, other: Geometry, tolerance_mm: float = 1e-3) -> bool:
        """Whether both grids have one size and their corners lie within ``tolerance_mm`` of each other."""
        return self.size == other.size and self.largest_shift(other) <= tolerance_mm

    def __str__(self) -> str:
        def numbers(values: tuple[float, ...]) -> str:
            return "(" + ", ".join(f"{value:.6g}" for value in values) + ")"

        size = "x".join(str(n) for n in self.size)
        place = f"at {numbers(self.origin)}, direction {numbers(self.direction)}"
        return f"{size} voxels of {numbers(self.spacing)} mm {place}"


def nearest_orthonormal(axes: np.ndarray) -> np.ndarray:
    """The orthonormal 3x3 matrix nearest to ``axes`` (polar decomposition)."""
    left, _, right = np.linalg.svd(axes)
    nearest: np.ndarray = left @ right
    return nearest


@dataclass(frozen=True, eq=False)
class Volume:
    """An image, label map or other scalar field.

    Attributes
    ----------
    array
        Shape (k, j, i), any real dtype.
    geometry
        Its grid; ``geometry.shape`` equals ``array.shape``.
    name
        Where it comes from, for messages.
    stated
        The grid as the file states it; ``geometry`` is the same with axes at exactly right angles. None if not read.

    Raises
    ------
    GeometryError
        If the array is not three-dimensional or does not fit the grid.
    BadInputError
        If a floating-point array holds NaN or infinity.
    """

    array: np.ndarray
    geometry: Geometry
    name: str = field(default="volume")
    stated: Geometry | None = None

    def __post_init__(self) -> None:
        if self.array.ndim != 3 or self.array.shape != self.geometry.shape:
            raise GeometryError(
                f"An array of shape {self.array.shape} does not fill a grid of {self.geometry}", path=self.name
            )
        if np.issubdtype(self.array.dtype, np.floating) and not np.isfinite(self.array).all():
            raise BadInputError(
                "The image holds NaN or infinite values",
                path=self.name,
                remedy="Replace them, for example with 0, and save it again",
            )

    @property
    def spacing(self) -> Triple:
        """Voxel size in mm along (i, j, k)."""
        return self.geometry.spacing

    @property
    def origin(self) -> Triple:
        """LPS position in mm of the first voxel's centre."""
        return self.geometry.origin

    @property
    def direction(self) -> np.ndarray:
        """Direction, 3x3."""
        return self.geometry.axes

    @cached_property
    def intensity_range(self) -> tuple[float, float]:
        """Smallest and largest value."""
        return float(self.array.min()), float(self.array.max())

    def with_array(self, array: np.ndarray, name: str | None = None) -> Volume:
        """Another array on the same grid."""
        return replace(self, array=array, name=self.name if name is None else name)

    def require_same_grid(self, other: Volume) -> None:
        """Raise GeometryError, naming both grids, unless ``other`` lies on this grid."""
        if not self.geometry.matches(other.geometry):
            raise GeometryError(
                f"The grid differs from that of {self.name}: {other.geometry} against {self.geometry}",
                path=other.name,
                remedy="Give two files on one grid, or ask for resampling",
            )

    @classmethod
    def from_sitk(cls, image: sitk.Image, name: str = "volume") -> Volume:
        """Take a three-dimensional scalar SimpleITK image."""
        if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 1:
            raise GeometryError(
                f"The image has {image.GetDimension()} dimensions and {image.GetNumberOfComponentsPerPixel()} "
                "components a voxel; one scalar 3D volume is needed",
                path=name,
            )
        geometry = Geometry(image.GetSize(), image.GetSpacing(), image.GetOrigin(), image.GetDirection())
        return cls(sitk.GetArrayFromImage(image), geometry, name)

    def to_sitk(self) -> sitk.Image:
        """The same volume as a SimpleITK image."""
        array = self.array.astype(np.uint8) if self.array.dtype == bool else self.array
        image = sitk.GetImageFromArray(array)
        image.SetSpacing(self.geometry.spacing)
        image.SetOrigin(self.geometry.origin)
        image.SetDirection(self.geometry.direction)
        return image
