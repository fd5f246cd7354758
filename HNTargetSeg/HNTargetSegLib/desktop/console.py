"""What the Python console calls: the review in plain names and values."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.layout import discover
from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.desktop.desk import ReviewDesk
from HNTargetSegLib.desktop.opening import answered
from HNTargetSegLib.errors import BadInputError, TargetSegError
from HNTargetSegLib.lesions.lesion import Fate
from HNTargetSegLib.lesions.table import as_row
from HNTargetSegLib.models.options import PredictOptions
from HNTargetSegLib.review.autosave import SavedReview
from HNTargetSegLib.review.change import Level
from HNTargetSegLib.review.going_on import GoOn, Resume
from HNTargetSegLib.review.visit import RunRecord

WAIT_SECONDS = 0.05


class RunFailedError(TargetSegError):
    """A run that was waited for has not brought lesions; the message says why."""


class Console:
    """A desk for somebody who types; the methods are those of ``HNTargetSegLogic``, which documents them.

    Parameters
    ----------
    desk
        The review.
    """

    def __init__(self, desk: ReviewDesk) -> None:
        self._desk = desk

    def open_patient(self, folder: str, patient: str | None, answer: str | None, review: str | None) -> bool:
        """Open a patient of a folder, who must be named where there are several."""
        found = discover(folder)
        chosen = [files for files in found if patient in (None, files.name)]
        if len(chosen) != 1:
            names = ", ".join(files.name for files in found)
            raise BadInputError(f"The folder holds {len(found)} patients", path=folder, remedy=f"Name one of {names}")
        return self._desk.open_files(chosen[0], answered(answer), self._resuming(review))

    def open_sample(self, **choice: Any) -> bool:
        """Open the generated patient."""
        from HNTargetSegLib.phantom.sample import sample_patient

        return self._desk.open_files(sample_patient(**choice), answered(None))

    def open_volumes(self, pre: Any, mid: Any, answer: str | None, review: str | None) -> bool:
        """Open volumes of the scene."""
        return self._desk.open_nodes(pre, mid, answered(answer), self._resuming(review))

    def segment(
        self, visits: str | Iterable[str] | None, model: str | None, device: str, mode: str, wait: bool
    ) -> None:
        """Begin a run and, if asked to, stay until it has ended."""
        options = PredictOptions(device=device, mode=mode)  # type: ignore[arg-type]
        asked = _visits(visits) or list(self._desk.session.visits)
        before = self._runs(asked)
        self._desk.segment(asked, model=model, predict=options)
        if wait:
            self._stay()
            if any(run is None or run is before[visit] for visit, run in self._runs(asked).items()):
                said = self._desk.session.said[-1:]
                raise RunFailedError(" ".join(str(message) for message in said) or "The run has brought no lesions")

    def lesions(self, visit: str | None) -> list[dict[str, Any]]:
        """Lesions as plain values."""
        self._desk.follow_edits()
        return [as_row(lesion) for lesion in self._desk.session.lesions(None if visit is None else _visit(visit))]

    def select(self, visit: str, lesion: int | str) -> None:
        """Select a lesion."""
        self._desk.session.select(*self._id(visit, lesion))

    def accept(self, visit: str, *lesions: int | str) -> None:
        """Accept lesions."""
        self._desk.session.accept(_visit(visit), *self._ids(visit, lesions))

    def reject(self, visit: str, *lesions: int | str) -> None:
        """Reject lesions."""
        self._desk.session.reject(_visit(visit), *self._ids(visit, lesions))

    def reset(self, visit: str, *lesions: int | str) -> None:
        """Take verdicts back."""
        self._desk.session.reset(_visit(visit), *self._ids(visit, lesions))

    def rename(self, visit: str, lesion: int | str, name: str) -> None:
        """Rename a lesion."""
        where, lesion_id = self._id(visit, lesion)
        self._desk.session.rename(where, lesion_id, name)

    def relabel(self, visit: str, lesion: int | str, label: str) -> None:
        """Make a lesion a PT or an LN."""
        target = Target[_one_of("label", label, [item.name for item in Target])]
        where, lesion_id = self._id(visit, lesion)
        self._desk.session.relabel(where, lesion_id, target)

    def overrule(self, visit: str, lesion: int | str, fate: str) -> None:
        """Say what became of a lesion."""
        said = Fate(_one_of("fate", fate, [item.value for item in Fate]))
        where, lesion_id = self._id(visit, lesion)
        self._desk.session.overrule(where, lesion_id, said)

    def export(
        self,
        folder: str,
        confirmed: Iterable[tuple[str, str]],
        visits: str | Iterable[str] | None,
        formats: str | Iterable[str],
        series: Mapping[str, str] | None,
    ) -> dict[str, Path]:
        """Write the decided lesions."""
        from HNTargetSegLib.export.format import parse_formats
        from HNTargetSegLib.review.exporting import export_review

        self._desk.require_edits()
        agreed = {(_visit(visit), name) for visit, name in confirmed}
        written = export_review(
            self._desk.session,
            folder,
            visits=_visits(visits),
            confirmed=agreed,
            formats=parse_formats(formats if isinstance(formats, str) else ",".join(formats)),
            series={_visit(visit): place for visit, place in (series or {}).items()},
        )
        return {visit.value: place for visit, place in written.items()}

    def final_check(self, visits: str | Iterable[str] | None = None) -> list[dict[str, Any]]:
        """What should be looked at before lesions leave: check, visit, lesion, LPS place and text of each finding."""
        from HNTargetSegLib.review.final_check import final_check

        self._desk.require_edits()
        found = final_check(self._desk.session, _visits(visits), self._desk.review_scene.overlaps())
        return [
            {
                "check": item.finding.check.value,
                "visit": item.visit.value,
                "lesion": item.finding.name,
                "place": item.finding.place,
                "text": item.finding.text,
            }
            for item in found
        ]

    def import_delineation(
        self, visit: str, file: str, structures: Mapping[str, str | None] | None = None, **said: Any
    ) -> list[dict[str, Any]]:
        """Make structures of an RTSTRUCT, SEG or mask the lesions of a visit; returns them as :meth:`lesions`.

        Parameters
        ----------
        structures
            "PT", "LN" or None (as the name says) by name; all whose kind is known by default.
        **said
            ``series``: DICOM folder of the image; ``other_patient``, ``other_frame``, ``replace``: True confirms it.
        """
        from HNTargetSegLib.case.dicom_import import Allowed
        from HNTargetSegLib.review.importing import find_delineation, take_delineation

        allowed = Allowed(bool(said.get("other_patient")), bool(said.get("other_frame")))
        session, where = self._desk.session, _visit(visit)
        self._desk.require_edits()
        found = find_delineation(session, where, file, series=said.get("series"), allowed=allowed)
        wanted = {name: None if kind is None else Target[kind] for name, kind in (structures or {}).items()}
        take_delineation(session, found, wanted, replacing=bool(said.get("replace")))
        return self.lesions(visit)

    def _resuming(self, review: str | None) -> Resume:
        """What is done about a review on disk: what was said in advance; begun anew, and told of, where nothing was."""
        wanted = None if review is None else GoOn(_one_of("review", review, [item.value for item in GoOn]))

        def resume(saved: SavedReview) -> GoOn:
            if wanted is None:
                text = f"A review of patient {saved.patient} ({saved.saved:%Y-%m-%d %H:%M}) is kept on this computer."
                self._desk.session.say(Level.INFO, text, "Open the patient with review='continue' to go on with it.")
            return wanted or GoOn.ANEW

        return resume

    def _id(self, visit: str, lesion: int | str) -> tuple[Visit, int]:
        """Visit, and the id of a lesion given by name or id."""
        where = _visit(visit)
        return where, self._desk.lesion_id(where, lesion)

    def _ids(self, visit: str, lesions: tuple[int | str, ...]) -> list[int]:
        return [self._id(visit, lesion)[1] for lesion in lesions]

    def _runs(self, visits: list[Visit]) -> dict[Visit, RunRecord | None]:
        """The runs that the lesions of some visits are of; None also for a visit that is closed by now."""
        reviews = self._desk.session.visits
        return {visit: reviews[visit].run if visit in reviews else None for visit in visits}

    def _stay(self) -> None:
        """Let Slicer live on until the run has ended."""
        import slicer

        problems: list[str] = []
        disconnect = self._desk.session.messages.connect(
            lambda message: problems.append(str(message)) if message.level is Level.ERROR else None
        )
        try:
            while self._desk.poll():
                slicer.app.processEvents()
                time.sleep(WAIT_SECONDS)
        finally:
            disconnect()
        if problems:
            raise RunFailedError(" ".join(problems))


def _visits(visits: str | Iterable[str] | None) -> list[Visit] | None:
    if visits is None:
        return None
    return [_visit(visit) for visit in ([visits] if isinstance(visits, str) else visits)]


def _visit(visit: str) -> Visit:
    return Visit(_one_of("visit", visit, [item.value for item in Visit]))


def _one_of(what: str, given: str, allowed: list[str]) -> str:
    if given not in allowed:
        raise BadInputError(f"There is no {what} '{given}'", remedy=f"Choose one of {', '.join(allowed)}")
    return given
