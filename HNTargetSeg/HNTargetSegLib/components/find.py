"""Connected components of a mask, one record each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from HNTargetSegLib.case.volume import Geometry, Triple
from HNTargetSegLib.components.diameter import axial_diameters
from HNTargetSegLib.components.regions import Box, separate_regions
from HNTargetSegLib.errors import BadInputError, GeometryError


class Connectivity(IntEnum):
    """Which neighbours of a voxel belong to its component."""

    FACES = 6
    EDGES = 18
    CORNERS = 26


@dataclass(frozen=True, eq=False)
class Component:
    """A set of voxels and its shape.

    Attributes
    ----------
    box
        Smallest bounding box, slices in array order (k, j, i).
    mask
        Boolean, the crop of the whole grid to ``box``; true on this component's voxels only.
    voxels
        Number of voxels.
    volume_cc
        Their volume in cm^3.
    centroid
        LPS position in mm of the mean voxel centre.
    long_mm, short_mm
        Axial diameters, see :func:`~HNTargetSegLib.components.diameter.axial_diameters`.
    """

    box: Box
    mask: np.ndarray
    voxels: int
    volume_cc: float
    centroid: Triple
    long_mm: float
    short_mm: float


def find_components(
    mask: np.ndarray,
    geometry: Geometry,
    *,
    connectivity: Connectivity | int = Connectivity.CORNERS,
    minimum_cc: float = 0.0,
    at_most: int | None = None,
) -> tuple[Component, ...]:
    """Connected components of a mask, the largest first.

    Parameters
    ----------
    mask
        Boolean (or 0 / not 0), shape (k, j, i).
    geometry
        Its grid.
    connectivity
        6, 18 or 26 neighbours.
    minimum_cc
        Components with less volume are left out; 0 keeps all.
    at_most
        How many components a sensible mask has; noise is refused before it is measured.

    Returns
    -------
    tuple of Component
        By volume descending; equal volumes in the order of their bounding boxes' first corner (k, j, i).

    Raises
    ------
    GeometryError
        If the mask does not fill the grid.
    BadInputError
        If there are more than ``at_most`` components.
    """
    from scipy import ndimage

    if mask.shape != geometry.shape:
        raise GeometryError(f"A mask of shape {mask.shape} does not fill a grid of {geometry}")
    neighbours = ndimage.generate_binary_structure(3, {6: 1, 18: 2, 26: 3}[int(Connectivity(connectivity))])
    found = []
    for region, crop in separate_regions(mask.astype(bool, copy=False)):
        numbers, _ = ndimage.label(crop, neighbours)
        for number, inner in enumerate(ndimage.find_objects(numbers), start=1):
            own = numbers[inner] == number
            # The factor keeps a component of exactly the minimum in spite of rounding.
            if own.sum() * geometry.voxel_cc < minimum_cc * (1 - 1e-9):
                continue
            found.append((_shifted(inner, region), own))
    if at_most is not None and len(found) > at_most:
        raise BadInputError(
            f"A mask falls into {len(found)} separate pieces, more than {at_most}",
            remedy="Check that it is a segmentation, or ask for a minimum volume",
        )
    measured = [_measured(box, own, geometry) for box, own in found]
    return tuple(sorted(measured, key=lambda c: (-c.voxels, tuple(s.start for s in c.box))))


def measure(mask: np.ndarray, geometry: Geometry, box: Box | None = None) -> Component | None:
    """All voxels of a mask as one component, connected or not.

    Parameters
    ----------
    mask
        Boolean, shape (k, j, i), or a crop of the grid to ``box``.
    geometry
        Grid of the whole volume.
    box
        Where the crop lies; without it the mask fills the grid.

    Returns
    -------
    Component or None
        None if the mask is empty.
    """
    bounds = []
    for axis in range(3):
        used = np.flatnonzero(mask.any(axis=tuple(a for a in range(3) if a != axis)))
        if not used.size:
            return None
        bounds.append(slice(int(used[0]), int(used[-1]) + 1))
    inner = (bounds[0], bounds[1], bounds[2])
    place = inner if box is None else _shifted(inner, box)
    return _measured(place, mask[inner].astype(bool), geometry)


def _measured(box: Box, mask: np.ndarray, geometry: Geometry) -> Component:
    voxels = int(mask.sum())
    middle = np.argwhere(mask).mean(axis=0) + [s.start for s in box]
    x, y, z = (float(value) for value in geometry.to_lps(middle))
    long_mm, short_mm = axial_diameters(mask, geometry)
    return Component(box, mask, voxels, voxels * geometry.voxel_cc, (x, y, z), long_mm, short_mm)


def _shifted(inner: Box, outer: Box) -> Box:
    k, j, i = (slice(a.start + b.start, a.stop + b.start) for a, b in zip(inner, outer, strict=True))
    return (k, j, i)
