"""Voxel weights by lesion size: the volume-aware weighting (a reconstruction) and inverse weighting.

The paper that introduces the volume-aware Dice for HNTS-MRG (Beirami et al., arXiv 2604.10130) prints no formula. What
is here is a reconstruction from its description and from its relatives; the defaults are ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.training.losses.instances import Instances, find_instances

Normalisation = Literal["mass", "reference"]

INVERSE_LIMITS = (1.0, 2e5)
"""Clipping range of inverse weighting in its authors' code."""


@dataclass(frozen=True)
class VolumeAware:
    """Weights that let small lesions count more in a label's Dice.

    Attributes
    ----------
    labels
        Labels that are weighted: (1, 2) is the paper's dual mask, (2,) its selective LN mask.
    gamma
        Exponent from 0 (ordinary Dice) to 1 (each lesion of a label counts the same).
    normalisation
        ``mass``: a label keeps its total weight, so that the cost of a false positive stays as it was.
        ``reference``: lesions under ``reference_voxels`` are raised and none is lowered.
    reference_voxels
        Size that keeps its weight under ``reference``.
    maximum
        Largest weight; None is no limit.

    Raises
    ------
    BadInputError
        If a value is out of its range.
    """

    labels: tuple[int, ...] = (1, 2)
    gamma: float = 0.5
    normalisation: Normalisation = "mass"
    reference_voxels: float | None = None
    maximum: float | None = 10.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.gamma <= 1.0:
            raise BadInputError(
                f"gamma {self.gamma} is not between 0 and 1", remedy="0 is ordinary Dice, 0.5 the default"
            )
        if self.normalisation not in get_args(Normalisation):
            raise BadInputError(f"There is no normalisation '{self.normalisation}'", remedy="Choose mass or reference")
        if self.normalisation == "reference" and not (self.reference_voxels or 0) > 0:
            raise BadInputError("The normalisation 'reference' needs the size that keeps its weight")
        if self.maximum is not None and not self.maximum >= 1:
            raise BadInputError(f"The largest weight {self.maximum} is under 1")
        if not self.labels or any(label < 1 for label in self.labels):
            raise BadInputError(f"{self.labels} are no labels to weight", remedy="Give 1 (PT), 2 (LN) or both")

    def lesion_weights(self, voxels: np.ndarray) -> np.ndarray:
        """Weight of each lesion of a label from their sizes in voxels."""
        if not len(voxels):
            return np.ones(0)
        if self.normalisation == "reference":
            weights = np.maximum((float(self.reference_voxels or 1.0) / voxels) ** self.gamma, 1.0)
        else:
            raw = voxels**-self.gamma
            weights = raw * voxels.sum() / (raw * voxels).sum()
        return weights if self.maximum is None else np.minimum(weights, self.maximum)

    def voxel_weights(self, instances: Instances) -> np.ndarray:
        """Weight of each voxel for one label, float32: its lesion's, and 1 elsewhere."""
        return _looked_up(1.0, self.lesion_weights(instances.voxels), instances)


@dataclass(frozen=True)
class InverseWeighting:
    """Inverse weighting of Shirokikh et al. (arXiv 2007.10033): each lesion, and the background, counts the same.

    Attributes
    ----------
    labels
        Labels that are weighted.
    limits
        Weights are clipped to this range, as the authors' code does; None clips nothing.
    """

    labels: tuple[int, ...] = (1, 2)
    limits: tuple[float, float] | None = INVERSE_LIMITS

    def voxel_weights(self, instances: Instances) -> np.ndarray:
        """Weight of each voxel for one label, float32; everything that is not of the label is background."""
        total, parts = float(instances.ids.size), instances.count + 1
        if parts == 1:
            return np.ones(instances.ids.shape, np.float32)
        background = total / (parts * max(total - instances.voxels.sum(), 1.0))
        weights = total / (parts * instances.voxels)
        if self.limits is not None:
            background, weights = float(np.clip(background, *self.limits)), np.clip(weights, *self.limits)
        return _looked_up(background, weights, instances)


Weighting = VolumeAware | InverseWeighting


def weight_map(target: np.ndarray, weighting: Weighting, labels: int) -> np.ndarray:
    """Weights of a batch.

    Parameters
    ----------
    target
        Whole numbers, shape (b, k, j, i).
    weighting
        How sizes become weights.
    labels
        Number of labels, background not counted.

    Returns
    -------
    numpy.ndarray
        float32, shape (b, labels, k, j, i); 1 for labels that are not weighted.
    """
    weights = np.ones((target.shape[0], labels, *target.shape[1:]), np.float32)
    for sample, patch in zip(weights, target, strict=True):
        for label in weighting.labels:
            instances = find_instances(patch == label)
            if instances.count:
                sample[label - 1] = weighting.voxel_weights(instances)
    return weights


def _looked_up(background: float, weights: np.ndarray, instances: Instances) -> np.ndarray:
    table = np.concatenate([[background], weights]).astype(np.float32)
    looked_up: np.ndarray = table[instances.ids]
    return looked_up
