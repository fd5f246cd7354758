"""The models of this computer: what there is, adding, removing and verifying."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from HNTargetSegLib.desktop.desk import ReviewDesk
from HNTargetSegLib.desktop.dialogs import ask_file, ask_folder, confirm
from HNTargetSegLib.desktop.qt_values import value_of
from HNTargetSegLib.desktop.storage import as_text, folder_bytes
from HNTargetSegLib.desktop.texts import tr as _
from HNTargetSegLib.models.store import ModelStore
from HNTargetSegLib.review.change import Level

HEADINGS = ("Name", "Version", "Size", "Origin")


class ModelsPanel:
    """The part of the settings about models.

    Parameters
    ----------
    desk
        Gets the messages.
    ui
        Widgets of ``Settings.ui``.
    changed
        Called after a model was added or removed.
    """

    def __init__(self, desk: ReviewDesk, ui: Any, changed: Callable[[], None]) -> None:
        self._desk = desk
        self._ui = ui
        self._changed = changed
        self._names: list[str] = []
        ui.modelTable.setColumnCount(len(HEADINGS))
        ui.modelTable.setHorizontalHeaderLabels([_(heading) for heading in HEADINGS])
        ui.modelTable.itemSelectionChanged.connect(self._on_selection)
        ui.installFolderButton.clicked.connect(self._on_folder)
        ui.installZipButton.clicked.connect(self._on_zip)
        ui.removeButton.clicked.connect(self._on_remove)
        ui.verifyButton.clicked.connect(self._on_verify)

    def refresh(self) -> None:
        """List the models that are there now; folders that cannot be used are told of."""
        store, table = ModelStore.default_store(), self._ui.modelTable
        models = store.list()
        self._names = [model.card.name for model in models]
        table.setRowCount(len(models))
        for row, model in enumerate(models):
            origin = _("shipped") if store.is_shipped(model) else _("installed")
            size = as_text(folder_bytes(model.folder))
            for column, text in enumerate((model.card.name, model.card.version, size, origin)):
                _write(table, row, column, text)
        table.resizeColumnsToContents()
        for error in store.unreadable():
            self._desk.session.tell_user(error)
        self._on_selection()

    def _chosen(self) -> str:
        row = int(value_of(self._ui.modelTable, "currentRow"))
        return self._names[row] if 0 <= row < len(self._names) and self._ui.modelTable.selectedItems() else ""

    def _on_selection(self) -> None:
        chosen = bool(self._chosen())
        self._ui.removeButton.setEnabled(chosen)
        self._ui.verifyButton.setEnabled(chosen)

    def _on_folder(self) -> None:
        self._install(ask_folder(_("Folder of a model")))

    def _on_zip(self) -> None:
        self._install(ask_file(_("Zip of a model"), "", "*.zip"))

    def _install(self, source: str) -> None:
        import slicer

        if not source:
            return
        with self._desk.telling(), slicer.util.WaitCursor():
            model = ModelStore.default_store().install(source)
            self._desk.session.say(Level.INFO, _("The model {name} was installed.").format(name=model.card.name))
        self._after_change()

    def _on_remove(self) -> None:
        name = self._chosen()
        if name and confirm(_("Delete the model {name} from this computer?").format(name=name), _("Remove a model")):
            with self._desk.telling():
                ModelStore.default_store().remove(name)
            self._after_change()

    def _on_verify(self) -> None:
        import slicer

        with self._desk.telling(), slicer.util.WaitCursor():
            model = ModelStore.default_store().verify(self._chosen())
            text = _("Every file of {name} is as its card says.").format(name=model.card.name)
            self._desk.session.say(Level.INFO, text)

    def _after_change(self) -> None:
        self.refresh()
        self._changed()


def _write(table: Any, row: int, column: int, text: str) -> None:
    import qt

    item = table.item(row, column)
    if item is None:
        table.setItem(row, column, qt.QTableWidgetItem(text))
    else:
        item.setText(text)
