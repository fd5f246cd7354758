"""Programs of other people that need other packages than this project: each in a virtual environment of its own."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from Testing.conftest import REPOSITORY

_MINUTES = 10


def separate_program(name: str, *requirements: str) -> Path:
    """Path of a program, installed once under ``build/peers``; without it the test is skipped, and in CI it fails."""
    wanted = " ".join([*requirements, sys.version])
    home = REPOSITORY / "build" / "peers" / f"{name}-{hashlib.sha256(wanted.encode()).hexdigest()[:12]}"
    folder = home / ("Scripts" if sys.platform == "win32" else "bin")
    program = folder / name
    if not (home / "complete").is_file():
        shutil.rmtree(home, ignore_errors=True)
        venv.create(home, with_pip=True)
        command = [folder / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements]
        ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60 * _MINUTES)
        if ended.returncode:
            reason = f"{name} cannot be installed: {ended.stderr.strip().splitlines()[-1]}"
            if os.environ.get("CI") == "true":
                pytest.fail(reason)
            pytest.skip(reason)
        (home / "complete").touch()
    return program
