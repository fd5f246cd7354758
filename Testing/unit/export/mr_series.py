"""An MR series on disk whose headers keep to the standard: every module that PS3.3 A.4 asks for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

from HNTargetSegLib.case.volume import Geometry

_FACTS = {
    "ImageType": ["ORIGINAL", "PRIMARY", "OTHER"],
    "StudyDate": "20260105",
    "StudyTime": "101500",
    "AccessionNumber": "",
    "Modality": "MR",
    "Manufacturer": "Generated",
    "ReferringPhysicianName": "",
    "PatientName": "Generated^One",
    "PatientID": "G1",
    "PatientBirthDate": "19600101",
    "PatientSex": "O",
    "ScanningSequence": "SE",
    "SequenceVariant": "SK",
    "ScanOptions": "",
    "MRAcquisitionType": "2D",
    "RepetitionTime": "3000",
    "EchoTime": "80",
    "EchoTrainLength": "10",
    "PatientPosition": "HFS",
    "StudyID": "1",
    "SeriesNumber": "4",
    "PositionReferenceIndicator": "",
    "BodyPartExamined": "HEADNECK",
    "SamplesPerPixel": 1,
    "PhotometricInterpretation": "MONOCHROME2",
    "BitsAllocated": 16,
    "BitsStored": 16,
    "HighBit": 15,
    "PixelRepresentation": 0,
}


def write_mr_series(folder: Path, geometry: Geometry, **facts: Any) -> Path:
    """Write one file a slice, all pixels 7; ``facts`` are DICOM keywords, None leaves one out."""
    folder.mkdir(parents=True, exist_ok=True)
    uids = {name: generate_uid() for name in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")}
    columns, rows, count = geometry.size
    for k in range(count):
        meta = FileMetaDataset()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = MRImageStorage, generate_uid()
        data = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
        data.SOPClassUID, data.SOPInstanceUID = MRImageStorage, meta.MediaStorageSOPInstanceUID
        data.InstanceNumber, data.Rows, data.Columns = k + 1, rows, columns
        data.PixelSpacing = [geometry.spacing[1], geometry.spacing[0]]
        data.SliceThickness = geometry.spacing[2]
        data.ImageOrientationPatient = [round(float(value), 10) for value in geometry.axes[:, :2].T.ravel()]
        data.ImagePositionPatient = [round(float(value), 6) for value in geometry.to_lps(np.array([k, 0, 0]))]
        data.PixelData = np.full((rows, columns), 7, "<u2").tobytes()
        for keyword, value in {**_FACTS, **uids, **facts}.items():
            if value is not None:
                setattr(data, keyword, value)
        data.save_as(folder / f"{count - k:03d}.dcm", enforce_file_format=True)
    return folder


def change_headers(folder: Path, **facts: Any) -> None:
    """Set DICOM keywords in every file of a folder, or remove those that are None."""
    for path in folder.iterdir():
        data = pydicom.dcmread(path)
        for keyword, value in facts.items():
            if value is None:
                delattr(data, keyword)
            else:
                setattr(data, keyword, value)
        data.save_as(path)
