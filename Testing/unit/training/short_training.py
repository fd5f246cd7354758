"""The shortest training that is one: two generated patients, a network of three stages, two steps an epoch."""

import json
from dataclasses import replace

from HNTargetSegLib.phantom import PhantomOptions
from HNTargetSegLib.training.presets import PRESETS, Preset, Schedule

SEED = 7
FIRST_WEIGHTS = "first.pth"
SMALL = PhantomOptions(size=(48, 56, 24), spacing=(4.0, 4.0, 6.0))


def short_preset(*epochs):
    demo = PRESETS["demo"]
    network = json.loads(json.dumps(demo.overrides["architecture"]))
    network["arch_kwargs"].update(
        n_stages=3,
        features_per_stage=[4, 8, 8],
        kernel_sizes=[[3, 3, 3]] * 3,
        strides=[[1, 1, 1], [2, 2, 2], [2, 2, 2]],
        n_conv_per_stage=[1, 1, 1],
        n_conv_per_stage_decoder=[1, 1],
    )
    overrides = {"batch_size": 2, "patch_size": [16, 32, 32], "architecture": network}
    schedule = Schedule(1, 2, 1, save_every=1, mirror_axes=(2,), cpu_bf16=True)
    phases = tuple(replace(schedule, epochs=number) for number in epochs)
    return Preset("short", demo.planner, demo.planned, "nnUNetShortPlans", phases, "two steps", overrides).seeded(SEED)
