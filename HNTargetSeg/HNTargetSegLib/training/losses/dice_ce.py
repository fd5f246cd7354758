"""nnU-Net's Dice and cross-entropy loss with voxel weights by lesion size in the Dice term."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from nnunetv2.training.loss.compound_losses import DC_and_CE_loss
from nnunetv2.training.loss.deep_supervision import DeepSupervisionWrapper
from nnunetv2.training.loss.dice import MemoryEfficientSoftDiceLoss

from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.training.losses.coded import labels_and_weights
from HNTargetSegLib.training.losses.weights import VolumeAware, Weighting, weight_map


class SizeWeightedDiceCE(DC_and_CE_loss):
    """DC_and_CE_loss of nnU-Net whose Dice weights each voxel by its lesion's size; the cross-entropy is unchanged.

    For label l with weights w: Dice_l = (2 sum(w p g) + s) / (sum(w p) + sum(w g) + s). A reconstruction, see
    :mod:`HNTargetSegLib.training.losses.weights`.

    Parameters
    ----------
    weighting
        How lesion sizes become weights.
    short_cut
        Leave the weights out where they are all 1 (gamma 0), which is nnU-Net's own loss to the last bit.
    soft_dice_kwargs, ce_kwargs, others
        As of nnU-Net's class; ``dice_class`` is its memory-efficient one, which takes a map of weights.
    """

    def __init__(
        self,
        weighting: Weighting,
        soft_dice_kwargs: dict[str, Any],
        ce_kwargs: dict[str, Any] | None = None,
        *,
        short_cut: bool = True,
        **others: Any,
    ) -> None:
        super().__init__(soft_dice_kwargs, ce_kwargs or {}, dice_class=MemoryEfficientSoftDiceLoss, **others)
        self.weighting = weighting
        self.short_cut = short_cut

    @property
    def weighs(self) -> bool:
        """Whether weights are computed at all."""
        return not (self.short_cut and isinstance(self.weighting, VolumeAware) and self.weighting.gamma == 0)

    def weights(self, target: torch.Tensor, labels: int) -> torch.Tensor | None:
        """Weights of a target (b, 1, k, j, i): float32 of shape (b, labels, k, j, i) on its device, or None."""
        if not self.weighs:
            return None
        # Components are found on the CPU; labels are small whole numbers.
        array: np.ndarray = target[:, 0].detach().to("cpu", torch.int16).numpy()
        return torch.from_numpy(weight_map(array, self.weighting, labels)).to(target.device)

    def forward(
        self, net_output: torch.Tensor, target: torch.Tensor, weights: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Loss of logits (b, 1 + labels, k, j, i) and target (b, 1, k, j, i); ``weights`` if known already."""
        if not self.weighs:
            return super().forward(net_output, target)
        if weights is None:
            weights = self.weights(target, net_output.shape[1] - 1)
        labelled, mask = target, weights
        if self.ignore_label is not None:
            known = target != self.ignore_label
            labelled, mask = torch.where(known, target, 0), weights * known
        loss = self.weight_dice * self.dc(net_output, labelled, loss_mask=mask)
        if self.weight_ce and (self.ignore_label is None or bool(known.any())):
            loss = loss + self.weight_ce * self.ce(net_output, target[:, 0])
        return loss


class SizeWeightedDeepSupervision(DeepSupervisionWrapper):
    """Deep supervision that finds lesions once, at full resolution, and carries their weights down to each scale.

    A lesion that falls apart or vanishes in a coarse target keeps its true size. The weights are sampled as nnU-Net
    samples the targets.
    """

    def forward(self, outputs: Sequence[torch.Tensor], targets: Sequence[torch.Tensor]) -> torch.Tensor:
        """Weighted sum over the scales; the first is the finest."""
        labels = outputs[0].shape[1] - 1
        finest = self.loss.weights(targets[0], labels)
        losses = []
        for factor, output, target in zip(self.weight_factors, outputs, targets, strict=True):
            if factor:
                losses.append(factor * self.loss(output, target, carried_down(finest, target.shape[2:])))
        return sum(losses[1:], losses[0])


class WithInstanceTerm(torch.nn.Module):
    """A loss plus a term over single lesions at full resolution.

    Parameters
    ----------
    base
        Loss of outputs and targets as nnU-Net hands them over: lists under deep supervision, tensors without.
    term
        Function of logits and target of the finest scale.
    base_weight, term_weight
        Their shares.
    """

    def __init__(
        self,
        base: torch.nn.Module,
        term: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
        *,
        base_weight: float = 1.0,
        term_weight: float = 1.0,
    ) -> None:
        super().__init__()
        self.base = base
        self.term = term
        self.base_weight = base_weight
        self.term_weight = term_weight

    def forward(self, output: Any, target: Any) -> torch.Tensor:
        """Sum of both."""
        finest = (output[0], target[0]) if isinstance(output, (list, tuple)) else (output, target)
        return self.base_weight * self.base(output, target) + self.term_weight * self.term(*finest)


def carried_down(weights: torch.Tensor | None, shape: Sequence[int]) -> torch.Tensor | None:
    """Weights (b, labels, k, j, i) at a coarser scale's voxels."""
    if weights is None or tuple(weights.shape[2:]) == tuple(shape):
        return weights
    return torch.nn.functional.interpolate(weights, tuple(shape), mode="nearest-exact")


class CodedTarget(torch.nn.Module):
    """A size-weighted loss of targets that carry their weights, see :mod:`HNTargetSegLib.training.losses.coded`.

    Plain targets, as in validation, are weighted by the lesions' sizes in the patch.

    Parameters
    ----------
    loss
        Is given labels and weights; it must not ignore a label.
    """

    def __init__(self, loss: SizeWeightedDiceCE) -> None:
        super().__init__()
        if loss.ignore_label is not None:
            raise BadInputError("Weights of whole lesions cannot be carried where a label is ignored")
        self.loss = loss

    def weights(self, target: torch.Tensor, labels: int) -> torch.Tensor | None:
        """Weights where the target carries none, else None: each scale's target has its own."""
        return None if _is_coded(target) else self.loss.weights(target, labels)

    def forward(
        self, net_output: torch.Tensor, target: torch.Tensor, weights: torch.Tensor | None = None
    ) -> torch.Tensor:
        """As :meth:`SizeWeightedDiceCE.forward`."""
        if weights is None and _is_coded(target):
            target, weights = labels_and_weights(target, net_output.shape[1] - 1)
        loss: torch.Tensor = self.loss(net_output, target, weights)
        return loss


def _is_coded(target: torch.Tensor) -> bool:
    return target.dtype == torch.int16 and not bool(((target >= 0) & (target < 4)).all())
