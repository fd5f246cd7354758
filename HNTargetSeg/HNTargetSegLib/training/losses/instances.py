"""Lesions of a training patch: which voxel belongs to which, and how large each is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_CORNERS: np.ndarray = np.ones((3, 3, 3), bool)


@dataclass(frozen=True, eq=False)
class Instances:
    """Lesions of one label in one patch.

    Attributes
    ----------
    ids
        0 outside, 1 to K inside; int32, shape of the patch.
    voxels
        Size of lesion 1 to K; float64, length K.
    """

    ids: np.ndarray
    voxels: np.ndarray

    @property
    def count(self) -> int:
        """K."""
        return len(self.voxels)


def find_instances(mask: np.ndarray) -> Instances:
    """Connected components of a boolean patch (k, j, i), with 26 neighbours."""
    from scipy import ndimage

    ids = np.zeros(mask.shape, np.int32)
    box = _bounding_box(mask)
    if box is None:
        return Instances(ids, np.zeros(0))
    inside, count = ndimage.label(mask[box], structure=_CORNERS)
    ids[box] = inside
    return Instances(ids, np.bincount(inside.ravel(), minlength=count + 1)[1:].astype(float))


def nearest_instance(instances: Instances) -> np.ndarray:
    """Id of the lesion that is nearest to each voxel (Euclidean, in voxels), int32; all 0 where there is no lesion."""
    from scipy import ndimage

    if instances.count < 2:
        return np.full(instances.ids.shape, instances.count, np.int32)
    nearest = ndimage.distance_transform_edt(instances.ids == 0, return_distances=False, return_indices=True)
    cells: np.ndarray = instances.ids[tuple(nearest)]
    return cells


def _bounding_box(mask: np.ndarray) -> tuple[slice, ...] | None:
    """Smallest box round the true voxels; None where there is none."""
    slices = []
    for axis in range(mask.ndim):
        line = np.flatnonzero(mask.any(axis=tuple(other for other in range(mask.ndim) if other != axis)))
        if not len(line):
            return None
        slices.append(slice(int(line[0]), int(line[-1]) + 1))
    return tuple(slices)
