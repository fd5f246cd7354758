"""The toy of the golden table: one label, two lesions of 8 and 64 voxels in 20^3."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch


@dataclass(frozen=True)
class Toy:
    """Masks of the two lesions and of ten false-positive voxels."""

    small: np.ndarray
    big: np.ndarray
    false: np.ndarray

    @property
    def truth(self) -> np.ndarray:
        return self.small | self.big

    @property
    def predictions(self) -> dict[str, np.ndarray]:
        return {"B": self.big, "S": self.small, "A": self.truth, "F": self.truth | self.false}


@pytest.fixture
def toy() -> Toy:
    masks = [np.zeros((20, 20, 20), bool) for _ in range(3)]
    masks[0][2:4, 2:4, 2:4] = True
    masks[1][10:14, 10:14, 10:14] = True
    masks[2][17, 17, 2:12] = True
    return Toy(*masks)


def logits_of(*masks: np.ndarray, channels: int | None = None) -> torch.Tensor:
    """Logits whose softmax is 1 inside each label's mask and 0 elsewhere, to float32's precision."""
    labels = np.zeros(masks[0].shape, np.int64)
    for label, mask in enumerate(masks, start=1):
        labels[mask] = label
    one_hot = torch.nn.functional.one_hot(torch.from_numpy(labels), channels or len(masks) + 1)
    return one_hot.movedim(-1, 0)[None].float() * 200.0


def target_of(*masks: np.ndarray) -> torch.Tensor:
    """Target (1, 1, k, j, i)."""
    labels = np.zeros(masks[0].shape, np.float32)
    for label, mask in enumerate(masks, start=1):
        labels[mask] = label
    return torch.from_numpy(labels)[None, None]
