"""A lesion and what lies round it, cut out of its visit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.lesions.lesion import Bounds, Lesion, LesionSet


def surroundings(image: Volume, lesions: LesionSet, lesion: Lesion, around_mm: float) -> tuple[Volume, LesionSet]:
    """Image and lesions within a distance of a lesion's bounding box, as far as the image goes.

    Parameters
    ----------
    image, lesions
        On one grid.
    lesion
        One of ``lesions``.
    around_mm
        Margin on each side.
    """
    shape, spacing = image.geometry.shape, image.geometry.spacing_kji
    box = []
    for (start, stop), size, step in zip(lesion.box, shape, spacing, strict=True):
        margin = round(around_mm / step)
        box.append((max(0, start - margin), min(size, stop + margin)))
    k, j, i = box
    return _cut(image, (k, j, i)), _cut_lesions(lesions, (k, j, i))


def _cut(volume: Volume, box: Bounds) -> Volume:
    k, j, i = (slice(*bounds) for bounds in box)
    crop = volume.array[k, j, i]
    grid = volume.geometry
    first = grid.to_lps(np.array([start for start, _ in box]))
    size = crop.shape[::-1]
    geometry = Geometry(size, grid.spacing, tuple(float(value) for value in first), grid.direction)  # type: ignore[arg-type]
    return Volume(crop, geometry, volume.name)


def _cut_lesions(lesions: LesionSet, box: Bounds) -> LesionSet:
    ids = _cut(lesions.ids, box)
    moved = []
    for lesion in lesions:
        bounds = [
            (max(0, start - low), min(high, stop) - low)
            for (start, stop), (low, high) in zip(lesion.box, box, strict=True)
        ]
        inside = all(start < stop for start, stop in bounds)
        if inside and lesion.voxels:
            k, j, i = bounds
            moved.append(replace(lesion, box=(k, j, i)))
    return LesionSet(ids, tuple(moved))
