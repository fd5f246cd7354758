"""What leaves a review: decided lesions only, all files or none."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Collection, Iterable
from os import PathLike
from pathlib import Path

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.errors import BadInputError, OutputError
from HNTargetSegLib.export.manifest import InputRecord, Manifest, input_record, package_versions
from HNTargetSegLib.export.segmentation import MANIFEST, write_result
from HNTargetSegLib.files import replacing_files
from HNTargetSegLib.lesions.lesion import Lesion
from HNTargetSegLib.review.session import ReviewSession
from HNTargetSegLib.review.visit import VisitReview


class UnreviewedError(BadInputError):
    """Lesions that nobody has decided about stand in the way of an export.

    Attributes
    ----------
    names
        Of the lesions by visit.
    """

    def __init__(self, names: dict[Visit, tuple[str, ...]]) -> None:
        listed = "; ".join(f"{visit.title}: {', '.join(found)}" for visit, found in names.items())
        super().__init__(
            f"Nobody has decided about {listed}", remedy="Accept or reject them, or confirm each by its name"
        )
        self.names = names


def unreviewed(session: ReviewSession, visits: Iterable[Visit] | None = None) -> dict[Visit, tuple[Lesion, ...]]:
    """Lesions that the reviewer has not decided about, by visit; visits without any are left out."""
    found = {visit: session.require(visit).unreviewed for visit in (visits or _with_lesions(session))}
    return {visit: lesions for visit, lesions in found.items() if lesions}


def export_review(
    session: ReviewSession,
    folder: str | PathLike[str],
    *,
    visits: Iterable[Visit] | None = None,
    confirmed: Collection[tuple[Visit, str]] = (),
) -> dict[Visit, Path]:
    """Write the reviewed lesions, one visit into ``folder`` itself, several into ``preRT`` and ``midRT`` under it.

    The files are those of :func:`HNTargetSegLib.export.segmentation.write_result`. Rejected lesions are in none of
    them but the manifest, which names them.

    Parameters
    ----------
    visits
        Those with lesions by default.
    confirmed
        Visit and name of each undecided lesion that the user wants to leave all the same.

    Returns
    -------
    dict
        Folder by visit.

    Raises
    ------
    UnreviewedError
        If an undecided lesion was not confirmed by its name; nothing is written.
    BadInputError
        If there is nothing to export.
    OutputError
        If a file cannot be written, or the folder holds what was exported of another image; it then stands as it was.
    """
    chosen = tuple(visits) if visits is not None else _with_lesions(session)
    if not chosen:
        raise BadInputError("There are no lesions to export", remedy="Segment a visit first")
    open_ = {
        visit: tuple(lesion.name for lesion in lesions if (visit, lesion.name) not in confirmed)
        for visit, lesions in unreviewed(session, chosen).items()
    }
    if open_ := {visit: names for visit, names in open_.items() if names}:
        raise UnreviewedError(open_)
    target = Path(folder)
    places = {visit: f"{visit.value}RT" if len(chosen) > 1 else "" for visit in chosen}
    _require_own(session, target, {place: visit for visit, place in places.items()})
    with replacing_files(target) as new:
        for visit in chosen:
            _write_visit(session, visit, new / places[visit], confirmed)
    return {visit: target / place for visit, place in places.items()}


def _with_lesions(session: ReviewSession) -> tuple[Visit, ...]:
    return tuple(visit for visit, review in session.visits.items() if review.lesions is not None)


def _require_own(session: ReviewSession, folder: Path, written: dict[str, Visit]) -> None:
    """Refuse a folder with the export of another patient, or of the other visit where this one's files would go.

    Parameters
    ----------
    written
        Visit by folder below ``folder`` that it is written into.
    """
    for place in ("", *(f"{visit.value}RT" for visit in Visit)):
        earlier = _exported_image(folder / place / MANIFEST)
        if earlier is None:
            continue
        role, digest = earlier
        visit = next((visit for visit in session.visits if _role(visit) == role), None)
        other_visit = place in written and _role(written[place]) != role
        if other_visit or (visit is not None and _input(visit, session.visits[visit]).sha256 != digest):
            raise OutputError(
                f"The folder holds the export of another {role} image",
                path=folder / place,
                remedy="Choose another folder; nothing was changed",
            )


def _exported_image(manifest: Path) -> tuple[str, str] | None:
    """Role and hash of the image of an earlier export; None where there is none that can be read."""
    try:
        image = json.loads(manifest.read_text(encoding="utf-8"))["inputs"][0]
        return str(image["role"]), str(image["sha256"])
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return None


def _role(visit: Visit) -> str:
    return f"{visit.value}RT_T2"


def _write_visit(session: ReviewSession, visit: Visit, folder: Path, confirmed: Collection[tuple[Visit, str]]) -> None:
    review = session.require(visit)
    if review.lesions is None:
        raise BadInputError(f"The {visit.title} visit has no lesions", remedy="Segment it first")
    leaving = review.lesions.without_rejected()
    title = f"{visit.title}, {session.case.name if session.case else ''}"
    manifest = _manifest(session, visit, review, [name for at, name in confirmed if at is visit])
    write_result(folder, review.image.image, leaving, manifest, title=title)


def _manifest(session: ReviewSession, visit: Visit, review: VisitReview, unreviewed_names: list[str]) -> Manifest:
    now = datetime.datetime.now(datetime.timezone.utc)
    run = review.run
    return Manifest(
        inputs=(_input(visit, review),),
        model=None if run is None else run.model,
        parameters={} if run is None else run.parameters,
        device="" if run is None else run.device,
        started=now if run is None else run.started,
        finished=now if run is None else max(now, run.started),
        seconds={} if run is None else run.seconds,
        edits=tuple(_verdict(lesion, review) for lesion in review.records),
        reviewer=session.reviewer or None,
        warnings=(
            *(() if run is None else run.warnings),
            *(f"{name} was exported without a decision of the reviewer" for name in unreviewed_names),
        ),
        versions=package_versions(),
    )


def _input(visit: Visit, review: VisitReview) -> InputRecord:
    source = review.image.source
    if source is not None and source.exists():
        return input_record(_role(visit), source)
    # A volume of a scene, or one whose file is gone since, as on another computer: the hash is that of its voxels.
    image = review.image.image
    return InputRecord(_role(visit), image.name, hashlib.sha256(image.array.tobytes()).hexdigest())


def _verdict(lesion: Lesion, review: VisitReview) -> dict[str, object]:
    return {
        "lesion": lesion.name,
        "id": lesion.id,
        "state": lesion.state,
        "origin": lesion.origin,
        "changed_by_hand": lesion.id in review.touched,
    }
