"""What the page's lesion table and its buttons do: each a call of the session."""

from __future__ import annotations

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.lesions.lesion import Fate
from HNTargetSegLib.web.desk import Desk, told
from HNTargetSegLib.web.sync import PageSync


class LesionActions:
    """Verdicts, names and selection.

    Methods take the lesion's id, the selected one's where it is 0.
    """

    def __init__(self, desk: Desk, sync: PageSync) -> None:
        self.desk = desk
        self._sync = sync

    @told
    def select(self, lesion_id: int) -> None:
        """Select a lesion and move the views to it."""
        self.desk.session.select(self.desk.session.active, int(lesion_id))

    @told
    def select_next(self, step: int) -> None:
        """Select the next lesion of the table, or the one before."""
        self.desk.session.select_next(int(step), order=[row["id"] for row in self.desk.state.rows])

    @told
    def sort(self, key: str) -> None:
        """Sort the table by a column; a second time turns the order."""
        state = self.desk.state
        state.sort_descending = key == state.sort_key and not state.sort_descending
        state.sort_key = key
        self._sync.rows()

    @told
    def activate(self, visit: str) -> None:
        """Show another visit in the table."""
        self.desk.session.activate(Visit(visit))

    @told
    def next_visit(self) -> None:
        """Show the other visit in the table."""
        visits = list(self.desk.session.visits)
        if len(visits) > 1:
            self.desk.session.activate(visits[(visits.index(self.desk.session.active) + 1) % len(visits)])

    @told
    def accept(self, lesion_id: int = 0) -> None:
        """Accept."""
        self.desk.session.accept(*self._lesion(lesion_id))

    @told
    def reject(self, lesion_id: int = 0) -> None:
        """Reject."""
        self.desk.session.reject(*self._lesion(lesion_id))

    @told
    def reset(self, lesion_id: int = 0) -> None:
        """Take the verdict back."""
        self.desk.session.reset(*self._lesion(lesion_id))

    @told
    def begin_rename(self, lesion_id: int = 0) -> None:
        """Turn the name into a field."""
        visit, wanted = self._lesion(lesion_id)
        state = self.desk.state
        state.new_name = self.desk.session.require(visit).require_lesion(wanted).name
        state.renaming = wanted

    @told
    def rename(self, name: str) -> None:
        """Give the lesion whose name is a field another one."""
        state = self.desk.state
        wanted, state.renaming = int(state.renaming or 0), 0
        if wanted:
            self.desk.session.rename(self.desk.session.active, wanted, str(name))

    @told
    def cancel_rename(self) -> None:
        """Leave the name as it is."""
        self.desk.state.renaming = 0

    @told
    def toggle_label(self, lesion_id: int = 0) -> None:
        """Make a primary tumour a lymph node, or the other way round."""
        visit, wanted = self._lesion(lesion_id)
        label = self.desk.session.require(visit).require_lesion(wanted).label
        self.desk.session.relabel(visit, wanted, Target.LN if label is Target.PT else Target.PT)

    @told
    def overrule(self, fate: str, lesion_id: int = 0) -> None:
        """Say what became of the lesion."""
        self.desk.session.overrule(*self._lesion(lesion_id), Fate(fate))

    @told
    def toggle_shown(self, lesion_id: int = 0) -> None:
        """Show or hide."""
        visit, wanted = self._lesion(lesion_id)
        self.desk.session.set_shown(visit, (wanted,), wanted in self.desk.session.require(visit).hidden)

    @told
    def toggle_all_shown(self) -> None:
        """Show all lesions; hide them all where none is hidden."""
        session = self.desk.session
        review = session.require(session.active)
        session.set_shown(session.active, [lesion.id for lesion in review.records], bool(review.hidden))

    @told
    def undo(self) -> None:
        """Take back what was said last."""
        self.desk.session.undo()

    @told
    def redo(self) -> None:
        """Say it again."""
        self.desk.session.redo()

    def _lesion(self, lesion_id: int) -> tuple[Visit, int]:
        session = self.desk.session
        if lesion_id:
            return session.active, int(lesion_id)
        if session.selected is None or session.selected[0] is not session.active:
            raise BadInputError("No lesion is selected", remedy="Click on a row of the table")
        return session.selected
