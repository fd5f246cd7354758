"""The module's own self-tests, as "Reload and Test" runs them in Slicer."""

from __future__ import annotations

from pathlib import Path

import pytest
from Testing.slicerhost.host import Host
from Testing.slicerhost.review_module import opened


@pytest.mark.dialect("attributes")
def test_self_tests_pass(host: Host, tmp_path: Path) -> None:
    with opened(host, tmp_path):
        host.run_self_test("HNTargetSeg")
