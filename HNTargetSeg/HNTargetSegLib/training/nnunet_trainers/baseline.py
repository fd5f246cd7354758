"""The baseline trainer: nnU-Net's own loss, with the length and augmentation that a preset asks for.

nnU-Net finds this file through ``nnUNet_extTrainer`` and imports it by its bare name, so it imports nothing of the
package but the files beside it, by their bare names too; where a prior is drawn, it asks the package to. The preset
arrives as JSON in the environment variable ``HNTARGETSEG_SCHEDULE`` and the prior in ``HNTARGETSEG_PRIOR``, because
nnU-Net builds trainers by itself.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from batchgenerators.dataloading.nondet_multi_threaded_augmenter import NonDetMultiThreadedAugmenter
from image_channel import on_image_alone
from live_log import LiveLog
from nnunetv2.paths import nnUNet_raw
from nnunetv2.training.lr_scheduler.polylr import PolyLRScheduler
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

_ATTRIBUTES = {
    "epochs": "num_epochs",
    "iterations": "num_iterations_per_epoch",
    "validation_iterations": "num_val_iterations_per_epoch",
    "save_every": "save_every",
    "foreground_share": "oversample_foreground_percent",
}


class nnUNetTrainerHNTS(nnUNetTrainer):
    """nnU-Net's trainer under a preset's schedule; on the CPU its convolutions may run in bfloat16."""

    def __init__(
        self,
        plans: dict[str, Any],
        configuration: str,
        fold: int,
        dataset_json: dict[str, Any],
        device: torch.device = torch.device("cuda"),  # noqa: B008 - nnU-Net's own signature
    ) -> None:
        super().__init__(plans, configuration, fold, dataset_json, device)
        self.schedule: dict[str, Any] = json.loads(os.environ.get("HNTARGETSEG_SCHEDULE", "{}"))
        for ours, theirs in _ATTRIBUTES.items():
            setattr(self, theirs, self.schedule.get(ours, getattr(self, theirs)))
        if self.schedule.get("threads"):
            torch.set_num_threads(self.schedule["threads"])
        self.live_log = LiveLog(self.output_folder)

    def configure_rotation_dummyDA_mirroring_and_inital_patch_size(self) -> tuple[Any, ...]:
        """As nnU-Net, with the schedule's mirror axes."""
        rotation, dummy_2d, patch_size, mirror_axes = (
            super().configure_rotation_dummyDA_mirroring_and_inital_patch_size()
        )
        chosen = self.schedule.get("mirror_axes")
        if chosen is not None:
            mirror_axes = tuple(chosen)
            self.inference_allowed_mirroring_axes = mirror_axes
        return rotation, dummy_2d, patch_size, mirror_axes

    def configure_optimizers(self) -> tuple[Any, Any]:
        """As nnU-Net, or AdamW under the same polynomial decay."""
        rate = self.schedule.get("adamw_rate")
        if rate is None:
            return super().configure_optimizers()
        optimizer = torch.optim.AdamW(self.network.parameters(), rate, weight_decay=self.weight_decay)
        return optimizer, PolyLRScheduler(optimizer, rate, self.num_epochs)

    def get_dataloaders(self) -> tuple[Any, Any]:
        """As nnU-Net, with seeded loaders if the schedule has a seed."""
        self._seed_process(self.current_epoch)
        loaders = super().get_dataloaders()
        if self._seed is not None:
            for number, loader in enumerate(loaders):
                # nnU-Net starts its workers unseeded. Without workers this process draws, and is seeded.
                if isinstance(loader, NonDetMultiThreadedAugmenter):
                    # The epoch is part of it: a training that goes on shall not see its first patches again.
                    loader.seeds = _seeds((self._seed, self.current_epoch, number), loader.num_processes)
                    loader.restart()
        return loaders

    def get_tr_and_val_datasets(self) -> tuple[Any, Any]:
        """As nnU-Net; the priors of training cases are drawn each time if the recipe asks for it."""
        training, validation = super().get_tr_and_val_datasets()
        recipe = json.loads(os.environ.get("HNTARGETSEG_PRIOR", "{}"))
        if recipe.get("draws"):
            from HNTargetSegLib.training.prior_draws import DrawnPriors
            from HNTargetSegLib.training.prior_recipe import recipe_from_dict

            priors = Path(nnUNet_raw) / self.plans_manager.dataset_name / "priors.json"
            training.load_case = DrawnPriors(
                training.load_case,
                priors,
                recipe_from_dict(recipe),
                self.plans_manager.transpose_forward,
                self.configuration_manager.spacing,
            )
        return training, validation

    @staticmethod
    def get_training_transforms(*arguments: Any, **options: Any) -> Any:
        """As nnU-Net; noise, blur and contrast leave a drawn prior alone, which is no image."""
        transforms = nnUNetTrainer.get_training_transforms(*arguments, **options)
        if json.loads(os.environ.get("HNTARGETSEG_PRIOR", "{}")).get("draws"):
            return on_image_alone(transforms)
        return transforms

    def save_checkpoint(self, filename: str) -> None:
        """As nnU-Net, but whole or not at all, and under the name of the stock trainer.

        The networks are nnU-Net's own, so that stock nnU-Net predicts with what is saved; going on with a training
        does not look at the name.
        """
        temporary = f"{filename}.writing"
        super().save_checkpoint(temporary)
        # Another process of several writes it, or none does.
        if self.local_rank == 0 and not self.disable_checkpointing:
            content = torch.load(temporary, map_location="cpu", weights_only=False)
            torch.save({**content, "trainer_name": nnUNetTrainer.__name__}, temporary)
            os.replace(temporary, filename)

    def on_epoch_end(self) -> None:
        """As nnU-Net, and one more entry in the live log."""
        epoch = self.current_epoch
        super().on_epoch_end()
        if self.local_rank != 0:
            return
        names = {value: name for name, value in self.dataset_json["labels"].items() if isinstance(value, int)}
        dice = self.logger.get_value("dice_per_class_or_region", -1)
        values = {
            "loss/training": self.logger.get_value("train_losses", -1),
            "loss/validation": self.logger.get_value("val_losses", -1),
            "learning rate": self.logger.get_value("lrs", -1),
        }
        for number, value in zip(self.label_manager.foreground_labels, dice, strict=True):
            values[f"pseudo Dice/{names.get(number, number)}"] = value
        self.live_log.write(epoch, values)

    def perform_actual_validation(self, save_probabilities: bool = False) -> None:
        """As nnU-Net, unless the schedule says that the training goes on."""
        if self.schedule.get("validate", True):
            super().perform_actual_validation(save_probabilities)

    @property
    def _seed(self) -> int | None:
        return self.schedule.get("seed")

    def _seed_process(self, epoch: int) -> None:
        if self._seed is not None:
            (seed,) = _seeds((self._seed, epoch), 1)
            np.random.seed(seed)
            torch.manual_seed(seed)

    def initialize(self) -> None:
        """As nnU-Net, then let the network's forward pass run in bfloat16 if the schedule asks for it on the CPU."""
        already = self.was_initialized
        if not already:
            self._seed_process(0)
        super().initialize()
        if not already and self.device.type == "cpu" and self.schedule.get("cpu_bf16", False):
            self.network.forward = _in_bfloat16(self.network.forward)


def _seeds(entropy: tuple[int, ...], count: int) -> list[int]:
    return [int(word) for word in np.random.SeedSequence(entropy).generate_state(count)]


def _in_bfloat16(forward: Any) -> Any:
    # Only the forward pass is cast: nnU-Net's train_step stays as it is, and the loss sees float32.
    def cast_forward(data: torch.Tensor) -> torch.Tensor | list[torch.Tensor]:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            output = forward(data)
        return [level.float() for level in output] if isinstance(output, (list, tuple)) else output.float()

    return cast_forward
