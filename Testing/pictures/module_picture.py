"""Make the picture of the Slicer module from a real run: ``python -m Testing.pictures.module_picture``.

The module runs in the host (Testing/slicerhost) on the generated sample patient, with the shipped model.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PICTURE = ROOT / "Resources" / "screenshots" / "module.png"
WINDOW = (1500, 900)
PANEL_WIDTH = 540
COLOURS = 256


def make(picture: Path = PICTURE) -> Path:
    """Segment the sample patient, review some lesions and take the picture."""
    from PySide6 import QtCore, QtWidgets
    from Testing.slicerhost.host import the_host
    from Testing.slicerhost.review_module import opened

    host = the_host()
    host.begin()
    with tempfile.TemporaryDirectory() as folder, opened(host, Path(folder)) as module:
        host.window.resize(*WINDOW)
        dock = host.window.findChild(QtWidgets.QDockWidget)
        host.window.resizeDocks([dock], [PANEL_WIDTH], QtCore.Qt.Orientation.Horizontal)
        host.press("sampleButton")
        module.segment("mid")
        _review(module)
        picture.parent.mkdir(exist_ok=True)
        host.screenshot(picture)
    host.end()
    _shrink(picture)
    return picture


def _review(module: Any) -> None:
    """Some lesions accepted, one rejected, a node selected."""
    names = module.cells("Lesion")
    for name, button in ((names[0], "acceptButton"), (names[-1], "rejectButton")):
        module.click_lesion(name)
        module.host.press(button)
    module.click_lesion(next(name for name in names if name.startswith("GTVn")))
    module.host.press("acceptButton")
    if module.host.find("Messages").isVisible():
        module.host.press("dismissButton")
    module.host.press("surfaceCheck")
    module.host.layout.resetThreeDViews()


def _shrink(picture: Path) -> None:
    """A palette of 256 colours is enough and a third of the size."""
    from PIL import Image

    with Image.open(picture) as image:
        image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(picture, optimize=True)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    print(make())
