"""The lesion table: a row a lesion, sorted as the user wants, repainted only where something has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.desktop.qt_values import value_of
from HNTargetSegLib.desktop.texts import tr as _
from HNTargetSegLib.desktop.ui_files import icon
from HNTargetSegLib.lesions.lesion import Lesion, State
from HNTargetSegLib.review.rows import COLUMNS, sorted_lesions

SHOW_COLUMN = 0
NAME_COLUMN = 1
KEYS = ("", *(column.key for column in COLUMNS))
FIRST = ("", "name", "state", "volume_cc", "change_pct", "fate")
"""Columns that stand first, as they are seen without scrolling; the user can move them."""


@dataclass(frozen=True)
class TableActions:
    """What a table calls when the user does something in it.

    Attributes
    ----------
    picked
        With the id of the lesion whose row was chosen.
    renamed
        With id and new name; the table then shows what the review says.
    shown
        With id and whether the views shall show it.
    sorted
        After the order has changed; calls :meth:`LesionTable.fill`.
    """

    picked: Callable[[int], object]
    renamed: Callable[[int, str], object]
    shown: Callable[[int, bool], object]
    sorted: Callable[[], object]


class LesionTable:
    """Rows of one visit's lesions in a ``QTableWidget``.

    Rows keep their places when a lesion changes, so that the one under the hand does not jump away; a click on a
    heading sorts them.

    Parameters
    ----------
    table
        Empty ``QTableWidget``.
    actions
        What the user's deeds call.

    Attributes
    ----------
    ids
        Lesion id by row.
    """

    def __init__(self, table: Any, actions: TableActions) -> None:
        self.ids: list[int] = []
        self._table = table
        self._actions = actions
        self._sort = ("name", False)
        self._filling = False
        self._icons = _icons()
        table.setColumnCount(len(KEYS))
        self._set_headings()
        table.itemChanged.connect(self._on_item)
        table.itemSelectionChanged.connect(self._on_selection)

    def _set_headings(self) -> None:
        table, header = self._table, self._table.horizontalHeader()
        # In two lines, to be narrow.
        table.setHorizontalHeaderLabels(["", *(_(column.title).replace(" ", "\n") for column in COLUMNS)])
        table.horizontalHeaderItem(SHOW_COLUMN).setToolTip(_("Shown in the views"))
        for number, column in enumerate(COLUMNS, start=1):
            table.horizontalHeaderItem(number).setToolTip(_(column.tip))
        header.setSortIndicatorShown(True)
        header.setMinimumSectionSize(24)
        header.setSectionsMovable(True)
        for place, key in enumerate(FIRST):
            header.moveSection(header.visualIndex(KEYS.index(key)), place)
        header.sectionClicked.connect(self._on_heading)

    def fill(self, lesions: Iterable[Lesion], hidden: Iterable[int], selected: int | None) -> None:
        """Show these lesions and no others."""
        key, descending = self._sort
        rows, gone = sorted_lesions(lesions, key, descending=descending), frozenset(hidden)
        self._filling = True
        self._table.setUpdatesEnabled(False)
        # Qt marks places: another lesion may stand there now, and a verdict would be said of it.
        self._table.clearSelection()
        self._table.setRowCount(len(rows))
        self.ids = [lesion.id for lesion in rows]
        for row, lesion in enumerate(rows):
            self._write_row(row, lesion, lesion.id not in gone)
        self._table.resizeColumnsToContents()
        self._table.setUpdatesEnabled(True)
        self._filling = False
        self.select(selected)

    def update(self, lesions: Iterable[Lesion], hidden: Iterable[int], changed: Iterable[int]) -> None:
        """Repaint the rows of some lesions where they stand; all rows where ``changed`` is empty."""
        wanted, gone = frozenset(changed), frozenset(hidden)
        self._filling = True
        for lesion in lesions:
            if (not wanted or lesion.id in wanted) and lesion.id in self.ids:
                self._write_row(self.ids.index(lesion.id), lesion, lesion.id not in gone)
        self._filling = False

    def select(self, lesion_id: int | None) -> None:
        """Mark the row of a lesion, or none, without telling anybody."""
        self._filling = True
        if lesion_id in self.ids:
            row = self.ids.index(lesion_id)
            if row not in self._rows() or len(self._rows()) == 1:
                self._table.selectRow(row)
            self._table.scrollToItem(self._table.item(row, NAME_COLUMN))
        else:
            self._table.clearSelection()
        self._filling = False

    def chosen(self) -> tuple[int, ...]:
        """Ids of the marked rows, from top to bottom."""
        return tuple(self.ids[row] for row in self._rows() if row < len(self.ids))

    def edit_name(self, lesion_id: int) -> None:
        """Let the user type another name in the row of a lesion."""
        if lesion_id in self.ids:
            self._table.setFocus()
            item = self._table.item(self.ids.index(lesion_id), NAME_COLUMN)
            self._table.setCurrentItem(item)
            self._table.editItem(item)

    def _rows(self) -> list[int]:
        return sorted({item.row() for item in self._table.selectedItems()})

    def _write_row(self, row: int, lesion: Lesion, shown: bool) -> None:
        import qt

        for number in range(len(KEYS)):
            item = self._table.item(row, number)
            if item is None:
                item = _new_item(number)
                self._table.setItem(row, number, item)
            if number == SHOW_COLUMN:
                item.setCheckState(qt.Qt.Checked if shown else qt.Qt.Unchecked)
                continue
            item.setText(COLUMNS[number - 1].text(lesion))
            self._mark(item, KEYS[number], lesion)

    def _mark(self, item: Any, key: str, lesion: Lesion) -> None:
        """Shape and colour beside the text: the kind beside the name, the verdict beside the state."""
        if key == "name":
            item.setIcon(self._icons[lesion.label])
            font = item.font()
            font.setStrikeOut(lesion.state is State.REJECTED)
            item.setFont(font)
            item.setToolTip(_(lesion.label.title))
        elif key == "state":
            item.setIcon(self._icons[lesion.state])

    def _on_heading(self, number: int) -> None:
        import qt

        key = KEYS[number]
        if not key:
            return
        descending = not self._sort[1] if self._sort[0] == key else False
        self._sort = (key, descending)
        order = qt.Qt.DescendingOrder if descending else qt.Qt.AscendingOrder
        self._table.horizontalHeader().setSortIndicator(number, order)
        self._actions.sorted()

    def _on_item(self, item: Any) -> None:
        import qt

        if self._filling or item.row() >= len(self.ids):
            return
        lesion_id = self.ids[item.row()]
        if item.column() == SHOW_COLUMN:
            self._actions.shown(lesion_id, item.checkState() == qt.Qt.Checked)
        elif item.column() == NAME_COLUMN:
            self._actions.renamed(lesion_id, str(item.text()))

    def _on_selection(self) -> None:
        row = int(value_of(self._table, "currentRow"))
        if not self._filling and row in self._rows() and row < len(self.ids):
            self._actions.picked(self.ids[row])


def _new_item(number: int) -> Any:
    import qt

    item = qt.QTableWidgetItem()
    flags = qt.Qt.ItemIsEnabled | qt.Qt.ItemIsSelectable
    if number == SHOW_COLUMN:
        flags |= qt.Qt.ItemIsUserCheckable
    elif number == NAME_COLUMN:
        flags |= qt.Qt.ItemIsEditable
    elif COLUMNS[number - 1].numeric:
        item.setTextAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
    item.setFlags(flags)
    return item


def _icons() -> dict[Any, Any]:
    states: dict[Any, Any] = {state: icon(f"lesion-{state.value}") for state in State}
    return {**states, **{label: _swatch(label) for label in Target}}


def _swatch(label: Target) -> Any:
    import qt

    from HNTargetSegLib.scene.terminology import COLOURS

    pixels = qt.QPixmap(10, 10)
    pixels.fill(qt.QColor(*(round(255 * part) for part in COLOURS[label])))
    return qt.QIcon(pixels)
