"""Small images and DICOM series of known content for the tests of case/."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import MRImageStorage, generate_uid

from HNTargetSegLib.case.volume import Geometry, Volume

Axes = np.ndarray


def rotation(degrees: float, axis: int = 0) -> Axes:
    """3x3 rotation about one axis."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    plane = [index for index in range(3) if index != axis]
    matrix = np.eye(3)
    matrix[np.ix_(plane, plane)] = [[c, -s], [s, c]]
    return matrix


OBLIQUE = rotation(12.3) @ rotation(-7.1, 1) @ rotation(3.3, 2)
SAGITTAL = np.array([[0.0, 0.0, -1.0], [1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])


@pytest.fixture
def make_volume() -> Callable[..., Volume]:
    """Return a maker of 6x5x4 volumes of int16 noise with a grid of one's choice."""

    def make(
        spacing: tuple[float, float, float] = (0.5, 0.75, 2.0),
        origin: tuple[float, float, float] = (-101.5, 33.25, 712.125),
        axes: Axes = OBLIQUE,
        size: tuple[int, int, int] = (6, 5, 4),
        dtype: type = np.int16,
    ) -> Volume:
        array = np.random.default_rng(7).integers(0, 100, size[::-1]).astype(dtype)
        return Volume(array, Geometry(size, spacing, origin, tuple(float(value) for value in np.ravel(axes))))

    return make


@pytest.fixture
def make_series() -> Callable[..., list[Path]]:
    """Return a maker of MR series on disk, one file a slice; file names run against the order of the slices."""
    return write_series


def write_series(
    folder: Path,
    count: int = 5,
    axes: Axes = OBLIQUE,
    gap: float = 2.5,
    series_uid: str | None = None,
    prefix: str = "IM",
    change: Callable[[int, pydicom.Dataset], None] | None = None,
    **facts: object,
) -> list[Path]:
    """Write slices of 7 rows and 6 columns whose pixels hold 100 * slice + index; ``facts`` are DICOM keywords."""
    folder.mkdir(parents=True, exist_ok=True)
    uid, frame = series_uid or generate_uid(), generate_uid()
    paths = []
    for k in range(count):
        meta = FileMetaDataset()
        meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
        meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = MRImageStorage, generate_uid()
        path = folder / f"{prefix}{count - k:03d}"
        data = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
        data.SOPClassUID, data.SOPInstanceUID = MRImageStorage, meta.MediaStorageSOPInstanceUID
        data.SeriesInstanceUID, data.FrameOfReferenceUID, data.Modality = uid, frame, "MR"
        data.PatientID, data.PatientName, data.StudyDate = "P7", "Doe^Jane", "20240102"
        data.SeriesDescription = "AX T2"
        data.Rows, data.Columns, data.SamplesPerPixel = 7, 6, 1
        data.PhotometricInterpretation, data.PixelRepresentation = "MONOCHROME2", 0
        data.BitsAllocated, data.BitsStored, data.HighBit = 16, 16, 15
        data.PixelSpacing = [0.7, 0.6]
        data.ImageOrientationPatient = [round(float(value), 8) for value in axes[:, :2].T.ravel()]
        data.ImagePositionPatient = [
            round(float(value), 6) for value in (np.array([10, -20, 30]) + k * gap * axes[:, 2])
        ]
        data.PixelData = (100 * k + np.arange(42)).astype("<u2").tobytes()
        for keyword, value in facts.items():
            setattr(data, keyword, value)
        if change is not None:
            change(k, data)
        data.save_as(path, enforce_file_format=True)
        paths.append(path)
    return paths


@pytest.fixture
def unpacked(real_data: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that unpacks one of the real DICOM archives, named by its path in the real data."""

    def unpack(name: str) -> Path:
        with zipfile.ZipFile(real_data / name) as archive:
            archive.extractall(tmp_path / "dicom")
        return tmp_path / "dicom"

    return unpack
