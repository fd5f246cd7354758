"""What is missing, and who installs it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from HNTargetSegLib.desktop.install import (
    InstallPlan,
    can_open_panel,
    is_satisfied,
    package_name,
    plan_installation,
    read_requirements,
)

ROOT = Path(__file__).resolve().parents[3]
REQUIREMENTS = ROOT / "HNTargetSeg" / "Resources" / "requirements.txt"
NEW, OLD = (5, 12), (5, 10)


def _absent(*names: str):
    return lambda requirement: package_name(requirement) not in names


@pytest.mark.skipif(sys.version_info < (3, 11), reason="reads pyproject.toml with tomllib")
def test_requirements_file_is_that_of_the_package() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert list(read_requirements(REQUIREMENTS)) == project["dependencies"]


def test_nothing_is_planned_where_nothing_is_missing() -> None:
    plan = plan_installation(read_requirements(REQUIREMENTS), NEW, lambda requirement: True)
    assert plan == InstallPlan()
    assert not plan


def test_torch_is_never_for_pip() -> None:
    plan = plan_installation(["torch>=2.6,!=2.9.*", "nnunetv2>=2.8.1,<3"], NEW, _absent("torch", "nnunetv2"))
    assert plan.torch == ">=2.6,!=2.9.*"
    assert plan.by_pip == ("nnunetv2>=2.8.1,<3",)
    assert plan.names == ("torch", "nnunetv2")


def test_simpleitk_is_slicers_own_to_bring() -> None:
    plan = plan_installation(["SimpleITK>=2.3"], NEW, _absent("SimpleITK"))
    assert plan.of_slicer == ("SimpleITK",)
    assert plan.by_pip == ()


@pytest.mark.parametrize(("slicer", "by_pip"), [(NEW, ("pydicom>=3.0",)), (OLD, ())])
def test_pydicom_3_is_kept_from_a_slicer_that_it_would_break(slicer: tuple[int, int], by_pip: tuple[str, ...]) -> None:
    plan = plan_installation(["pydicom>=3.0"], slicer, _absent("pydicom"))
    assert plan.by_pip == by_pip
    assert bool(plan.left_out) is not bool(by_pip)


def test_package_that_is_there_in_an_older_version_is_not_satisfied() -> None:
    assert is_satisfied("numpy>=1.26")
    assert not is_satisfied("numpy>=999")
    assert not is_satisfied("a-package-that-nobody-has-written")


def test_every_requirement_is_found_where_it_is_installed() -> None:
    assert [line for line in read_requirements(REQUIREMENTS) if not is_satisfied(line)] == []


def test_panels_can_open_here() -> None:
    assert can_open_panel()


def test_comments_and_options_are_no_requirements(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("# why\n--index-url https://example.org\nnumpy>=1.26  # arrays\n\n", encoding="utf-8")
    assert read_requirements(file) == ("numpy>=1.26",)
