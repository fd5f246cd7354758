"""The Slicer module in the host: how long it takes to open, and from "Accept" to the painted table with 40 lesions."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from statistics import median

from Testing.benchmarks.setting import Setting, plain_environment
from Testing.benchmarks.table import Row, at_most

_ROOT = Path(__file__).resolve().parents[2]
_RUNS = 5
_WORDS = 12

# Slicer has Qt, VTK and NumPy in memory before a module is opened; they are no part of the figure.
_OPEN = """
import sys, time
import numpy, SimpleITK, vtk
from Testing.slicerhost.host import the_host
from Testing.slicerhost.review_module import MODULE
host = the_host()
host.begin()
assert not any(name.startswith("HNTargetSegLib") for name in sys.modules)
begin = time.perf_counter()
module = host.modules.host_load(MODULE)
imported = time.perf_counter()
widget = module.widgetRepresentation()
print(imported - begin, time.perf_counter() - imported)
host.close_modules()
"""

_ACCEPT = """
import tempfile, time
from pathlib import Path
from PySide6 import QtWidgets
from Testing.slicerhost.forty_lesions import open_forty
from Testing.slicerhost.host import the_host
from Testing.slicerhost.review_module import opened
host = the_host()
host.begin()
with tempfile.TemporaryDirectory() as folder, opened(host, Path(folder)) as module:
    open_forty(module.session)
    module.tab("Lesions")
    table, button = host.find("table"), host.find("acceptButton")
    for row in range({words}):
        host.click_row("table", row, 1)
        viewport = table.viewport()
        begin = time.perf_counter()
        button.click()
        QtWidgets.QApplication.processEvents()
        viewport.repaint()
        said = time.perf_counter()
        host.view("Red").forceRender()
        print(said - begin, time.perf_counter() - begin)
"""


def run(setting: Setting) -> list[Row]:
    """Measure in fresh processes."""
    # Installed modules are compiled: the first run does that, and does not count.
    environment = plain_environment(PYTHONPYCACHEPREFIX=str(setting.folder / "compiled"))
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    opened = [_figures(_OPEN, environment)[0] for _ in range(_RUNS + 1)][1:]
    accepted = _figures(_ACCEPT.format(words=_WORDS), environment)
    importing, building = (median(column) for column in zip(*opened, strict=True))
    painted, rendered = (1000 * median(column) for column in zip(*accepted, strict=True))
    return [
        at_most("module: import and setup", importing + building, 0.5, "s"),
        Row("  of which import", importing),
        Row("  of which setup", building),
        at_most("accept one of 40 lesions to the painted table", painted, 100, "ms"),
        Row("  with one slice view rendered, too", rendered, "ms"),
    ]


def _figures(code: str, environment: dict[str, str]) -> list[list[float]]:
    """Lines of numbers that a fresh process prints."""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=_ROOT, env=environment, capture_output=True, text=True, check=True)
    lines = [line.split() for line in done.stdout.splitlines()]
    return [[float(figure) for figure in line] for line in lines if line and all(map(_is_figure, line))]


def _is_figure(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
