"""Keeps the page's variables equal to the review: listens to the session and writes trame's state."""

from __future__ import annotations

from HNTargetSegLib.review.change import Change, Level, Message, Part
from HNTargetSegLib.web import shown
from HNTargetSegLib.web.desk import Desk

_ROWS = {Part.CASE, Part.VOXELS, Part.LESIONS, Part.SELECTION, Part.SHOWN}
_TABS = {Part.CASE, Part.VOXELS, Part.LESIONS}


class PageSync:
    """Writes what has changed into trame's state; nothing of the page is read here.

    Parameters
    ----------
    desk
        The review.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._told = 0
        desk.session.changed.connect(self._on_change)
        desk.session.messages.connect(self._on_message)

    def all(self) -> None:
        """Write everything."""
        for part in Part:
            self._on_change(Change(part))

    def rows(self) -> None:
        """Write the lesion table, in the order that the page asks for."""
        state, session = self._desk.state, self._desk.session
        state.rows = shown.lesion_rows(session, state.sort_key, descending=bool(state.sort_descending))
        selected = session.selected
        state.selected = selected[1] if selected is not None and selected[0] is session.active else 0
        state.current = next((row for row in state.rows if row["id"] == state.selected), {})

    def _on_change(self, change: Change) -> None:
        state, session = self._desk.state, self._desk.session
        if change.part is Part.CASE:
            state.patient = session.case.name if session.case is not None else ""
            state.screen = "review" if session.case is not None else "start"
        if change.part in _TABS:
            state.visits = shown.visit_tabs(session)
        if change.part in _ROWS:
            state.active = session.active.value
            self.rows()
        if change.part is Part.RUN:
            state.run = shown.run_view(self._desk.segmenting.state)
        if change.part in (Part.HISTORY, Part.CASE):
            state.undo, state.redo = session.next_undo, session.next_redo

    def _on_message(self, message: Message) -> None:
        state = self._desk.state
        self._told += 1
        item = shown.message_item(message, self._told)
        state.messages = [item, *state.messages][:50]
        state.unread = int(state.unread or 0) + (message.level is not Level.INFO)
        state.notice, state.notice_shown = item, True
