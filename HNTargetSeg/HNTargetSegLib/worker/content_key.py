"""A short name for what a volume holds, so that the same volume is handed over and prepared once."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from HNTargetSegLib.case.volume import Volume

_keys: WeakKeyDictionary[Volume, str] = WeakKeyDictionary()


def content_key(volume: Volume) -> str:
    """Hash of voxels, their type and their grid, 32 hexadecimal digits; computed once a volume."""
    import numpy as np

    if volume not in _keys:
        grid = volume.geometry
        described = repr((volume.array.dtype.str, grid.size, grid.spacing, grid.origin, grid.direction))
        digest = hashlib.blake2b(described.encode(), digest_size=16)
        digest.update(np.ascontiguousarray(volume.array).data)
        _keys[volume] = digest.hexdigest()
    return _keys[volume]
