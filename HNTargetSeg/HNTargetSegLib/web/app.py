"""The review app: one process, one review, one page."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from HNTargetSegLib.errors import MissingDependencyError, TargetSegError
from HNTargetSegLib.review.segmenting import Segmenting, Worker
from HNTargetSegLib.review.session import ReviewSession
from HNTargetSegLib.web.access_folders import AllowedFolders
from HNTargetSegLib.web.keys import MOUSE, SHORTCUTS, key_names, shortcut_of
from HNTargetSegLib.web.state import PageState

_ASSETS = Path(__file__).with_name("assets")
_POLL_SECONDS = 0.1
_IDLE_POLL_SECONDS = 0.25


class ReviewApp:
    """The page with its server, its scene and its worker.

    Parameters
    ----------
    worker
        Does the segmentations; closed by :meth:`close`.
    allowed
        Folders of this machine that the page may look into.
    name
        Of the trame server; tests give each their own.

    Raises
    ------
    MissingDependencyError
        If trame-slicer is not installed.
    """

    def __init__(self, worker: Worker, allowed: AllowedFolders, *, name: str | None = None) -> None:
        _require_trame_slicer()
        from trame.app import get_server
        from trame_slicer.core import SlicerApp

        from HNTargetSegLib.scene.logics import SceneLogics
        from HNTargetSegLib.scene.review_scene import ReviewScene
        from HNTargetSegLib.web.desk import Desk
        from HNTargetSegLib.web.sync import PageSync
        from HNTargetSegLib.web.views import create_views
        from HNTargetSegLib.web.vtk_log import log_vtk

        self.server = get_server(name, client_type="vue3")
        self.server.state.update(asdict(PageState()))
        self.core = SlicerApp()
        log_vtk()
        self.session = ReviewSession()
        self._worker = worker
        self.segmenting = Segmenting(self.session, worker)
        views = create_views(self.core.view_manager, self.server)
        # The segment editor finds its nodes only in a scene that was cleared once after the app was made.
        self.core.scene.Clear()
        logics = SceneLogics(
            application=self.core.app_logic,
            segmentations=self.core.segmentations_logic,
            terminologies=self.core.terminologies_logic,
            volumes=self.core.volumes_logic,
        )
        self.scene = ReviewScene(self.session, self.core.scene, logics=logics)
        self.desk = Desk(self.server, self.session, self.segmenting, self.core, self.scene, views)
        self._sync = PageSync(self.desk)
        self._make_actions(allowed)
        self._fill_state()
        self._build()
        self._closed = False
        self._trouble = ""

    async def open_folder(self, folder: Path) -> None:
        """Open a patient's folder once the page is there."""
        with self.server.state:
            await self.opening.open_given(folder)

    def close(self) -> None:
        """End the worker; twice does no harm."""
        if not self._closed:
            self._closed = True
            self.segmenting.close()
            self.scene.dispose()

    async def follow(self) -> None:
        """Keep page, worker and scene in step until the server ends."""
        await self.server.ready
        with self.server.state:
            await self.running.list_models()
        while not self._closed:
            with self.server.state:
                busy = self._follow_once()
            await asyncio.sleep(_POLL_SECONDS if busy or self.session.case is not None else _IDLE_POLL_SECONDS)

    def _follow_once(self) -> bool:
        """Take in what worker and scene have to say; returns whether a run is at work."""
        busy, trouble = self.segmenting.busy, ""
        try:
            busy = self.segmenting.poll()
            if self.scene.pending:
                self.scene.process_pending()
            self.editing.refresh()
            self.stage.refresh()
            self.saving.tick()
        except Exception as error:
            trouble = repr(error)
            # What goes wrong each time is said once.
            if trouble != self._trouble:
                self.desk.report(error)
        self._trouble = trouble
        return busy

    def press_key(self, name: str) -> None:
        """Do what a key stands for."""
        shortcut = shortcut_of(str(name))
        if shortcut is not None:
            self.actions[shortcut.action](*shortcut.arguments)

    def open_dialog(self, name: str) -> None:
        """Show a dialog."""
        if name == "export":
            self.exporting.open()
        else:
            self.server.state.dialog = name

    def open_settings(self) -> None:
        """Show the settings as they are stored."""
        settings = self.desk.settings()
        self.server.state.reviewer = settings.reviewer
        self.server.state.dialog = "settings"

    def save_settings(self) -> None:
        """Keep the settings and close their dialog."""
        state = self.server.state
        self.session.reviewer = str(state.reviewer or "").strip()
        settings = replace(self.desk.settings(), reviewer=self.session.reviewer, device=state.device)
        self.desk.keep_settings(settings)
        state.dialog = ""

    def stop(self) -> None:
        """Close the dialog that is open, else put the tool away."""
        state = self.server.state
        if state.dialog:
            if state.dialog not in ("questions", "saved"):
                state.dialog = ""
        elif state.renaming:
            state.renaming = 0
        else:
            self.editing.put_away()

    def undo(self) -> None:
        """Take back the last stroke while a tool is in the hand, else what was said last."""
        (self.editing.undo_voxels if self.server.state.tool else self.lesions.undo)()

    def redo(self) -> None:
        """Do it again."""
        (self.editing.redo_voxels if self.server.state.tool else self.lesions.redo)()

    def received(self, folder: Path) -> None:
        """Open what a browser has sent."""
        from trame_server.utils.asynchronous import create_task

        async def opened() -> None:
            with self.server.state:
                if self.server.state.dialog == "import":
                    await self.importing.receive(folder)
                else:
                    await self.opening.open_upload(folder)

        create_task(opened())

    def upload_failed(self, what: str, remedy: str = "", path: str = "") -> None:
        """Say why an upload was not taken."""
        self.session.tell_user(TargetSegError(str(what), path=str(path) or None, remedy=str(remedy)))

    def _make_actions(self, allowed: AllowedFolders) -> None:
        from HNTargetSegLib.web.editing import Editing
        from HNTargetSegLib.web.exporting import Exporting
        from HNTargetSegLib.web.importing import Importing
        from HNTargetSegLib.web.lesion_actions import LesionActions
        from HNTargetSegLib.web.opening import Opening
        from HNTargetSegLib.web.registering import PriorCard
        from HNTargetSegLib.web.running import Running
        from HNTargetSegLib.web.saving import Saving
        from HNTargetSegLib.web.shaping import Shaping
        from HNTargetSegLib.web.stage import Stage

        self.lesions = LesionActions(self.desk, self._sync)
        self.stage = Stage(self.desk)
        self.editing = Editing(self.desk)
        self.shaping = Shaping(self.desk)
        self.saving = Saving(self.desk)
        self.opening = Opening(self.desk, allowed, self.saving)
        self.running = Running(self.desk)
        self.prior = PriorCard(self.desk, allowed)
        self.exporting = Exporting(self.desk, allowed)
        self.importing = Importing(self.desk, allowed)
        self.actions: dict[str, Any] = {
            **_methods(self.lesions),
            **_methods(self.stage),
            **_methods(self.editing),
            **_methods(self.shaping),
            **_methods(self.opening),
            **_methods(self.prior),
            "undo_verdict": self.lesions.undo,
            "redo_verdict": self.lesions.redo,
            "start_run": self.running.start,
            "cancel_run": self.running.cancel,
            "open_export": self.exporting.open,
            "write_export": self.exporting.write,
            "check_export": self.exporting.check_export,
            "show_finding": self.exporting.show_finding,
            **_methods(self.importing),
            "download_export": self._download,
            **{name: getattr(self, name) for name in _OWN_ACTIONS},
        }
        for name, action in self.actions.items():
            self.server.controller.trigger(name)(action)

    async def _download(self) -> Any:
        content = await self.exporting.download()
        return None if content is None else self.server.protocol.addAttachment(content)

    def _fill_state(self) -> None:
        from HNTargetSegLib.web.shown import column_heads

        state = self.server.state
        state.trame__title = "HNTargetSeg review"
        state.trame__favicon = "__hntargetseg/logo.png"
        state.columns = column_heads()
        groups = [
            {"title": title, "keys": [{"key": s.shown, "text": s.text} for s in shortcuts]}
            for title, shortcuts in SHORTCUTS.items()
        ]
        state.keys = [*groups, {"title": "Mouse", "keys": [{"key": key, "text": text} for key, text in MOUSE]}]
        state.key_names = key_names()
        self.session.reviewer = self.desk.settings().reviewer
        state.reviewer = self.session.reviewer
        self._sync.all()

    def _build(self) -> None:
        from trame_rca import module as rca_module

        from HNTargetSegLib.web.pages.main import build_page

        self.server.enable_module(rca_module)
        self.server.enable_module(
            {
                "serve": {"__hntargetseg": str(_ASSETS)},
                "scripts": ["__hntargetseg/review.js"],
                "styles": ["__hntargetseg/review.css"],
            }
        )
        build_page(self.server, self.actions)


_OWN_ACTIONS = (
    "press_key",
    "open_dialog",
    "open_settings",
    "save_settings",
    "stop",
    "undo",
    "redo",
    "upload_failed",
)


_NOT_FOR_THE_PAGE = ("refresh", "open_given", "open_upload", "receive")


def _methods(owner: Any) -> dict[str, Any]:
    names = [name for name in vars(type(owner)) if not name.startswith("_")]
    return {name: getattr(owner, name) for name in names if name not in _NOT_FOR_THE_PAGE}


def _require_trame_slicer() -> None:
    if not (_installed("trame_slicer") and _installed("slicer")):
        raise MissingDependencyError(
            "The review page needs trame-slicer, which is not installed",
            remedy="Install it with: pip install hntargetseg[web]",
        )


def _installed(package: str) -> bool:
    from importlib.util import find_spec

    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):
        return False
