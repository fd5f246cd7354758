"""The coarse split of a mask is exact."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from HNTargetSegLib.components.regions import separate_regions


def test_every_voxel_is_in_exactly_one_region_and_no_component_is_cut():
    rng = np.random.default_rng(1)
    for share in (0.0005, 0.003, 0.02):
        mask = rng.random((29, 50, 43)) < share
        whole, _ = ndimage.label(mask, np.ones((3, 3, 3)))
        counted = np.zeros(mask.shape, int)
        seen: list[int] = []
        for box, crop in separate_regions(mask):
            counted[box] += crop
            seen += np.unique(whole[box][crop]).tolist()
        assert np.array_equal(counted, mask)
        assert len(seen) == len(set(seen)) == whole.max()


def test_a_ring_and_the_island_inside_it_are_two_regions():
    mask = np.zeros((8, 72, 72), bool)
    mask[0, 0, :] = mask[0, -1, :] = mask[0, :, 0] = mask[0, :, -1] = True
    mask[4, 36, 36] = True
    sizes = sorted(int(crop.sum()) for _, crop in separate_regions(mask))
    assert sizes == [1, 4 * 71]


def test_an_empty_mask_has_no_region():
    assert list(separate_regions(np.zeros((3, 3, 3), bool))) == []
