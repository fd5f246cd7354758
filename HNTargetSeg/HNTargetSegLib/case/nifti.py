"""The header of a NIfTI-1 file, checked field by field before anything else reads the file (NIfTI-1.1, nifti1.h)."""

from __future__ import annotations

import math
import struct
from pathlib import Path

import numpy as np

from HNTargetSegLib.case.stored import StoredVoxels, first_bytes, is_gzip, is_sane
from HNTargetSegLib.errors import BadInputError, GeometryError

_HEADER_BYTES = 348
_FIRST_VOXEL = 352
_TYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"}
_UNIT_MASK, _UNIT_MM = 7, 2


def parse_nifti(path: Path) -> StoredVoxels:
    """Check the header of a ``.nii`` or ``.nii.gz`` file.

    Raises
    ------
    BadInputError
        If it is not a single-file NIfTI-1 image of one scalar 3D volume.
    GeometryError
        If a voxel size is zero, negative or not a number, or the unit is not millimetres.
    """
    head = first_bytes(path, _HEADER_BYTES)
    order = _byte_order(path, head)
    _require_honest_suffix(path)
    size = _size(path, struct.unpack_from(f"{order}8h", head, 40))
    _require_legal_grid(path, struct.unpack_from(f"{order}8f", head, 76), head[123])
    _require_finite_forms(path, struct.unpack_from(f"{order}18f", head, 256))
    kind, bits = struct.unpack_from(f"{order}2h", head, 70)
    if kind not in _TYPES or np.dtype(_TYPES[kind]).itemsize * 8 != bits:
        raise BadInputError(
            f"The voxel type (NIfTI code {kind}, {bits} bits) is not one real number a voxel",
            path=path,
            remedy="Save the image with integer or floating-point voxels",
        )
    first, slope, intercept = struct.unpack_from(f"{order}3f", head, 108)
    offset = _FIRST_VOXEL if first == 0 else _whole_offset(path, first)
    if not (math.isfinite(slope) and math.isfinite(intercept)) or slope == 0:
        slope, intercept = 1.0, 0.0
    compressed = path.name.lower().endswith(".gz")
    return StoredVoxels(
        header_path=path,
        data_path=path,
        size=size,
        dtype=np.dtype(order + _TYPES[kind]),
        compressed=compressed,
        file_offset=0 if compressed else offset,
        stream_offset=offset if compressed else 0,
        slope=slope,
        intercept=intercept,
    )


def _byte_order(path: Path, head: bytes) -> str:
    if len(head) >= 4 and 540 in (*struct.unpack("<i", head[:4]), *struct.unpack(">i", head[:4])):
        raise BadInputError("The file is NIfTI-2", path=path, remedy="Save it as NIfTI-1 (.nii.gz) or NRRD")
    for order in "<>":
        if len(head) == _HEADER_BYTES and struct.unpack_from(f"{order}i", head)[0] == _HEADER_BYTES:
            if head[344:348] == b"n+1\0":
                return order
            raise BadInputError(
                "The file is an Analyze or two-file NIfTI header", path=path, remedy="Save it as one .nii.gz file"
            )
    raise BadInputError(
        "The file is not a NIfTI image, whatever its name says", path=path, remedy="Export the image again"
    )


def _require_honest_suffix(path: Path) -> None:
    with open(path, "rb") as stream:
        compressed = is_gzip(stream.read(2))
    if compressed != path.name.lower().endswith(".gz"):
        right = ".nii.gz" if compressed else ".nii"
        raise BadInputError(
            f"The file is {'' if compressed else 'not '}compressed, against its name",
            path=path,
            remedy=f"Rename it to end in {right}",
        )


def _size(path: Path, dim: tuple[int, ...]) -> tuple[int, int, int]:
    count = dim[0]
    if not 1 <= count <= 7 or min(dim[1 : count + 1]) < 1:
        raise BadInputError(f"The grid size in the header, {dim}, is impossible", path=path, remedy="Export it again")
    if count < 3:
        raise BadInputError(
            f"The image has {count} dimensions; one 3D volume is needed", path=path, remedy="Export the whole volume"
        )
    if math.prod(dim[4 : count + 1]) > 1:
        raise BadInputError(
            f"The image has {count} dimensions ({'x'.join(map(str, dim[1 : count + 1]))}); one 3D volume is needed",
            path=path,
            remedy="Save one time point or component as a 3D volume",
        )
    return dim[1], dim[2], dim[3]


def _require_legal_grid(path: Path, pixdim: tuple[float, ...], units: int) -> None:
    spacing = pixdim[1:4]
    if not all(is_sane(step, positive=True) for step in spacing):
        shown = ", ".join(f"{step:.6g}" for step in spacing)
        raise GeometryError(
            f"The voxel spacing ({shown}) mm in the header is not three positive numbers",
            path=path,
            remedy="Correct the header (pixdim), or export the image again",
        )
    if units & _UNIT_MASK not in (0, _UNIT_MM):
        raise GeometryError(
            "The header gives lengths in another unit than millimetres", path=path, remedy="Save the image in mm"
        )


def _require_finite_forms(path: Path, numbers: tuple[float, ...]) -> None:
    # ITK decomposes these matrices whatever they hold; with NaN or infinity it does not return.
    if not all(is_sane(number) for number in numbers):
        raise GeometryError(
            "The position or direction in the header (qform, sform) holds impossible numbers",
            path=path,
            remedy="The header is damaged; export the image again",
        )


def _whole_offset(path: Path, first: float) -> int:
    if not math.isfinite(first) or first != int(first) or first < _FIRST_VOXEL:
        raise BadInputError(
            f"The header says that the voxels begin at byte {first:g}, which is impossible",
            path=path,
            remedy="The header is damaged; export the image again",
        )
    return int(first)
