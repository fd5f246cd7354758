"""Label and weight of a voxel in one whole number, so that weights travel through nnU-Net's loaders with the labels.

Weights of whole lesions, found before patches are cut and turned, and found once a case and not in each step.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.files import replacing
from HNTargetSegLib.training.losses.instances import find_instances
from HNTargetSegLib.training.losses.weights import Weighting

_STEP = 1.002
"""Weights are rounded to powers of this number, within 0.1 %."""

_LABELS = 4
_LIMIT = 8191
"""Largest power that fits into 16 bits beside the label."""


def with_weights(labels: np.ndarray, weighting: Weighting) -> np.ndarray:
    """Code a case: ``label + 4 * power`` where a voxel of a weighted lesion weighs ``1.002 ** power``.

    Parameters
    ----------
    labels
        Whole numbers from -1 (outside the image, as nnU-Net's preprocessing has it) to 3, shape (k, j, i).
    weighting
        How lesion sizes become weights; the sizes are those of whole lesions.

    Returns
    -------
    numpy.ndarray
        int16; the labels themselves wherever the weight is 1.

    Raises
    ------
    BadInputError
        If a label does not fit, or a weight is beyond what 16 bits hold (about 1e-7 to 1e7).
    """
    if labels.min() < -1 or labels.max() >= _LABELS:
        raise BadInputError(f"Labels from {labels.min()} to {labels.max()} cannot be coded with weights")
    coded: np.ndarray = labels.astype(np.int16)
    for label in weighting.labels:
        instances = find_instances(labels == label)
        if not instances.count:
            continue
        powers = np.rint(np.log(weighting.voxel_weights(instances)) / np.log(_STEP))
        if np.abs(powers).max() > _LIMIT:
            raise BadInputError("A lesion's weight is too large or too small to be carried; give a maximum")
        inside = instances.ids > 0
        coded[inside] = label + _LABELS * powers[inside].astype(np.int16)
    return coded


def labels_and_weights(coded: torch.Tensor, labels: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Undo :func:`with_weights` for a target.

    Parameters
    ----------
    coded
        Shape (b, 1, k, j, i), on any scale; plain labels have weight 1.
    labels
        Number of labels, background not counted.

    Returns
    -------
    torch.Tensor, torch.Tensor
        Labels of the same shape, and weights, float32 of shape (b, labels, k, j, i).
    """
    whole = coded.to(torch.int32)
    label = torch.remainder(whole, _LABELS)
    weight = torch.pow(_STEP, torch.div(whole - label, _LABELS, rounding_mode="floor").float())
    of_label = torch.arange(1, labels + 1, device=coded.device).view(1, -1, 1, 1, 1) == label
    return label, torch.where(of_label, weight, torch.ones_like(weight))


class CodedCases:
    """Cases of nnU-Net's data set whose labels carry weights, coded once each and kept on disk.

    Parameters
    ----------
    load_case
        nnU-Net's own: gives image, segmentation (1, k, j, i), the previous stage's and properties of a case.
    weighting
        How lesion sizes become weights.
    folder
        Where coded segmentations are kept; one folder a weighting.
    """

    def __init__(self, load_case: Callable[[str], Any], weighting: Weighting, folder: Path) -> None:
        self._load_case = load_case
        self._weighting = weighting
        self._folder = folder

    def __call__(self, case: str) -> tuple[Any, Any, Any, Any]:
        """A case as nnU-Net's data set gives it, with the coded segmentation."""
        data, segmentation, previous, properties = self._load_case(case)
        path = self._folder / f"{case}.npy"
        if not path.exists():
            # Two loaders may code a case at once; both write the same and the last one's file stays.
            with replacing(path) as temporary, open(temporary, "wb") as stream:
                np.save(stream, with_weights(np.asarray(segmentation[0]), self._weighting)[None])
        return data, np.load(path, mmap_mode="r"), previous, properties
