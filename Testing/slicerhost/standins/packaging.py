"""``slicer.packaging`` of Slicer 5.12: what a module needs is checked for real; nothing is ever installed.

What ``pip`` would have been asked to do is kept in ``host_installs`` for the test to look at.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

# What was to be installed, in order; the host empties it before each test.
host_installs: list[list[str]] = []
# What a test lets an installation do: called with the requirements; None leaves it without effect.
host_when_installing: list[Callable[[list[str]], None]] = []


def load_requirements(path: str | Path) -> list[Any]:
    """The requirements of a requirements.txt."""
    from packaging.requirements import Requirement

    lines = (line.strip() for line in Path(path).read_text(encoding="utf-8").splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith(("#", "-"))]


def load_pyproject_dependencies(path: str | Path) -> list[Any]:
    """The requirements of the ``[project]`` table of a pyproject.toml."""
    import tomllib
    from packaging.requirements import Requirement

    project = tomllib.loads(Path(path).read_text(encoding="utf-8"))["project"]
    return [Requirement(line) for line in project.get("dependencies", [])]


def pip_check(req: Any) -> bool:
    """Whether all requirements are met (extras are not followed)."""
    return all(_met(one) for one in _requirements(req))


def isPipInstallInProgress() -> bool:
    """Whether pip runs in the background."""
    return False


def pip_ensure(
    requirements: Any,
    constraints: str | Path | None = None,
    skip_packages: list[str] | None = None,
    prompt_install: bool = True,
    prompt_restart: bool = True,
    requester: str | None = None,
    skip_in_testing: bool = True,
    show_progress: bool = True,
) -> list[str] | None:
    """Ask, then install what is missing; RuntimeError when the user declines."""
    import slicer

    missing = [one for one in _requirements(requirements) if not _met(one)]
    if not missing:
        return None
    if prompt_install:
        title = f"{requester} - Install Python Packages" if requester else "Install Python Packages"
        text = f"{len(missing)} Python package(s) to install. Continue?"
        if not slicer.util.confirmOkCancelDisplay(text, title, detailedText="\n".join(map(str, missing))):
            raise RuntimeError("User declined package installation")
    return pip_install([str(one) for one in missing], constraints, skip_packages=skip_packages, requester=requester)


def pip_install(
    requirements: str | list[str],
    constraints: str | Path | None = None,
    no_deps_requirements: str | list[str] | None = None,
    skip_packages: list[str] | None = None,
    blocking: bool = True,
    show_progress: bool = True,
    requester: str | None = None,
    logCallback: Callable[[str], None] | None = None,
    completedCallback: Callable[[int], None] | None = None,
) -> list[str] | None:
    """Record what was to be installed."""
    wanted = requirements.split() if isinstance(requirements, str) else list(requirements)
    host_installs.append(wanted)
    for act in host_when_installing:
        act(wanted)
    if completedCallback is not None:
        completedCallback(0)
    return [] if skip_packages is not None else None


def pip_uninstall(
    requirements: str | list[str],
    blocking: bool = True,
    logCallback: Callable[[str], None] | None = None,
    completedCallback: Callable[[int], None] | None = None,
) -> None:
    """Record what was to be removed."""
    wanted = requirements.split() if isinstance(requirements, str) else list(requirements)
    host_installs.append(["--uninstall", *wanted])
    if completedCallback is not None:
        completedCallback(0)


def _requirements(wanted: Any) -> list[Any]:
    from packaging.requirements import InvalidRequirement, Requirement

    if isinstance(wanted, str):
        try:
            return [Requirement(wanted)]
        except InvalidRequirement:
            return [Requirement(part) for part in wanted.split()]
    if isinstance(wanted, Requirement):
        return [wanted]
    return [Requirement(one) if isinstance(one, str) else one for one in wanted]


def _met(requirement: Any) -> bool:
    if requirement.marker is not None and not requirement.marker.evaluate():
        return True
    try:
        return metadata.version(requirement.name) in requirement.specifier
    except metadata.PackageNotFoundError:
        return False
