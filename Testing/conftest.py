"""What all tests share: the checkout, the real data, and the programs that a test may need."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from Testing.system_packages import COMPONENTS

REPOSITORY = Path(__file__).resolve().parents[1]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose ``needs`` marker names a program that is missing; in CI that is a failure."""
    components = {component.name: component for component in COMPONENTS}
    for name in (name for marker in item.iter_markers("needs") for name in marker.args):
        if not components[name].present():
            _give_up(f"{name} is missing ({components[name].used_for})")


@pytest.fixture(scope="session")
def repository() -> Path:
    """Top folder of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the real data that is not part of the repository."""
    folder = Path(os.environ.get("HNTARGETSEG_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        _give_up(f"no real data at {folder}; set HNTARGETSEG_TEST_DATA")
    return folder


def _give_up(reason: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
