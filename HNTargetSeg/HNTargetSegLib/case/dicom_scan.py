"""The DICOM headers of a folder, sorted into image series; what is no image of a series is left aside."""

from __future__ import annotations

import os
import struct
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from HNTargetSegLib.case.identity import identity_keywords
from HNTargetSegLib.errors import BadInputError, MissingDependencyError

MAX_FILES = 20_000
"""A folder tree of more files is no patient's series; looking through it would take minutes."""

# Objects that may lie beside an image series and have rows and columns, or none.
_NOT_A_SERIES = {"RTSTRUCT", "RTDOSE", "RTPLAN", "RTRECORD", "SEG", "REG", "PR", "SR", "KO", "RWV", "FID", "DOC"}
# Classes whose files are slices: MR, CT, PET, and the first two in their enhanced form. Without rows they are damaged.
_SLICE_CLASSES = {f"1.2.840.10008.5.1.4.1.1.{end}" for end in ("4", "2", "128", "4.1", "2.1")}
_GRID_KEYWORDS = (
    *("SOPClassUID", "SOPInstanceUID", "InstanceNumber", "Rows", "Columns", "NumberOfFrames", "SamplesPerPixel"),
    *("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SpacingBetweenSlices", "SliceThickness"),
    *("BitsAllocated", "BitsStored", "PixelRepresentation", "RescaleSlope", "RescaleIntercept"),
)


class Header(NamedTuple):
    """One DICOM file and its data set without pixels."""

    path: Path
    data: Any


@contextmanager
def reading(path: Path) -> Iterator[Any]:
    """Yield pydicom; whatever it raises on a damaged file becomes a BadInputError that names ``path``."""
    try:
        import pydicom
    except ImportError as error:
        raise MissingDependencyError(
            "pydicom is not installed, so DICOM folders cannot be read", remedy="Install the package pydicom"
        ) from error
    try:
        with warnings.catch_warnings():
            # Real series carry values that break the standard's letter and read well all the same.
            warnings.simplefilter("ignore")
            yield pydicom
    except (BadInputError, OSError, MemoryError):
        raise
    # pydicom raises nearly any class, down to RecursionError, on bytes that are not DICOM.
    except Exception as error:
        raise BadInputError(
            f"The DICOM file is damaged ({type(error).__name__}: {str(error)[:120]})",
            path=path,
            remedy="Export the series again, or take this file out of the folder",
        ) from error


def is_dicom(path: Path) -> bool:
    """Whether a file begins like DICOM, with the preamble or, as old exports, without it."""
    with open(path, "rb") as stream:
        head = stream.read(132)
    if head[128:] == b"DICM":
        return True
    if len(head) < 132:
        return False
    group, element = struct.unpack_from("<HH", head)
    return group == 0x0008 and element <= 0x0018


def image_series(folder: Path) -> dict[str, list[Header]]:
    """All image series in a folder and the folders below it.

    Returns
    -------
    dict
        Series Instance UID to headers, in the order of their file names.

    Raises
    ------
    BadInputError
        If there is none (the message says what else was found), or a DICOM file is damaged.
    """
    found: dict[str, list[Header]] = {}
    others: Counter[str] = Counter()
    for path in _dicom_files(folder):
        data = _read_header(path)
        modality = str(data.get("Modality", "")) or "no modality"
        if not _is_slice(path, data):
            others[modality] += 1
        else:
            found.setdefault(str(data.get("SeriesInstanceUID", "")), []).append(Header(path, data))
    if not found:
        listed = ", ".join(f"{count} {modality}" for modality, count in sorted(others.items())) or "no DICOM file"
        raise BadInputError(
            f"The folder holds no DICOM image series (found: {listed})",
            path=folder,
            remedy="Give the folder that holds the slices of one MR series",
        )
    return found


def first_image(folder: Path) -> Header | None:
    """The first image that lies directly in ``folder``, or None."""
    for path in sorted(entry for entry in folder.iterdir() if _is_candidate(entry)):
        if is_dicom(path):
            data = _read_header(path)
            if _is_slice(path, data):
                return Header(path, data)
    return None


def _is_slice(path: Path, data: Any) -> bool:
    if str(data.get("Modality", "")) in _NOT_A_SERIES:
        return False
    if "Rows" in data:
        return True
    with reading(path):
        kind = str(data.get("SOPClassUID") or data.file_meta.get("MediaStorageSOPClassUID") or "")
    if not kind or kind in _SLICE_CLASSES:
        raise BadInputError(
            "The DICOM file ends before its pixels: it is cut short",
            path=path,
            remedy="Export the series again, or take this file out of the folder",
        )
    return False


def _dicom_files(folder: Path) -> list[Path]:
    found: list[Path] = []
    seen = 0
    for base, folders, names in os.walk(folder):
        folders.sort()
        seen += len(names)
        if seen > MAX_FILES:
            raise BadInputError(
                f"The folder holds more than {MAX_FILES} files",
                path=folder,
                remedy="Give the folder of one series, not of a whole archive",
            )
        paths = (Path(base) / name for name in sorted(names))
        found.extend(path for path in paths if _is_candidate(path) and is_dicom(path))
    return found


def _is_candidate(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(".") and path.name.upper() != "DICOMDIR"


def _read_header(path: Path) -> Any:
    with reading(path) as pydicom:
        keywords = [*identity_keywords(), *_GRID_KEYWORDS]
        data = pydicom.dcmread(path, stop_before_pixels=True, force=True, specific_tags=keywords)
        # pydicom converts values when they are first looked at: do it here, where its errors are caught.
        for element in data:
            _ = element.value
        return data
