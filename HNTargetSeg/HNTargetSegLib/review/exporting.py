"""What leaves a review: decided lesions only, all files or none."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

from HNTargetSegLib import __version__
from HNTargetSegLib.case.dicom_rtstruct import Rtstruct, read_rtstruct
from HNTargetSegLib.case.dicom_series import DicomSeries
from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.errors import BadInputError, OutputError
from HNTargetSegLib.export.dicom_files import DicomFormat, DicomOptions
from HNTargetSegLib.export.dicom_lesion import LONGEST_TEXT, Algorithm
from HNTargetSegLib.export.folder import hashed_files, replacing_export
from HNTargetSegLib.export.format import DEFAULT_FORMATS, REPORT_HTML, REPORT_PDF, Format
from HNTargetSegLib.export.formats import Leaving, write_formats
from HNTargetSegLib.export.manifest import write_manifest
from HNTargetSegLib.export.review_report import write_report
from HNTargetSegLib.export.segmentation import MANIFEST
from HNTargetSegLib.files import sha256
from HNTargetSegLib.lesions.lesion import Lesion
from HNTargetSegLib.review.dicom_source import series_of
from HNTargetSegLib.review.manifest import image_record, image_role, review_manifest
from HNTargetSegLib.review.report import review_report
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
    formats: Collection[Format] = DEFAULT_FORMATS,
    series: Mapping[Visit, str | PathLike[str]] | None = None,
    progress: Callable[[str], object] = str,
) -> dict[Visit, Path]:
    """Write the reviewed lesions, one visit into ``folder`` itself, several into ``preRT`` and ``midRT`` under it.

    The files are those of :func:`HNTargetSegLib.export.formats.write_formats` and a manifest; a report of all visits
    lies in ``folder``. Rejected lesions are in none of them but report and manifest, which name them. What an earlier
    export into the same folder has written and this one has not is removed.

    Parameters
    ----------
    visits
        Those with lesions by default.
    confirmed
        Visit and name of each undecided lesion that the user wants to leave all the same.
    formats
        What to write.
    series
        DICOM folder by visit, for those whose image did not come from one.
    progress
        Told what is written next.

    Returns
    -------
    dict
        Folder by visit.

    Raises
    ------
    UnreviewedError
        If an undecided lesion was not confirmed by its name; nothing is written.
    BadInputError, GeometryError
        If there is nothing to export, or a DICOM format is asked for and there is no series on the image's grid.
    MissingDependencyError
        If a SEG is asked for and highdicom is not installed.
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
    on_series = {
        visit: series_of(session.require(visit), (series or {}).get(visit)) for visit in _dicom(chosen, formats)
    }
    shared = () if len(chosen) == 1 else (REPORT_HTML, REPORT_PDF)
    export = _Export(session, places, on_series, frozenset(formats), frozenset(confirmed), progress)
    with replacing_export(target, list(places.values()), shared) as new:
        beside = export.write_report(new)
        for visit in chosen:
            export.write_visit(visit, new, beside if shared else {})
    return {visit: target / place for visit, place in places.items()}


@dataclass(frozen=True)
class _Export:
    """One export: what is written of which visit, and where below its folder."""

    session: ReviewSession
    places: Mapping[Visit, str]
    series: Mapping[Visit, DicomSeries]
    formats: frozenset[Format]
    confirmed: frozenset[tuple[Visit, str]]
    progress: Callable[[str], object]

    def write_report(self, new: Path) -> dict[str, str]:
        """Write the report of all visits, if it is asked for; its files as the manifests list them."""
        if Format.REPORT not in self.formats:
            return {}
        self.progress(Format.REPORT.title)
        agreed = [lesion for lesion in self.confirmed if lesion[0] in self.places]
        write_report(review_report(self.session, tuple(self.places), agreed), new)
        return {f"../{name}": sha256(new / name) for name in (REPORT_HTML, REPORT_PDF)}

    def write_visit(self, visit: Visit, new: Path, beside: Mapping[str, str]) -> None:
        """Write the files of a visit and its manifest, which lists them and those ``beside``."""
        review, here = self.session.require(visit), new / self.places[visit]
        if review.lesions is None:
            raise BadInputError(f"The {visit.title} visit has no lesions", remedy="Segment it first")
        title = f"{visit.title}, {self.session.case.name if self.session.case else ''}"
        leaving = Leaving(review.lesions, review.image.image, self.series.get(visit), title)
        options = DicomOptions(algorithm=_algorithm(review), any_name=True, predecessor=self._predecessor(visit, new))

        def tell(what: str) -> None:
            self.progress(f"{visit.title}: {what}")

        notes = write_formats(here, leaving, self.formats, options, tell)
        manifest = review_manifest(self.session, visit, [name for at, name in self.confirmed if at is visit])
        files = {**hashed_files(here), **beside}
        write_manifest(replace(manifest, files=files, warnings=(*manifest.warnings, *notes)), here / MANIFEST)

    def _predecessor(self, visit: Visit, new: Path) -> Rtstruct | None:
        """The delineation that this succeeds and takes the lesions' UIDs from; none where it is of another patient."""
        series, visits = self.series.get(visit), self.session.visits
        if series is None:
            return None
        found = None
        if visit is Visit.MID and Visit.PRE in self.places:
            written = new / self.places[Visit.PRE] / DicomFormat.RTSTRUCT.file_name
            found = read_rtstruct(written) if written.is_file() else None
        for at in (visit, Visit.PRE):
            given = visits[at].given if at in visits else None
            found = found or (given.as_predecessor() if given is not None and given.uids else None)
        return found if found is not None and found.patient_id == series.identity.patient_id else None


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
        visit = next((visit for visit in session.visits if image_role(visit) == role), None)
        other_visit = place in written and image_role(written[place]) != role
        if other_visit or (visit is not None and image_record(visit, session.visits[visit]).sha256 != digest):
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


def _dicom(visits: Iterable[Visit], formats: Collection[Format]) -> tuple[Visit, ...]:
    """The visits that a DICOM series is needed of."""
    return tuple(visits) if any(kind.is_dicom for kind in formats) else ()


def _algorithm(review: VisitReview) -> Algorithm:
    """What proposed the lesions: the package and, where one was used, the model."""
    if review.run is None:
        return Algorithm()
    model = review.run.model
    name = f"HNTargetSeg {model.name}".replace("\\", " ")[:LONGEST_TEXT]
    return Algorithm(name, f"{__version__}, model {model.version}".replace("\\", " ")[:LONGEST_TEXT])
