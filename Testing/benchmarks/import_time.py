"""How long a fresh interpreter takes to import what the Slicer module loads first: case, lesions and components."""

from __future__ import annotations

import subprocess
import sys
from statistics import median

from Testing.benchmarks.setting import Setting, plain_environment
from Testing.benchmarks.table import Row

_RUNS = 5
_ROOMS = """
import importlib, pkgutil, time
begin = time.perf_counter()
for name in ("case", "lesions", "components"):
    room = importlib.import_module("HNTargetSegLib." + name)
    for module in pkgutil.walk_packages(room.__path__, room.__name__ + "."):
        importlib.import_module(module.name)
print(time.perf_counter() - begin)
"""
_GROUND = "import time; begin = time.perf_counter(); import numpy, SimpleITK; print(time.perf_counter() - begin)"


def run(setting: Setting) -> list[Row]:
    """Measure; every module of the three rooms is imported."""
    return [
        Row("import of case, lesions and components", _median(_ROOMS)),
        Row("  of which NumPy and SimpleITK alone", _median(_GROUND)),
    ]


def _median(code: str) -> float:
    command = [sys.executable, "-c", code]
    times = (
        float(subprocess.run(command, env=plain_environment(), capture_output=True, text=True, check=True).stdout)
        for _ in range(_RUNS)
    )
    return median(times)
