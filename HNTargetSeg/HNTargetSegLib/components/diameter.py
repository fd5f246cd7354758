"""Long and short axial diameter of a lesion, as a reader measures them on one slice."""

from __future__ import annotations

import numpy as np

from HNTargetSegLib.case.volume import Geometry

_TIE_MM = 1e-6


def axial_axis(geometry: Geometry) -> int:
    """Array axis (0, 1 or 2 for k, j, i) whose slices lie closest to the patient's axial plane.

    It is the axis whose direction has the largest share along S in LPS; slices of an oblique scan are taken as they are.
    """
    share = np.abs(geometry.axes[2, ::-1])
    return int(np.flatnonzero(share >= share.max() - 1e-9)[0])


def axial_diameters(mask: np.ndarray, geometry: Geometry) -> tuple[float, float]:
    """Long and short diameter of a lesion on its axial slices.

    The long diameter is the largest distance between two points of the outline over all axial slices; the short
    diameter is the largest extent perpendicular to it on the same slice, both taken over the slice's whole outline even
    if it falls into several pieces. This is the reading of RECIST 1.1 (Eisenhauer et al., Eur J Cancer 2009) for digital
    masks: a reconstruction, as RECIST measures with a ruler. The outline's points are the middles of the outer voxel edges
    (where marching squares at level 0.5 puts them): between voxel centres, which give diameters one voxel too
    small, and voxel corners, which give them up to half a diagonal too large at each end.

    Parameters
    ----------
    mask
        Boolean, shape (k, j, i): the lesion or a crop that holds all of it.
    geometry
        Grid that the mask is a part of; only spacing and direction are used.

    Returns
    -------
    tuple of float
        (long, short) in mm; (0, 0) for an empty mask. Among equally long diameters the one with the largest short one.
    """
    axis = axial_axis(geometry)
    slices = np.moveaxis(mask, axis, 0)
    spacing = np.delete(np.asarray(geometry.spacing_kji, float), axis)
    best = (0.0, 0.0)
    for bound, index in _largest_first(slices, spacing):
        if bound < best[0] - _TIE_MM:
            break
        found = _slice_diameters(slices[index], spacing)
        if found[0] > best[0] + _TIE_MM or (found[0] > best[0] - _TIE_MM and found[1] > best[1]):
            best = found
    return best


def _largest_first(slices: np.ndarray, spacing: np.ndarray) -> list[tuple[float, int]]:
    """(Diagonal of the bounding rectangle in mm, slice number): the diagonal bounds the diameter, so few slices are measured."""
    rows, columns = slices.any(axis=2), slices.any(axis=1)
    bounds = []
    for index in np.flatnonzero(rows.any(axis=1)):
        extent = [int(np.ptp(np.flatnonzero(line[index]))) + 1 for line in (rows, columns)]
        bounds.append((float(np.hypot(*(extent * spacing))), int(index)))
    return sorted(bounds, reverse=True)


def _slice_diameters(mask: np.ndarray, spacing: np.ndarray) -> tuple[float, float]:
    from scipy.spatial import ConvexHull

    points = _outline(mask) * spacing
    hull = points[ConvexHull(points).vertices]
    chords = hull[:, None] - hull[None]
    lengths = np.hypot(chords[..., 0], chords[..., 1])
    longest = float(lengths.max())
    ties = chords[lengths >= longest - _TIE_MM] / longest
    across = hull @ np.stack([-ties[:, 1], ties[:, 0]])
    return longest, float(np.ptp(across, axis=0).max())


def _outline(mask: np.ndarray) -> np.ndarray:
    """Middles of the outermost voxel edges of each row and column, shape (n, 2), in voxels: all that the convex hull needs."""
    points = []
    for axis in (0, 1):
        lines = mask if axis == 0 else mask.T
        used = np.flatnonzero(lines.any(axis=1))
        first = lines[used].argmax(axis=1) - 0.5
        last = lines.shape[1] - 1 - lines[used, ::-1].argmax(axis=1) + 0.5
        for ends in (first, last):
            points.append(np.stack([used, ends] if axis == 0 else [ends, used], axis=1))
    return np.concatenate(points).astype(float)
