"""``ctk``: the widgets of the Common Toolkit that Slicer's .ui files use."""

from __future__ import annotations

from pathlib import Path

from PySide6 import QtCore, QtGui, QtWidgets
from Testing.slicerhost.dialect import StandinProperty


class ctkCollapsibleButton(QtWidgets.QAbstractButton):
    """A headline that opens and closes what is laid out under it."""

    contentsCollapsed = QtCore.Signal(bool)

    def __init__(self, *arguments: object) -> None:
        text = arguments[0] if arguments and isinstance(arguments[0], str) else ""
        parent = next((item for item in arguments if isinstance(item, QtWidgets.QWidget)), None)
        super().__init__(parent)
        self._collapsed = False
        self._hidden_by_us: list[QtWidgets.QWidget] = []
        self.setText(str(text))
        self.setCheckable(True)
        self.setChecked(True)
        self.setContentsMargins(0, self._header(), 0, 0)
        self.toggled.connect(self._toggled)

    def _set_collapsed(self, collapse: bool) -> None:
        self.setChecked(not collapse)

    def _get_collapsed(self) -> bool:
        return self._collapsed

    collapsed = StandinProperty(bool, _get_collapsed, _set_collapsed, notify=contentsCollapsed)

    def _header(self) -> int:
        return self.fontMetrics().height() + 8

    def _toggled(self, opened: bool) -> None:
        self._collapsed = not opened
        if self._collapsed:
            self._hidden_by_us = [child for child in self._contents() if not child.isHidden()]
        for child in self._hidden_by_us:
            child.setVisible(opened)
        self.updateGeometry()
        self.contentsCollapsed.emit(self._collapsed)

    def _contents(self) -> list[QtWidgets.QWidget]:
        return [child for child in self.children() if isinstance(child, QtWidgets.QWidget)]

    def hitButton(self, pos: QtCore.QPoint) -> bool:
        return pos.y() < self._header()

    def sizeHint(self) -> QtCore.QSize:
        header = QtCore.QSize(self.fontMetrics().horizontalAdvance(self.text()) + 30, self._header())
        if self._collapsed or self.layout() is None:
            return header
        return self.layout().totalSizeHint().expandedTo(header)

    def minimumSizeHint(self) -> QtCore.QSize:
        return self.sizeHint()

    def childEvent(self, event: QtCore.QChildEvent) -> None:
        # A section may be collapsed before it is filled, as in a .ui file.
        child = event.child()
        if self._collapsed and event.polished() and isinstance(child, QtWidgets.QWidget) and not child.isHidden():
            self._hidden_by_us.append(child)
            child.setVisible(False)

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        painter = QtGui.QPainter(self)
        header = QtCore.QRect(0, 0, self.width(), self._header())
        painter.fillRect(header, self.palette().button())
        arrow = "▸" if self._collapsed else "▾"
        painter.setPen(self.palette().buttonText().color())
        painter.drawText(header.adjusted(6, 0, 0, 0), QtCore.Qt.AlignmentFlag.AlignVCenter, f"{arrow} {self.text()}")
        painter.end()


class ctkCollapsibleGroupBox(QtWidgets.QGroupBox):
    """A group box whose tick opens and closes it."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)
        self._hidden_by_us: list[QtWidgets.QWidget] = []
        self.setCheckable(True)
        self.setChecked(True)
        self.toggled.connect(self._toggled)

    def _set_collapsed(self, collapse: bool) -> None:
        self.setChecked(not collapse)

    collapsed = StandinProperty(bool, lambda self: not self.isChecked(), _set_collapsed)

    def _toggled(self, opened: bool) -> None:
        if not opened:
            children = [child for child in self.children() if isinstance(child, QtWidgets.QWidget)]
            self._hidden_by_us = [child for child in children if not child.isHidden()]
        for child in self._hidden_by_us:
            child.setEnabled(True)
            child.setVisible(opened)


class ctkPathLineEdit(QtWidgets.QWidget):
    """A path that is typed, browsed for or taken from earlier ones."""

    Files, Drives, Dirs = 0x002, 0x004, 0x001
    Executable, Readable, Writable, Hidden = 0x040, 0x010, 0x020, 0x100
    currentPathChanged = QtCore.Signal(str)
    validInputChanged = QtCore.Signal(bool)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._box = QtWidgets.QComboBox(self)
        self._box.setEditable(True)
        self._browse = QtWidgets.QToolButton(self)
        self._browse.setText("…")
        self._browse.clicked.connect(self.browse)
        self._box.editTextChanged.connect(self.currentPathChanged)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._box, 1)
        layout.addWidget(self._browse)
        self._filters = self.Files | self.Readable
        self._words = {"label": "", "settingKey": ""}
        self._name_filters: list[str] = []

    def setCurrentPath(self, path: str) -> None:
        self._box.setEditText(path)

    def _set_filters(self, filters: int) -> None:
        self._filters = int(filters)

    def _set_name_filters(self, nameFilters: list[str]) -> None:
        self._name_filters = list(nameFilters)

    def _set_label(self, label: str) -> None:
        self._words["label"] = label

    def _set_setting_key(self, key: str) -> None:
        self._words["settingKey"] = key
        stored = QtCore.QSettings().value(key, [])
        self._box.addItems([stored] if isinstance(stored, str) else list(stored or []))
        self._box.setCurrentIndex(0 if self._box.count() else -1)

    def _set_show_browse_button(self, visible: bool) -> None:
        self._browse.setVisible(visible)

    def _set_show_history_button(self, visible: bool) -> None:
        self._words["showHistoryButton"] = str(visible)

    def comboBox(self) -> QtWidgets.QComboBox:
        return self._box

    def addCurrentPathToHistory(self) -> None:
        path = self._box.currentText()
        if path and self._words["settingKey"]:
            known = [self._box.itemText(index) for index in range(self._box.count())]
            kept = [path, *(item for item in known if item != path)]
            QtCore.QSettings().setValue(self._words["settingKey"], kept)
            if path not in known:
                self._box.addItem(path)
            self._box.setEditText(path)

    def browse(self) -> None:
        start = self._box.currentText()
        if self._filters & self.Files:
            kinds = ";;".join(self._name_filters)
            chosen = QtWidgets.QFileDialog.getOpenFileName(self, "Open a file", start, kinds)
        else:
            chosen = QtWidgets.QFileDialog.getExistingDirectory(self, "Open a folder", start)
        if chosen:
            self.setCurrentPath(chosen)
            self.addCurrentPathToHistory()

    currentPath = StandinProperty(str, lambda self: self._box.currentText(), setCurrentPath, notify=currentPathChanged)
    label = StandinProperty(str, lambda self: self._words["label"], _set_label)
    settingKey = StandinProperty(str, lambda self: self._words["settingKey"], _set_setting_key)
    showBrowseButton = StandinProperty(bool, lambda self: not self._browse.isHidden(), _set_show_browse_button)
    showHistoryButton = StandinProperty(
        bool, lambda self: self._words.get("showHistoryButton") != "False", _set_show_history_button
    )
    nameFilters = StandinProperty("QStringList", lambda self: list(self._name_filters), _set_name_filters)
    filters = StandinProperty(int, lambda self: self._filters, _set_filters)


class ctkDirectoryButton(QtWidgets.QPushButton):
    """A button that names a folder and asks for another."""

    directoryChanged = QtCore.Signal(str)
    directorySelected = QtCore.Signal(str)

    def __init__(self, *arguments: object) -> None:
        parent = next((item for item in arguments if isinstance(item, QtWidgets.QWidget)), None)
        super().__init__(parent)
        self._directory = str(Path.cwd())
        self._caption = ""
        self.clicked.connect(self.browse)

    def _set_directory(self, path: str) -> None:
        if path != self._directory:
            self._directory = path
            self.setText(path)
            self.directoryChanged.emit(path)

    def _set_caption(self, caption: str) -> None:
        self._caption = caption

    def browse(self) -> None:
        chosen = QtWidgets.QFileDialog.getExistingDirectory(self, self._caption, self._directory)
        if chosen:
            self._set_directory(chosen)
            self.directorySelected.emit(chosen)

    directory = StandinProperty(str, lambda self: self._directory, _set_directory, notify=directoryChanged)
    caption = StandinProperty(str, lambda self: self._caption, _set_caption)


class ctkComboBox(QtWidgets.QComboBox):
    """A combo box with a text of its own while nothing is chosen."""

    def _set_default_text(self, text: str) -> None:
        self.setPlaceholderText(text)

    defaultText = StandinProperty(str, lambda self: self.placeholderText(), _set_default_text)


class ctkSearchBox(QtWidgets.QLineEdit):
    """A line to search with."""

    def _set_show_search_icon(self, show: bool) -> None:
        self.setProperty("_searchIcon", show)

    showSearchIcon = StandinProperty(bool, lambda self: bool(self.property("_searchIcon")), _set_show_search_icon)


class ctkSliderWidget(QtWidgets.QWidget):
    """A slider beside a spin box, with decimals."""

    valueChanged = QtCore.Signal(float)
    valueIsChanging = QtCore.Signal(float)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._slider = QtWidgets.QSlider(QtCore.Qt.Orientation.Horizontal, self)
        self._spin = QtWidgets.QDoubleSpinBox(self)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._slider, 1)
        layout.addWidget(self._spin)
        self._page = 10.0
        self._spin.setRange(0, 99)
        self._adapt()
        self._slider.valueChanged.connect(self._slid)
        self._spin.valueChanged.connect(self._spun)

    @QtCore.Slot(float)
    def setValue(self, value: float) -> None:
        self._spin.setValue(value)

    @QtCore.Slot(int)
    def setDecimals(self, decimals: int) -> None:
        self._spin.setDecimals(decimals)

    @QtCore.Slot(bool)
    def setSpinBoxVisible(self, visible: bool) -> None:
        self._spin.setVisible(visible)

    @QtCore.Slot()
    def reset(self) -> None:
        self._spin.setValue(self._spin.minimum())

    def _set_minimum(self, minimum: float) -> None:
        self._spin.setMinimum(minimum)
        self._adapt()

    def _set_maximum(self, maximum: float) -> None:
        self._spin.setMaximum(maximum)
        self._adapt()

    def _set_single_step(self, step: float) -> None:
        self._spin.setSingleStep(step)
        self._adapt()

    def _set_page_step(self, step: float) -> None:
        self._page = step

    def _set_prefix(self, prefix: str) -> None:
        self._spin.setPrefix(prefix)

    def _set_suffix(self, suffix: str) -> None:
        self._spin.setSuffix(suffix)

    def _set_tracking(self, enable: bool) -> None:
        self._slider.setTracking(enable)

    minimum = StandinProperty(float, lambda self: self._spin.minimum(), _set_minimum)
    maximum = StandinProperty(float, lambda self: self._spin.maximum(), _set_maximum)
    value = StandinProperty(float, lambda self: self._spin.value(), setValue)
    singleStep = StandinProperty(float, lambda self: self._spin.singleStep(), _set_single_step)
    pageStep = StandinProperty(float, lambda self: self._page, _set_page_step)
    decimals = StandinProperty(int, lambda self: self._spin.decimals(), setDecimals)
    prefix = StandinProperty(str, lambda self: self._spin.prefix(), _set_prefix)
    suffix = StandinProperty(str, lambda self: self._spin.suffix(), _set_suffix)
    tracking = StandinProperty(bool, lambda self: self._slider.hasTracking(), _set_tracking)
    spinBoxVisible = StandinProperty(bool, lambda self: not self._spin.isHidden(), setSpinBoxVisible)

    def host_spin_box(self) -> QtWidgets.QDoubleSpinBox:
        """The spin box inside, for the host to write in."""
        return self._spin

    def _adapt(self) -> None:
        blocked = self._slider.blockSignals(True)
        steps = round((self._spin.maximum() - self._spin.minimum()) / self._spin.singleStep())
        self._slider.setRange(0, max(0, steps))
        self._slider.setValue(self._steps(self._spin.value()))
        self._slider.blockSignals(blocked)

    def _steps(self, value: float) -> int:
        return round((value - self._spin.minimum()) / self._spin.singleStep())

    def _slid(self, steps: int) -> None:
        self._spin.setValue(self._spin.minimum() + steps * self._spin.singleStep())

    def _spun(self, value: float) -> None:
        blocked = self._slider.blockSignals(True)
        self._slider.setValue(self._steps(value))
        self._slider.blockSignals(blocked)
        self.valueIsChanging.emit(value)
        self.valueChanged.emit(value)


class ctkMessageBox(QtWidgets.QMessageBox):
    """A message box with "don't show this again"."""

    def __init__(self, newParent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(newParent)
        self._key = ""

    def _set_dont_show_again_settings_key(self, key: str) -> None:
        self._key = key

    def _set_dont_show_again_visible(self, visible: bool) -> None:
        self.setCheckBox(QtWidgets.QCheckBox("Don't show this message again", self) if visible else None)

    dontShowAgainSettingsKey = StandinProperty(str, lambda self: self._key, _set_dont_show_again_settings_key)
    dontShowAgainVisible = StandinProperty(bool, lambda self: self.checkBox() is not None, _set_dont_show_again_visible)
