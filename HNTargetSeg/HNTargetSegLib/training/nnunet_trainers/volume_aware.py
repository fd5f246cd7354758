"""Trainers with losses by lesion size; nnU-Net finds them through ``nnUNet_extTrainer``.

Options arrive as JSON in the environment variable ``HNTARGETSEG_LOSS``: ``gamma``, ``normalisation``,
``reference_cc``, ``maximum``, and ``whole_lesions``: sizes of whole lesions, found once a case before patches are cut,
in place of those of the parts in each patch. The loss is in :mod:`HNTargetSegLib.training.losses`, so the package must
be installed where these train; a trained model is used without it.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from baseline import nnUNetTrainerHNTS

from HNTargetSegLib.training.losses.coded import CodedCases
from HNTargetSegLib.training.losses.dice_ce import (
    CodedTarget,
    SizeWeightedDeepSupervision,
    SizeWeightedDiceCE,
    WithInstanceTerm,
)
from HNTargetSegLib.training.losses.instance_terms import blob_term, cc_dice_ce_term
from HNTargetSegLib.training.losses.weights import InverseWeighting, VolumeAware, Weighting


class _SizeWeighted(nnUNetTrainerHNTS):
    """The baseline with a Dice that is weighted by lesion size."""

    def weighting(self) -> Weighting:
        """How sizes become weights."""
        raise NotImplementedError

    def _build_loss(self) -> Any:
        dice = {"batch_dice": self.configuration_manager.batch_dice, "smooth": 1e-5, "do_bg": False, "ddp": self.is_ddp}
        loss: Any = SizeWeightedDiceCE(self.weighting(), dice, ignore_label=self.label_manager.ignore_label)
        if _options().get("whole_lesions"):
            loss = CodedTarget(loss)
        stock = super()._build_loss()
        return SizeWeightedDeepSupervision(loss, stock.weight_factors) if self.enable_deep_supervision else loss

    def get_tr_and_val_datasets(self) -> tuple[Any, Any]:
        """As nnU-Net; training cases carry the weights of whole lesions if the options ask for it."""
        training, validation = super().get_tr_and_val_datasets()
        if _options().get("whole_lesions"):
            weighting = self.weighting()
            kept = (
                f"{self.plans_manager.plans_name}.weights-{hashlib.sha256(repr(weighting).encode()).hexdigest()[:12]}"
            )
            training.load_case = CodedCases(
                training.load_case, weighting, Path(self.preprocessed_dataset_folder_base) / kept
            )
        return training, validation


class nnUNetTrainerHNTSDual(_SizeWeighted):
    """Volume-aware Dice on primary tumour and lymph nodes: the paper's dual mask (a reconstruction)."""

    labels: tuple[int, ...] = (1, 2)

    def weighting(self) -> Weighting:
        """Volume-aware weights under the options of the environment."""
        options = {name: value for name, value in _options().items() if name != "whole_lesions"}
        reference_cc = options.pop("reference_cc", None)
        if reference_cc is not None:
            voxel_cc = float(np.prod(self.configuration_manager.spacing)) / 1000.0
            options["reference_voxels"] = reference_cc / voxel_cc
        return VolumeAware(labels=self.labels, **options)


class nnUNetTrainerHNTSSelective(nnUNetTrainerHNTSDual):
    """Volume-aware Dice on lymph nodes alone: the paper's selective LN mask (a reconstruction)."""

    labels = (2,)


class nnUNetTrainerHNTSInverse(_SizeWeighted):
    """Inverse weighting (arXiv 2007.10033) in the Dice, for comparison."""

    def weighting(self) -> Weighting:
        """Each lesion, and the background, counts the same."""
        return InverseWeighting()


class nnUNetTrainerHNTSBlob(nnUNetTrainerHNTS):
    """nnU-Net's loss twice and the blob loss once, as its authors weigh them, for comparison."""

    def _build_loss(self) -> Any:
        return WithInstanceTerm(super()._build_loss(), blob_term, base_weight=2.0)


class nnUNetTrainerHNTSCCDiceCE(nnUNetTrainerHNTS):
    """nnU-Net's loss and CC-DiceCE (arXiv 2511.17146), for comparison."""

    def _build_loss(self) -> Any:
        return WithInstanceTerm(super()._build_loss(), cc_dice_ce_term)


def _options() -> dict[str, Any]:
    options: dict[str, Any] = json.loads(os.environ.get("HNTARGETSEG_LOSS", "{}"))
    return options
