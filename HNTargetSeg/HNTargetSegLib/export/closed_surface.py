"""The closed surface of a mask: a net over the cells between voxels, relaxed a little, that keeps the mask's volume."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from HNTargetSegLib.case.volume import Geometry
from HNTargetSegLib.metrics.surface_elements import cell_codes

Offset = tuple[int, int, int]

_ROUNDS, _WEIGHT, _REACH = 8, 0.6, 0.3
"""Of the relaxing: how often, how far of the way, and at most how far in voxels, so that thin parts keep two sides."""

_VOLUME_ROUNDS, _CLOSE = 20, 1e-4


@dataclass(frozen=True, eq=False)
class Surface:
    """Triangles that enclose a volume.

    Attributes
    ----------
    points
        LPS in mm, shape (n, 3).
    triangles
        Indices of points, shape (m, 3), counter-clockwise seen from outside.
    """

    points: np.ndarray
    triangles: np.ndarray

    @property
    def volume_mm3(self) -> float:
        """Enclosed volume, by the divergence theorem."""
        a, b, c = self._corners()
        return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)

    @property
    def normals(self) -> np.ndarray:
        """Normal of each triangle, outwards, of twice its area as length; shape (m, 3)."""
        a, b, c = self._corners()
        outward: np.ndarray = np.cross(b - a, c - a)
        return outward

    def _corners(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        # Near the origin, where sums of products keep their digits.
        shifted = self.points - self.points.mean(axis=0)
        a, b, c = (shifted[self.triangles[:, n]] for n in range(3))
        return a, b, c


def closed_surface(mask: np.ndarray, geometry: Geometry, start: Offset = (0, 0, 0)) -> Surface:
    """Surface round the true voxels of a mask.

    Surface nets (Gibson, MICCAI 1998, LNCS 1496, 888-898): one point in each cell between eight voxels that are not all
    alike, one quadrilateral for each pair of neighbours of which one is inside. Points move towards the mean of those
    that they are joined to, but stay in their cells; then all move along the normals until the volume is that of the
    voxels, which smoothing alone would shrink.

    Parameters
    ----------
    mask
        bool, shape (k, j, i), with a true voxel; a crop is enough.
    geometry
        Of the whole image.
    start
        Index (k, j, i) of the mask's first voxel in the image.

    Returns
    -------
    Surface
        Closed: each directed edge is there as often as its reverse.
    """
    padded = np.pad(mask.astype(bool), 1)
    number, cells = _cells(padded)
    quads = _quads(padded, number)
    relaxed = _relaxed(cells, quads)
    # Cell (k, j, i) lies between voxels (k - 1, j - 1, i - 1) and (k, j, i) of the mask, its middle at their mean.
    points = geometry.to_lps(relaxed - 0.5 + start)
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    if np.linalg.det(geometry.axes) > 0:
        # (k, j, i) counts the axes backwards, which turns the triangles over where the grid is right-handed.
        triangles = triangles[:, ::-1]
    return _of_volume(Surface(points, triangles), float(mask.sum()) * geometry.voxel_cc * 1000)


def _cells(padded: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number of the point by cell, -1 where there is none, and the cells with a point, shape (n, 3)."""
    codes = cell_codes(padded[1:-1, 1:-1, 1:-1])
    mixed = (codes > 0) & (codes < 255)
    number: np.ndarray = np.full(mixed.shape, -1, np.int64)
    number[mixed] = np.arange(np.count_nonzero(mixed))
    return number, np.argwhere(mixed).astype(float)


def _quads(padded: np.ndarray, number: np.ndarray) -> np.ndarray:
    """Corners of the quadrilaterals, shape (n, 4), turned as right-handed (k, j, i) axes see them from outside."""
    found = []
    for axis in range(3):
        first, second = (axis + 1) % 3, (axis + 2) % 3
        step = np.diff(padded.astype(np.int8), axis=axis)
        for sign in (-1, 1):
            voxels = np.argwhere(step == sign)
            ring = []
            for a, b in ((-1, -1), (0, -1), (0, 0), (-1, 0)):
                cell = voxels.copy()
                cell[:, first] += a
                cell[:, second] += b
                ring.append(number[tuple(cell.T)])
            # Where the voxel before is inside, the normal points along the axis.
            found.append(np.stack(ring if sign < 0 else ring[::-1], axis=1))
    return np.concatenate(found)


def _relaxed(cells: np.ndarray, quads: np.ndarray) -> np.ndarray:
    """Places of the points in cells, moved towards those they are joined to and kept within their cells."""
    sides = np.concatenate([quads[:, [n, (n + 1) % 4]] for n in range(4)])
    # Each side is there twice or more, from either end: as one number they are told apart in a fraction of the time.
    both = np.concatenate([sides[:, 0] * len(cells) + sides[:, 1], sides[:, 1] * len(cells) + sides[:, 0]])
    here, there = np.divmod(np.unique(both), len(cells))
    count = np.bincount(here, minlength=len(cells))
    points = cells.copy()
    for _ in range(_ROUNDS):
        mean = np.stack([np.bincount(here, points[there, n], minlength=len(cells)) / count for n in range(3)], axis=1)
        points = np.clip(points + _WEIGHT * (mean - points), cells - _REACH, cells + _REACH)
    return points


def _of_volume(surface: Surface, volume_mm3: float) -> Surface:
    """The surface moved along its normals until it encloses a volume."""
    for _ in range(_VOLUME_ROUNDS):
        if abs(surface.volume_mm3 / volume_mm3 - 1) < _CLOSE:
            break
        normals = surface.normals
        area = float(np.linalg.norm(normals, axis=1).sum()) / 2
        at_points = np.stack(
            [
                sum(np.bincount(surface.triangles[:, n], normals[:, axis], len(surface.points)) for n in range(3))
                for axis in range(3)
            ],
            axis=1,
        )
        length = np.linalg.norm(at_points, axis=1, keepdims=True)
        outward = np.divide(at_points, length, out=np.zeros_like(at_points), where=length > 0)
        distance = (volume_mm3 - surface.volume_mm3) / area
        surface = Surface(surface.points + distance * outward, surface.triangles)
    return surface
