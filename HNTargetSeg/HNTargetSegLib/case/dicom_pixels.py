"""The pixels of ordered DICOM slices as one array."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from HNTargetSegLib.case.codestream import require_frame
from HNTargetSegLib.case.dicom_scan import Header, reading
from HNTargetSegLib.case.stored import MAX_VOXELS
from HNTargetSegLib.errors import BadInputError

_BITS_ALLOCATED = (8, 16, 32)


@dataclass(frozen=True)
class PixelFormat:
    """How the pixels of one slice are stored (PS3.3 C.7.6.3), and value = slope * stored + intercept (C.11.1)."""

    rows: int
    columns: int
    bits_allocated: int
    bits_stored: int
    signed: bool
    slope: float
    intercept: float

    @classmethod
    def of(cls, header: Header) -> PixelFormat:
        """Take it from a header, checked."""
        data = header.data
        with reading(header.path):
            found = cls(
                rows=int(data.Rows),
                columns=int(data.Columns),
                bits_allocated=int(data.get("BitsAllocated") or 0),
                bits_stored=int(data.get("BitsStored") or data.get("BitsAllocated") or 0),
                signed=bool(data.get("PixelRepresentation")),
                slope=1.0 if data.get("RescaleSlope") is None else float(data.RescaleSlope),
                intercept=0.0 if data.get("RescaleIntercept") is None else float(data.RescaleIntercept),
            )
        legal = found.bits_allocated in _BITS_ALLOCATED and 1 <= found.bits_stored <= found.bits_allocated
        if not legal or not np.isfinite([found.slope, found.intercept]).all() or found.slope == 0:
            raise BadInputError(
                f"The pixels cannot be read ({found.bits_stored} of {found.bits_allocated} bits, "
                f"slope {found.slope:g}, intercept {found.intercept:g})",
                path=header.path,
                remedy="Export the series again",
            )
        return found

    @property
    def dtype(self) -> np.dtype:
        """Type of the stored values."""
        return np.dtype(f"{'i' if self.signed else 'u'}{self.bits_allocated // 8}")

    @property
    def scales(self) -> bool:
        """Whether slope and intercept change the stored values."""
        return (self.slope, self.intercept) != (1.0, 0.0)


def load_slices(files: Sequence[Path], formats: Sequence[PixelFormat]) -> np.ndarray:
    """Read slices into one array.

    Parameters
    ----------
    files, formats
        One for each slice, in the order of k; all of one size.

    Returns
    -------
    numpy.ndarray
        Shape (k, j, i); the stored integer type, or float32 where any slice has a slope or intercept.

    Raises
    ------
    BadInputError
        If pixels are missing or cannot be decoded.
    """
    shape = (len(files), formats[0].rows, formats[0].columns)
    if np.prod([float(count) for count in shape]) > MAX_VOXELS:
        raise BadInputError(
            f"The headers claim {shape[2]}x{shape[1]}x{shape[0]} voxels, more than any image of a patient has",
            path=files[0],
            remedy="Export the series again",
        )
    # Slices are gathered before one array is made, as a damaged header may claim far more than its file holds.
    slices = [_slice(path, stored) for path, stored in zip(files, formats, strict=True)]
    scaled = any(stored.scales for stored in formats)
    dtype = np.dtype(np.float32) if scaled else np.result_type(*(stored.dtype for stored in formats))
    return np.stack(slices).astype(dtype, copy=False)


def _slice(path: Path, stored: PixelFormat) -> np.ndarray:
    """One slice, shape (rows, columns), scaled."""
    with reading(path) as pydicom:
        data = pydicom.dcmread(path, force=True)
        if "PixelData" not in data:
            raise BadInputError("The slice has no pixels", path=path, remedy="Export the series again")
        if data.file_meta.get("TransferSyntaxUID") is None:
            data.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian
        syntax = data.file_meta.TransferSyntaxUID
        # pydicom decodes run lengths by itself, and needs further packages for the other compressed forms.
        by_gdcm = syntax.is_compressed and syntax != pydicom.uid.RLELossless
        array: np.ndarray = _decompressed(path, data, stored) if by_gdcm else data.pixel_array
    if array.shape != (stored.rows, stored.columns):
        raise BadInputError(
            f"The pixels form a {array.shape} array, against {stored.rows}x{stored.columns} in the header",
            path=path,
            remedy="Export the series again",
        )
    unused = stored.bits_allocated - stored.bits_stored
    if unused and array.dtype == stored.dtype:
        # Old scanners keep overlays in the bits above the stored ones: shift them out, and the sign in.
        array = (array << unused) >> unused
    if not stored.scales:
        return array
    scaled: np.ndarray = (array * np.float64(stored.slope) + stored.intercept).astype(np.float32)
    return scaled


def _decompressed(path: Path, data: Any, stored: PixelFormat) -> np.ndarray:
    """Stored values of a slice in a compressed transfer syntax, shape (rows, columns), decoded by GDCM."""
    with tempfile.TemporaryDirectory() as folder:
        clean = Path(folder, "slice.dcm")
        _write_clean(data, stored, clean)
        try:
            image = sitk.ReadImage(str(clean), imageIO="GDCMImageIO")
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1]
            raise BadInputError(
                f"The compressed pixels cannot be decoded ({reason})",
                path=path,
                remedy="Export the series uncompressed",
            ) from error
    array: np.ndarray = sitk.GetArrayFromImage(image)
    return array.reshape(array.shape[-2:]) if array.size == stored.rows * stored.columns else array


def _write_clean(data: Any, stored: PixelFormat, target: Path) -> None:
    """Write what a decoder must know and nothing else, as GDCM does not return from some damaged headers."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.encaps import encapsulate, generate_frames
    from pydicom.uid import SecondaryCaptureImageStorage

    meta = FileMetaDataset()
    meta.TransferSyntaxUID = data.file_meta.TransferSyntaxUID
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = SecondaryCaptureImageStorage, "1.2.3"
    clean = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    clean.SOPClassUID, clean.SOPInstanceUID = SecondaryCaptureImageStorage, "1.2.3"
    clean.Rows, clean.Columns, clean.SamplesPerPixel = stored.rows, stored.columns, 1
    clean.PhotometricInterpretation, clean.PixelRepresentation = "MONOCHROME2", int(stored.signed)
    clean.BitsAllocated, clean.BitsStored, clean.HighBit = (
        stored.bits_allocated,
        stored.bits_stored,
        stored.bits_stored - 1,
    )
    frame = next(generate_frames(data.PixelData, number_of_frames=1))
    require_frame(frame, str(meta.TransferSyntaxUID), stored.rows, stored.columns)
    clean.PixelData = encapsulate([frame])
    clean["PixelData"].is_undefined_length = True
    clean.save_as(target, enforce_file_format=True)
