"""The repository as the Extensions Index checks it."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from Testing.unit.extension.index_rules import complaints

NAME = "HNTargetSeg"
LIMIT_MB = 100


@pytest.fixture(scope="module")
def entry(repository: Path) -> dict[str, Any]:
    return json.loads((repository / f"{NAME}.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def cmake(repository: Path) -> str:
    return (repository / "CMakeLists.txt").read_text(encoding="utf-8")


def test_the_index_would_take_the_entry(repository: Path) -> None:
    assert complaints((repository / f"{NAME}.json").read_bytes().decode(), NAME) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"category": None}, "category is missing"),
        ({"category": "Targets"}, "category is not on the list"),
        ({"homepage": "https://example.org"}, "homepage is unknown"),
        ({"$schema": "https://example.org/schema"}, "$schema is not the one of these rules"),
        ({"scm_url": "git@example.org:a/SlicerB.git"}, "scm_url is neither https nor git"),
        ({"scm_url": "https://example.org/a/HNTargetSeg"}, "the repository's name does not start with Slicer"),
        ({"tier": 6}, "tier is not from 1 to 5"),
        ({"tier": True}, "tier is of the wrong type"),
        ({"build_dependencies": "PyTorch"}, "build_dependencies is of the wrong type"),
        ({"build_dependencies": ["PyTorch", "PyTorch"]}, "a dependency stands twice"),
    ],
)
def test_an_entry_that_breaks_a_rule_is_refused(
    entry: dict[str, Any], change: dict[str, object], expected: str
) -> None:
    broken = {key: value for key, value in {**entry, **change}.items() if value is not None}
    assert complaints(json.dumps(broken), NAME) == [expected]


def test_the_entry_and_cmake_say_the_same(entry: dict[str, Any], cmake: str) -> None:
    assert re.findall(r"project\s*\(\s*(\w+)", cmake) == [NAME]
    assert _cmake_value(cmake, "CATEGORY") == entry["category"]
    assert _cmake_value(cmake, "DEPENDS").split() == entry["build_dependencies"]


def test_the_catalogue_gets_a_short_description_with_licence_and_purpose(cmake: str) -> None:
    description = _cmake_value(cmake, "DESCRIPTION")
    assert len(description) < 500
    assert "research" in description
    assert "Apache-2.0" in description
    assert _cmake_value(cmake, "CONTRIBUTORS") == "HNTargetSeg developers"


def test_the_licence_lies_in_the_root(repository: Path) -> None:
    assert "Apache License" in (repository / "LICENSE").read_text(encoding="utf-8")


def test_the_repository_stays_under_the_limit(repository: Path) -> None:
    """The Index weighs a clone: the files and what git keeps of them."""
    if not (repository / ".git").exists():
        pytest.skip("not a git checkout")
    names = _git(repository, "ls-files", "-z").split("\0")
    files = sum((repository / name).stat().st_size for name in names if name and (repository / name).is_file())
    kept = dict(line.split(": ") for line in _git(repository, "count-objects", "-v").splitlines())
    history = (int(kept["size"]) + int(kept["size-pack"])) * 1024
    assert 0 < files + history < LIMIT_MB * 1024**2


def test_the_readme_has_a_tutorial_in_numbered_steps(repository: Path) -> None:
    readme = (repository / "README.md").read_text(encoding="utf-8")
    section = re.search(r"^## Tutorial\b.*?$(.*?)(?=^## |\Z)", readme, re.M | re.S)
    assert section is not None, "README.md has no heading '## Tutorial'"
    assert len(re.findall(r"^\d+\. ", section.group(1), re.M)) >= 3


def _cmake_value(text: str, name: str) -> str:
    # As the Index reads it.
    (value,) = re.findall(rf'set\s*\(EXTENSION_{name}\s*"([^"]+)"\)', text)
    return value


def _git(repository: Path, *arguments: str) -> str:
    command = ["git", "-c", f"safe.directory={repository}", *arguments]
    return subprocess.run(command, cwd=repository, capture_output=True, text=True, check=True).stdout
