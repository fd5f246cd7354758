"""The extension's CMake files: what they list, call and install."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from Testing.slicer_config.module_files import differences, listed_files, module_files, with_files

from .conftest import BuiltExtension, configure

pytestmark = pytest.mark.needs("cmake")

PROJECT = """cmake_minimum_required(VERSION 3.16.3...3.28)
project(Trial)
foreach(name HOMEPAGE CATEGORY CONTRIBUTORS DESCRIPTION ICONURL SCREENSHOTURLS DEPENDS)
  set(EXTENSION_${name} x)
endforeach()
set(EXTENSION_LICENSE_FILE "${CMAKE_CURRENT_SOURCE_DIR}/Trial.py")
set(EXTENSION_README_FILE "${CMAKE_CURRENT_SOURCE_DIR}/Trial.py")
find_package(Slicer REQUIRED)
include(${Slicer_USE_FILE})
"""


def test_the_list_is_what_lies_in_the_checkout() -> None:
    lines = differences()
    assert not lines, "\n".join([*lines, "To write them: python Testing/slicer_config/module_files.py --write"])


def test_the_script_brings_a_list_up_to_date(tmp_path: Path) -> None:
    home = tmp_path / "HNTargetSeg"
    (home / "HNTargetSegLib" / "case").mkdir(parents=True)
    (home / "Resources").mkdir()
    (home / "HNTargetSegLib" / "case" / "new.py").touch()
    (home / "Resources" / "new.ui").touch()
    text = "set(MODULE_PYTHON_SCRIPTS\n  HNTargetSeg.py\n  gone.py\n  )\nset(MODULE_PYTHON_RESOURCES\n  )\nother()\n"
    (home / "CMakeLists.txt").write_text(text)
    assert differences(tmp_path) == [
        "MODULE_PYTHON_SCRIPTS: + HNTargetSegLib/case/new.py",
        "MODULE_PYTHON_SCRIPTS: - gone.py",
        "MODULE_PYTHON_RESOURCES: + Resources/new.ui",
    ]
    written = with_files(text, module_files(tmp_path))
    assert listed_files(written) == module_files(tmp_path)
    assert written.endswith("other()\n")


def test_one_module_is_built_with_generic_and_self_tests(extension: BuiltExtension) -> None:
    assert extension.calls["module", "NAME"] == ["HNTargetSeg"]
    assert extension.calls["test", "NAME"] == [
        "py_nomainwindow_qSlicerHNTargetSegModuleGenericTest",
        "py_HNTargetSeg",
        "py_HNTargetSegPackageTest",
        "py_HNTargetSegTerminologyTest",
    ]


def test_every_self_test_is_registered(extension: BuiltExtension, repository: Path) -> None:
    written = (repository / "HNTargetSeg" / "Testing" / "Python").glob("*Test.py")
    assert {f"py_{path.stem}" for path in written} <= set(extension.calls["test", "NAME"])


def test_the_extension_is_described_and_packed(extension: BuiltExtension) -> None:
    assert extension.calls["include", "NAME"] == ["SlicerExtensionGenerateConfig", "SlicerExtensionCPack"]


def test_listed_files_keep_their_folders_when_installed(extension: BuiltExtension) -> None:
    listed = extension.calls["module", "SCRIPTS"] + extension.calls["module", "RESOURCES"]
    assert [name for name in listed if not (extension.modules / name).is_file()] == []


@pytest.mark.parametrize("place", ["build", "prefix"])
def test_the_shipped_data_are_found_beside_the_module(extension: BuiltExtension, place: str) -> None:
    """With Python's own library only: nothing of this machine can help to find them."""
    modules = extension.modules
    if place == "build":
        modules = extension.build / Path(*modules.parts[-3:])
    find = f"import sys; sys.path.insert(0, {str(modules)!r})\n" + (
        "from HNTargetSegLib.resources import resource_folder\n"
        "for kind in ('models', 'protocols', 'templates'): print(resource_folder(kind))\n"
    )
    found = subprocess.run([sys.executable, "-I", "-S", "-c", find], capture_output=True, text=True, check=False)
    assert found.stdout.split() == [str(modules / "Resources" / kind) for kind in ("models", "protocols", "templates")]
    assert (modules / "Resources" / "models" / "phantom-baseline" / "card.json").is_file()


def test_everybody_may_read_what_is_installed(extension: BuiltExtension) -> None:
    """Extensions are installed by one user and used by others."""
    files = [path for path in (extension.modules / "Resources" / "models").rglob("*") if path.is_file()]
    assert files
    assert [path for path in files if path.stat().st_mode & 0o444 != 0o444] == []


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("slicerMacroBuildScriptedModule(NAME Trial SCRIPTS Trial.py)", ""),
        ("slicerMacroBuildScriptedModule(DATA x NAME Trial SCRIPTS Trial.py)", "does not know: DATA;x"),
        ("slicerMacroBuildScriptedModule(SCRIPTS Trial.py)", "NAME is mandatory"),
        ("slicerMacroBuildScriptedModule(NAME Trial SCRIPTS Trial.py gone.py)", "nonexistent file 'gone.py'"),
        ("slicerMacroBuildScriptedModule(NAME Other SCRIPTS Trial.py)", "SCRIPTS lack Other.py"),
        ("slicer_add_python_unittest(SCRIPT gone.py)", "nonexistent file 'gone.py'"),
        ("slicer_add_python_unittest(SCRIPTS Trial.py)", "does not know: SCRIPTS;Trial.py"),
    ],
)
def test_the_stand_in_refuses_what_slicer_refuses(repository: Path, tmp_path: Path, call: str, expected: str) -> None:
    (tmp_path / "Trial.py").touch()
    (tmp_path / "CMakeLists.txt").write_text(f"{PROJECT}{call}\n")
    done = configure(tmp_path, tmp_path / "build", repository)
    assert (done.returncode == 0) == (not expected)
    assert expected in " ".join(done.stderr.split())
