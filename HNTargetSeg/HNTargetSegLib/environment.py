"""What this machine has: versions, devices, models, memory and disk, what is missing and how to get it."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from HNTargetSegLib import __version__

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
    ("trame-slicer", False, "the review in a browser; pip install 'hntargetseg[web]'"),
    ("highdicom", False, "DICOM SEG; pip install 'hntargetseg[dicom]'"),
    ("tensorboard", False, "live training curves; pip install 'hntargetseg[train]'"),
)

_DISK_GB = 2
_MEMORY_GB = 6


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
    """The report of ``hntargetseg doctor``; sizes in GB.

    Attributes
    ----------
    problems
        Why nothing can be segmented, and what to do, in sentences; empty when all is there.
    notes
        What may get in the way later: little memory or disk, a model that cannot be used.
    """

    version: str
    python: str
    system: str
    packages: tuple[Package, ...]
    devices: tuple[Device, ...]
    models: tuple[str, ...]
    free_memory_gb: float | None
    free_disk_gb: float
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

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
    devices, broken = _devices()
    models, unusable = _models()
    problems = [
        f"{package.name} is not installed ({package.purpose}); pip install {package.name}"
        for package in packages
        if package.needed and package.version is None
    ]
    if broken and not problems:
        problems.append(broken)
    if not models:
        problems.append("no model can be used; hntargetseg models install --help says how to get one")
    free_disk, free_memory = shutil.disk_usage(folder or Path.cwd()).free / 1e9, _free_memory()
    return Environment(
        version=__version__,
        python=f"{platform.python_version()} ({sys.executable})",
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        packages=packages,
        devices=devices,
        models=models,
        free_memory_gb=free_memory,
        free_disk_gb=free_disk,
        problems=tuple(problems),
        notes=(*unusable, *_shortages(free_disk, free_memory)),
    )


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _models() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the models that can be used, and why others cannot."""
    from HNTargetSegLib.models.store import ModelStore

    store = ModelStore.default_store()
    return tuple(model.card.name for model in store.list()), tuple(str(error) for error in store.unreadable())


def _devices() -> tuple[tuple[Device, ...], str | None]:
    """Devices, quickest first, and what is wrong with PyTorch."""
    cpu = Device("cpu", platform.processor() or platform.machine(), None)
    try:
        import torch
    except Exception as error:  # a broken PyTorch raises many kinds of errors at import
        return (cpu,), f"torch cannot be imported ({error}); install a build of PyTorch that fits this machine"
    found = []
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        found.append(Device("cuda", properties.name, properties.total_memory / 1e9))
    if torch.backends.mps.is_available():
        found.append(Device("mps", "Apple GPU", None))
    return (*found, cpu), None


def _shortages(free_disk: float, free_memory: float | None) -> list[str]:
    notes = []
    if free_disk < _DISK_GB:
        notes.append(f"only {free_disk:.1f} GB of disk are free; results and caches need about {_DISK_GB} GB")
    if free_memory is not None and free_memory < _MEMORY_GB:
        notes.append(f"only {free_memory:.1f} GB of memory are free; a full-size case needs up to {_MEMORY_GB} GB")
    return notes


def _free_memory() -> float | None:
    try:
        import psutil
    except ImportError:
        return None
    return float(psutil.virtual_memory().available) / 1e9
