"""Voxels as they lie in a file: bounds, decompression and checksums are settled here, before any memory is taken."""

from __future__ import annotations

import math
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from HNTargetSegLib.errors import BadInputError

MAX_VOXELS = 1 << 30
"""A volume over this (1024^3) is refused: no MR of a patient has it, a damaged header does."""

_MAX_MM = 1e6
# A kilometre: larger lengths and positions come from damaged headers and overflow what is computed from them.

_MAX_DEFLATE_RATIO = 1032
# Deflate cannot do better (zlib technical details), which bounds what a small file can hold.
_SURPLUS_BYTES = 4096
_CHUNK, _SMALL_CHUNK = 1 << 14, 1 << 8


@dataclass(frozen=True)
class StoredVoxels:
    """Where and how one scalar volume is stored.

    Attributes
    ----------
    header_path, data_path
        The file that describes the volume and the one that holds its voxels; often the same.
    size
        Voxels along (i, j, k).
    dtype
        Stored type with its byte order.
    compressed
        Whether the bytes from ``file_offset`` on are a gzip or zlib stream.
    file_offset
        Bytes of the data file before the voxels or before the compressed stream; -1 for "the last bytes of the file".
    stream_offset
        Bytes of the decompressed stream before the voxels.
    slope, intercept
        Value = slope * stored + intercept.
    """

    header_path: Path
    data_path: Path
    size: tuple[int, int, int]
    dtype: np.dtype
    compressed: bool
    file_offset: int = 0
    stream_offset: int = 0
    slope: float = 1.0
    intercept: float = 0.0

    @property
    def voxels(self) -> int:
        """Number of voxels."""
        return math.prod(self.size)

    @property
    def wanted_bytes(self) -> int:
        """Bytes that the voxels take when decompressed."""
        return self.voxels * self.dtype.itemsize


def load_voxels(stored: StoredVoxels) -> np.ndarray:
    """Read the voxels.

    Returns
    -------
    numpy.ndarray
        Shape (k, j, i), native byte order; float32 (float64 for stored float64) when a scaling applies.

    Raises
    ------
    BadInputError
        If the header claims more than the file can hold, the file is cut short, or a checksum is wrong.
    """
    _require_plausible_size(stored)
    raw = _inflated_voxels(stored) if stored.compressed else _plain_voxels(stored)
    array = raw.view(stored.dtype).reshape(stored.size[::-1])
    array = array.astype(stored.dtype.newbyteorder("="), copy=False)
    if stored.slope == 1.0 and stored.intercept == 0.0:
        return array
    kind = np.float64 if stored.dtype == np.float64 else np.float32
    with np.errstate(over="ignore", invalid="ignore"):
        scaled: np.ndarray = (array * np.float64(stored.slope) + stored.intercept).astype(kind)
    return scaled


def is_sane(number: float, positive: bool = False) -> bool:
    """Whether a number in a header can be a length or position in mm or a direction: finite and under a kilometre."""
    # NaN fails every comparison.
    return abs(number) < _MAX_MM and (number > 1 / _MAX_MM or not positive)


def first_bytes(path: Path, count: int) -> bytes:
    """The first ``count`` bytes of a file, decompressed when it is a gzip file; fewer when it is shorter."""
    with open(path, "rb") as stream:
        head = stream.read(count)
    if not is_gzip(head):
        return head
    found = b""
    for piece in _inflated(path, 0, _SMALL_CHUNK):
        found += piece
        if len(found) >= count:
            break
    return found[:count]


def is_gzip(head: bytes) -> bool:
    """Whether bytes begin like a gzip file."""
    return head[:2] == b"\x1f\x8b"


def data_file_beside(header: Path, name: str) -> Path:
    """The detached data file that a header names; it must lie in the header's folder or below it."""
    relative = Path(name.replace("\\", "/"))
    target = header.parent / relative
    if relative.is_absolute() or ".." in relative.parts or "\0" in name:
        raise BadInputError(
            f"The header names its data file '{name}', which is not beside it",
            path=header,
            remedy="Put both files into one folder and name the data file without a folder",
        )
    if not target.is_file():
        raise BadInputError(
            f"The data file '{name}' that the header names is missing",
            path=header,
            remedy="Copy both files, header and data, into one folder",
        )
    return target


def _require_plausible_size(stored: StoredVoxels) -> None:
    if stored.voxels > MAX_VOXELS:
        raise BadInputError(
            f"The header claims {'x'.join(map(str, stored.size))} voxels, more than any image of a patient has",
            path=stored.header_path,
            remedy="The header is damaged; export the image again",
        )
    present = os.path.getsize(stored.data_path) - max(stored.file_offset, 0)
    room = present * (_MAX_DEFLATE_RATIO if stored.compressed else 1)
    if stored.stream_offset + stored.wanted_bytes > room:
        raise _cut_short(stored, present)


def _plain_voxels(stored: StoredVoxels) -> np.ndarray:
    present = os.path.getsize(stored.data_path)
    at_end = stored.file_offset < 0
    offset = present - stored.wanted_bytes if at_end else stored.file_offset
    if present - offset - stored.wanted_bytes > _SURPLUS_BYTES:
        raise _surplus(stored)
    raw = np.fromfile(stored.data_path, np.uint8, stored.wanted_bytes, offset=offset)
    if raw.size < stored.wanted_bytes:
        raise _cut_short(stored, raw.size)
    return raw


def _inflated_voxels(stored: StoredVoxels) -> np.ndarray:
    raw: np.ndarray = np.empty(stored.wanted_bytes, np.uint8)
    position = -stored.stream_offset
    # The stream is read past the last voxel, as its checksum stands at its end.
    for piece in _inflated(stored.data_path, stored.file_offset):
        start, stop = max(position, 0), min(position + len(piece), raw.size)
        if stop > start:
            raw[start:stop] = np.frombuffer(piece, np.uint8)[start - position : stop - position]
        position += len(piece)
        if position - raw.size > _SURPLUS_BYTES:
            raise _surplus(stored)
    if position < raw.size:
        raise _cut_short(stored, max(position, 0))
    return raw


def _inflated(path: Path, offset: int, chunk: int = _CHUNK) -> Iterator[bytes]:
    """Decompressed pieces of a gzip (member after member) or zlib stream."""
    with open(path, "rb") as stream:
        stream.seek(offset)
        engine = zlib.decompressobj(wbits=47)
        pending = stream.read(chunk)
        while pending:
            try:
                yield engine.decompress(pending)
            except zlib.error as error:
                raise BadInputError(
                    f"The compressed data are damaged ({error})", path=path, remedy="Copy or export the file again"
                ) from error
            pending = stream.read(chunk)
            if engine.eof:
                pending = engine.unused_data + pending
                # Whatever follows that is not another member is padding.
                if not is_gzip(pending):
                    return
                engine = zlib.decompressobj(wbits=47)
        raise BadInputError(
            "The compressed data end too early: the file is cut short", path=path, remedy="Copy or export it again"
        )


def _cut_short(stored: StoredVoxels, present: int) -> BadInputError:
    return BadInputError(
        f"The header promises {stored.wanted_bytes} bytes of voxels ({'x'.join(map(str, stored.size))} of "
        f"{stored.dtype.name}) and the file can hold no more than {present} bytes"
        + (" (compressed)" if stored.compressed else ""),
        path=stored.data_path,
        remedy="The file is cut short or its header is damaged; copy or export it again",
    )


def _surplus(stored: StoredVoxels) -> BadInputError:
    return BadInputError(
        f"The file holds more than the {'x'.join(map(str, stored.size))} voxels of its header",
        path=stored.data_path,
        remedy="The header is damaged, or the file holds several volumes; export one 3D volume",
    )
