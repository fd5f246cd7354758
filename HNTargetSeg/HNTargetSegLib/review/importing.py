"""Lesions from a file into a review: an RTSTRUCT, a SEG or a mask, as the pre-RT delineation or to be reviewed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any

from HNTargetSegLib.case.dicom_import import Allowed, OtherFrameError, OtherPatientError, read_delineation
from HNTargetSegLib.case.dicom_structure import Structure, chosen_structures
from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.case.read import image_suffix, read_mask
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.files import sha256
from HNTargetSegLib.lesions.find import find_lesions
from HNTargetSegLib.lesions.from_structures import ReadLesions, lesions_of_structures
from HNTargetSegLib.lesions.lesion import Origin, State
from HNTargetSegLib.lesions.side import body_midline
from HNTargetSegLib.review.change import Level
from HNTargetSegLib.review.dicom_source import series_of, without_series
from HNTargetSegLib.review.given import GivenDelineation
from HNTargetSegLib.review.session import ReviewSession


@dataclass(frozen=True, eq=False)
class FoundDelineation:
    """A file that was read, before it is said which of its structures are taken.

    Attributes
    ----------
    visit
        Whose grid it was read onto.
    structures
        Those of an RTSTRUCT or SEG; empty for a mask.
    given
        The file, for the record; without the lesions' UIDs.
    voxel_cc
        Volume of a voxel of the image.
    mask
        Map of labels, where the file is a mask; None for the others.
    """

    visit: Visit
    structures: tuple[Structure, ...]
    given: GivenDelineation
    voxel_cc: float
    mask: Volume | None = None


def find_delineation(
    session: ReviewSession,
    visit: Visit,
    path: str | PathLike[str],
    *,
    series: str | PathLike[str] | None = None,
    allowed: Allowed | None = None,
) -> FoundDelineation:
    """Read a delineation onto the image of a visit; the review stays as it is.

    Parameters
    ----------
    path
        RTSTRUCT, SEG, or a mask with 0, 1 (PT) and 2 (LN) in NIfTI, NRRD or MetaImage.
    series
        DICOM folder of the image, where it did not come from one.
    allowed
        What the user has confirmed.

    Raises
    ------
    OtherPatientError, OtherFrameError
        If that has to be confirmed.
    BadInputError, GeometryError
        If the file cannot be used, or is not on the grid of the image.
    """
    review = session.require(visit)
    source = Path(path)
    image = review.image.image
    voxel_cc = image.geometry.voxel_cc
    if image_suffix(source) is not None:
        mask = read_mask(source, like=image)
        return FoundDelineation(visit, (), GivenDelineation(str(source), sha256(source)), voxel_cc, mask)
    identity = None if series is None and without_series(review) else series_of(review, series).identity
    read = read_delineation(source, image.geometry, identity, allowed)
    given = GivenDelineation(str(source), sha256(source), read.patient_id, read.rtstruct_uid)
    return FoundDelineation(visit, read.structures, given, voxel_cc)


def find_confirmed(
    session: ReviewSession, visit: Visit, path: str | PathLike[str], agree: Callable[[str], bool]
) -> FoundDelineation | None:
    """As :func:`find_delineation`, asking what has to be confirmed; None where the answer is no.

    Parameters
    ----------
    agree
        Shows a question and returns the answer.
    """
    allowed = Allowed()
    while True:
        try:
            return find_delineation(session, visit, path, allowed=allowed)
        except (OtherPatientError, OtherFrameError) as doubt:
            if not agree(f"{doubt.what}."):
                return None
            other_patient = isinstance(doubt, OtherPatientError)
            allowed = replace(allowed, **{"other_patient" if other_patient else "other_frame": True})


def decided_names(session: ReviewSession, visit: Visit) -> tuple[str, ...]:
    """Names of the lesions of a visit that somebody has decided about: what an import would replace."""
    return tuple(x.name for x in session.require(visit).records if x.voxels and x.state.reviewed)


def take_delineation(
    session: ReviewSession,
    found: FoundDelineation,
    wanted: Mapping[str, Target | None] | Mapping[int, Target] | None = None,
    *,
    replacing: bool = False,
) -> tuple[str, ...]:
    """Make the structures the lesions of their visit; an undo of voxels brings back what was there.

    Lesions that one of our exports describes keep their states. Others are accepted at the pre-RT visit, where a
    delineation is the prior, and proposed at mid-RT, where they are to be reviewed.

    Parameters
    ----------
    wanted
        Target by name of the structures to take, None where the name says it; or by number. All whose target is known
        by default.
    replacing
        Confirms that lesions of the visit that somebody has decided about are replaced.

    Returns
    -------
    tuple of str
        What a reader should know; said to the user too.

    Raises
    ------
    BadInputError
        If no structure can be taken, or decided lesions would be replaced and that is not confirmed.
    """
    visit = found.visit
    review = session.require(visit)
    decided = decided_names(session, visit)
    if decided and not replacing:
        raise BadInputError(
            f"The {visit.title} visit has lesions that were decided about ({', '.join(decided)})",
            path=found.given.path,
            remedy="Confirm that they are replaced, or export them first",
        )
    read = _lesions(found, wanted or {}, review.image.image)
    session.take_given(visit, read.lesions, replace(found.given, uids=read.uids))
    for note in read.notes:
        session.say(Level.WARNING, note)
    return read.notes


def _lesions(found: FoundDelineation, wanted: Mapping[Any, Target | None], image: Volume) -> ReadLesions:
    state = State.ACCEPTED if found.visit is Visit.PRE else State.PROPOSED
    midline = body_midline(image)
    if found.mask is not None:
        lesions = find_lesions(found.mask, midline_mm=midline, origin=Origin.HAND)
        if not lesions.lesions:
            raise BadInputError("The mask is empty", path=found.given.path, remedy="Give a mask that holds a lesion")
        return ReadLesions(lesions.with_lesions(*(replace(lesion, state=state) for lesion in lesions)), {}, ())
    taken = _chosen(found, wanted)
    read = lesions_of_structures(taken, image.geometry, found.given.path, unsaid=state, midline_mm=midline)
    left = [s.name for s in found.structures if all(s.number != other.number for other in taken)]
    notes = (*read.notes, *([f"Left out: {', '.join(left)}."] if left else []))
    return replace(read, notes=notes)


def _chosen(found: FoundDelineation, wanted: Mapping[Any, Target | None]) -> tuple[Structure, ...]:
    numbers = {key for key in wanted if isinstance(key, int)}
    if not numbers:
        return chosen_structures(found.structures, wanted, found.given.path)
    # Told by number: two structures may bear one name.
    said = [replace(s, target=wanted[s.number]) for s in found.structures if s.number in numbers]
    return chosen_structures(said, {}, found.given.path)
