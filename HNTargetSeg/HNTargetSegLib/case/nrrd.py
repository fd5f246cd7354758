"""The header of an NRRD file, attached or detached, checked field by field (NRRD file format, teem.sourceforge.net)."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from HNTargetSegLib.case.stored import StoredVoxels, data_file_beside, is_sane
from HNTargetSegLib.errors import BadInputError, GeometryError

_MAX_LINE, _MAX_LINES = 1 << 16, 2000
_TYPES = {
    **dict.fromkeys(("signed char", "int8", "int8_t"), "i1"),
    **dict.fromkeys(("uchar", "unsigned char", "uint8", "uint8_t"), "u1"),
    **dict.fromkeys(("short", "short int", "signed short", "signed short int", "int16", "int16_t"), "i2"),
    **dict.fromkeys(("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"), "u2"),
    **dict.fromkeys(("int", "signed int", "int32", "int32_t"), "i4"),
    **dict.fromkeys(("uint", "unsigned int", "uint32", "uint32_t"), "u4"),
    **dict.fromkeys(("longlong", "long long", "long long int", "signed long long", "int64", "int64_t"), "i8"),
    **dict.fromkeys(("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"), "u8"),
    "float": "f4",
    "double": "f8",
}
_SPACES = {
    *("left-posterior-superior", "lps", "right-anterior-superior", "ras", "left-anterior-superior", "las"),
}
_FIELDS = {
    *("content", "number", "type", "block size", "encoding", "endian", "line skip", "byte skip", "dimension", "sizes"),
    *("spacings", "thicknesses", "axis mins", "axis maxs", "centers", "labels", "units", "min", "max", "old min"),
    *("old max", "data file", "space", "space dimension", "space units", "space origin", "space directions"),
    *("measurement frame", "kinds", "sample units"),
}
_SPELLINGS = {
    **{name.replace(" ", ""): name for name in _FIELDS if name.count(" ") == 1 and "space" not in name},
    "centerings": "centers",
}
_MAX_VALUE = 1000
_PARTS = {"raw": False, "gzip": True, "gz": True}


def parse_nrrd(path: Path) -> StoredVoxels:
    """Check the header of a ``.nrrd`` or ``.nhdr`` file.

    Raises
    ------
    BadInputError
        If it is not one scalar 3D volume in raw or gzip encoding.
    GeometryError
        If a spacing is not positive or the space is not anatomical.
    """
    fields, end = _fields(path)
    size = _size(path, fields)
    _require_legal_grid(path, fields)
    encoding = fields.get("encoding", "").lower()
    if encoding not in _PARTS:
        raise BadInputError(
            f"The encoding '{encoding}' is not read", path=path, remedy="Save the image with raw or gzip encoding"
        )
    detached = fields.get("data file")
    data = path if detached is None else data_file_beside(path, detached)
    skip = _skip(path, fields, compressed=_PARTS[encoding])
    start = end if detached is None else 0
    return StoredVoxels(
        header_path=path,
        data_path=data,
        size=size,
        dtype=_dtype(path, fields),
        compressed=_PARTS[encoding],
        file_offset=-1 if skip < 0 else start + (0 if _PARTS[encoding] else skip),
        stream_offset=skip if _PARTS[encoding] else 0,
    )


def _fields(path: Path) -> tuple[dict[str, str], int]:
    """Fields by their lower-case name, and the byte after the header."""
    found: dict[str, str] = {}
    with open(path, "rb") as stream:
        if not stream.readline(_MAX_LINE).startswith(b"NRRD000"):
            raise BadInputError(
                "The file is not an NRRD image, whatever its name says", path=path, remedy="Export the image again"
            )
        for _ in range(_MAX_LINES):
            line = stream.readline(_MAX_LINE)
            text = line.decode("utf-8", "replace").rstrip("\r\n")
            if not text:
                # A detached header may end with the file, without the empty line.
                if line or "data file" in found:
                    return found, stream.tell()
                break
            name, _, value = text.partition(": ")
            if text.startswith("#") or ":=" in name:
                continue
            key = _SPELLINGS.get(name.lower(), name.lower())
            # ITK's reader overruns its buffers on long unknown fields, which the format does not allow anyway.
            if key not in _FIELDS or key in found or len(value) > _MAX_VALUE:
                raise BadInputError(
                    f"The header line '{text[:60]}' is unknown, doubled or far too long",
                    path=path,
                    remedy="The header is damaged; export the image again",
                )
            found[key] = value.strip()
    raise BadInputError("The NRRD header has no end", path=path, remedy="The file is damaged; export it again")


def _size(path: Path, fields: dict[str, str]) -> tuple[int, int, int]:
    dimension, sizes = fields.get("dimension", "?"), fields.get("sizes", "").split()
    if dimension != "3":
        raise BadInputError(
            f"The image has {dimension} dimensions (sizes {' '.join(sizes)}); one scalar 3D volume is needed",
            path=path,
            remedy="Save one volume; a Slicer segmentation: export it as a label map",
        )
    if len(sizes) != 3 or not all(_is_count(text) for text in sizes):
        raise BadInputError(
            f"The grid size in the header, '{' '.join(sizes)}', is impossible", path=path, remedy="Export it again"
        )
    if any(kind.lower() not in ("domain", "space", "none", "???") for kind in fields.get("kinds", "").split()):
        raise BadInputError(
            f"The axes are of kinds '{fields['kinds']}'; one scalar 3D volume is needed",
            path=path,
            remedy="Save one scalar volume",
        )
    return int(sizes[0]), int(sizes[1]), int(sizes[2])


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0


def _require_legal_grid(path: Path, fields: dict[str, str]) -> None:
    if "spacings" in fields:
        spacings = [_number(text) for text in fields["spacings"].split()]
        if len(spacings) != 3 or not all(is_sane(step, positive=True) for step in spacings):
            raise GeometryError(
                f"The voxel spacings '{fields['spacings']}' are not three positive numbers",
                path=path,
                remedy="Correct the header, or export the image again",
            )
    space = fields.get("space", "lps").lower()
    if space not in _SPACES:
        raise GeometryError(
            f"The space '{space}' does not say where left, front and head are",
            path=path,
            remedy="Save the image in the space left-posterior-superior",
        )
    for key, count in (("space directions", 9), ("space origin", 3)):
        text = fields.get(key)
        if text is None:
            continue
        numbers = [_number(word) for word in text.replace("(", " ").replace(")", " ").replace(",", " ").split()]
        if len(numbers) != count or not all(is_sane(value) for value in numbers):
            raise GeometryError(
                f"The {key} '{text}' are not {count} numbers", path=path, remedy="Export the image again"
            )


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _dtype(path: Path, fields: dict[str, str]) -> np.dtype:
    name = fields.get("type", "").lower()
    if name not in _TYPES:
        raise BadInputError(
            f"The voxel type '{name}' is not one real number a voxel",
            path=path,
            remedy="Save the image with integer or floating-point voxels",
        )
    order = {"little": "<", "big": ">"}.get(fields.get("endian", "").lower(), "")
    dtype = np.dtype(order + _TYPES[name])
    if dtype.itemsize > 1 and not order:
        raise BadInputError("The header does not say the byte order (endian)", path=path, remedy="Export it again")
    return dtype


def _skip(path: Path, fields: dict[str, str], compressed: bool) -> int:
    skip = fields.get("byte skip", "0")
    legal = skip == "0" or _is_count(skip) or (skip == "-1" and not compressed)
    if fields.get("line skip", "0") != "0" or not legal:
        raise BadInputError(
            f"A line skip of {fields.get('line skip', '0')} with a byte skip of {skip} is not read",
            path=path,
            remedy="Save the image as one .nrrd file",
        )
    return int(skip)
