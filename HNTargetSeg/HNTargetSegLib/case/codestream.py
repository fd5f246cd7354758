"""The header of a compressed DICOM frame, checked before GDCM sees it, which crashes on frames that contradict it."""

from __future__ import annotations

import struct

JPEG_SYNTAXES = frozenset(f"1.2.840.10008.1.2.4.{end}" for end in (50, 51, 57, 70, 80, 81))
"""JPEG baseline, extended and lossless, and JPEG-LS (PS3.5 A.4)."""

JPEG2000_SYNTAXES = frozenset(f"1.2.840.10008.1.2.4.{end}" for end in (90, 91))
"""JPEG 2000 image compression (PS3.5 A.4.4)."""

_START_OF_FRAME = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
_START_OF_SCAN = 0xDA
_MAX_BITS = 16


def require_frame(frame: bytes, syntax: str, rows: int, columns: int) -> None:
    """Check that a frame is of its transfer syntax, grey, of the size that the DICOM header gives, and of 2 to 16 bits.

    Parameters
    ----------
    frame
        The compressed frame.
    syntax
        Transfer Syntax UID.
    rows, columns
        Size in the DICOM header.

    Raises
    ------
    ValueError
        If it is not, or the syntax is none of those above.
    """
    if syntax in JPEG_SYNTAXES:
        found = _jpeg_facts(frame)
    elif syntax in JPEG2000_SYNTAXES:
        found = _jpeg2000_facts(frame)
    else:
        raise ValueError(f"the transfer syntax {syntax} is not read here")
    height, width, components, bits = found
    if (height, width, components) != (rows, columns, 1) or not 2 <= bits <= _MAX_BITS:
        raise ValueError(
            f"the compressed frame has {height}x{width} pixels of {components} values of {bits} bits, against "
            f"{rows}x{columns} in the header"
        )


def _jpeg_facts(frame: bytes) -> tuple[int, int, int, int]:
    """Height, width, components and bits of the one frame header before the first scan (ITU-T T.81 B.1, T.87 C.1)."""
    if frame[:2] != b"\xff\xd8":
        raise ValueError("the compressed frame is not JPEG")
    facts: list[tuple[int, int, int, int]] = []
    place = 2
    while place + 4 <= len(frame):
        prefix, marker, length = struct.unpack_from(">BBH", frame, place)
        if prefix != 0xFF or length < 2:
            break
        if marker == _START_OF_SCAN:
            if len(facts) == 1:
                return facts[0]
            break
        if marker in _START_OF_FRAME:
            bits, height, width, components = struct.unpack_from(">BHHB", frame.ljust(place + 10, b"\0"), place + 4)
            facts.append((height, width, components, bits))
        place += 2 + length
    raise ValueError("the header of the compressed frame is damaged")


def _jpeg2000_facts(frame: bytes) -> tuple[int, int, int, int]:
    """The same from the SIZ marker segment, which stands first in a code stream (ITU-T T.800 A.5.1)."""
    if frame[:4] != b"\xff\x4f\xff\x51" or len(frame) < 45:
        raise ValueError("the compressed frame is not a JPEG 2000 code stream")
    right, bottom, left, top, *tiles = struct.unpack_from(">8I", frame, 8)
    components, depth, across, down = struct.unpack_from(">HBBB", frame, 40)
    if min(tiles[:2]) < 1 or (across, down) != (1, 1):
        raise ValueError("the header of the compressed frame is damaged")
    return bottom - top, right - left, components, (depth & 0x7F) + 1
