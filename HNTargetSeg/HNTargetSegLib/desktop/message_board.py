"""Which messages stand on the screen: errors until somebody removes them, of the others the last few."""

from __future__ import annotations

import html
from dataclasses import dataclass, replace

from HNTargetSegLib.review.change import Level, Message

PASSING_KEPT = 3
ERRORS_KEPT = 20

_SIGNS = {Level.ERROR: "\u2716", Level.WARNING: "\u25b2", Level.INFO: "\u2022"}


@dataclass(frozen=True)
class MessageBoard:
    """Messages on the screen: errors, then the others, the newest one first.

    Attributes
    ----------
    entries
        Number and message; a message keeps its number.
    next_number
        Number of the next message.
    """

    entries: tuple[tuple[int, Message], ...] = ()
    next_number: int = 0

    def with_message(self, message: Message) -> MessageBoard:
        """The board with one more; the same message again takes the place of the earlier one."""
        kept = [entry for entry in self.entries if entry[1] != message]
        entries = [(self.next_number, message), *kept]
        errors = [entry for entry in entries if entry[1].level is Level.ERROR][:ERRORS_KEPT]
        passing = [entry for entry in entries if entry[1].level is not Level.ERROR][:PASSING_KEPT]
        return MessageBoard((*errors, *passing), self.next_number + 1)

    def without(self, number: int) -> MessageBoard:
        """The board once a message was dismissed."""
        return replace(self, entries=tuple(entry for entry in self.entries if entry[0] != number))

    def cleared(self) -> MessageBoard:
        """The board once all were dismissed."""
        return replace(self, entries=())

    def html(self, dismiss: str) -> str:
        """Rich text: sign, sentence, remedy, and a link ``dismiss:<number>`` with the tip ``dismiss``."""
        return "".join(_line(number, message, dismiss) for number, message in self.entries)

    def plain(self) -> str:
        """Plain text, a line a message."""
        return "\n".join(f"{message.level.value}: {message}" for _, message in self.entries)


def _line(number: int, message: Message, dismiss: str) -> str:
    text = html.escape(message.text)
    if message.level is Level.ERROR:
        text = f"<b>{text}</b>"
    remedy = f" <i>{html.escape(message.remedy)}</i>" if message.remedy else ""
    cross = f'<a href="dismiss:{number}" title="{html.escape(dismiss)}" style="text-decoration:none">\u2715</a>'
    return f'<p style="margin:0 0 3px 0">{cross}&nbsp; {_SIGNS[message.level]} {text}{remedy}</p>'
