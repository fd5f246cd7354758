"""Undo and redo of what was said about lesions; voxels are undone in the segment editor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.lesions.lesion import Lesion, State
from HNTargetSegLib.review.verdicts import accepted, undecided


@dataclass(frozen=True)
class Step:
    """One thing that the reviewer said.

    Attributes
    ----------
    visit
        Of which visit.
    what
        As the menu names it, such as ``accept GTVn1``.
    before, after
        The records it changed, in one order.
    """

    visit: Visit
    what: str
    before: tuple[Lesion, ...]
    after: tuple[Lesion, ...]

    def reversed(self) -> Step:
        """The step that takes this one back."""
        return replace(self, before=self.after, after=self.before)

    def applied_to(self, lesion: Lesion, *, touched: bool) -> Lesion:
        """A record, as it is now, with what this step said; what goes with its voxels stays as it is.

        Parameters
        ----------
        lesion
            Its measures, which edits may have changed since, stay, and so do probabilities of other voxels.
        touched
            Whether its voxels differ from the model's by now: only then it can be ``edited``, and is not ``accepted``.
        """
        said = next((new for new in self.after if new.id == lesion.id), None)
        if said is None:
            return lesion
        told = replace(lesion, name=said.name, label=said.label, state=said.state)
        if (said.voxels == 0) == (lesion.voxels == 0):
            told = replace(told, fate=said.fate)
        if (said.voxels, said.box, said.centroid) == (lesion.voxels, lesion.box, lesion.centroid):
            told = replace(told, p_mean=said.p_mean, p_max=said.p_max)
        if told.state is State.ACCEPTED and touched:
            return accepted(told, touched=True)
        return undecided(told) if told.state is State.EDITED and not touched else told


class History:
    """Steps that can be undone, and undone ones that can be redone.

    Parameters
    ----------
    limit
        Number of steps that are remembered.
    """

    def __init__(self, limit: int = 200) -> None:
        self._limit = limit
        self._done: list[Step] = []
        self._undone: list[Step] = []

    @property
    def next_undo(self) -> str:
        """What undo would take back; empty where there is nothing."""
        return self._done[-1].what if self._done else ""

    @property
    def next_redo(self) -> str:
        """What redo would do again; empty where there is nothing."""
        return self._undone[-1].what if self._undone else ""

    def push(self, step: Step) -> None:
        """Remember a step; what was undone before can no longer be redone."""
        self._done = [*self._done, step][-self._limit :]
        self._undone.clear()

    def undo(self) -> Step | None:
        """The step that takes the last one back, or None."""
        if not self._done:
            return None
        step = self._done.pop()
        self._undone.append(step)
        return step.reversed()

    def redo(self) -> Step | None:
        """The step that was undone last, or None."""
        if not self._undone:
            return None
        step = self._undone.pop()
        self._done.append(step)
        return step

    def keep(self, wanted: Callable[[Step], bool]) -> None:
        """Forget the steps that are not wanted, such as those about lesions that are gone."""
        self._done = [step for step in self._done if wanted(step)]
        self._undone = [step for step in self._undone if wanted(step)]

    def clear(self) -> None:
        """Forget all."""
        self._done.clear()
        self._undone.clear()
