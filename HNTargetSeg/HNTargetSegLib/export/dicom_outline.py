"""The outline of a mask on each slice, as closed polygons in the patient: holes as keyholes, islands apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from HNTargetSegLib.case.volume import Geometry
from HNTargetSegLib.lesions.lesion import Slices

Ring = np.ndarray


@dataclass(frozen=True, eq=False)
class Outline:
    """One closed polygon: the slice it lies on, and LPS positions in mm of its vertices, shape (n, 3)."""

    k: int
    points: np.ndarray


def outlines(mask: np.ndarray, box: Slices, geometry: Geometry) -> Iterator[Outline]:
    """Outlines of a mask, slice by slice.

    Marching squares between the centres of neighbouring voxels: vertices lie at half voxels, so that the centres of the
    mask's voxels lie inside and no others. A hole becomes part of the polygon around it through a line of no width
    (keyhole), which runs between the rows of voxel centres: of the ways to write holes it is the one that readers which
    join the contours of a slice and readers which subtract them understand alike.

    Parameters
    ----------
    mask
        Bool, the shape of ``box``.
    box
        Where the mask lies, in (k, j, i) order.
    geometry
        Grid whose k runs across the slices.

    Yields
    ------
    Outline
        In the order of the slices, with no two vertices alike next to each other.
    """
    start = np.array([part.start for part in box], float)
    for n, layer in enumerate(mask):
        for ring in keyholed_rings(layer):
            kji = np.column_stack([np.full(len(ring), start[0] + n), ring[:, ::-1] + start[1:]])
            yield Outline(int(start[0]) + n, geometry.to_lps(kji))


def keyholed_rings(layer: np.ndarray) -> list[Ring]:
    """Outlines of one slice as vertices (x = i, y = j) in voxels, one for each part that hangs together by sides.

    Parameters
    ----------
    layer
        Bool, shape (j, i).

    Returns
    -------
    list of numpy.ndarray
        Shape (n, 2); outer borders run one way round and holes the other.
    """
    if not layer.any():
        return []
    from contourpy import FillType, contour_generator

    padded = np.pad(layer.astype(float), 1)
    generator = contour_generator(z=padded, name="serial", fill_type=FillType.OuterOffset)
    rings = []
    for points, offsets in zip(*generator.filled(0.5, np.inf), strict=True):
        pieces = [_without_needless(points[a:b] - 1.0) for a, b in pairwise(offsets)]
        rings.append(_keyholed(pieces))
    return rings


def _without_needless(closed: np.ndarray) -> Ring:
    """The ring without its repeated end and without vertices on a straight line between their neighbours."""
    ring: Ring = closed[:-1]
    before, after = ring - np.roll(ring, 1, axis=0), np.roll(ring, -1, axis=0) - ring
    return ring[before[:, 0] * after[:, 1] != before[:, 1] * after[:, 0]]


def _keyholed(rings: list[Ring]) -> Ring:
    """One ring of an outer border and its holes.

    Each hole hangs on the ring that lies next to its right, along a line between two rows of voxel centres: the outer
    border, or another hole that reaches farther right, so that all hang on the outer border in the end.
    """
    if len(rings) == 1:
        return rings[0]
    # In half voxels all is whole: centres are even, the lines between their rows odd.
    doubled = [np.rint(2 * ring).astype(np.int64) for ring in rings]
    own = {bridge.hole: bridge for bridge in _bridges(doubled)}
    hung: dict[int, list[_Bridge]] = defaultdict(list)
    for bridge in own.values():
        hung[bridge.ring].append(bridge)
    paths: dict[int, np.ndarray] = {}
    # What hangs on a ring reaches less far to the right than the ring.
    for n in [*sorted(own, key=lambda n: int(doubled[n][:, 0].max())), 0]:
        paths[n] = _path(doubled[n], own.get(n), hung[n], paths)
    path = paths[0]
    return path[(path != np.roll(path, 1, axis=0)).any(axis=1)] / 2.0


@dataclass(frozen=True)
class _Bridge:
    """From a hole, behind its vertex ``hole_at``, along line ``y`` to another ring, behind that one's vertex ``at``."""

    hole: int
    hole_at: int
    hole_x: int
    ring: int
    at: int
    x: int
    y: int


def _bridges(rings: list[Ring]) -> list[_Bridge]:
    """The bridge of each hole (all rings but the first)."""
    tables = [_crossings(ring) for ring in rings]
    which: np.ndarray = np.repeat(np.arange(len(rings)), [len(table) for table in tables])
    y, x, at = np.concatenate(tables).T
    order = np.lexsort((x, y))
    y, x, at, which = y[order], x[order], at[order], which[order]
    # A ring goes on from its vertex farthest right, on a row of centres, to the lines above and below, where it reaches
    # as far or half a voxel less. What comes next on the line lies beyond, as rings share no vertex.
    line = np.array([ring[ring[:, 0].argmax(), 1] + 1 for ring in rings])
    own = np.flatnonzero(y == line[which])
    last: np.ndarray = np.zeros(len(rings), np.int64)
    np.maximum.at(last, which[own], own)
    return [
        _Bridge(n, int(at[i]), int(x[i]), int(which[i + 1]), int(at[i + 1]), int(x[i + 1]), int(y[i]))
        for n, i in enumerate(last.tolist())
        if n > 0
    ]


def _crossings(ring: Ring) -> np.ndarray:
    """Where a ring meets the lines between rows: y, x and the vertex that lies there or before; shape (n, 3)."""
    (x0, y0), (x1, y1) = ring.T, np.roll(ring, -1, axis=0).T
    step = np.sign(y1 - y0)
    # The first line that is met: at the start of the edge, or past it. The end belongs to the next edge.
    first = np.where(y0 % 2 == 1, y0, y0 + step)
    count = np.where(step == 0, y0 % 2, (np.abs(y1 - first) + 1) // 2)
    at: np.ndarray = np.repeat(np.arange(len(ring)), count)
    past = np.arange(len(at)) - np.repeat(np.cumsum(count) - count, count)
    y = first[at] + 2 * step[at] * past
    rise = np.where(step == 0, 1, y1 - y0)[at]
    return np.column_stack([y, x0[at] + (y - y0[at]) * (x1 - x0)[at] // rise, at])


def _path(ring: Ring, own: _Bridge | None, hung: list[_Bridge], paths: dict[int, np.ndarray]) -> np.ndarray:
    """Once round a ring, with a detour over each bridge that ends on it; a hole's begins and ends at its own bridge."""
    stops: list[tuple[int, int, int, int | None]] = [(bridge.at, bridge.x, bridge.y, bridge.hole) for bridge in hung]
    if own is not None:
        stops.append((own.hole_at, own.hole_x, own.y, None))
    stops.sort(key=lambda stop: (stop[0], abs(stop[1] - int(ring[stop[0], 0])) + abs(stop[2] - int(ring[stop[0], 1]))))
    parts: list[np.ndarray] = []
    start = begin = 0
    for at, x, y, hole in stops:
        parts.append(ring[start : at + 1])
        start = at + 1
        if hole is None:
            begin = len(parts)
        else:
            parts += [np.array([[x, y]]), paths[hole], np.array([[x, y]])]
    parts.append(ring[start:])
    if own is None:
        return np.concatenate(parts)
    end = np.array([[own.hole_x, own.y]])
    return np.concatenate([end, *parts[begin:], *parts[:begin], end])
