"""Who and what a DICOM series shows, for display and for results that refer to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True)
class SeriesIdentity:
    """Facts of one DICOM series, as text; empty where the header has none.

    Attributes
    ----------
    patient_id, patient_name, patient_sex, patient_birth_date
        (0010,0020), (0010,0010), (0010,0040), (0010,0030). Dates are YYYYMMDD.
    study_date, study_description, study_instance_uid
        (0008,0020), (0008,1030), (0020,000D).
    series_date, series_time, series_description, series_number, series_instance_uid
        (0008,0021), (0008,0031), (0008,103E), (0020,0011), (0020,000E).
    modality, frame_of_reference_uid
        (0008,0060), (0020,0052).
    manufacturer, model_name, magnetic_field_strength
        (0008,0070), (0008,1090), (0018,0087) in tesla.
    """

    patient_id: str = ""
    patient_name: str = ""
    patient_sex: str = ""
    patient_birth_date: str = ""
    study_date: str = ""
    study_description: str = ""
    study_instance_uid: str = ""
    series_date: str = ""
    series_time: str = ""
    series_description: str = ""
    series_number: str = ""
    series_instance_uid: str = ""
    modality: str = ""
    frame_of_reference_uid: str = ""
    manufacturer: str = ""
    model_name: str = ""
    magnetic_field_strength: str = ""


_KEYWORDS = {
    "patient_id": "PatientID",
    "patient_birth_date": "PatientBirthDate",
    "study_instance_uid": "StudyInstanceUID",
    "series_instance_uid": "SeriesInstanceUID",
    "frame_of_reference_uid": "FrameOfReferenceUID",
    "model_name": "ManufacturerModelName",
}


def keyword(field: str) -> str:
    """DICOM keyword of a field of :class:`SeriesIdentity`."""
    return _KEYWORDS.get(field) or "".join(part.capitalize() for part in field.split("_"))


def identity_keywords() -> Iterable[str]:
    """DICOM keywords of all fields."""
    return [keyword(field.name) for field in fields(SeriesIdentity)]


def identity_of(header: Any) -> SeriesIdentity:
    """Take the facts from a pydicom data set."""
    facts = {}
    for field in fields(SeriesIdentity):
        value = header.get(keyword(field.name))
        facts[field.name] = "" if value is None else str(value).strip()
    return SeriesIdentity(**facts)
