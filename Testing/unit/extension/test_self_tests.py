"""The self-tests for Slicer, run on the installed tree with slicer-core in Slicer's place."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import BuiltExtension

pytestmark = pytest.mark.needs("cmake")

# As slicer.testing.runUnitTest does it.
RUN = """
import sys, unittest
import HNTargetSegLib
assert HNTargetSegLib.__file__.startswith(sys.argv[1]), HNTargetSegLib.__file__
sys.path.append(sys.argv[2])
suite = unittest.TestLoader().loadTestsFromName(sys.argv[3])
result = unittest.TextTestRunner(verbosity=2).run(suite)
sys.exit(0 if result.wasSuccessful() and result.testsRun else 1)
"""


@pytest.mark.parametrize("name", ["HNTargetSegPackageTest", "HNTargetSegTerminologyTest"])
def test_a_self_test_passes_on_the_installed_extension(
    extension: BuiltExtension, repository: Path, tmp_path: Path, name: str
) -> None:
    folder = repository / "HNTargetSeg" / "Testing" / "Python"
    environment = {**os.environ, "PYTHONPATH": str(extension.modules)}
    command = [sys.executable, "-c", RUN, str(extension.modules), str(folder), name]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
