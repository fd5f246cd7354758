"""Headers of compressed frames."""

from __future__ import annotations

import struct

import pytest

from HNTargetSegLib.case.codestream import require_frame

LOSSLESS, JPEG2000 = "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.90"


def jpeg(bits: int = 16, rows: int = 9, columns: int = 8, components: int = 1, frames: int = 1) -> bytes:
    header = struct.pack(">BBHBHHBBBB", 0xFF, 0xC3, 11, bits, rows, columns, components, 1, 0x11, 0)
    comment = struct.pack(">BBH4s", 0xFF, 0xFE, 6, b"note")
    return b"\xff\xd8" + comment + header * frames + struct.pack(">BBH8s", 0xFF, 0xDA, 8, b"\1\1\0\1\0\0\0\0")


def jpeg2000(bits: int = 12, rows: int = 9, columns: int = 8, components: int = 1, tile: int = 8) -> bytes:
    grid = struct.pack(">8I", columns + 2, rows + 3, 2, 3, tile, 9, 0, 0)
    return b"\xff\x4f\xff\x51\x00\x29\x00\x00" + grid + struct.pack(">HBBB", components, bits - 1, 1, 1)


def test_frames_of_the_size_in_the_header_pass() -> None:
    require_frame(jpeg(), LOSSLESS, rows=9, columns=8)
    require_frame(jpeg2000(), JPEG2000, rows=9, columns=8)


@pytest.mark.parametrize("change", [{"bits": 24}, {"rows": 90}, {"columns": 7}, {"components": 3}])
def test_frames_of_another_size_or_depth_are_refused(change: dict[str, int]) -> None:
    for frame, syntax in ((jpeg(**change), LOSSLESS), (jpeg2000(**change), JPEG2000)):
        with pytest.raises(ValueError, match=r"the compressed frame has .* against 9x8"):
            require_frame(frame, syntax, rows=9, columns=8)


@pytest.mark.parametrize(
    "frame", [b"", b"\xff\xd8", b"\xff\xd8" + b"\0" * 40, jpeg()[:14], jpeg(frames=0), jpeg(frames=2)]
)
def test_jpeg_headers_without_one_frame_header_are_refused(frame: bytes) -> None:
    with pytest.raises(ValueError, match=r"damaged|not JPEG"):
        require_frame(frame, LOSSLESS, rows=9, columns=8)


@pytest.mark.parametrize("frame", [b"", jpeg(), jpeg2000()[:40], jpeg2000(tile=0)])
def test_jpeg_2000_headers_that_are_damaged_are_refused(frame: bytes) -> None:
    with pytest.raises(ValueError, match=r"damaged|not a JPEG 2000"):
        require_frame(frame, JPEG2000, rows=9, columns=8)


def test_another_transfer_syntax_is_named() -> None:
    with pytest.raises(ValueError, match=r"1\.2\.840\.10008\.1\.2\.4\.100 is not read"):
        require_frame(jpeg(), "1.2.840.10008.1.2.4.100", rows=9, columns=8)
