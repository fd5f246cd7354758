"""Which Python packages are missing in Slicer's own Python, and how each gets there."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

SKIPPED = ("SimpleITK", "requests", "torch")
"""Packages that pip must not touch: Slicer brings its own, and torch comes through the PyTorch extension."""

_IMPORTED_AS = {"pillow": "PIL"}
_PANEL = ("numpy", "scipy", "SimpleITK")
_LAST_WITHOUT_PYDICOM_3 = (5, 10)


@dataclass(frozen=True)
class InstallPlan:
    """What an installation has to do.

    Attributes
    ----------
    by_pip
        Requirements for pip, as in the requirements file.
    torch
        Requirement of torch for the PyTorch extension, such as ``>=2.6``; None where torch is there.
    of_slicer
        Packages that Slicer itself should have brought.
    left_out
        Packages that would break this version of Slicer.
    """

    by_pip: tuple[str, ...] = ()
    torch: str | None = None
    of_slicer: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.by_pip or self.torch is not None or self.of_slicer)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all that is missing."""
        torch = () if self.torch is None else ("torch",)
        return (*torch, *(package_name(line) for line in self.by_pip), *self.of_slicer)


def package_name(requirement: str) -> str:
    """Name at the beginning of a requirement such as ``torch>=2.6,!=2.9.*``."""
    found = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", requirement.strip())
    return found.group() if found else ""


def read_requirements(file: Path) -> tuple[str, ...]:
    """Requirements of a file, without comments and options."""
    lines = (line.split("#")[0].strip() for line in file.read_text(encoding="utf-8").splitlines())
    return tuple(line for line in lines if line and not line.startswith("-"))


def is_satisfied(requirement: str) -> bool:
    """Whether this Python has a package, in a version that will do; nothing is imported."""
    name = package_name(requirement)
    try:
        if importlib.util.find_spec(_IMPORTED_AS.get(name, name)) is None:
            return False
        if requirement.strip() == name:
            return True
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return True  # a package without metadata, such as one that Slicer built itself
    except ImportError:
        return False
    try:
        from packaging.requirements import Requirement
    except ImportError:
        return True
    return Requirement(requirement).specifier.contains(version, prereleases=True)


def can_open_panel() -> bool:
    """Whether Python has what the panels themselves need; Slicer brings all of it."""
    return all(is_satisfied(name) for name in _PANEL)


def plan_installation(
    requirements: Iterable[str],
    slicer_version: tuple[int, int],
    satisfied: Callable[[str], bool] = is_satisfied,
) -> InstallPlan:
    """What is missing and who installs it.

    Parameters
    ----------
    requirements
        What the module needs.
    slicer_version
        Major and minor version. Up to 5.10 Slicer's DICOM module needs pydicom 2, which is then left as it is.
    satisfied
        Says of a requirement whether it is there.
    """
    by_pip, of_slicer, left_out, torch = [], [], [], None
    for line in requirements:
        if satisfied(line):
            continue
        name = package_name(line)
        if name == "torch":
            torch = line[len(name) :].strip()
        elif name in SKIPPED:
            of_slicer.append(name)
        elif name == "pydicom" and slicer_version <= _LAST_WITHOUT_PYDICOM_3:
            left_out.append(line)
        else:
            by_pip.append(line)
    return InstallPlan(tuple(by_pip), torch, tuple(of_slicer), tuple(left_out))
