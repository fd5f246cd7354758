"""Published losses over single lesions, for comparison: blob loss and CC-DiceCE.

Formulas as their papers have them; what a paper leaves open for several labels is solved one label against the rest
and averaged over the labels that are present, which is our reading.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch

from HNTargetSegLib.training.losses.instances import Instances, find_instances, nearest_instance

SMOOTH = 1e-5


def blob_term(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean over the lesions of 1 - Dice of prediction and lesion with all other lesions masked out.

    Kofler et al., "blob loss" (IPMI 2023). Their total is 2 x global + 1 x this.

    Parameters
    ----------
    logits, target
        (b, 1 + labels, k, j, i) and (b, 1, k, j, i).

    Returns
    -------
    torch.Tensor
        Mean over the patches' labels that have lesions; 0 where there is none.
    """
    terms = []
    for probability, instances in _present(logits, target):
        inside = _summed(probability, torch.from_numpy(instances.ids), instances.count + 1)
        voxels = torch.as_tensor(instances.voxels, dtype=inside.dtype, device=inside.device)
        background, hits = inside[0], inside[1:]
        dice = (2 * hits + SMOOTH) / (background + hits + voxels + SMOOTH)
        terms.append(1 - dice.mean())
    return _mean(terms, logits)


def cc_dice_ce_term(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean over the lesions of Dice loss plus cross-entropy inside each lesion's Voronoi cell.

    CC-DiceCE (arXiv 2511.17146), without smoothing in this term. The total is global + this.

    Parameters and result are those of :func:`blob_term`.
    """
    terms = []
    for probability, instances in _present(logits, target):
        cells = torch.from_numpy(nearest_instance(instances))
        count = instances.count + 1
        lesion = torch.from_numpy(instances.ids > 0).to(probability.device)
        hits = _summed(probability * lesion, cells, count)[1:]
        predicted = _summed(probability, cells, count)[1:]
        voxels = torch.as_tensor(instances.voxels, dtype=hits.dtype, device=hits.device)
        entropy = torch.nn.functional.binary_cross_entropy(probability, lesion.to(probability.dtype), reduction="none")
        size = _summed(torch.ones_like(probability), cells, count)[1:]
        dice = 1 - 2 * hits / (predicted + voxels)
        terms.append((dice + _summed(entropy, cells, count)[1:] / size).mean())
    return _mean(terms, logits)


def _present(logits: torch.Tensor, target: torch.Tensor) -> Iterator[tuple[torch.Tensor, Instances]]:
    """Probability map and lesions of each patch's labels that are present."""
    probabilities = torch.softmax(logits.float(), dim=1)
    arrays = target[:, 0].detach().to("cpu", torch.int16).numpy()
    for sample, patch in zip(probabilities, arrays, strict=True):
        for label in range(1, logits.shape[1]):
            instances = find_instances(patch == label)
            if instances.count:
                # Keeps the cross-entropy of a saturated network finite, as its own logarithm does.
                yield sample[label].clamp(1e-7, 1 - 1e-7), instances


def _summed(values: torch.Tensor, ids: torch.Tensor, count: int) -> torch.Tensor:
    """Sum of the values by id, 0 to count - 1."""
    sums = torch.zeros(count, dtype=values.dtype, device=values.device)
    return sums.index_add(0, ids.reshape(-1).to(values.device, torch.int64), values.reshape(-1))


def _mean(terms: list[torch.Tensor], logits: torch.Tensor) -> torch.Tensor:
    # Not a constant: the graph must reach the network also when a batch has no lesion.
    return torch.stack(terms).mean() if terms else logits.sum() * 0.0
