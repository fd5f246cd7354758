"""Tiles lie where nnU-Net puts them, and a region takes those that matter."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from HNTargetSegLib.models.tiles import gaussian_weights, padding, region_grid, tile_starts


@pytest.mark.parametrize("step", [0.3, 0.5, 0.7, 1.0])
def test_tiles_start_where_nnunet_starts_them(step: float) -> None:
    from nnunetv2.inference.sliding_window_prediction import compute_steps_for_sliding_window

    for patch in (16, 48, 193):
        for size in range(patch, 3 * patch, 7):
            theirs = compute_steps_for_sliding_window((size,), (patch,), step)[0]
            assert list(tile_starts(size, patch, step)) == theirs


@pytest.mark.parametrize("patch", [(16, 64, 64), (7, 33, 20), (48, 192, 192)])
def test_gaussian_weights_equal_those_of_nnunet(patch: tuple[int, int, int]) -> None:
    from nnunetv2.inference.sliding_window_prediction import compute_gaussian

    theirs = compute_gaussian(patch, value_scaling_factor=10, device=torch.device("cpu"))
    ours = gaussian_weights(patch)
    assert ours.dtype == torch.half
    assert torch.equal(ours, theirs)


def test_tiles_come_in_the_order_of_nnunet_and_relative_to_their_box() -> None:
    grid = region_grid((8, 20, 16), (8, 16, 16), 0.5, (slice(0, 8), slice(0, 20), slice(0, 16)))
    assert [tuple(part.start for part in tile) for tile in grid] == [(0, 0, 0), (0, 4, 0)]
    assert grid.box == (slice(0, 8), slice(0, 20), slice(0, 16))
    assert len(grid) == 2


def test_shared_tiles_hold_every_tile_that_reaches_well_inside_the_region() -> None:
    patch, step, size = 32, 0.5, 200
    margin = patch * (1 - step) / 2
    every = tile_starts(size, patch, step)
    for first in range(0, 150, 11):
        region = slice(first, first + 50)
        chosen = region_grid((size,) * 3, (patch,) * 3, step, (region,) * 3).starts[0]
        assert set(chosen) <= set(every)
        low = 0 if first == 0 else first + margin
        for start in every:
            reaches = start < region.stop - margin and start + patch > low
            assert start in chosen or not reaches


def test_fewest_tiles_cover_the_region_inside_the_volume() -> None:
    patch, size = 32, 100
    for first, stop in ((0, 20), (5, 90), (85, 100), (40, 41)):
        grid = region_grid((size,) * 3, (patch,) * 3, 0.5, (slice(first, stop),) * 3, "fewest")
        box = grid.box[0]
        assert 0 <= box.start <= first
        assert stop <= box.stop <= size
    shared = region_grid((120, 512, 512), (48, 192, 192), 0.5, (slice(10, 106), slice(128, 384), slice(128, 384)))
    fewest = region_grid(
        (120, 512, 512), (48, 192, 192), 0.5, (slice(10, 106), slice(128, 384), slice(128, 384)), "fewest"
    )
    assert len(fewest) == 12
    assert len(shared) > 4 * len(fewest)


def test_padding_equals_that_of_nnunet() -> None:
    from acvl_utils.cropping_and_padding.padding import pad_nd_image

    image = np.random.default_rng(0).normal(size=(1, 9, 40, 13))
    patch = (16, 32, 20)
    theirs, inner = pad_nd_image(image, patch, "constant", {"constant_values": 0}, True, None)
    pads = padding(image.shape[1:], patch)
    assert np.array_equal(np.pad(image, [(0, 0), *pads]), theirs)
    assert [pad[0] for pad in pads] == [part.start for part in inner[1:]]
