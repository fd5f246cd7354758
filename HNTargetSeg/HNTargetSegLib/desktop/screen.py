"""What the module shows: its panels, or what Python lacks for them."""

from __future__ import annotations

from typing import Any

from HNTargetSegLib.desktop.install import can_open_panel
from HNTargetSegLib.desktop.missing_panel import MissingPanel
from HNTargetSegLib.desktop.qt_values import value_of


class Screen:
    """The widgets of one module widget, through its life.

    Where Python lacks what any panel needs, only the panel that installs it is shown, and the others once it is there.

    Parameters
    ----------
    module_widget
        ``HNTargetSegWidget``; a reloaded one may be open already.
    make_logic
        Makes the module's logic; called when there is all it needs.

    Attributes
    ----------
    logic
        The module's logic; None while something is missing.
    """

    def __init__(self, module_widget: Any, make_logic: Any) -> None:
        self.logic: Any = None
        self._layout = module_widget.layout
        self._make_logic = make_logic
        self._missing: MissingPanel | None = None
        self._main: Any = None
        self._entered = bool(value_of(module_widget.parent, "isEntered"))
        self._build()

    def enter(self) -> None:
        """The user opens the module."""
        self._entered = True
        if self._main is not None:
            self._main.enter()

    def leave(self) -> None:
        """The user opens another module."""
        self._entered = False
        if self._main is not None:
            self._main.leave()

    def scene_closes(self) -> None:
        """The scene is about to be closed."""
        if self._main is not None:
            self._main.scene_closes()

    def scene_closed(self) -> None:
        """The scene is empty, or another one was read."""
        if self._main is not None:
            self._main.scene_closed()

    def close(self) -> None:
        """Slicer ends, or the module is reloaded: the worker goes too. Twice does no harm."""
        if self._main is not None:
            self._main.close()
            self.logic.close()
            # Slicer only hides what a reloaded module leaves behind.
            self._main.widget.deleteLater()
            self._main = None

    def try_again(self) -> None:
        """Show the panels if what they need is there by now."""
        if self._main is None:
            self._build()

    def _build(self) -> None:
        if self._missing is not None:
            self._missing.widget.setVisible(False)
        if not can_open_panel():
            self._missing = MissingPanel(self.try_again)
            self._layout.addWidget(self._missing.widget)
            self._layout.addStretch(1)
            self._missing.refresh()
            return
        import slicer

        from HNTargetSegLib.desktop.main_panel import MainPanel

        self.logic = self._make_logic()
        self._main = MainPanel(self.logic.shared, slicer.mrmlScene)
        self._layout.addWidget(self._main.widget)
        if self._entered:
            self._main.enter()
