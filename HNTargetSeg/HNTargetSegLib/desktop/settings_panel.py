"""Settings: reviewer, interpreter, models, storage."""

from __future__ import annotations

from collections.abc import Callable

from HNTargetSegLib.desktop.desk import ReviewDesk
from HNTargetSegLib.desktop.dialogs import confirm, show_folder
from HNTargetSegLib.desktop.interpreter_panel import InterpreterPanel
from HNTargetSegLib.desktop.models_panel import ModelsPanel
from HNTargetSegLib.desktop.qt_values import value_of
from HNTargetSegLib.desktop.storage import as_text, delete_cache, folder_bytes
from HNTargetSegLib.desktop.texts import tr as _
from HNTargetSegLib.desktop.ui_files import load_ui
from HNTargetSegLib.files import user_folder
from HNTargetSegLib.review.change import Level


class SettingsPanel:
    """What a user chooses once and for all.

    Parameters
    ----------
    desk
        Holds the settings.
    models_changed
        Called after a model was added or removed.
    """

    def __init__(self, desk: ReviewDesk, models_changed: Callable[[], None]) -> None:
        self.widget, self._ui = load_ui("Settings")
        self._desk = desk
        self._interpreter = InterpreterPanel(desk, self._ui)
        self._models = ModelsPanel(desk, self._ui, models_changed)
        self._ui.reviewerEdit.setText(desk.settings.reviewer)
        self._ui.reviewerEdit.editingFinished.connect(self._on_reviewer)
        self._ui.cacheButton.clicked.connect(self._on_cache)
        self._ui.logButton.clicked.connect(self._on_log)

    def close(self) -> None:
        """Stop waiting for a check."""
        self._interpreter.close()

    def refresh(self) -> None:
        """Look again at what is on the disk; called when the panel is shown."""
        self._models.refresh()
        folder = user_folder("cache")
        text = _("Cache: {size} in {folder}").format(size=as_text(folder_bytes(folder)), folder=folder)
        self._ui.cacheLabel.setText(text)
        self._ui.cacheLabel.setToolTip(text)

    def _on_reviewer(self) -> None:
        reviewer = str(value_of(self._ui.reviewerEdit, "text")).strip()
        if reviewer != self._desk.settings.reviewer:
            with self._desk.telling():
                self._desk.change_settings(reviewer=reviewer)

    def _on_cache(self) -> None:
        text = _("Delete converted networks, the sample patient and old logs? They are made again when needed.")
        if confirm(text, _("Delete the cache")):
            with self._desk.telling():
                delete_cache()
            self.refresh()

    def _on_log(self) -> None:
        log = self._desk.worker.log_file
        if log is not None and log.is_file():
            show_folder(str(log))
        else:
            self._desk.session.say(Level.INFO, _("There is no log yet: the worker has not been started."))
