"""The messages of the session, above all panels."""

from __future__ import annotations

from typing import Any

from HNTargetSegLib.desktop.desk import ReviewDesk
from HNTargetSegLib.desktop.message_board import MessageBoard
from HNTargetSegLib.desktop.missing_panel import slicer_version
from HNTargetSegLib.desktop.qt_values import value_of
from HNTargetSegLib.desktop.texts import tr as _
from HNTargetSegLib.desktop.ui_files import load_ui
from HNTargetSegLib.review.change import Message

NARROWEST = 240
HIGHEST = 112
"""In pixels: the width before the panel was ever shown, and the height from which the messages scroll."""


class MessagesPanel:
    """Shows messages with their remedy; hidden while there is none.

    Parameters
    ----------
    desk
        Whose messages.

    Attributes
    ----------
    widget
        The panel.
    """

    def __init__(self, desk: ReviewDesk) -> None:
        self.widget, self._ui = load_ui("Messages")
        self._desk = desk
        self._board = MessageBoard()
        self._ui.messageText.viewport().setAutoFillBackground(False)
        self._ui.messageText.anchorClicked.connect(self._on_link)
        self._ui.dismissButton.clicked.connect(self._on_dismiss_all)
        self._ui.copyButton.clicked.connect(self._on_copy)
        self._disconnect = desk.session.messages.connect(self._on_message)
        for message in desk.session.said[-1:]:
            self._board = self._board.with_message(message)
        self._refresh()

    def close(self) -> None:
        """Stop listening."""
        self._disconnect()

    def _on_message(self, message: Message) -> None:
        self._board = self._board.with_message(message)
        self._refresh()

    def _on_link(self, address: Any) -> None:
        scheme, _colon, number = str(address.toString()).partition(":")
        if scheme == "dismiss" and number.isdigit():
            self._board = self._board.without(int(number))
            self._refresh()

    def _on_dismiss_all(self) -> None:
        self._board = self._board.cleared()
        self._refresh()

    def _on_copy(self) -> None:
        import qt

        qt.QApplication.clipboard().setText(self.details())

    def details(self) -> str:
        """What a report needs: the messages, versions and the log's place."""
        import platform

        from HNTargetSegLib import __version__

        slicer_is = ".".join(str(number) for number in slicer_version())
        log = self._desk.worker.log_file
        lines = [
            self._board.plain(),
            f"HNTargetSeg {__version__}, Slicer {slicer_is}, Python {platform.python_version()}, {platform.platform()}",
            f"interpreter: {self._desk.settings.interpreter or 'default'}; log: {log or 'none yet'}",
        ]
        return "\n".join(lines)

    def _refresh(self) -> None:
        self._ui.messageText.setHtml(self._board.html(_("Dismiss")))
        self.widget.setVisible(bool(self._board.entries))
        self._fit()
        self._ui.dismissButton.setText(_("Dismiss all") if len(self._board.entries) > 1 else _("Dismiss"))

    def _fit(self) -> None:
        """As high as the messages are, within reason."""
        text = self._ui.messageText
        document = value_of(text, "document")
        document.setTextWidth(max(float(value_of(text.viewport(), "width")), NARROWEST))
        height = min(round(float(value_of(document, "size").height())) + 4, HIGHEST)
        text.setMinimumHeight(height)
        text.setMaximumHeight(height)
