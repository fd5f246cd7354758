"""What a derived DICOM object takes over from the series it was made of: patient, study, frame of reference."""

from __future__ import annotations

import datetime
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from HNTargetSegLib.case.dicom_scan import reading
from HNTargetSegLib.case.dicom_series import DicomSeries
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.files import replacing

_PATIENT = (
    *("PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex", "PatientIdentityRemoved"),
    *("DeidentificationMethod", "PatientAge", "PatientSize", "PatientWeight"),
)
_STUDY = (
    *("StudyInstanceUID", "StudyDate", "StudyTime", "ReferringPhysicianName", "StudyID", "AccessionNumber"),
    "StudyDescription",
)
_MUST_BE_THERE = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime"),
    *("ReferringPhysicianName", "StudyID", "AccessionNumber"),
)
"""Type 2: present in every object, empty where nothing is known."""


@dataclass(frozen=True, eq=False)
class Source:
    """A series with the headers that its derived objects are made of.

    Attributes
    ----------
    series
        Its slices in order.
    header
        Data set of the first slice, without pixels.
    now
        When the objects are made, local time with its zone.
    """

    series: DicomSeries
    header: Any = field(repr=False)
    now: datetime.datetime


def read_source(series: DicomSeries) -> Source:
    """Read what is taken over from a series.

    Raises
    ------
    BadInputError
        If a slice cannot be read, or the series lacks a UID that a derived object must refer to.
    """
    _require_references(series)
    return Source(series, read_header(series.files[0]), datetime.datetime.now(datetime.timezone.utc).astimezone())


def read_header(path: Path) -> Any:
    """The data set of one slice, without pixels, in memory."""
    with reading(path) as pydicom:
        return pydicom.dcmread(path, stop_before_pixels=True)


def require_on_series(volume: Volume, source: Source) -> None:
    """Raise GeometryError, naming both grids, unless the volume lies on the grid of the series."""
    grid = source.series.geometry
    empty = np.broadcast_to(np.zeros((), np.uint8), grid.shape)
    Volume(empty, grid, str(source.series.folder)).require_same_grid(volume)


@contextmanager
def tolerant_pydicom() -> Iterator[Any]:
    """Yield pydicom, which then writes values that the source series has as it has them, valid or not."""
    import pydicom

    settings = pydicom.config.settings
    usual = settings.writing_validation_mode, settings.reading_validation_mode
    settings.writing_validation_mode = settings.reading_validation_mode = pydicom.config.IGNORE
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield pydicom
    finally:
        settings.writing_validation_mode, settings.reading_validation_mode = usual


def copy_patient_and_study(source: Source, target: Any) -> None:
    """Copy the patient and general study modules (PS3.3 C.7.1.1, C.7.2.1), values as they are."""
    for keyword in ("SpecificCharacterSet", "TimezoneOffsetFromUTC", *_PATIENT, *_STUDY):
        if keyword in source.header:
            target[keyword] = source.header[keyword]
        elif keyword in _MUST_BE_THERE:
            setattr(target, keyword, "")


def save(data: Any, path: Path) -> None:
    """Write a data set, whole or not at all.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    # By way of memory: what pydicom says of a full disk is a traceback.
    content = io.BytesIO()
    data.save_as(content, enforce_file_format=True)
    with replacing(path) as temporary:
        temporary.write_bytes(content.getvalue())


def invalid_values(source: Source) -> list[str]:
    """Values that are taken over although they break the standard, a sentence each."""
    from pydicom import config
    from pydicom.valuerep import validate_value

    found = []
    for keyword in (*_PATIENT, *_STUDY):
        if keyword not in source.header:
            continue
        element = source.header[keyword]
        for value in element.value if element.VM > 1 else [element.value]:
            try:
                validate_value(element.VR, str(value), config.RAISE)
            except ValueError as error:
                reason = str(error).split(" Please see")[0].rstrip(".")
                found.append(f"{keyword} is kept as the series has it, though it is invalid: {reason}.")
    return found


def _require_references(series: DicomSeries) -> None:
    identity = series.identity
    uids = {
        "SOPClassUID": series.sop_class_uid,
        "SOPInstanceUID": "" if "" in series.sop_instance_uids else "given",
        "SeriesInstanceUID": identity.series_instance_uid,
        "StudyInstanceUID": identity.study_instance_uid,
        "FrameOfReferenceUID": identity.frame_of_reference_uid,
    }
    lacking = [keyword for keyword, uid in uids.items() if not uid]
    if lacking:
        raise BadInputError(
            f"The series has no {', '.join(lacking)}, so that no structure can refer to it",
            path=series.folder,
            remedy="Export the series again from the system that acquired it",
        )
    if len(set(series.sop_instance_uids)) < len(series.sop_instance_uids):
        raise BadInputError(
            "Two slices of the series bear one SOPInstanceUID",
            path=series.folder,
            remedy="Export the series again from the system that acquired it",
        )
