"""The package as others install it."""

import os
import subprocess
import sys
import zipfile

import pytest

FINDER = """
from HNTargetSegLib.resources import resource_folder
import HNTargetSegLib, pathlib
for kind in ("models", "protocols", "templates", "Terminology"):
    folder = resource_folder(kind)
    assert pathlib.Path(HNTargetSegLib.__file__).parent in folder.parents, folder
    print(kind, sorted(path.name for path in folder.iterdir()))
"""


@pytest.fixture(scope="module")
def wheel(repository, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(repository)]
    subprocess.run(command, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return path


def test_shipped_data_is_found_from_a_wheel_in_an_empty_folder(wheel, tmp_path):
    site, empty = tmp_path / "site", tmp_path / "empty"
    empty.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    environment = {**os.environ, "PYTHONPATH": str(site)}
    result = subprocess.run(
        [sys.executable, "-c", FINDER], cwd=empty, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert "catalogue.json" in result.stdout
    assert "HNTargetSeg.term.json" in result.stdout


def test_the_wheel_holds_no_tests_and_no_pictures(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    pictures = [name for name in names if name.endswith(".png") and "/web/assets/" not in name]
    assert not pictures + [name for name in names if "Testing" in name or name.endswith(".pth")]


# Published as source only; pure Python, so its wheel, built here, serves every version.
SOURCE_ONLY = ("acvl_utils",)
# What is shipped runs where glibc is 2.28; Qt, which only the tests use, wants 2.34.
OLDEST_GLIBC, GLIBC_OF_TESTS = 28, 34


@pytest.fixture(scope="module")
def pure_wheels(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pure")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), *SOURCE_ONLY]
    subprocess.run(command, check=True)
    assert all(path.name.endswith("-none-any.whl") for path in folder.iterdir())
    return folder


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("version", ["3.10", "3.11", "3.12", "3.13"])
@pytest.mark.parametrize(("glibc", "left_out"), [(OLDEST_GLIBC, "test"), (GLIBC_OF_TESTS, "")], ids=["shipped", "all"])
def test_every_python_resolves_to_wheels(repository, pure_wheels, tmp_path, version, glibc, left_out):
    """Resolution only: nothing is installed, and any other package without a wheel would fail it."""
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--only-binary=:all:"]
    command += ["--python-version", version, "--implementation", "cp", "--target", str(tmp_path)]
    command += ["--find-links", str(pure_wheels), *(f"--platform={name}_x86_64" for name in _platforms(glibc))]
    # The pins need 3.11; on 3.10 pip chooses by pyproject.toml.
    constraints = [] if version == "3.10" else ["--constraint", str(repository / "constraints.txt")]
    result = subprocess.run(
        [*command, *constraints, *_requirements(repository, left_out)], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


def _platforms(glibc):
    """Every glibc up to one, which pip matches by exact name."""
    return (*(f"manylinux_2_{minor}" for minor in range(5, glibc + 1)), "manylinux2014", "manylinux1")


def _requirements(repository, left_out):
    from hatchling.metadata.core import ProjectMetadata
    from hatchling.plugin.manager import PluginManager

    metadata = ProjectMetadata(str(repository), PluginManager()).core
    extras = [lines for extra, lines in metadata.optional_dependencies.items() if extra != left_out]
    return [*metadata.dependencies, *(line for lines in extras for line in lines)]
