"""What the volume-aware loss adds to a training step of the demo preset on the CPU, beside nnU-Net's own loss."""

from __future__ import annotations

import time
from collections.abc import Sequence
from statistics import median

import numpy as np
import torch
from nnunetv2.training.loss.compound_losses import DC_and_CE_loss
from nnunetv2.training.loss.deep_supervision import DeepSupervisionWrapper
from nnunetv2.training.loss.dice import MemoryEfficientSoftDiceLoss
from nnunetv2.utilities.get_network_from_plans import get_network_from_plans
from Testing.benchmarks.setting import SEED, Setting
from Testing.benchmarks.table import Row, at_most

from HNTargetSegLib.phantom import generate_patient
from HNTargetSegLib.training.losses.dice_ce import SizeWeightedDeepSupervision, SizeWeightedDiceCE
from HNTargetSegLib.training.losses.weights import VolumeAware
from HNTargetSegLib.training.presets import preset

_DICE = {"batch_dice": False, "smooth": 1e-5, "do_bg": False, "ddp": False}
_ALLOWED = 1.05
_PAIRS = 9


def run(setting: Setting) -> list[Row]:
    """Steps with either loss in turn, so that both see the same machine; the median of the pairs' ratios counts."""
    step = _Step()
    losses = {"ours": _volume_aware(step.scales), "theirs": _stock(step.scales)}
    # The first step of each allocates.
    for loss in losses.values():
        step(loss)
    seconds = {name: [] for name in losses}
    alone = {name: [] for name in losses}
    for _ in range(max(_PAIRS, 3 * setting.repeats)):
        for name, loss in losses.items():
            seconds[name].append(step(loss))
            alone[name].append(step.loss_alone(loss))
    ratio = median(ours / theirs for ours, theirs in zip(seconds["ours"], seconds["theirs"], strict=True))
    added = median(ours - theirs for ours, theirs in zip(alone["ours"], alone["theirs"], strict=True))
    step_seconds = median(seconds["theirs"])
    return [
        Row("training step, nnU-Net's loss", step_seconds),
        at_most("training step, volume-aware loss", ratio, _ALLOWED, "x nnU-Net's"),
        Row("volume-aware loss, forward alone, more than nnU-Net's", added),
        at_most("  as a share of the step", added / step_seconds, _ALLOWED - 1, ""),
    ]


class _Step:
    """One training step as the demo preset's trainer does it, on a batch with lesions."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        chosen = preset("demo").overrides
        network = chosen["architecture"]
        self.network = get_network_from_plans(
            network["network_class_name"],
            network["arch_kwargs"],
            network["_kw_requires_import"],
            1,
            3,
            allow_init=True,
            deep_supervision=True,
        )
        self.optimizer = torch.optim.AdamW(self.network.parameters(), 1e-3)
        image, labels = _batch(chosen["batch_size"], chosen["patch_size"])
        self.data = torch.from_numpy(image)
        with torch.no_grad():
            self.outputs = [output.float() for output in self.network(self.data)]
        self.scales = len(self.outputs)
        target = torch.from_numpy(labels)
        self.targets = [torch.nn.functional.interpolate(target, o.shape[2:], mode="nearest") for o in self.outputs]

    def __call__(self, loss: torch.nn.Module) -> float:
        begin = time.perf_counter()
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            outputs = self.network(self.data)
        loss([output.float() for output in outputs], self.targets).backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 12)
        self.optimizer.step()
        return time.perf_counter() - begin

    def loss_alone(self, loss: torch.nn.Module) -> float:
        begin = time.perf_counter()
        loss(self.outputs, self.targets)
        return time.perf_counter() - begin


def _batch(count: int, patch: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Patches (count, 1, k, j, i) of generated patients round their lesions."""
    images, labels = [], []
    for number in range(count):
        visit = generate_patient(SEED, number).pre
        middle = np.argwhere(visit.mask.array > 0).mean(axis=0)
        shape = visit.mask.array.shape
        first = [int(np.clip(m - p / 2, 0, n - p)) for m, p, n in zip(middle, patch, shape, strict=True)]
        box = tuple(slice(start, start + size) for start, size in zip(first, patch, strict=True))
        values = visit.image.array[box].astype(np.float32)
        images.append((values - values.mean()) / values.std())
        labels.append(visit.mask.array[box].astype(np.float32))
    return np.stack(images)[:, None], np.stack(labels)[:, None]


def _factors(scales: int) -> list[float]:
    weights: np.ndarray = np.array([0.5**level for level in range(scales)])
    weights[-1] = 0
    return list(weights / weights.sum())


def _stock(scales: int) -> torch.nn.Module:
    loss = DC_and_CE_loss(dict(_DICE), {}, dice_class=MemoryEfficientSoftDiceLoss)
    return DeepSupervisionWrapper(loss, _factors(scales))


def _volume_aware(scales: int) -> torch.nn.Module:
    return SizeWeightedDeepSupervision(SizeWeightedDiceCE(VolumeAware(), dict(_DICE)), _factors(scales))
