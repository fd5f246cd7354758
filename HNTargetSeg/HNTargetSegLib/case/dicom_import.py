"""Read delineations from an RTSTRUCT or a SEG onto the grid of the series that they belong to."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from HNTargetSegLib.case.dicom_object import reading_object
from HNTargetSegLib.case.dicom_rtstruct import RTSTRUCT_CLASS, read_rtstruct, structures_of_rtstruct
from HNTargetSegLib.case.dicom_seg import LABEL_MAP_CLASS, SEG_CLASS, read_seg, structures_of_seg
from HNTargetSegLib.case.dicom_series import DicomSeries
from HNTargetSegLib.case.dicom_structure import Structure
from HNTargetSegLib.case.identity import SeriesIdentity
from HNTargetSegLib.case.volume import Geometry
from HNTargetSegLib.errors import BadInputError, GeometryError


@dataclass(frozen=True)
class Allowed:
    """What the user has looked at and confirmed: delineations of another patient id, or frame of reference."""

    other_patient: bool = False
    other_frame: bool = False


class OtherPatientError(BadInputError):
    """A delineation of another patient id than the image's: to be looked at and confirmed."""


class OtherFrameError(GeometryError):
    """A delineation that may lie in another frame of reference than the image: to be looked at and confirmed."""


@dataclass(frozen=True)
class Delineation:
    """Structures of a file, and which object they were read from.

    Attributes
    ----------
    structures
        As voxels of the image.
    patient_id
        Empty where the file does not say.
    rtstruct_uid
        SOP Instance UID of an RTSTRUCT; empty for a SEG.
    """

    structures: tuple[Structure, ...]
    patient_id: str
    rtstruct_uid: str = ""


def read_structures(
    path: str | os.PathLike[str], series: DicomSeries, allowed: Allowed | None = None
) -> tuple[Structure, ...]:
    """Read every structure of an RTSTRUCT or SEG as voxels of a series; as :func:`read_delineation`."""
    return read_delineation(path, series.geometry, series.identity, allowed).structures


def read_delineation(
    path: str | os.PathLike[str],
    geometry: Geometry,
    identity: SeriesIdentity | None,
    allowed: Allowed | None = None,
) -> Delineation:
    """Read an RTSTRUCT or SEG onto the grid of an image.

    Frame of reference and geometry decide whether it belongs to the series; the images that it refers to need not
    bear the UIDs of the series, as copies and de-identified series have others.

    Parameters
    ----------
    geometry
        Grid of the image, k along the normal of its slices.
    identity
        Of its series; None where it is not DICOM, so that nobody can tell whether the delineation belongs to it.
    allowed
        What was confirmed.

    Raises
    ------
    BadInputError
        If the file cannot be read or is neither of the two.
    OtherPatientError
        If it is of another patient id.
    OtherFrameError
        If it is of another frame of reference, or that cannot be told.
    GeometryError
        If it does not lie on the slices of the image.
    """
    source = Path(path)
    confirmed = allowed or Allowed()
    kind = _sop_class(source)
    if kind == RTSTRUCT_CLASS:
        rtstruct = read_rtstruct(source)
        _require_same(source, rtstruct.patient_id, rtstruct.frame_of_reference_uid, identity, confirmed)
        structures = structures_of_rtstruct(rtstruct, geometry)
        return Delineation(structures, rtstruct.patient_id, rtstruct.sop_instance_uid)
    if kind in (SEG_CLASS, LABEL_MAP_CLASS):
        seg = read_seg(source)
        _require_same(source, seg.patient_id, seg.frame_of_reference_uid, identity, confirmed)
        return Delineation(structures_of_seg(seg, geometry), seg.patient_id)
    raise BadInputError(
        f"The file is neither an RTSTRUCT nor a SEG (SOP class {kind or 'unknown'})",
        path=source,
        remedy="Give the .dcm file of the delineation",
    )


def _sop_class(source: Path) -> str:
    if not source.is_file():
        raise BadInputError("There is no such file", path=source, remedy="Check the path")
    with reading_object(source) as pydicom:
        header = pydicom.dcmread(source, force=True, stop_before_pixels=True, specific_tags=["SOPClassUID"])
        return str(header.get("SOPClassUID", ""))


def _require_same(source: Path, patient_id: str, frame: str, known: SeriesIdentity | None, allowed: Allowed) -> None:
    if known is None:
        if not allowed.other_frame:
            raise OtherFrameError(
                "The image is not DICOM, so nothing says whether the delineation was drawn on it",
                path=source,
                remedy="Name the DICOM folder of the image, or confirm that they belong together",
            )
        return
    if patient_id != known.patient_id and not allowed.other_patient:
        raise OtherPatientError(
            f"The delineation is of patient '{patient_id}', the series of patient '{known.patient_id}'",
            path=source,
            remedy="Check that they belong together, then confirm it with --other-patient",
        )
    if frame and frame != known.frame_of_reference_uid and not allowed.other_frame:
        raise OtherFrameError(
            f"The delineation lies in the frame of reference {frame}, the series in "
            f"{known.frame_of_reference_uid or 'none'}",
            path=source,
            remedy="Give the series that it was drawn on, or confirm with --other-frame that positions agree",
        )
