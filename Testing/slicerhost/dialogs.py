"""Dialogs that would wait for the user: the test answers them in advance; one that it did not foresee is a failure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from PySide6 import QtCore, QtWidgets


@dataclass(frozen=True)
class Shown:
    """A dialog that the module opened.

    Attributes
    ----------
    kind
        "message", "open file", "save file", "folder", "text", "menu" or the class of the dialog.
    title, text
        What it says; ``text`` holds the details too.
    reply
        What it was answered, or None when nobody had foreseen it.
    """

    kind: str
    title: str
    text: str
    reply: Any


@dataclass
class Answers:
    """Replies given in advance, used in order; each serves one dialog whose title or text contains its words."""

    shown: list[Shown] = field(default_factory=list)
    _waiting: list[tuple[str, Any]] = field(default_factory=list)

    def expect(self, words: str, reply: Any) -> None:
        """Answer the next dialog that says ``words``; a callable ``reply`` gets the dialog and returns the reply."""
        self._waiting.append((words, reply))

    def unused(self) -> list[str]:
        """The words of the replies that no dialog has asked for."""
        return [words for words, _ in self._waiting]

    def unforeseen(self) -> list[Shown]:
        """Dialogs that nobody had foreseen."""
        return [shown for shown in self.shown if shown.reply is None]

    def clear(self) -> None:
        """Forget everything."""
        self.shown.clear()
        self._waiting.clear()

    def reply(self, kind: str, title: str, text: str, otherwise: Any, dialog: Any = None) -> Any:
        """The reply for a dialog, or ``otherwise`` (its Cancel), noted as unforeseen."""
        for index, (words, reply) in enumerate(self._waiting):
            if words.lower() in f"{title}\n{text}".lower():
                del self._waiting[index]
                given = reply(dialog) if callable(reply) else reply
                self.shown.append(Shown(kind, title, text, given))
                return given
        self.shown.append(Shown(kind, title, text, None))
        return otherwise


def install(answers: Answers) -> None:
    """Send all of Qt's modal dialogs to ``answers``; once a process."""
    _install_execution(answers)
    _install_files(answers)
    _install_boxes(answers)


def _install_execution(answers: Answers) -> None:
    cancel = int(QtWidgets.QDialog.DialogCode.Rejected)

    def execute(dialog: QtWidgets.QDialog) -> Any:
        if isinstance(dialog, QtWidgets.QMessageBox):
            text = "\n".join(part for part in (dialog.text(), dialog.informativeText(), dialog.detailedText()) if part)
            button = QtWidgets.QMessageBox.StandardButton
            # One button leaves no choice: the box needs no answer, but is kept to look at.
            buttons = dialog.standardButtons()
            alone = buttons in (button.Ok, button.NoButton, button.Close) and len(dialog.buttons()) <= 1
            reply = answers.reply("message", dialog.windowTitle(), text, "seen" if alone else button.Cancel, dialog)
            if alone and answers.shown[-1].reply is None:
                answers.shown[-1] = Shown("message", dialog.windowTitle(), text, "seen")
            return int(button.Ok) if reply == "seen" else reply
        return answers.reply(type(dialog).__name__, dialog.windowTitle(), _texts(dialog), cancel, dialog)

    for kind in (QtWidgets.QDialog, QtWidgets.QMessageBox, QtWidgets.QFileDialog, QtWidgets.QInputDialog):
        for name in ("exec", "exec_"):
            setattr(kind, name, execute)

    def choose(menu: QtWidgets.QMenu, *position: Any) -> Any:
        names = [action.text() for action in menu.actions()]
        reply = answers.reply("menu", menu.title(), "\n".join(names), None, menu)
        action = next((action for action in menu.actions() if action.text() == reply), None)
        if action is not None:
            action.trigger()
        return action

    for name in ("exec", "exec_"):
        setattr(QtWidgets.QMenu, name, choose)
    QtCore.QEventLoop.exec_ = QtCore.QEventLoop.exec


def _install_files(answers: Answers) -> None:
    """PythonQt's functions return the path alone, without the filter."""

    def asking(kind: str, empty: Any) -> Callable[..., Any]:
        def ask(parent: Any = None, caption: str = "", dir: str = "", filter: str = "", *more: Any) -> Any:
            return answers.reply(kind, caption, f"{dir}\n{filter}", empty)

        return ask

    files = QtWidgets.QFileDialog
    files.getOpenFileName = staticmethod(asking("open file", ""))
    files.getOpenFileNames = staticmethod(asking("open files", []))
    files.getSaveFileName = staticmethod(asking("save file", ""))
    files.getExistingDirectory = staticmethod(asking("folder", ""))
    QtWidgets.QInputDialog.getText = staticmethod(
        lambda parent=None, title="", label="", *more, **named: answers.reply("text", title, label, "")
    )


def _install_boxes(answers: Answers) -> None:
    box = QtWidgets.QMessageBox
    cancel = box.StandardButton.Cancel

    def telling(parent: Any, title: str, text: str, *more: Any) -> Any:
        answers.reply("message", title, text, "seen")
        if answers.shown[-1].reply is None:
            answers.shown[-1] = Shown("message", title, text, "seen")
        return box.StandardButton.Ok

    def asking(parent: Any, title: str, text: str, *more: Any) -> Any:
        return answers.reply("message", title, text, cancel)

    box.information = box.about = staticmethod(telling)
    box.warning = staticmethod(lambda parent, title, text, *more: (asking if more else telling)(parent, title, text))
    box.critical = staticmethod(lambda parent, title, text, *more: (asking if more else telling)(parent, title, text))
    box.question = staticmethod(asking)


def _texts(dialog: QtWidgets.QDialog) -> str:
    return "\n".join(label.text() for label in dialog.findChildren(QtWidgets.QLabel))
