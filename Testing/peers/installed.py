"""Other people's packages, where they are installed; Testing/peers/requirements.txt has their versions."""

from __future__ import annotations

import importlib
import os
from types import ModuleType

import pytest


def peer(module: str) -> ModuleType:
    """Import a package to compare with; without it the test is skipped, and in CI it fails."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        reason = f"{module} is not installed ({error}); pip install --no-deps -r Testing/peers/requirements.txt"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
