"""What DICOM objects say of a lesion: its name, how it was made, and the UID that it keeps from visit to visit."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from HNTargetSegLib import __version__
from HNTargetSegLib.case.dicom_rtstruct import Rtstruct
from HNTargetSegLib.case.dicom_structure import LONGEST_NAME, target_of_name
from HNTargetSegLib.case.identity import SeriesIdentity
from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.lesions.lesion import Lesion, LesionSet, Origin, State

RESEARCH_LABEL = "RESEARCH ONLY"
"""StructureSetLabel (3006,0002): the short string of at most 16 characters that lists of structure sets show."""

LONGEST_TEXT = 64
"""Characters of a long string (LO), such as a name that need not be TG-263's."""

_NAMESPACE = uuid.UUID("5a0c2f4e-9d51-4f0b-8f1c-6c1f2a5e7d30")


class Generation(str, Enum):
    """ROIGenerationAlgorithm (3006,0036) and SegmentAlgorithmType (0062,0008)."""

    AUTOMATIC = "AUTOMATIC"
    SEMIAUTOMATIC = "SEMIAUTOMATIC"
    MANUAL = "MANUAL"


@dataclass(frozen=True)
class Algorithm:
    """Name and version in the algorithm identification (PS3.3 table 10-19), at most 64 characters each.

    Raises
    ------
    BadInputError
        If one of them is empty or too long.
    """

    name: str = "HNTargetSeg"
    version: str = __version__

    def __post_init__(self) -> None:
        for text in (self.name, self.version):
            if not 1 <= len(text) <= LONGEST_TEXT or "\\" in text or not text.isprintable():
                raise BadInputError(
                    f"'{text}' cannot be the name or version of an algorithm in DICOM",
                    remedy=f"Give 1 to {LONGEST_TEXT} characters without a backslash",
                )


@dataclass(frozen=True)
class Code:
    """A coded concept, of SNOMED CT unless said otherwise."""

    value: str
    meaning: str


ARTIFICIAL_INTELLIGENCE = Code("123110", "Artificial Intelligence")
"""Of the coding scheme DCM; context group 7162."""

MORPHOLOGICALLY_ABNORMAL = Code("49755003", "Morphologically Abnormal Structure")
TARGET_TYPES = {
    Target.PT: Code("86049000", "Neoplasm, Primary"),
    Target.LN: Code("14799000", "Neoplasm, Secondary"),
}
TARGET_REGIONS = {Target.LN: Code("59441001", "Lymph node")}


def generation(lesion: Lesion) -> Generation:
    """How a lesion came about.

    Untouched results of the model are automatic, accepted or not; prompted ones and those that were edited
    semi-automatic; what was drawn by hand is manual, edited or not.
    """
    if lesion.origin is Origin.HAND or lesion.state is State.ADDED:
        return Generation.MANUAL
    if lesion.origin is Origin.PROMPT or lesion.state is State.EDITED:
        return Generation.SEMIAUTOMATIC
    return Generation.AUTOMATIC


def lesion_uid(identity: SeriesIdentity, lesion: Lesion) -> str:
    """UID of a lesion as a thing in the patient, the same at both visits: ConceptualVolumeUID and TrackingUID.

    It is made of patient id, date of birth and name of the lesion, as matching gives a lesion the name that it had at
    the visit before (:func:`~HNTargetSegLib.lesions.match.match_lesions`). Without a patient id the study stands in.
    """
    whose = (
        (identity.patient_id, identity.patient_birth_date) if identity.patient_id else (identity.study_instance_uid,)
    )
    return f"2.25.{uuid.uuid5(_NAMESPACE, chr(0).join((*whose, lesion.name))).int}"


def carried_uids(predecessor: Rtstruct | None) -> Mapping[str, str]:
    """UID of each lesion in the RTSTRUCT of the visit before, by the lesion's name."""
    rois = () if predecessor is None else predecessor.rois
    return {roi.name: roi.conceptual_volume_uid for roi in rois if roi.conceptual_volume_uid}


def exported(lesions: LesionSet) -> tuple[Lesion, ...]:
    """The lesions that leave: those with voxels that were not rejected.

    Raises
    ------
    BadInputError
        If there is none.
    """
    if not lesions.present:
        raise BadInputError(
            "There is no lesion to export",
            path=lesions.ids.name,
            remedy="An empty structure set says nothing; export a mask that holds a lesion",
        )
    return lesions.present


def require_names(lesions: Iterable[Lesion], *, any_name: bool = False) -> None:
    """Check the names of structures against AAPM TG-263: GTVp or GTVn, numbered, with a suffix, at most 16 characters.

    Parameters
    ----------
    any_name
        Allow every name that DICOM does (64 characters).

    Raises
    ------
    BadInputError
        If a name is too long, is none of TG-263's, or is that of the other kind of target.
    """
    for lesion in lesions:
        longest = LONGEST_TEXT if any_name else LONGEST_NAME
        if not 1 <= len(lesion.name) <= longest or "\\" in lesion.name or not lesion.name.isprintable():
            raise BadInputError(
                f"The name '{lesion.name}' has {len(lesion.name)} characters; {longest} are allowed, and no backslash",
                remedy="Rename the lesion" + ("" if any_name else f", or allow up to {LONGEST_TEXT} with --any-name"),
            )
        if not any_name and target_of_name(lesion.name) is not lesion.label:
            raise BadInputError(
                f"'{lesion.name}' is no TG-263 name of a {lesion.label.title.lower()}",
                remedy=f"Rename the lesion, such as {lesion.label.structure_name}1, or allow it with --any-name",
            )
