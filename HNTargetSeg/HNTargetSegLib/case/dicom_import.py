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
from HNTargetSegLib.errors import BadInputError, GeometryError


@dataclass(frozen=True)
class Allowed:
    """What the user has looked at and confirmed: delineations of another patient id, or frame of reference."""

    other_patient: bool = False
    other_frame: bool = False


def read_structures(
    path: str | os.PathLike[str], series: DicomSeries, allowed: Allowed | None = None
) -> tuple[Structure, ...]:
    """Read every structure of an RTSTRUCT or SEG as voxels of a series.

    Frame of reference and geometry decide whether it belongs to the series; the images that it refers to need not
    bear the UIDs of the series, as copies and de-identified series have others.

    Raises
    ------
    BadInputError
        If the file cannot be read, is neither of the two, or is of another patient id.
    GeometryError
        If it is of another frame of reference, or does not lie on the slices of the series.
    """
    source = Path(path)
    confirmed = allowed or Allowed()
    kind = _sop_class(source)
    if kind == RTSTRUCT_CLASS:
        rtstruct = read_rtstruct(source)
        _require_same(source, rtstruct.patient_id, rtstruct.frame_of_reference_uid, series, confirmed)
        return structures_of_rtstruct(rtstruct, series.geometry)
    if kind in (SEG_CLASS, LABEL_MAP_CLASS):
        seg = read_seg(source)
        _require_same(source, seg.patient_id, seg.frame_of_reference_uid, series, confirmed)
        return structures_of_seg(seg, series.geometry)
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


def _require_same(source: Path, patient_id: str, frame: str, series: DicomSeries, allowed: Allowed) -> None:
    known = series.identity
    if patient_id != known.patient_id and not allowed.other_patient:
        raise BadInputError(
            f"The delineation is of patient '{patient_id}', the series of patient '{known.patient_id}'",
            path=source,
            remedy="Check that they belong together, then confirm it with --other-patient",
        )
    if frame and frame != known.frame_of_reference_uid and not allowed.other_frame:
        raise GeometryError(
            f"The delineation lies in the frame of reference {frame}, the series in "
            f"{known.frame_of_reference_uid or 'none'}",
            path=source,
            remedy="Give the series that it was drawn on, or confirm with --other-frame that positions agree",
        )
