"""Seeded damage to bytes: flips, cuts, insertions, header fields, splices."""

from __future__ import annotations

import gzip
import random
import re
import struct

_NUMBERS = (0, 1, -1, 2, 3, 4, 127, 128, 255, 256, 30000, 32767, -32768, 65535, 1 << 31, (1 << 31) - 1, (1 << 32) - 1)
_REALS = (0.0, -0.0, 1.0, -1.0, 1e-30, 1e30, 3.4e38, float("nan"), float("inf"), float("-inf"), 352.0, 353.0)
_WORDS = (
    *(
        "0",
        "-1",
        "1",
        "3",
        "4",
        "30000",
        "2147483647",
        "4294967296",
        "99999999999999999999",
        "1e308",
        "nan",
        "inf",
        "none",
    ),
    *("", " ", "x" * 300, "x" * 70000, "%s%s%n", "LIST", "LOCAL", "../../a", "True", "False", "MET_DOUBLE", "double"),
    *(
        "raw",
        "gzip",
        "bzip2",
        "ascii",
        "hex",
        "big",
        "(1,0,0)",
        "(nan,0,0)",
        "\0",
        "\u00e9",
        "a.raw",
        "/dev/zero",
        "a.nhdr",
    ),
)
# Where a NIfTI-1 header keeps dim, datatype, pixdim, offset, scaling, units, forms, srow and magic.
_NIFTI_FIELDS = (
    *(
        (0, "i"),
        (68, "h"),
        (70, "h"),
        (72, "h"),
        (108, "f"),
        (112, "f"),
        (116, "f"),
        (123, "b"),
        (252, "h"),
        (254, "h"),
    ),
    *((offset, "h") for offset in range(40, 56, 2)),
    *((offset, "f") for offset in range(76, 108, 4)),
    *((offset, "f") for offset in range(256, 328, 4)),
    *((344, "i"), (348, "i"), (352, "i"), (356, "i")),
)


def mutate(content: bytes, donor: bytes, rng: random.Random) -> bytes:
    """Damage ``content`` one to three times; ``donor`` gives bytes for splices."""
    if content[:2] == b"\x1f\x8b" and rng.random() < 0.6:
        # Beneath the compression, so that the damage reaches the parser instead of the checksum.
        return gzip.compress(mutate(gzip.decompress(content), donor, rng), 1, mtime=0)
    for _ in range(rng.choice((1, 1, 2, 3))):
        content = rng.choice((_flip, _cut, _insert, _overwrite, _splice, _field, _field, _field))(content, donor, rng)
    return content


def _place(content: bytes, rng: random.Random) -> int:
    # Headers stand first and are what parsers go wrong on.
    end = len(content) if rng.random() < 0.3 else min(len(content), 1200)
    return rng.randrange(end) if end else 0


def _flip(content: bytes, donor: bytes, rng: random.Random) -> bytes:
    damaged = bytearray(content)
    for _ in range(rng.choice((1, 2, 8, 40)) if content else 0):
        damaged[_place(content, rng)] ^= 1 << rng.randrange(8)
    return bytes(damaged)


def _cut(content: bytes, donor: bytes, rng: random.Random) -> bytes:
    place = _place(content, rng)
    return content[:place] if rng.random() < 0.6 else content[:place] + content[place + rng.choice((1, 2, 16, 400)) :]


def _insert(content: bytes, donor: bytes, rng: random.Random) -> bytes:
    place = _place(content, rng)
    return content[:place] + rng.randbytes(rng.choice((1, 2, 4, 100, 5000))) + content[place:]


def _overwrite(content: bytes, donor: bytes, rng: random.Random) -> bytes:
    place = _place(content, rng)
    form = rng.choice("bBhHiIqQ")
    mask = (1 << (8 * struct.calcsize(form))) - 1
    value = (rng.choice(_NUMBERS) & mask).to_bytes(struct.calcsize(form), rng.choice(("little", "big")))
    return content[:place] + value + content[place + len(value) :]


def _splice(content: bytes, donor: bytes, rng: random.Random) -> bytes:
    place, start = _place(content, rng), _place(donor, rng)
    piece = donor[start : start + rng.choice((8, 64, 500, 5000))]
    return content[:place] + piece + content[place + (len(piece) if rng.random() < 0.5 else 0) :]


def _field(content: bytes, donor: bytes, rng: random.Random) -> bytes:
    if content[344:347] == b"n+1":
        return _nifti_field(content, rng)
    if content[128:132] == b"DICM":
        return _dicom_field(content, rng)
    return _text_field(content, rng)


def _nifti_field(content: bytes, rng: random.Random) -> bytes:
    offset, form = rng.choice(_NIFTI_FIELDS)
    damaged = bytearray(content)
    if offset + struct.calcsize(form) > len(damaged):
        return content
    if form == "f":
        struct.pack_into("<f", damaged, offset, rng.choice(_REALS))
    else:
        bits = 8 * struct.calcsize(form)
        value = rng.choice(_NUMBERS) & ((1 << bits) - 1)
        damaged[offset : offset + bits // 8] = value.to_bytes(bits // 8, "little")
    return bytes(damaged)


def _dicom_field(content: bytes, rng: random.Random) -> bytes:
    """Change the value or the length of one element in explicit little endian."""
    starts = [match.start() for match in re.finditer(rb"[\x02\x08\x10\x18\x20\x28]\x00..[A-Z]{2}", content, re.DOTALL)]
    if not starts:
        return content
    start = rng.choice(starts)
    length = int.from_bytes(content[start + 6 : start + 8], "little")
    body, end = start + 8, min(start + 8 + length, len(content))
    choice = rng.random()
    if choice < 0.2:
        return content[: start + 6] + rng.choice(_NUMBERS).to_bytes(8, "little", signed=True)[:2] + content[body:]
    if choice < 0.35:
        return (
            content[: start + 4]
            + rng.choice((b"SQ", b"OB", b"UN", b"DS", b"US", b"FD", b"XX", b"UT"))
            + content[start + 6 :]
        )
    if choice < 0.45:
        return content[:start] + content[end:]
    if length in (2, 4):
        return content[:body] + rng.choice(_NUMBERS).to_bytes(8, "little", signed=True)[:length] + content[end:]
    word = rng.choice(_WORDS).encode()[:60000]
    word += b" " * (len(word) % 2)
    return content[: start + 6] + len(word).to_bytes(2, "little") + word + content[end:]


def _text_field(content: bytes, rng: random.Random) -> bytes:
    """Change one word, drop or double one line of a text header."""
    head = content[:2000]
    choice = rng.random()
    if choice < 0.3:
        lines = list(re.finditer(rb"[^\n]*\n", head))
        if lines:
            line = rng.choice(lines)
            again = line.group() * 2 if rng.random() < 0.5 else b""
            return content[: line.start()] + again + content[line.end() :]
    words = list(re.finditer(rb"[^\s=:(),]+", head))
    if not words:
        return content
    word = rng.choice(words)
    return content[: word.start()] + rng.choice(_WORDS).encode() + content[word.end() :]
