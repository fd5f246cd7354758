"""Sums over tiles and folds are those of nnU-Net, and running out of memory is survived where it can be."""

from __future__ import annotations

import pytest
import torch

from HNTargetSegLib.errors import TargetSegError
from HNTargetSegLib.models.sliding_window import FoldMean, TileSums, is_out_of_memory, tile_logits
from HNTargetSegLib.models.tiles import region_grid

CPU = torch.device("cpu")
WHOLE = (slice(0, 8), slice(0, 24), slice(0, 20))
GRID = region_grid((8, 24, 20), (8, 16, 16), 0.5, WHOLE)


class Doubling:
    """An engine whose logits are known: twice the input, and its negative."""

    name = "doubling"
    device = CPU

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures

    def __call__(self, tiles: torch.Tensor) -> torch.Tensor:
        if self.failures:
            self.failures -= 1
            raise RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 1 bytes.")
        return torch.cat([2 * tiles, -2 * tiles], dim=1)


def test_overlapping_tiles_give_their_weighted_mean() -> None:
    data = torch.rand(1, 8, 24, 20)
    seen = []
    logits = tile_logits(Doubling(), data, GRID, 2, (), lambda: seen.append(1))
    assert logits.dtype == torch.half
    # In the corners of a tile the weights are the smallest numbers of half precision, and so coarse.
    inner = (slice(2, 7), slice(4, 21), slice(4, 17))
    assert torch.allclose(logits[0][inner].float(), 2 * data[0][inner], atol=0.02)
    assert torch.equal(logits[0], -logits[1])
    assert len(seen) == len(GRID)


def test_a_tile_that_finds_no_memory_is_tried_once_more() -> None:
    data = torch.rand(1, 8, 24, 20)
    expected = tile_logits(Doubling(), data, GRID, 2, (1,), lambda: None)
    assert torch.equal(tile_logits(Doubling(failures=1), data, GRID, 2, (1,), lambda: None), expected)
    with pytest.raises(RuntimeError, match="not enough memory"):
        tile_logits(Doubling(failures=2), data, GRID, 2, (1,), lambda: None)


def test_other_errors_are_not_taken_for_lack_of_memory() -> None:
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory."))
    assert not is_out_of_memory(RuntimeError("size mismatch"))
    assert not is_out_of_memory(ValueError("not enough memory"))


def test_logits_without_limit_are_an_error() -> None:
    sums = TileSums.empty(2, GRID, CPU)
    for place in GRID:
        sums.add(torch.full((2, 8, 16, 16), 1e5), place)
    with pytest.raises(TargetSegError, match="without limit"):
        sums.mean()


def test_mean_of_logits_is_formed_in_half_precision_as_in_nnunet() -> None:
    folds = [torch.randn(3, 4, 5, 6).half() for _ in range(3)]
    expected = folds[0].clone()
    expected += folds[1]
    expected += folds[2]
    expected /= 3
    mean = FoldMean("logits")
    for fold in folds:
        mean.add(fold.clone())
    assert torch.equal(mean.result(), expected)


def test_mean_of_probabilities_has_the_mean_softmax() -> None:
    folds = [4 * torch.randn(3, 4, 5, 6).half() for _ in range(3)]
    expected = torch.stack([fold.float().softmax(0) for fold in folds]).mean(0)
    mean = FoldMean("softmax")
    for fold in folds:
        mean.add(fold.clone())
    assert torch.allclose(mean.result().float().softmax(0), expected, atol=2e-3)
    of_logits = torch.stack([fold.float() for fold in folds]).mean(0).softmax(0)
    assert not torch.allclose(of_logits, expected, atol=0.05)
