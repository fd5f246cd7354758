"""What an interpreter tells of itself when it is asked whether the worker can run in it."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import sys
from typing import Any

from HNTargetSegLib import __version__

MARK = "HNTargetSeg examination: "
"""What the line with the answer begins with; packages may print others."""

PACKAGES = ("numpy", "scipy", "SimpleITK", "pydicom", "torch", "nnunetv2", "safetensors")
EXTRAS = ("openvino", "psutil", "highdicom", "matplotlib")


def main(arguments: list[str]) -> int:
    """Print the examination as one line of JSON."""
    print(MARK + json.dumps(examination()), flush=True)
    return 0


def examination() -> dict[str, Any]:
    """Versions by package (None where missing), GPUs with why there is none, and HNTargetSeg's versions."""
    gpus, why_no_gpu, broken = _gpus()
    return {
        "python": platform.python_version(),
        "executable": sys.executable,
        "library": __version__,
        "installed": _version("hntargetseg"),
        "packages": {name: _version(name) for name in (*PACKAGES, *EXTRAS)},
        "gpus": gpus,
        "why_no_gpu": why_no_gpu,
        "broken": broken,
    }


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _gpus() -> tuple[list[str], str, str]:
    """Names of the GPUs, why there is none, and what is wrong with PyTorch."""
    try:
        import torch
    except Exception as error:  # a broken PyTorch raises many kinds of errors at import
        return [], "PyTorch cannot be imported", f"PyTorch cannot be imported ({type(error).__name__}: {error})"
    names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        names.append("Apple GPU")
    return names, "" if names else _why_no_gpu(torch), ""


def _why_no_gpu(torch: Any) -> str:
    if torch.version.cuda is None:
        return f"PyTorch {torch.__version__} is built without CUDA"
    try:
        torch.cuda.init()
    except Exception as error:  # the text is the reason
        return str(error).strip().splitlines()[0]
    return "PyTorch sees no CUDA device"
