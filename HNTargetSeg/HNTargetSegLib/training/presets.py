"""Training presets: the papers' configuration, and one that two CPU cores finish within an hour."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from HNTargetSegLib.errors import BadInputError


@dataclass(frozen=True)
class Schedule:
    """Length and augmentation of a training, handed to the trainer.

    Attributes
    ----------
    epochs, iterations, validation_iterations
        As nnU-Net counts them.
    save_every
        Epochs between two checkpoints, which is what a kill can cost.
    mirror_axes
        Array axes (k, j, i) that are mirrored in augmentation and may be at inference; None is nnU-Net's default.
    cpu_bf16
        Run the convolutions in bfloat16 where the device is the CPU (3.3x a step; loss and weights stay in float32).
    adamw_rate
        Learning rate of AdamW; None is nnU-Net's SGD, which needs far more steps to leave the all-background solution.
    foreground_share
        Share of the patches that are drawn round a lesion.
    threads
        CPU threads of the network; None is one a core. On a busy machine fewer are faster.
    seed
        Of initial weights, patches and augmentation; None draws another each time.
    validate
        Segment the held-out cases at the end.
    """

    epochs: int = 1000
    iterations: int = 250
    validation_iterations: int = 50
    save_every: int = 1
    mirror_axes: tuple[int, ...] | None = None
    cpu_bf16: bool = False
    adamw_rate: float | None = None
    foreground_share: float = 0.33
    threads: int | None = None
    seed: int | None = None
    validate: bool = True

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return asdict(self)


@dataclass(frozen=True)
class Preset:
    """How a model is planned and for how long it is trained.

    Attributes
    ----------
    planner
        nnU-Net's experiment planner.
    planned
        Name that the planner gives its plans.
    plans
        Name of the plans with this preset's overrides; another one, so that their file says that they were applied.
    overrides
        Entries that replace those of the planned ``3d_fullres`` configuration; empty leaves nnU-Net's plan alone.
    phases
        Schedules that follow each other in one training, each up to its own number of epochs.
    about
        One line for the user: what it is for and how long it takes.
    """

    name: str
    planner: str
    planned: str
    plans: str
    phases: tuple[Schedule, ...]
    about: str
    overrides: dict[str, Any]

    @property
    def steps(self) -> int:
        """Of all phases."""
        return self.phases[-1].epochs * self.phases[-1].iterations

    @property
    def in_words(self) -> str:
        """Steps and optimiser of all phases, for a model's card."""
        phases = []
        for before, phase in zip((0, *(phase.epochs for phase in self.phases)), self.phases, strict=False):
            rule = "SGD as nnU-Net has it" if phase.adamw_rate is None else f"AdamW at {phase.adamw_rate:g}"
            steps = (phase.epochs - before) * phase.iterations
            phases.append(f"{steps} steps of {rule} with {phase.foreground_share:.0%} of the patches round a lesion")
        precision = ", convolutions in bfloat16" if self.phases[0].cpu_bf16 else ""
        return f"{', then '.join(phases)}; polynomial decay{precision}; {self.repeatability}"

    @property
    def seed(self) -> int | None:
        """Of all phases."""
        return self.phases[0].seed

    @property
    def repeatability(self) -> str:
        """What a repetition of the training will give, for a model's card."""
        if self.seed is None:
            return "weights and patches are not seeded, so a repetition differs a little"
        return (
            f"seed {self.seed} for weights, patches and augmentation: a repetition without a break gives the same "
            "weights on the same processor, software and number of threads where one process loads the batches; "
            "several (nnU-Net's default on a GPU) hand them over in a changing order, and GPU kernels round differently"
        )

    def on_threads(self, threads: int | None) -> Preset:
        """The same preset on that many CPU threads."""
        return replace(self, phases=tuple(replace(phase, threads=threads) for phase in self.phases))

    def seeded(self, seed: int | None) -> Preset:
        """The same preset with that seed.

        Raises
        ------
        BadInputError
            If it is not a whole number of at most 32 bits, which is all that NumPy's generator takes.
        """
        if seed is not None and not 0 <= seed < 1 << 32:
            raise BadInputError(f"The seed {seed} is not between 0 and {(1 << 32) - 1}")
        return replace(self, phases=tuple(replace(phase, seed=seed) for phase in self.phases))


_DEMO_NETWORK: dict[str, Any] = {
    "network_class_name": "dynamic_network_architectures.architectures.unet.PlainConvUNet",
    "arch_kwargs": {
        "n_stages": 5,
        "features_per_stage": [16, 32, 64, 128, 160],
        "conv_op": "torch.nn.modules.conv.Conv3d",
        "kernel_sizes": [[1, 3, 3], [3, 3, 3], [3, 3, 3], [3, 3, 3], [3, 3, 3]],
        "strides": [[1, 1, 1], [1, 2, 2], [2, 2, 2], [2, 2, 2], [2, 2, 2]],
        # One convolution at full resolution: most of the time goes there.
        "n_conv_per_stage": [1, 2, 2, 2, 2],
        "n_conv_per_stage_decoder": [2, 2, 2, 1],
        "conv_bias": True,
        "norm_op": "torch.nn.modules.instancenorm.InstanceNorm3d",
        "norm_op_kwargs": {"eps": 1e-05, "affine": True},
        "dropout_op": None,
        "dropout_op_kwargs": None,
        "nonlin": "torch.nn.LeakyReLU",
        # In place, the backward pass copies strided views on one core.
        "nonlin_kwargs": {"inplace": False},
    },
    "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
}

_DEMO_SCHEDULE = Schedule(
    epochs=32,
    iterations=50,
    validation_iterations=4,
    save_every=1,
    mirror_axes=(2,),
    cpu_bf16=True,
    adamw_rate=1e-3,
    foreground_share=1.0,
)

PRESETS: dict[str, Preset] = {
    "resenc-m": Preset(
        name="resenc-m",
        planner="nnUNetPlannerResEncM",
        planned="nnUNetResEncUNetMPlans",
        plans="nnUNetHNTargetSegResEncMPlans",
        phases=(Schedule(),),
        about="nnU-Net ResEnc M as in the papers: 1000 epochs, made for a GPU with 9 GB or more",
        overrides={},
    ),
    "demo": Preset(
        name="demo",
        planner="ExperimentPlanner",
        planned="nnUNetPlans",
        plans="nnUNetHNTargetSegDemoPlans",
        # All patches round a lesion first: the network leaves the all-background solution. Then as nnU-Net draws them:
        # it learns what lies far from any lesion.
        phases=(_DEMO_SCHEDULE, replace(_DEMO_SCHEDULE, epochs=40, foreground_share=0.33)),
        about="a U-Net of 4.1 M parameters on small patches: under an hour on two CPU cores",
        overrides={"batch_size": 2, "patch_size": [32, 96, 96], "architecture": _DEMO_NETWORK},
    ),
    "short": Preset(
        name="short",
        planner="ExperimentPlanner",
        planned="nnUNetPlans",
        plans="nnUNetHNTargetSegShortPlans",
        phases=(replace(_DEMO_SCHEDULE, epochs=10), replace(_DEMO_SCHEDULE, epochs=14, foreground_share=0.33)),
        about="the network of demo for 700 steps, about a quarter of an hour on one idle core: for experiments",
        overrides={"batch_size": 2, "patch_size": [32, 96, 96], "architecture": _DEMO_NETWORK},
    ),
}


def preset(name: str) -> Preset:
    """Look a preset up.

    Raises
    ------
    BadInputError
        If there is none of that name.
    """
    if name not in PRESETS:
        raise BadInputError(f"There is no training preset '{name}'", remedy=f"Choose one of {', '.join(PRESETS)}")
    return PRESETS[name]
