"""A delineation as a short text, so that it can travel with the review's state."""

from __future__ import annotations

import base64
import binascii
import zlib
from weakref import WeakKeyDictionary

import numpy as np

from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.errors import BadInputError

_packed: WeakKeyDictionary[Volume, str] = WeakKeyDictionary()


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
    size = int(np.prod(shape))
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
    mask = image.with_array(np.frombuffer(content, np.uint8).reshape(shape), name)
    _packed[mask] = text
    return mask
