"""The extension configured, built and installed with the stand-in for Slicer's CMake files."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

# No line is compiled: CMake is told not to try the compilers that project() asks for.
NO_COMPILER = [
    f"-DCMAKE_{language}_COMPILER{setting}"
    for language in ("C", "CXX")
    for setting in (f"={Path(sys.executable).as_posix()}", "_FORCED=1")
]


@dataclass(frozen=True)
class BuiltExtension:
    """Where the built extension lies, and what CMake was asked for, by call and keyword."""

    build: Path
    modules: Path
    calls: dict[tuple[str, str], list[str]]


def configure(source: Path, build: Path, repository: Path) -> subprocess.CompletedProcess[str]:
    """Run CMake on a source folder against the stand-in."""
    command = ["cmake", "-S", str(source), "-B", str(build), *NO_COMPILER]
    command.append(f"-DSlicer_DIR={(repository / 'Testing' / 'slicer_config').as_posix()}")
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def extension(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> BuiltExtension:
    """The extension, installed into a prefix of its own."""
    if shutil.which("cmake") is None:
        pytest.skip("cmake is missing")
    folder = tmp_path_factory.mktemp("extension")
    build, prefix = folder / "build", folder / "prefix"
    configured = configure(repository, build, repository)
    assert configured.returncode == 0, configured.stderr
    for command in (["--build", str(build)], ["--install", str(build), "--prefix", str(prefix)]):
        done = subprocess.run(["cmake", *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    calls: dict[tuple[str, str], list[str]] = {}
    for line in (build / "slicer-calls.txt").read_text(encoding="utf-8").splitlines():
        call, _, setting = line.partition(" ")
        name, _, value = setting.partition("=")
        calls.setdefault((call, name), []).append(value)
    (modules,) = prefix.glob("lib/Slicer-*/qt-scripted-modules")
    return BuiltExtension(build, modules, calls)
