"""Where the shipped data are looked for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from HNTargetSegLib.errors import ErrorCode, MissingDependencyError
from HNTargetSegLib.resources import resource_folder

FIND = "from HNTargetSegLib.resources import resource_folder; print(resource_folder('models'))"


@pytest.mark.parametrize("kind", ["models", "protocols", "templates"])
def test_a_checkout_has_its_own(repository: Path, kind: str) -> None:
    assert resource_folder(kind) == repository / "Resources" / kind


def test_what_is_not_there_is_a_missing_dependency_with_a_way_out() -> None:
    with pytest.raises(MissingDependencyError, match=r"'sounds' is not part of this installation\. Install") as caught:
        resource_folder("sounds")
    assert caught.value.code == ErrorCode.MISSING_DEPENDENCY
    assert str(caught.value.path).endswith("sounds")


def test_a_wheel_comes_before_the_slicer_module_and_that_before_a_checkout(repository: Path, tmp_path: Path) -> None:
    library = tmp_path / "checkout" / "HNTargetSeg" / "HNTargetSegLib"
    library.mkdir(parents=True)
    for name in ("__init__", "errors", "resources"):
        shutil.copy(repository / "HNTargetSeg" / "HNTargetSegLib" / f"{name}.py", library)

    def found() -> Path:
        environment = {**os.environ, "PYTHONPATH": str(library.parent)}
        ended = subprocess.run(
            [sys.executable, "-c", FIND], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
        )
        return Path(ended.stdout.strip())

    for home in (tmp_path / "checkout", library.parent, library):
        (home / "Resources" / "models").mkdir(parents=True)
        assert found() == home / "Resources" / "models"
