"""What this machine has: versions, devices, models, memory and disk, what is missing and how to get it."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from HNTargetSegLib import __version__
from HNTargetSegLib.errors import TargetSegError

# Package, whether segmentation needs it, and what it is for.
_PACKAGES = (
    ("numpy", True, "arrays"),
    ("scipy", True, "components and filters"),
    ("SimpleITK", True, "reading and writing images"),
    ("pydicom", True, "reading DICOM series"),
    ("torch", True, "running the network"),
    ("nnunetv2", True, "plans, preprocessing and network classes"),
    ("safetensors", True, "reading model weights"),
    ("matplotlib", True, "pictures"),
    ("psutil", True, "memory figures, ending child processes"),
    ("openvino", False, "the fast mode on the CPU; pip install 'hntargetseg[fast]'"),
    ("highdicom", False, "DICOM SEG; pip install 'hntargetseg[dicom]'"),
    ("tensorboard", False, "live training curves; pip install 'hntargetseg[train]'"),
)


@dataclass(frozen=True)
class Package:
    """An installed or missing package; ``version`` is None where it is missing."""

    name: str
    version: str | None
    needed: bool
    purpose: str


@dataclass(frozen=True)
class Device:
    """Something that can run the network, with its memory in GB."""

    kind: str
    name: str
    memory_gb: float | None


@dataclass(frozen=True)
class Environment:
    """The report of ``hntargetseg doctor``; sizes in GB."""

    version: str
    python: str
    system: str
    packages: tuple[Package, ...]
    devices: tuple[Device, ...]
    models: tuple[str, ...]
    free_memory_gb: float | None
    free_disk_gb: float
    problems: tuple[str, ...] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return asdict(self)


def examine(folder: Path | None = None) -> Environment:
    """Look at this machine.

    Parameters
    ----------
    folder
        Whose disk is measured; the working folder by default.
    """
    packages = tuple(Package(name, _version(name), needed, purpose) for name, needed, purpose in _PACKAGES)
    models, problems = _models()
    problems += [
        f"{package.name} is not installed ({package.purpose}); pip install {package.name}"
        for package in packages
        if package.needed and package.version is None
    ]
    free_disk = shutil.disk_usage(folder or Path.cwd()).free / 1e9
    if free_disk < 2:
        problems.append(f"only {free_disk:.1f} GB of disk are free; results and caches need about 2 GB")
    memory = _free_memory()
    if memory is not None and memory < 4:
        problems.append(f"only {memory:.1f} GB of memory are free; a full-size case needs up to 6 GB")
    return Environment(
        version=__version__,
        python=f"{platform.python_version()} ({sys.executable})",
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        packages=packages,
        devices=_devices(),
        models=models,
        free_memory_gb=memory,
        free_disk_gb=free_disk,
        problems=tuple(problems),
    )


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _models() -> tuple[tuple[str, ...], list[str]]:
    from HNTargetSegLib.models.store import ModelStore

    try:
        names = tuple(model.card.name for model in ModelStore.default_store().list())
    except TargetSegError as error:
        return (), [str(error)]
    return names, [] if names else ["no model is installed; hntargetseg models install"]


def _devices() -> tuple[Device, ...]:
    cpu = Device("cpu", platform.processor() or platform.machine(), None)
    try:
        import torch
    except Exception:  # a broken PyTorch raises many kinds of errors at import; the package list names it
        return (cpu,)
    found = []
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        found.append(Device("cuda", properties.name, properties.total_memory / 1e9))
    if torch.backends.mps.is_available():
        found.append(Device("mps", "Apple GPU", None))
    return (*found, cpu)


def _free_memory() -> float | None:
    try:
        import psutil
    except ImportError:
        return None
    return float(psutil.virtual_memory().available) / 1e9
