"""The patient under review: both visits' images, and what must be asked before work begins."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from HNTargetSegLib.case.identity import SeriesIdentity
from HNTargetSegLib.case.patient import Patient, PatientFiles, Visit
from HNTargetSegLib.case.visit_words import visits_named
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.errors import BadInputError

if TYPE_CHECKING:
    from HNTargetSegLib.review.prior import Prior


@dataclass(frozen=True, eq=False)
class VisitImage:
    """The image of one visit and where it came from.

    Attributes
    ----------
    image
        T2-weighted MR.
    source
        File or DICOM folder; None for a volume that exists in the scene only.
    identity
        What its DICOM headers say; None where it is not DICOM.
    """

    image: Volume
    source: Path | None = None
    identity: SeriesIdentity | None = None

    @property
    def date(self) -> str:
        """Date of the visit as YYYY-MM-DD, empty where it is not known."""
        date = "" if self.identity is None else self.identity.series_date or self.identity.study_date
        return f"{date[:4]}-{date[4:6]}-{date[6:8]}" if len(date) == 8 and date.isdigit() else ""

    @property
    def patient_id(self) -> str:
        """Patient ID of the headers, empty where it is not known."""
        return "" if self.identity is None else self.identity.patient_id


class Concern(str, Enum):
    """What may be wrong about a pair of visits."""

    SWAPPED = "swapped"
    OTHER_PATIENT = "other patient"
    SAME_IMAGE = "same image"


@dataclass(frozen=True)
class Question:
    """Something about the case that a person must confirm before the review begins."""

    concern: Concern
    text: str


@dataclass(frozen=True, eq=False)
class ReviewCase:
    """A patient under review.

    Attributes
    ----------
    name
        Patient id as the user sees it.
    visits
        Image by visit; at least one.
    pre_mask
        Delineation of the pre-RT image, on its grid.
    registered_mask
        That delineation after registration, on the grid of the mid-RT image.
    warnings
        What is unusual about the images.
    registration
        The pre-RT lesions on the mid-RT grid, as this review has registered them; it takes the place of
        ``registered_mask``.
    mask_sources
        Files of ``pre_mask`` and ``registered_mask`` by these names; what was not read from a file is left out.

    Raises
    ------
    BadInputError
        If there is no image.
    GeometryError
        If a mask is not on the grid of its image.
    """

    name: str
    visits: dict[Visit, VisitImage]
    pre_mask: Volume | None = None
    registered_mask: Volume | None = None
    warnings: tuple[str, ...] = ()
    registration: Prior | None = None
    mask_sources: Mapping[str, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.visits:
            raise BadInputError(
                f"Patient {self.name} has no image", remedy="Choose the T2w image of at least one visit"
            )
        for visit, mask in ((Visit.PRE, self.pre_mask), (Visit.MID, self.registered_mask)):
            if mask is not None and visit in self.visits:
                self.visits[visit].image.require_same_grid(mask)

    def __iter__(self) -> Iterator[Visit]:
        """Visits that have an image, pre-RT first."""
        return (visit for visit in Visit if visit in self.visits)

    def questions(self) -> tuple[Question, ...]:
        """What must be confirmed; empty where nothing speaks against the pair."""
        if len(self.visits) < 2:
            return ()
        pre, mid = self.visits[Visit.PRE], self.visits[Visit.MID]
        found = (_other_patient(pre, mid), _same_image(pre, mid), _swapped(pre, mid))
        return tuple(question for question in found if question is not None)

    def swapped(self) -> ReviewCase:
        """The same images with the visits exchanged; the masks, which belong to one visit, are left out."""
        other = {Visit.PRE: Visit.MID, Visit.MID: Visit.PRE}
        visits = {other[visit]: image for visit, image in self.visits.items()}
        return ReviewCase(self.name, visits, warnings=self.warnings)


def case_of_files(files: PatientFiles) -> ReviewCase:
    """Read a patient's images and prior delineation.

    Raises
    ------
    BadInputError, GeometryError
        As :meth:`HNTargetSegLib.case.patient.PatientFiles.load`.
    """
    patient = files.load(roles=("pre", "mid", "pre_mask", "registered_mask"))
    identities = files.identities()
    visits = {
        visit: VisitImage(patient.require_image(visit), files.image(visit), identities.get(visit))
        for visit in Visit
        if patient.image(visit) is not None
    }
    masks = {name: getattr(files, name) for name in ("pre_mask", "registered_mask")}
    sources = {name: path for name, path in masks.items() if path is not None}
    return replace(_case(patient, visits), mask_sources=sources)


def case_of_images(
    pre: str | os.PathLike[str] | None, mid: str | os.PathLike[str] | None, name: str = ""
) -> ReviewCase:
    """Read one or two images that the user has named.

    Raises
    ------
    BadInputError
        If neither is given, or one cannot be used.
    """
    paths = {"pre": pre, "mid": mid}
    given = {role: Path(path) for role, path in paths.items() if path}
    stem = next(iter(given.values())).name.split(".")[0] if given else "patient"
    return case_of_files(PatientFiles(name or stem, **given))


def _case(patient: Patient, visits: dict[Visit, VisitImage]) -> ReviewCase:
    known = next((image.patient_id for image in visits.values() if image.patient_id), "")
    return ReviewCase(known or patient.name, visits, patient.pre_mask, patient.registered_mask, patient.warnings)


def _other_patient(pre: VisitImage, mid: VisitImage) -> Question | None:
    if not pre.patient_id or not mid.patient_id or pre.patient_id == mid.patient_id:
        return None
    text = f"The images belong to two patients: pre-RT to {pre.patient_id}, mid-RT to {mid.patient_id}."
    return Question(Concern.OTHER_PATIENT, text)


def _same_image(pre: VisitImage, mid: VisitImage) -> Question | None:
    if pre.image.array.shape != mid.image.array.shape or not np.array_equal(pre.image.array, mid.image.array):
        return None
    return Question(Concern.SAME_IMAGE, "Both visits show the same image.")


def _swapped(pre: VisitImage, mid: VisitImage) -> Question | None:
    if pre.date and mid.date:
        if pre.date <= mid.date:
            return None
        text = f"The pre-RT image ({pre.date}) is later than the mid-RT image ({mid.date}): the visits may be swapped."
        return Question(Concern.SWAPPED, text)
    said_pre, said_mid = (visits_named(Path(image.image.name).name.split(".")[0]) for image in (pre, mid))
    if said_pre == {"mid"} or said_mid == {"pre"}:
        text = f"The names say otherwise: pre-RT is {pre.image.name}, mid-RT is {mid.image.name}."
        return Question(Concern.SWAPPED, text)
    return None
