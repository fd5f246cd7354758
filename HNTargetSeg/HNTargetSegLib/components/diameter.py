"""Long and short axial diameter of a lesion, as a reader measures them on one slice."""

from __future__ import annotations

import numpy as np

from HNTargetSegLib.case.orientation import axial_turn
from HNTargetSegLib.case.volume import Geometry

_TIE_MM = 1e-6


def axial_diameters(mask: np.ndarray, geometry: Geometry) -> tuple[float, float]:
    """Long and short diameter of a lesion on its axial slices.

    The slices are those across the array axis that runs nearest to S in LPS; an oblique scan's are taken as they are.
    The long diameter is the largest distance between two points of the outline over all these slices; the short
    diameter is the longest line perpendicular to it across the outline's convex hull on the same slice, which may fall
    into several pieces. This is the reading of RECIST 1.1 (Eisenhauer et al., Eur J Cancer 2009) for digital masks: a
    reconstruction, as RECIST measures with a ruler. The outline's points are the middles of the outer voxel edges,
    where marching squares at level 0.5 puts them: between voxel centres, which make a diameter about one voxel too
    small, and voxel corners, which make it up to one voxel's diagonal too large.

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
    axis = axial_turn(geometry).order[0]
    slices = np.moveaxis(mask, axis, 0)
    spacing: np.ndarray = np.delete(np.asarray(geometry.spacing_kji, float), axis)
    longest = 0.0
    found: list[tuple[float, np.ndarray, np.ndarray]] = []
    for bound, index in _largest_first(slices, spacing):
        if bound < longest - _TIE_MM:
            break
        found.append(_longest_chords(slices[index], spacing))
        longest = max(longest, found[-1][0])
    ties = [(hull, along) for long_mm, hull, chords in found if long_mm >= longest - _TIE_MM for along in chords]
    return longest, max((_longest_across(hull, along) for hull, along in ties), default=0.0)


def _largest_first(slices: np.ndarray, spacing: np.ndarray) -> list[tuple[float, int]]:
    """(Bound in mm, slice) by bound descending; it is the bounding rectangle's diagonal, so that few are measured."""
    rows: np.ndarray = np.asarray(np.any(slices, axis=2))
    columns: np.ndarray = np.asarray(np.any(slices, axis=1))
    bounds = []
    for index in np.flatnonzero(rows.any(axis=1)):
        extent = [int(np.ptp(np.flatnonzero(line[index]))) + 1 for line in (rows, columns)]
        bounds.append((float(np.hypot(*(extent * spacing))), int(index)))
    return sorted(bounds, reverse=True)


def _longest_chords(mask: np.ndarray, spacing: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Largest distance in mm on a slice, its outline's convex hull (n, 2), the directions (m, 2) of that length."""
    from scipy.spatial import ConvexHull

    points = _outline(mask) * spacing
    hull = points[ConvexHull(points).vertices]
    one, other = np.triu_indices(len(hull), 1)
    chords = hull[one] - hull[other]
    lengths = np.hypot(chords[:, 0], chords[:, 1])
    longest = float(lengths.max())
    return longest, hull, chords[lengths >= longest - _TIE_MM] / longest


def _longest_across(hull: np.ndarray, along: np.ndarray) -> float:
    """Longest chord of a convex polygon perpendicular to ``along``: it ends at a corner, so each is tried."""
    position, height = hull @ along, hull @ (-along[1], along[0])
    run, rise = np.roll(position, -1) - position, np.roll(height, -1) - height
    upright = np.abs(run) < _TIE_MM
    part = (position[:, None] - position) / np.where(upright, 1.0, run)
    crossed = (part > -_TIE_MM) & np.where(upright, part < _TIE_MM, part < 1 + _TIE_MM)
    heights = height + np.where(upright, 0.0, part) * rise
    chords = np.where(crossed, heights, -np.inf).max(axis=1) - np.where(crossed, heights, np.inf).min(axis=1)
    return float(chords.max())


def _outline(mask: np.ndarray) -> np.ndarray:
    """Middles of the outermost voxel edges of each row and column, (n, 2), in voxels: all that a convex hull needs."""
    points = []
    for axis in (0, 1):
        lines = mask if axis == 0 else mask.T
        used = np.flatnonzero(lines.any(axis=1))
        first = lines[used].argmax(axis=1) - 0.5
        last = lines.shape[1] - 1 - lines[used, ::-1].argmax(axis=1) + 0.5
        for ends in (first, last):
            points.append(np.stack([used, ends] if axis == 0 else [ends, used], axis=1))
    return np.concatenate(points).astype(float)
