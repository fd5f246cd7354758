"""The package as others install it."""

import os
import subprocess
import sys
import zipfile

import pytest

FINDER = """
from HNTargetSegLib.resources import resource_folder
import HNTargetSegLib, pathlib
for kind in ("models", "protocols", "templates"):
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


def test_the_wheel_holds_no_tests_and_no_pictures(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert not [name for name in names if "Testing" in name or name.endswith((".png", ".pth"))]


@pytest.mark.slow
@pytest.mark.parametrize("version", ["3.10", "3.11", "3.12", "3.13"])
@pytest.mark.parametrize("platform", ["manylinux_2_28_x86_64"])
def test_every_python_resolves_to_wheels(repository, tmp_path, version, platform):
    """Resolution only: nothing is installed, and a source distribution anywhere would fail it."""
    tags = [platform, "manylinux_2_27_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64", "manylinux1_x86_64"]
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--only-binary=:all:", "--no-cache-dir"]
    command += ["--python-version", version, "--implementation", "cp", "--target", str(tmp_path)]
    command += [f"--platform={tag}" for tag in tags]
    requirements = _requirements(repository)
    constraints = ["-c", str(repository / "constraints.txt")] if version != "3.10" else []
    result = subprocess.run([*command, *constraints, *requirements], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def _requirements(repository):
    from hatchling.metadata.core import ProjectMetadata
    from hatchling.plugin.manager import PluginManager
    from packaging.requirements import Requirement

    metadata = ProjectMetadata(str(repository), PluginManager())
    extras = metadata.core.optional_dependencies
    names = [*metadata.core.dependencies, *(line for extra in extras.values() for line in extra)]
    return [str(Requirement(name)) for name in names]
