"""The HNTargetSeg module in the host, as its tests drive it: opened on a small patient, with folders of its own."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from Testing.slicerhost.host import Host

MODULE = Path(__file__).resolve().parents[2] / "HNTargetSeg" / "HNTargetSeg.py"
TABS = ("Patient", "Segment", "Lesions", "Correct", "Export", "Settings")
RUN_SECONDS = 120
"""How long a run may take on a machine that does other things too."""


class OpenModule:
    """The module's panel, and hands for it.

    Attributes
    ----------
    widget
        The module's Python widget.
    """

    def __init__(self, host: Host, widget: Any) -> None:
        self.host = host
        self.widget = widget

    @property
    def logic(self) -> Any:
        """Logic of the module."""
        return self.widget.screen.logic

    @property
    def desk(self) -> Any:
        """What the panels sit at."""
        return self.logic.shared.desk

    @property
    def session(self) -> Any:
        """The review."""
        return self.desk.session

    def tab(self, title: str) -> None:
        """Click a tab."""
        tabs = self.host.find("tabs")
        bar = tabs.tabBar()
        from PySide6 import QtTest
        from Testing.slicerhost.host import LEFT

        QtTest.QTest.mouseClick(bar, LEFT, pos=bar.tabRect(TABS.index(title)).center())
        self.host.process()
        assert tabs.tabText(tabs.currentIndex()) == title

    def shown_tab(self) -> str:
        """Title of the tab that is shown."""
        tabs = self.host.find("tabs")
        return str(tabs.tabText(tabs.currentIndex()))

    def open_folder(self, folder: Path) -> None:
        """Press "Open folder" and choose one."""
        self.tab("Patient")
        self.host.answers.expect("Folder of a patient", str(folder))
        self.host.press("folderButton")

    def begin_run(self, *visits: str) -> None:
        """Tick the visits and press "Segment"."""
        self.tab("Segment")
        for visit in ("pre", "mid"):
            box = self.in_tab("Segment", f"{visit}Check")
            if box.isEnabled() and box.isChecked() != (visit in visits):
                self.host.press(box)
        self.host.press("segmentButton")
        assert self.desk.segmenting.state.running, self.messages()

    def end_run(self) -> None:
        """Wait until no run is at work."""
        self.host.wait_until(lambda: not self.desk.segmenting.state.running, RUN_SECONDS, "the end of the run")

    def segment(self, *visits: str) -> None:
        """Run the shipped model to the end."""
        self.begin_run(*visits)
        self.end_run()

    def in_tab(self, title: str, name: str) -> Any:
        """The widget called ``name`` in a tab; names are used once a tab."""
        from PySide6 import QtWidgets

        page = self.host.find("tabs").widget(TABS.index(title))
        found = page.findChild(QtWidgets.QWidget, name)
        assert found is not None, f"no {name} in {title}"
        return found

    def cells(self, heading: str) -> list[str]:
        """Texts of a column of the lesion table, from top to bottom."""
        table = self.host.find("table")
        headings = [table.horizontalHeaderItem(n).text().replace("\n", " ") for n in range(table.columnCount())]
        return [table.item(row, headings.index(heading)).text() for row in range(table.rowCount())]

    def click_lesion(self, name: str) -> None:
        """Click the row of a lesion."""
        self.tab("Lesions")
        self.host.click_row("table", self.cells("Lesion").index(name), 1)

    def messages(self) -> str:
        """What the message area says."""
        return str(self.host.find("messageText").toPlainText())


@contextmanager
def opened(host: Host, folder: Path, **environment: str) -> Iterator[OpenModule]:
    """The module's panel in the host, with settings and models of its own in ``folder``."""
    kinds = {"SETTINGS": folder / "settings", "MODELS": folder / "models", "CACHE": _common() / "cache"}
    changes = {**{f"HNTARGETSEG_{kind}": str(place) for kind, place in kinds.items()}, **environment}
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        host.window.resize(1500, 900)
        module = OpenModule(host, host.open_module(MODULE))
        yield module
        host.close_modules()
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.__setitem__(name, value)


@cache
def small_patient() -> Path:
    """Folder of a coarse generated patient with both visits and the delineation of the first."""
    from HNTargetSegLib.desktop.self_check import SMALL
    from HNTargetSegLib.phantom.sample import sample_patient

    files = sample_patient(_common() / "patients", options=SMALL)
    assert files.pre is not None
    return files.pre.parent.parent


def image_of(visit: str) -> Path:
    """Image of a visit of :func:`small_patient`."""
    return next((small_patient() / f"{visit}RT").glob(f"*_{visit}RT_T2.nii.gz"))


@cache
def _common() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="hntargetseg-host-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
