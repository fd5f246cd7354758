"""The machine and the software that figures were measured with."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from pathlib import Path

_PACKAGES = ("torch", "nnunetv2", "openvino", "numpy", "scipy", "SimpleITK")
# What decides how fast bfloat16 is.
_FLAGS = ("avx512f", "avx512_bf16", "amx_bf16")


def describe() -> dict[str, object]:
    """Processor, cores, memory, load before the run, and versions."""
    import psutil

    return {
        "processor": _processor(),
        "bfloat16": ", ".join(flag for flag in _FLAGS if flag in _cpu_info().get("flags", "").split()) or "none known",
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "load_before": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "system": platform.platform(),
        "python": platform.python_version(),
        **{name: _version(name) for name in _PACKAGES},
    }


def as_text(machine: dict[str, object]) -> str:
    """One line."""
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in machine.items())


def _processor() -> str:
    info = _cpu_info()
    return info.get("model name") or platform.processor() or platform.machine()


def _cpu_info() -> dict[str, str]:
    path = Path("/proc/cpuinfo")
    if not path.is_file():
        return {}
    first = path.read_text().split("\n\n")[0]
    pairs = (line.partition(":") for line in first.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "missing"
