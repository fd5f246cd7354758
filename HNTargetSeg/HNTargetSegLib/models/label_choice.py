"""From logits to labels: a running maximum over the classes, or a threshold on the probability."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from HNTargetSegLib.models.options import PredictOptions


def most_probable(logits: torch.Tensor) -> torch.Tensor:
    """Index of the largest logit, the first one where several are equal.

    Equal to ``argmax`` over the first axis, in a tenth of its time.

    Parameters
    ----------
    logits
        Shape (classes, ...), any floating type without NaN.

    Returns
    -------
    torch.Tensor
        uint8, shape ``logits.shape[1:]``.
    """
    import torch

    best = logits[0]
    label = torch.zeros(best.shape, dtype=torch.uint8, device=logits.device)
    for index in range(1, len(logits)):
        # Strictly larger: the first class wins a tie.
        label.masked_fill_(logits[index] > best, index)
        best = torch.maximum(best, logits[index])
    return label


def probable_enough(logits: torch.Tensor, threshold: float) -> torch.Tensor:
    """Index of the most probable class but the first where its softmax exceeds ``threshold``, else 0; uint8."""
    probabilities = logits.float().softmax(0)
    best = most_probable(probabilities[1:]) + 1
    best.masked_fill_(probabilities[1:].amax(0) <= threshold, 0)
    return best


def choose_labels(logits: torch.Tensor, options: PredictOptions) -> torch.Tensor:
    """Labels, uint8, by the rule of the options."""
    if options.rule == "threshold":
        return probable_enough(logits, options.threshold)
    return most_probable(logits)
