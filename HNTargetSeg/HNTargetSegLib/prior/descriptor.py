"""MIND-SSC: what surrounds a voxel, in a form that does not depend on the contrast of the image.

Heinrich et al., "Towards realtime multimodal fusion for image-guided interventions using self-similarities",
MICCAI 2013: distances between pairs of neighbouring patches, not of a patch and its neighbours.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

CHANNELS = 12

_NEIGHBOURS = ((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1))
# Opposite neighbours are left out: they lie twice as far from each other.
_PAIRS = tuple((a, b) for a, b in combinations(_NEIGHBOURS, 2) if sum(x * y for x, y in zip(a, b, strict=True)) == 0)


def self_similarity(image: torch.Tensor) -> torch.Tensor:
    """MIND-SSC descriptor of an image.

    Parameters
    ----------
    image
        Shape (k, j, i), any scale of intensities.

    Returns
    -------
    torch.Tensor
        Shape (12, k, j, i), in [0, 1]; 1 everywhere where the image is flat.
    """
    import torch
    from torch.nn import functional

    padded = functional.pad(image[None, None], (1,) * 6, mode="replicate")[0, 0]
    shifted = {
        offset: padded[tuple(slice(1 + o, 1 + o + n) for o, n in zip(offset, image.shape, strict=True))]
        for offset in _NEIGHBOURS
    }
    squares = torch.stack([(shifted[a] - shifted[b]) ** 2 for a, b in _PAIRS])
    patches = functional.avg_pool3d(functional.pad(squares[None], (1,) * 6, mode="replicate"), 3, stride=1)[0]
    distances = patches - patches.amin(0, keepdim=True)
    noise = distances.mean(0, keepdim=True)
    usual = noise.mean().clamp_min(torch.finfo(image.dtype).tiny)
    return torch.exp(-distances / noise.clamp(usual * 1e-3, usual * 1e3))
