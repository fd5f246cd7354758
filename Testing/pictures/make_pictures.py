"""Make the README's pictures from a real run: ``python -m Testing.pictures.make_pictures``."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from HNTargetSegLib.cli.main import main

SCREENSHOTS = Path(__file__).resolve().parents[2] / "Resources" / "screenshots"


def make() -> int:
    """Run the demonstration and keep its picture."""
    with tempfile.TemporaryDirectory() as folder:
        status = main(["demo", "--no-serve", "--output", folder])
        if status == 0:
            SCREENSHOTS.mkdir(exist_ok=True)
            shutil.copyfile(Path(folder) / "overlay.png", SCREENSHOTS / "demo.png")
    return status


if __name__ == "__main__":
    sys.exit(make())
