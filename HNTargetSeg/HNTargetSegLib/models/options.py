"""How a model is run: the options of the predictor, and the environment that makes its process quick."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.files import user_folder

Device = Literal["auto", "cpu", "cuda", "mps"]
Mode = Literal["exact", "fast"]
Backend = Literal["auto", "torch", "openvino"]
LabelRule = Literal["argmax", "threshold"]
FoldMean = Literal["logits", "softmax"]


@dataclass(frozen=True)
class PredictOptions:
    """Options of a prediction; the defaults give the labels of ``nnUNetv2_predict --disable_tta``.

    nnU-Net's own default is to mirror: with ``mirror=True`` the labels are those of ``nnUNetv2_predict`` alone.

    Attributes
    ----------
    device
        ``auto`` takes CUDA, then MPS, then the CPU. ``cuda`` and ``mps`` without such a device are an error.
    mode
        ``exact`` computes the network in float32. ``fast`` allows reduced precision: on the CPU bfloat16 where the
        processor has it (some label borders move; each model's card says how far), on CUDA float16 as nnU-Net itself
        does. On MPS both are float32.
    backend
        What runs the network on the CPU: ``openvino`` (an extra; about twice as fast as PyTorch in float32), or
        ``torch``. ``auto`` takes OpenVINO where it is installed and can read the network. CUDA and MPS always use
        PyTorch.
    step
        Distance of neighbouring tiles as a share of the patch, over 0 to 1. Larger is faster and less accurate.
    mirror
        Average over the mirrored inputs that the model was trained for: 2 to 8 times the work, a little more accurate.
    folds
        Which of the model's folds to average; None takes all. The work grows with their number.
    rule
        ``argmax`` takes the most probable label. ``threshold`` takes the most probable target where its probability
        exceeds ``threshold``, else background.
    threshold
        Probability for the rule ``threshold``.
    fold_mean
        ``logits`` averages the folds before the softmax, as nnU-Net does; ``softmax`` averages probabilities, as papers
        mostly describe it.

    Raises
    ------
    BadInputError
        If a value is not one of these.
    """

    device: Device = "auto"
    mode: Mode = "exact"
    backend: Backend = "auto"
    step: float = 0.5
    mirror: bool = False
    folds: tuple[str, ...] | None = None
    rule: LabelRule = "argmax"
    threshold: float = 0.5
    fold_mean: FoldMean = "logits"

    def __post_init__(self) -> None:
        for name, kind in _CHOICES.items():
            _require_choice(name, getattr(self, name), get_args(kind))
        if not 0.0 < self.step <= 1.0:
            raise BadInputError(
                f"The tile step {self.step} is not over 0 and at most 1", remedy="0.5 is nnU-Net's default"
            )
        if not 0.0 < self.threshold < 1.0:
            raise BadInputError(f"The threshold {self.threshold} is not a probability between 0 and 1")
        if self.folds is not None and not self.folds:
            raise BadInputError("No fold was chosen", remedy="Name at least one fold, or leave the choice out for all")


_CHOICES = {"device": Device, "mode": Mode, "backend": Backend, "rule": LabelRule, "fold_mean": FoldMean}


def _require_choice(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise BadInputError(f"The option {name} has no value '{value}'", remedy=f"Choose one of {', '.join(allowed)}")


def allocator_environment() -> dict[str, str]:
    """Environment variables for a process that runs a network on the CPU; empty where the C library is not glibc.

    By default glibc hands large blocks back to the system after every layer. With these the network is about 1.3x and a
    training 1.7x faster. They count only when set before the process starts.
    """
    if not sys.platform.startswith("linux"):
        return {}
    return {
        "MALLOC_MMAP_MAX_": "0",
        "MALLOC_TRIM_THRESHOLD_": str(8 << 30),
        "MALLOC_TOP_PAD_": str(64 << 20),
    }


def cache_folder() -> Path:
    """Folder for converted networks: ``HNTARGETSEG_CACHE``, or the user's cache folder."""
    return user_folder("cache")
