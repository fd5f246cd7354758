"""All panels of the module together, and what happens to them as the module is entered, left, or its scene closed."""

from __future__ import annotations

from typing import Any

from HNTargetSegLib.desktop.case_panel import CasePanel
from HNTargetSegLib.desktop.correct_panel import CorrectPanel
from HNTargetSegLib.desktop.desks import SharedDesk
from HNTargetSegLib.desktop.export_panel import ExportPanel
from HNTargetSegLib.desktop.header_panel import HeaderPanel
from HNTargetSegLib.desktop.import_panel import ImportPanel
from HNTargetSegLib.desktop.lesions_panel import LesionsPanel
from HNTargetSegLib.desktop.messages_panel import MessagesPanel
from HNTargetSegLib.desktop.missing_panel import MissingPanel
from HNTargetSegLib.desktop.qt_values import value_of
from HNTargetSegLib.desktop.segment_panel import SegmentPanel
from HNTargetSegLib.desktop.settings_panel import SettingsPanel
from HNTargetSegLib.desktop.shortcuts import Shortcuts
from HNTargetSegLib.desktop.texts import tr as _
from HNTargetSegLib.desktop.ui_files import load_ui
from HNTargetSegLib.review.change import Change, Part


class MainPanel:
    """The screen of the module.

    Parameters
    ----------
    shared
        The desk that it shows.
    scene
        ``vtkMRMLScene``.

    Attributes
    ----------
    widget
        The outermost widget.
    """

    def __init__(self, shared: SharedDesk, scene: Any) -> None:
        self.widget, self._ui = load_ui("HNTargetSeg")
        self._shared = shared
        desk = shared.desk
        self._header = HeaderPanel(desk)
        self._messages = MessagesPanel(desk)
        self._missing = MissingPanel(self._on_installed)
        self._case = CasePanel(desk)
        self._import = ImportPanel(desk)
        self._segment = SegmentPanel(desk)
        self._lesions = LesionsPanel(desk)
        self._correct = CorrectPanel(desk)
        self._export = ExportPanel(desk)
        self._settings = SettingsPanel(desk, self._segment.refresh_models)
        self._shortcuts = Shortcuts(self._lesions.bindings())
        self._entered = False
        self._pages: list[Any] = []
        self._place()
        self._case.set_scene(scene)
        self._segment.set_scene(scene)
        self._correct.set_scene(scene)
        self._ui.tabs.currentChanged.connect(self._on_tab)
        self._disconnect = desk.session.changed.connect(self._on_change)

    def enter(self) -> None:
        """The user opens the module."""
        self._entered = True
        self._shared.desk.poll()
        self._look_what_is_missing()
        self._on_tab()

    def leave(self) -> None:
        """The user opens another module: its keys and tools are its own."""
        self._entered = False
        self._correct.leave()
        self._shortcuts.remove()

    def scene_closes(self) -> None:
        """The scene is about to be closed."""
        self._correct.scene_closes()

    def scene_closed(self) -> None:
        """The scene is empty, or another one was read."""
        self._correct.scene_closed()

    def close(self) -> None:
        """Let go of desk, scene and keys; the widgets are Qt's to delete."""
        self.leave()
        self._disconnect()
        for panel in (
            self._header,
            self._messages,
            self._case,
            self._import,
            self._segment,
            self._lesions,
            self._correct,
            self._export,
            self._settings,
        ):
            panel.close()

    def _place(self) -> None:
        ui = self._ui
        for place, panel in (
            (ui.headerPlace, self._header),
            (ui.messagesPlace, self._messages),
            (ui.missingPlace, self._missing),
            (self._case.import_place, self._import),
        ):
            place.layout().addWidget(panel.widget)
        for page, title in (
            (self._case, _("Patient")),
            (self._segment, _("Segment")),
            (self._lesions, _("Lesions")),
            (self._correct, _("Correct")),
            (self._export, _("Export")),
            (self._settings, _("Settings")),
        ):
            ui.tabs.addTab(_scrolled(page.widget), title)
            self._pages.append(page)

    def _on_tab(self) -> None:
        """Only what is on screen works: the editor while correcting, the keys of the table where it is seen."""
        if not self._entered:
            return
        shown = self._pages[int(value_of(self._ui.tabs, "currentIndex"))]
        correcting = shown is self._correct
        # First, so that the keys are never those of both.
        self._shortcuts.remove()
        if correcting:
            self._correct.enter()
        else:
            self._correct.leave()
        if shown is self._lesions:
            self._shortcuts.install()
        self._lesions.set_keys_live(not correcting)
        if shown is self._settings:
            self._settings.refresh()
        elif shown is self._export:
            self._export.check()
        elif shown is self._segment:
            self._segment.refresh_models()

    def _on_change(self, change: Change) -> None:
        session = self._shared.desk.session
        if change.part is Part.CASE and session.case is None:
            self._show(self._case)
        elif change.part is Part.CASE:
            was_segmented = any(review.run is not None for review in session.visits.values())
            self._show(self._lesions if was_segmented else self._segment)
        elif change.part is Part.VOXELS and not change.ids and not change.back:
            # A run has brought lesions.
            self._show(self._lesions)
        elif change.part is Part.RUN and not self._shared.desk.segmenting.busy:
            self._look_what_is_missing()
            self._missing.show_again()

    def _look_what_is_missing(self) -> None:
        self._missing.refresh(own_python=not self._shared.desk.settings.interpreter)

    def _show(self, panel: Any) -> None:
        self._ui.tabs.setCurrentIndex(self._pages.index(panel))

    def _on_installed(self) -> None:
        self._segment.refresh_models()


def _scrolled(widget: Any) -> Any:
    """A page that scrolls by itself on a low screen, so that patient and messages above it stay in sight."""
    import qt

    area = qt.QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(qt.QFrame.NoFrame)
    area.setWidget(widget)
    return area
