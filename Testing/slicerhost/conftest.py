"""The host as a fixture: an empty scene for each test, once with Qt as PythonQt has it and once as PySide6 has it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

MISSING = [name for name in ("PySide6", "slicer_core", "trame_slicer") if find_spec(name) is None]
if MISSING and os.environ.get("CI") != "true":
    # Nothing here can even be imported; in CI the import errors are the failure.
    collect_ignore_glob = ["test_*.py"]
    print(f"The Slicer host is not tested: {', '.join(MISSING)} missing")
else:
    from Testing.slicerhost.dialect import Dialect
    from Testing.slicerhost.host import Host, the_host

SAMPLE_MODULES = Path(__file__).parent / "sample_modules"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "dialect(*names): run with Qt's properties as 'attributes' or 'methods' only")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What uses the host renders, without a screen."""
    for item in items:
        if "host" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.needs("egl"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test that uses the host once a dialect, or in the one that it is marked with."""
    if "spoken" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("dialect")
        names = marker.args if marker else [dialect.value for dialect in Dialect]
        metafunc.parametrize("spoken", [Dialect(name) for name in names], ids=list(names), indirect=True)


@pytest.fixture
def spoken(request: pytest.FixtureRequest) -> Dialect:
    """The dialect of the code under test."""
    dialect: Dialect = request.param
    return dialect


@pytest.fixture
def host(spoken: Dialect) -> Iterator[Host]:
    """A host with an empty scene; at the end nothing may have gone wrong unseen."""
    program = the_host()
    program.begin(spoken)
    yield program
    program.end()


@pytest.fixture
def plain() -> Path:
    """A small scripted module."""
    return SAMPLE_MODULES / "Plain" / "Plain.py"
