"""Run one of nnU-Net's own commands as a child process: ``python nnunet_command.py STAGE ARGUMENTS``.

Stands alone: it imports nothing of the package, so that it runs in any interpreter that has nnU-Net.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

_ENTRY_POINTS = {
    "fingerprint": ("nnunetv2.experiment_planning.plan_and_preprocess_entrypoints", "extract_fingerprint_entry"),
    "plan": ("nnunetv2.experiment_planning.plan_and_preprocess_entrypoints", "plan_experiment_entry"),
    "preprocess": ("nnunetv2.experiment_planning.plan_and_preprocess_entrypoints", "preprocess_entry"),
    "train": ("nnunetv2.run.run_training", "run_training_entry"),
}


def make_torchvision_importable() -> Any:
    """Let torchvision be imported where its compiled part does not fit the installed PyTorch.

    nnU-Net looks for a trainer by importing all of its own, and one of them needs torchvision, which no U-Net uses. A
    CPU build of PyTorch beside the registry's torchvision, which is linked against CUDA, fails there. All it lacks at
    import is the declaration of two operators.

    Returns
    -------
    The declaration, which lives as long as the caller keeps it, or None where torchvision loads by itself.
    """
    import torch

    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        declaration = torch.library.Library("torchvision", "DEF")
        for operator in ("nms", "qnms"):
            declaration.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        return declaration
    except ImportError:
        return None
    return None


if __name__ == "__main__":
    # The folder of this file is no place for nnU-Net to look for modules.
    sys.path.pop(0)
    stage = sys.argv.pop(1)
    kept = make_torchvision_importable() if stage == "train" else None
    module, function = _ENTRY_POINTS[stage]
    getattr(importlib.import_module(module), function)()
