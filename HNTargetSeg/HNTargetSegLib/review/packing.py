"""Delineations and lesions' voxels as short texts, so that they can travel with the review's state."""

from __future__ import annotations

import base64
import binascii
import zlib
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.lesions.lesion import LesionSet

_packed: WeakKeyDictionary[Volume, str] = WeakKeyDictionary()
_lesions: WeakKeyDictionary[Volume, dict[int, PackedMask]] = WeakKeyDictionary()


@dataclass(frozen=True)
class PackedMask:
    """A boolean crop as text, and a number that tells it from others."""

    text: str
    check: int


def packed_mask(mask: np.ndarray) -> PackedMask:
    """A boolean crop as text."""
    bits = np.packbits(mask).tobytes()
    # Packed while somebody draws: the highest level takes twenty times as long for a tenth less.
    return PackedMask(base64.b64encode(zlib.compress(bits, 1)).decode("ascii"), zlib.crc32(bits))


def unpacked_mask(text: str, shape: tuple[int, ...]) -> np.ndarray:
    """The boolean crop of a text.

    Raises
    ------
    BadInputError
        If the text is damaged or of a crop of another size.
    """
    count = int(np.prod(shape))
    bits = np.frombuffer(_inflated(text, (count + 7) // 8, "lesion"), np.uint8)
    mask: np.ndarray = np.unpackbits(bits, count=count).reshape(shape).astype(bool)
    return mask


def packed_lesions(lesions: LesionSet) -> dict[int, PackedMask]:
    """The voxels of each lesion in its box, by id; packed once a map, as the state is stored after each verdict."""
    if lesions.ids not in _lesions:
        _lesions[lesions.ids] = {x.id: packed_mask(lesions.mask(x)) for x in lesions if x.voxels}
    return _lesions[lesions.ids]


def packed(mask: Volume) -> str:
    """A map of labels (0 to 255) as text; packed once, as the state is stored after each verdict."""
    if mask not in _packed:
        content = zlib.compress(np.ascontiguousarray(mask.array.astype(np.uint8)).tobytes(), 6)
        _packed[mask] = base64.b64encode(content).decode("ascii")
    return _packed[mask]


def unpacked(text: str, image: Volume, name: str) -> Volume:
    """The map of labels of a text, uint8, on the grid of an image.

    Raises
    ------
    BadInputError
        If the text is damaged or of an image of another size.
    """
    shape = image.array.shape
    content = _inflated(text, int(np.prod(shape)), name)
    mask = image.with_array(np.frombuffer(content, np.uint8).reshape(shape), name)
    _packed[mask] = text
    return mask


def _inflated(text: str, size: int, name: str) -> bytes:
    try:
        # One byte more than fits would say that the text is of a larger image.
        content = zlib.decompressobj().decompress(base64.b64decode(text, validate=True), size + 1)
    except (binascii.Error, zlib.error) as error:
        raise BadInputError(
            f"The stored {name} is damaged ({error})", remedy="Open the patient's files again"
        ) from error
    if len(content) != size:
        raise BadInputError(
            f"The stored {name} is not on the grid of its image", remedy="Open the patient's files again"
        )
    return content


def packed_ids(ids: np.ndarray) -> str:
    """A small lesion-id map, uint16, as text."""
    return base64.b64encode(zlib.compress(np.ascontiguousarray(ids.astype("<u2")).tobytes(), 1)).decode("ascii")


def unpacked_ids(text: str, shape: tuple[int, int, int]) -> np.ndarray:
    """The lesion-id map of a text.

    Raises
    ------
    BadInputError
        If the text is damaged or of a map of another size.
    """
    content = _inflated(text, 2 * int(np.prod(shape)), "box")
    return np.frombuffer(content, "<u2").reshape(shape).astype(np.uint16)
