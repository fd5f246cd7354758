"""From segments, whoever drew them, to the lesion-id map of the visit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from HNTargetSegLib.errors import BadInputError, GeometryError
from HNTargetSegLib.scene.geometry import array_of, geometry_of, vtk_matrix
from HNTargetSegLib.scene.numbering import segment_ids
from HNTargetSegLib.scene.segments import LABELMAP, voxel_to_segmentation
from HNTargetSegLib.scene.voxels import array_view, extent_of

_OFF_GRID = 0.02
"""Of a voxel; files of segmentations round their numbers."""


@dataclass
class Shared:
    """What two segments have in common: how many voxels, and index (k, j, i) of one of them."""

    voxels: int
    first: np.ndarray


@dataclass(frozen=True, eq=False)
class Reading:
    """What the segments of a visit hold.

    Attributes
    ----------
    ranks
        uint16, shape of the image: 0 is background, n the n-th segment of ``names``.
    names
        Segment ids in the order of the list.
    filled
        Those that have voxels inside the image.
    overlap
        Voxels that several segments claim; the later one of the list has them.
    outside
        Voxels beyond the image, which are left out.
    shared
        By the ranks of two segments: the one that loses the voxels, and the one that has them.
    """

    ranks: np.ndarray
    names: tuple[str, ...]
    filled: frozenset[str]
    overlap: int
    outside: int
    shared: Mapping[tuple[int, int], Shared] = field(default_factory=dict)

    def ids(self, lesions: Mapping[str, int]) -> np.ndarray:
        """Lesion-id map, uint16, of lesion ids by segment id; other segments are left out."""
        table = np.array([0, *(lesions.get(name, 0) for name in self.names)], np.uint16)
        if np.array_equal(table, np.arange(len(table))):
            return self.ranks
        return table[self.ranks]


def read_segments(node: Any, volume: Any) -> Reading:
    """Read the segments of a segmentation node on the voxels of its volume node.

    A transform is right as long as it puts the segments onto the voxels of the image, as that of the image itself does.

    Raises
    ------
    BadInputError
        If the segmentation is not made of labelmaps, or lies under a transform that is not linear nor the image's own.
    GeometryError
        If its voxels are not those of the image.
    """
    segmentation = node.GetSegmentation()
    names = tuple(segment_ids(segmentation))
    if names and segmentation.GetSourceRepresentationName() != LABELMAP:
        raise BadInputError(
            "The segmentation is made of surfaces",
            path=node.GetName(),
            remedy=f"Make '{LABELMAP}' its source representation in the Segmentations module",
        )
    grid = voxel_to_segmentation(node, volume)
    i, j, k = volume.GetImageData().GetDimensions()
    ranks = np.zeros((k, j, i), np.uint16)
    overlap = outside = 0
    shared: dict[tuple[int, int], Shared] = {}
    counts: np.ndarray = np.zeros(len(names) + 1, np.int64)
    for layer, table in _layers(segmentation, names):
        inside, target, beyond = _placed(layer, grid, ranks.shape, node.GetName())
        outside += int(np.count_nonzero(_looked_up(beyond, table))) if beyond is not None else 0
        if inside is None:
            continue
        # Slice by slice: most have no voxel, and the others stay in the processor's cache.
        for number, (values, old) in enumerate(zip(inside, ranks[target], strict=True)):
            if values.any():
                new = _looked_up(values, table)
                twice = (old > 0) & (new > 0)
                if twice.any():
                    overlap += int(np.count_nonzero(twice))
                    corner = np.array([target[0].start + number, target[1].start, target[2].start])
                    _add_shared(shared, old, new, twice, corner)
                counts += np.bincount(new.reshape(-1), minlength=len(counts))
                np.maximum(old, new, out=old)
    filled = frozenset(name for n, name in enumerate(names, start=1) if counts[n])
    return Reading(ranks, names, filled, overlap, outside, shared)


def _add_shared(
    shared: dict[tuple[int, int], Shared], old: np.ndarray, new: np.ndarray, twice: np.ndarray, corner: np.ndarray
) -> None:
    """Count the voxels of one slice that two segments claim; ``corner`` is the index of the slice's first voxel."""
    where = np.argwhere(twice)
    pairs = np.stack([np.minimum(old[twice], new[twice]), np.maximum(old[twice], new[twice])], axis=1)
    kinds, first, counts = np.unique(pairs, axis=0, return_index=True, return_counts=True)
    for (under, over), index, count in zip(kinds.tolist(), first, counts.tolist(), strict=True):
        place = corner + np.array([0, *where[index]])
        shared.setdefault((under, over), Shared(0, place)).voxels += count


def fingerprint(node: Any) -> tuple[object, ...]:
    """Changes whenever voxels, order or transform of the segments may have changed."""
    segmentation = node.GetSegmentation()
    parts: list[object] = [node.GetTransformNodeID()]
    for name in segment_ids(segmentation):
        segment = segmentation.GetSegment(name)
        image = segment.GetRepresentation(LABELMAP)
        time = 0 if image is None else image.GetMTime()
        address = "" if image is None else image.GetAddressAsString("")
        parts.append((name, segment.GetLabelValue(), address, time))
    return tuple(parts)


def _layers(segmentation: Any, names: tuple[str, ...]) -> list[tuple[Any, dict[int, int]]]:
    """Each labelmap that holds voxels, with the rank of the segment by value."""
    layers: dict[str, tuple[Any, dict[int, int]]] = {}
    for rank, name in enumerate(names, start=1):
        segment = segmentation.GetSegment(name)
        image = segment.GetRepresentation(LABELMAP)
        if image is None or image.GetPointData().GetScalars() is None or image.GetNumberOfPoints() == 0:
            continue
        _, table = layers.setdefault(image.GetAddressAsString(""), (image, {}))
        table[segment.GetLabelValue()] = rank
    return list(layers.values())


def _placed(
    layer: Any, grid: np.ndarray, shape: tuple[int, ...], name: str
) -> tuple[np.ndarray | None, tuple[slice, ...], np.ndarray | None]:
    """Part of a layer inside the image, where it goes, and the voxels beyond (None where there are none)."""
    values = array_view(layer, name)
    offset = _offset(layer, grid, shape, name)
    extent = np.array(extent_of(layer)).reshape(3, 2)[::-1] + offset[::-1, None]
    start, stop = extent[:, 0], extent[:, 1] + 1
    low, high = np.maximum(start, 0), np.minimum(stop, shape)
    if (high <= low).any():
        return None, (), values
    source = tuple(slice(a - s, b - s) for a, b, s in zip(low, high, start, strict=True))
    target = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    beyond = None
    if (low > start).any() or (high < stop).any():
        beyond = values.copy()
        beyond[source] = 0
    return values[source], target, beyond


def _offset(layer: Any, grid: np.ndarray, shape: tuple[int, ...], name: str) -> np.ndarray:
    """Index in the image, (i, j, k), of index 0 of a layer."""
    matrix = vtk_matrix(np.eye(4))
    layer.GetImageToWorldMatrix(matrix)
    placed = array_of(matrix)
    relative = np.linalg.inv(grid) @ placed
    offset = np.rint(relative[:3, 3])
    i0, i1, j0, j1, k0, k1 = extent_of(layer)
    corners = np.array([(i, j, k, 1) for i in (i0, i1) for j in (j0, j1) for k in (k0, k1)], float)
    if np.abs(corners @ relative.T - corners - (*offset, 0)).max() > _OFF_GRID:
        k, j, i = shape
        theirs, ours = geometry_of(placed, layer.GetDimensions(), name), geometry_of(grid, (i, j, k), name)
        raise GeometryError(
            f"The segments are not on the voxels of the image: {theirs} against {ours}",
            path=name,
            remedy="Put the segmentation under the transform of its image, and choose the image as its source geometry",
        )
    return offset.astype(int)


def _looked_up(values: np.ndarray, table: Mapping[int, int]) -> np.ndarray:
    """Ranks of the values; values of no segment become 0."""
    if values.dtype.kind != "u" or values.dtype.itemsize > 2:
        # Negative and huge values belong to no segment, whose values are counted from 1.
        highest = max(table)
        values = np.where((values > 0) & (values <= highest), values, 0).astype(np.int64)
    size = max(max(table) + 1, int(np.iinfo(values.dtype).max) + 1 if values.dtype.kind == "u" else 0)
    ranks: np.ndarray = np.zeros(size, np.uint16)
    for value, rank in table.items():
        if value > 0:
            ranks[value] = rank
    return ranks[values]
