"""Write an RTSTRUCT on the very series that the lesions were drawn on (PS3.3 A.19)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from HNTargetSegLib import __version__
from HNTargetSegLib.case.dicom_rtstruct import RTSTRUCT_CLASS, Rtstruct
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.export.dicom_lesion import (
    ARTIFICIAL_INTELLIGENCE,
    RESEARCH_LABEL,
    TARGET_TYPES,
    Algorithm,
    Code,
    carried_uids,
    exported,
    generation,
    lesion_uid,
    require_names,
)
from HNTargetSegLib.export.dicom_outline import Outline, outlines
from HNTargetSegLib.export.dicom_source import Source, copy_patient_and_study, require_on_series, save, tolerant_pydicom
from HNTargetSegLib.export.manifest import RESEARCH_USE_ONLY
from HNTargetSegLib.lesions.described import description
from HNTargetSegLib.lesions.lesion import Lesion, LesionSet

_STUDY_CLASS = "1.2.840.10008.3.1.2.3.1"
"""Detached Study Management, retired: what RTReferencedStudySequence (3006,0012) has to name still."""

_LARGEST_MM = 99_999.0
_SERIES_NUMBER = 9001


@dataclass(frozen=True)
class RtstructOptions:
    """What to say in an RTSTRUCT.

    Attributes
    ----------
    algorithm
        That proposed the lesions.
    any_name
        Allow names that are not TG-263's, of up to 64 characters.
    predecessor
        RTSTRUCT of the visit before: it is referred to, and lesions of a name that it has keep the UID they have there.
    """

    algorithm: Algorithm = field(default_factory=Algorithm)
    any_name: bool = False
    predecessor: Rtstruct | None = None


def write_rtstruct(path: Path, lesions: LesionSet, source: Source, options: RtstructOptions | None = None) -> None:
    """Write all lesions that were not rejected as one RTSTRUCT, UNAPPROVED.

    Parameters
    ----------
    lesions
        On the grid of the series.

    Raises
    ------
    GeometryError
        If the lesions lie on another grid.
    BadInputError
        If there is no lesion, a name is not allowed, or the series lies too far from its origin for 16 characters.
    OutputError
        If the file cannot be written whole.
    """
    require_on_series(lesions.ids, source)
    data = rtstruct_data_set(lesions, source, options or RtstructOptions())
    with tolerant_pydicom():
        save(data, path)


def rtstruct_data_set(lesions: LesionSet, source: Source, options: RtstructOptions) -> Any:
    """The RTSTRUCT as a pydicom data set; errors as :func:`write_rtstruct`."""
    present = exported(lesions)
    require_names(present, any_name=options.any_name)
    with tolerant_pydicom() as pydicom:
        data = _new_file(pydicom)
        copy_patient_and_study(source, data)
        _fill_series_and_equipment(data, source)
        _fill_structure_set(data, source, options)
        uids = carried_uids(options.predecessor)
        data.StructureSetROISequence = [_roi(lesion, source, options, uids) for lesion in present]
        data.ROIContourSequence = [_roi_contour(lesions, lesion, source) for lesion in present]
        data.RTROIObservationsSequence = [_observation(n, lesion) for n, lesion in enumerate(present, 1)]
        data.ApprovalStatus = "UNAPPROVED"
    return data


def _new_file(pydicom: Any) -> Any:
    meta = pydicom.dataset.FileMetaDataset()
    # Implicit VR: with explicit VR a contour of more than 64 KB of text would not fit its element.
    meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = RTSTRUCT_CLASS
    meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid(prefix=None)
    data = pydicom.dataset.FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = RTSTRUCT_CLASS, meta.MediaStorageSOPInstanceUID
    data.SeriesInstanceUID = pydicom.uid.generate_uid(prefix=None)
    return data


def _fill_series_and_equipment(data: Any, source: Source) -> None:
    day, time = source.now.strftime("%Y%m%d"), source.now.strftime("%H%M%S")
    data.InstanceCreationDate, data.InstanceCreationTime = day, time
    data.Modality, data.SeriesNumber, data.OperatorsName = "RTSTRUCT", _SERIES_NUMBER, ""
    data.SeriesDescription = "HNTargetSeg structures, research use only"
    data.SeriesDate, data.SeriesTime = day, time
    data.Manufacturer, data.ManufacturerModelName = "HNTargetSeg", "HNTargetSeg"
    data.DeviceSerialNumber, data.SoftwareVersions = "none", __version__
    data.FrameOfReferenceUID = source.series.identity.frame_of_reference_uid
    data.PositionReferenceIndicator = str(source.header.get("PositionReferenceIndicator") or "")
    data.StructureSetLabel, data.StructureSetName = RESEARCH_LABEL, "HNTargetSeg structures, research use only"
    data.StructureSetDescription = RESEARCH_USE_ONLY
    data.StructureSetDate, data.StructureSetTime = day, time
    data.InstanceNumber = 1


def _fill_structure_set(data: Any, source: Source, options: RtstructOptions) -> None:
    identity = source.series.identity
    series = _data_set(
        SeriesInstanceUID=identity.series_instance_uid,
        ContourImageSequence=[_image(source, k) for k in range(len(source.series.files))],
    )
    study = _data_set(
        ReferencedSOPClassUID=_STUDY_CLASS,
        ReferencedSOPInstanceUID=identity.study_instance_uid,
        RTReferencedSeriesSequence=[series],
    )
    data.ReferencedFrameOfReferenceSequence = [
        _data_set(FrameOfReferenceUID=identity.frame_of_reference_uid, RTReferencedStudySequence=[study])
    ]
    # A SEG, or a delineation of no file, hands on its UIDs only.
    if options.predecessor is not None and options.predecessor.sop_instance_uid:
        data.PredecessorStructureSetSequence = [
            _data_set(
                ReferencedSOPClassUID=RTSTRUCT_CLASS, ReferencedSOPInstanceUID=options.predecessor.sop_instance_uid
            )
        ]


def _roi(lesion: Lesion, source: Source, options: RtstructOptions, uids: Mapping[str, str]) -> Any:
    algorithm = _data_set(
        AlgorithmFamilyCodeSequence=[coded(ARTIFICIAL_INTELLIGENCE, "DCM")],
        AlgorithmName=options.algorithm.name,
        AlgorithmVersion=options.algorithm.version,
    )
    uid = uids.get(lesion.name) or lesion_uid(source.series.identity, lesion)
    made = generation(lesion)
    roi = _data_set(
        ROINumber=lesion.id,
        ReferencedFrameOfReferenceUID=source.series.identity.frame_of_reference_uid,
        ROIName=lesion.name,
        ROIDescription=description(lesion),
        ROIVolume=f"{lesion.volume_cc:.6g}",
        ROIGenerationAlgorithm=made.value,
        ConceptualVolumeIdentificationSequence=[_data_set(ConceptualVolumeUID=uid)],
    )
    if made.value != "MANUAL":
        roi.ROIDerivationAlgorithmIdentificationSequence = [algorithm]
    return roi


def _roi_contour(lesions: LesionSet, lesion: Lesion, source: Source) -> Any:
    drawn = outlines(lesions.mask(lesion), lesion.slices, source.series.stated)
    contours = [_contour(n, outline, source) for n, outline in enumerate(drawn, 1)]
    colour = list(lesion.label.rgb)
    return _data_set(ROIDisplayColor=colour, ContourSequence=contours, ReferencedROINumber=lesion.id)


def _contour(number: int, outline: Outline, source: Source) -> Any:
    contour = _data_set(
        ContourNumber=number,
        ContourImageSequence=[_image(source, outline.k)],
        ContourGeometricType="CLOSED_PLANAR",
        NumberOfContourPoints=len(outline.points),
    )
    text = decimal_strings(outline.points, str(source.series.folder)).encode("ascii")
    text += b" " * (len(text) % 2)
    from pydicom.dataelem import RawDataElement
    from pydicom.tag import Tag

    # As bytes: pydicom would make an object of each of a hundred thousand numbers.
    tag = Tag("ContourData")
    contour[tag] = RawDataElement(tag, "DS", len(text), text, 0, True, True)
    return contour


def decimal_strings(points: np.ndarray, name: str) -> str:
    r"""Coordinates in mm as decimal strings (PS3.5 6.2) of at most 16 characters, to 0.1 micrometre, joined by ``\``.

    Raises
    ------
    BadInputError
        If a coordinate is so large that it cannot be one of a patient.
    """
    if np.abs(points).max() > _LARGEST_MM:
        raise BadInputError(
            f"A contour lies {np.abs(points).max() / 1000:.0f} m from the origin",
            path=name,
            remedy="Export the series again",
        )
    values = np.round(points, 4).ravel() + 0.0
    return "\\".join([f"{value:.4f}".rstrip("0").rstrip(".") for value in values.tolist()])


def _observation(number: int, lesion: Lesion) -> Any:
    return _data_set(
        ObservationNumber=number,
        ReferencedROINumber=lesion.id,
        RTROIIdentificationCodeSequence=[coded(TARGET_TYPES[lesion.label])],
        RTROIInterpretedType="GTV",
        ROIInterpreter="",
    )


def coded(code: Code, scheme: str = "SCT") -> Any:
    """A code sequence item (PS3.3 8.8)."""
    return _data_set(CodeValue=code.value, CodingSchemeDesignator=scheme, CodeMeaning=code.meaning)


def _image(source: Source, k: int) -> Any:
    return _data_set(
        ReferencedSOPClassUID=source.series.sop_class_uid, ReferencedSOPInstanceUID=source.series.sop_instance_uids[k]
    )


def _data_set(**values: Any) -> Any:
    from pydicom.dataset import Dataset

    item = Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return item
