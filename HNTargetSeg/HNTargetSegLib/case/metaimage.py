"""The header of a MetaImage file (.mha, .mhd), checked field by field (ITK MetaIO documentation)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from HNTargetSegLib.case.stored import StoredVoxels, data_file_beside, is_sane
from HNTargetSegLib.errors import BadInputError, GeometryError

# MetaIO keeps a value in a fixed buffer; a longer line is no header of ours.
_MAX_LINE, _MAX_LINES = 1000, 200
_TYPES = {
    **{"MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4", "MET_UINT": "u4"},
    **{"MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4", "MET_DOUBLE": "f8"},
}
_SPACING_KEYS = ("ElementSpacing", "ElementSize")
_VECTOR_KEYS = {
    **dict.fromkeys(("TransformMatrix", "Rotation", "Orientation"), 9),
    **dict.fromkeys(("Offset", "Position", "Origin", "CenterOfRotation"), 3),
}


def parse_metaimage(path: Path) -> StoredVoxels:
    """Check the header of a ``.mha`` or ``.mhd`` file.

    Raises
    ------
    BadInputError
        If it is not one scalar 3D volume, binary, plain or compressed.
    GeometryError
        If a spacing is not positive or a position is not a number.
    """
    fields, end = _fields(path)
    size = _size(path, fields)
    _require_legal_grid(path, fields)
    if not _truth(fields.get("BinaryData", "True")):
        raise BadInputError("The voxels are stored as text", path=path, remedy="Save the image in binary form")
    dtype = _dtype(path, fields)
    name = fields["ElementDataFile"]
    local = name.upper() == "LOCAL"
    if not local and (name.upper().startswith("LIST") or "%" in name):
        raise BadInputError("The image lies in several data files", path=path, remedy="Save it as one .mha file")
    compressed = _truth(fields.get("CompressedData", "False"))
    skip = fields.get("HeaderSize", "0")
    if skip not in ("0", "-1") or (skip == "-1" and (local or compressed)):
        raise BadInputError(f"A HeaderSize of {skip} is not read", path=path, remedy="Save it as one .mha file")
    return StoredVoxels(
        header_path=path,
        data_path=path if local else data_file_beside(path, name),
        size=size,
        dtype=dtype,
        compressed=compressed,
        file_offset=end if local else int(skip),
    )


def _fields(path: Path) -> tuple[dict[str, str], int]:
    """Fields by name, and the byte after the header, which ends with ElementDataFile."""
    found: dict[str, str] = {}
    with open(path, "rb") as stream:
        for _ in range(_MAX_LINES):
            line = stream.readline(_MAX_LINE)
            name, equals, value = line.decode("utf-8", "replace").partition("=")
            name, value = name.strip(), value.strip()
            if not equals or not line.endswith(b"\n") or not name.isidentifier() or name in found:
                break
            found[name] = value
            if name == "ElementDataFile":
                return found, stream.tell()
    raise BadInputError(
        "The file is not a MetaImage, or its header is damaged", path=path, remedy="Export the image again"
    )


def _size(path: Path, fields: dict[str, str]) -> tuple[int, int, int]:
    sizes = fields.get("DimSize", "").split()
    dimension, channels = fields.get("NDims", "?"), fields.get("ElementNumberOfChannels", "1")
    if fields.get("ObjectType", "Image") != "Image" or dimension != "3" or channels != "1":
        raise BadInputError(
            f"The file holds {dimension} dimensions (size {' '.join(sizes)}) and {channels} values a voxel; one scalar "
            "3D volume is needed",
            path=path,
            remedy="Save one scalar 3D volume",
        )
    if len(sizes) != 3 or not all(s.isascii() and s.isdigit() and len(s) < 10 and int(s) > 0 for s in sizes):
        raise BadInputError(
            f"The grid size in the header, '{' '.join(sizes)}', is impossible", path=path, remedy="Export it again"
        )
    return int(sizes[0]), int(sizes[1]), int(sizes[2])


def _require_legal_grid(path: Path, fields: dict[str, str]) -> None:
    for key in _SPACING_KEYS:
        if key in fields:
            spacing = _numbers(fields[key])
            if len(spacing) != 3 or not all(is_sane(step, positive=True) for step in spacing):
                raise GeometryError(
                    f"The voxel spacing '{fields[key]}' is not three positive numbers",
                    path=path,
                    remedy="Correct the header, or export the image again",
                )
    for key, count in _VECTOR_KEYS.items():
        if key in fields:
            numbers = _numbers(fields[key])
            if len(numbers) != count or not all(is_sane(value) for value in numbers):
                raise GeometryError(
                    f"{key} '{fields[key]}' is not {count} numbers", path=path, remedy="Export the image again"
                )


def _numbers(text: str) -> list[float]:
    try:
        return [float(word) for word in text.split()]
    except ValueError:
        return []


def _truth(text: str) -> bool:
    return text[:1].upper() in ("T", "Y", "1")


def _dtype(path: Path, fields: dict[str, str]) -> np.dtype:
    name = fields.get("ElementType", "")
    if name not in _TYPES:
        raise BadInputError(
            f"The voxel type '{name}' is not one real number a voxel",
            path=path,
            remedy="Save the image with integer or floating-point voxels",
        )
    big = _truth(fields.get("BinaryDataByteOrderMSB", fields.get("ElementByteOrderMSB", "False")))
    return np.dtype((">" if big else "<") + _TYPES[name])
