"""A lesion changed as a whole: smoothed, cut down to a range of grey values, or filled between the slices drawn.

Each function takes a lesion-id map, shape (k, j, i), and returns another one. A lesion takes voxels from the background
alone: its neighbours stay as they are.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from HNTargetSegLib.case.volume import Triple
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.lesions.lesion import Slices

_REACH = 3.0


def smoothed(ids: np.ndarray, lesion_id: int, spacing_kji: Triple, millimetres: float) -> np.ndarray:
    """Round a lesion off: its mask is blurred by a Gaussian and cut at one half.

    Parameters
    ----------
    spacing_kji
        Voxel spacing in mm, in array order.
    millimetres
        Standard deviation of the Gaussian.

    Raises
    ------
    BadInputError
        If nothing of the lesion would be left, or the width is not positive.
    """
    from scipy import ndimage

    if not millimetres > 0:
        raise BadInputError(f"A lesion cannot be smoothed over {millimetres} mm", remedy="Give more than 0 mm")
    sigma = [millimetres / step for step in spacing_kji]
    box = _box(ids, lesion_id, [int(np.ceil(_REACH * width)) + 1 for width in sigma])
    blurred = ndimage.gaussian_filter((ids[box] == lesion_id).astype(np.float32), sigma, truncate=_REACH)
    return _replaced(ids, lesion_id, box, blurred >= 0.5, "Smooth it over fewer millimetres")


def within_range(ids: np.ndarray, lesion_id: int, image: np.ndarray, low: float, high: float) -> np.ndarray:
    """Keep the voxels of a lesion whose grey values lie from ``low`` to ``high``.

    Parameters
    ----------
    image
        Grey values, shape of ``ids``.

    Raises
    ------
    BadInputError
        If there is no such voxel.
    """
    box = _box(ids, lesion_id, [0, 0, 0])
    inside = (ids[box] == lesion_id) & (image[box] >= low) & (image[box] <= high)
    return _replaced(ids, lesion_id, box, inside, "Choose a wider range of grey values")


def filled_between(ids: np.ndarray, lesion_id: int, spacing_kji: Triple) -> np.ndarray:
    """Fill the slices that were left out between those that were drawn.

    The outline in between is where the signed distances to the outlines of the slices on both sides, weighted by how
    near these are, cancel out: shape-based interpolation (Raya and Udupa, IEEE Transactions on Medical Imaging 9(1),
    1990). The slices are those of the axis along which most are left out.

    Raises
    ------
    BadInputError
        If no slice is left out.
    """
    box = _box(ids, lesion_id, [0, 0, 0])
    mask = ids[box] == lesion_id
    drawn = [mask.any(axis=tuple(other for other in range(3) if other != axis)) for axis in range(3)]
    axis = int(np.argmax([np.count_nonzero(~along) for along in drawn]))
    if drawn[axis].all():
        raise BadInputError("No slice is left out between those that were drawn", remedy="Draw on every second one")
    turned = np.moveaxis(mask.copy(), axis, 0)
    in_plane = [step for other, step in enumerate(spacing_kji) if other != axis]
    places = np.flatnonzero(drawn[axis])
    for first, last in pairwise(places):
        if last - first > 1:
            one, other = (_signed_distance(turned[place], in_plane) for place in (first, last))
            for place in range(first + 1, last):
                share = (place - first) / (last - first)
                turned[place] = (1 - share) * one + share * other > 0
    return _replaced(ids, lesion_id, box, np.moveaxis(turned, 0, axis), "")


def _signed_distance(mask: np.ndarray, spacing: list[float]) -> np.ndarray:
    """Distance to the outline in mm, positive inside."""
    from scipy import ndimage

    # A frame of background: an outline that fills its box has an outside, too.
    framed = np.pad(mask, 1)
    inside = ndimage.distance_transform_edt(framed, spacing)
    outside = ndimage.distance_transform_edt(~framed, spacing)
    distance: np.ndarray = (inside - outside)[1:-1, 1:-1]
    return distance


def _box(ids: np.ndarray, lesion_id: int, margin: list[int]) -> Slices:
    """Box of a lesion with a margin, within the map."""
    from scipy import ndimage

    found = ndimage.find_objects((ids == lesion_id).view(np.uint8))
    if not found:
        raise BadInputError("The lesion has no voxels", remedy="Draw it first")
    parts = zip(found[0], margin, ids.shape, strict=True)
    k, j, i = (slice(max(0, part.start - more), min(size, part.stop + more)) for part, more, size in parts)
    return k, j, i


def _replaced(ids: np.ndarray, lesion_id: int, box: Slices, wanted: np.ndarray, remedy: str) -> np.ndarray:
    own = ids[box] == lesion_id
    now = wanted & (own | (ids[box] == 0))
    if not now.any():
        raise BadInputError("Nothing of the lesion would be left", remedy=remedy)
    result = ids.copy()
    part = result[box]
    part[own] = 0
    part[now] = lesion_id
    return result
