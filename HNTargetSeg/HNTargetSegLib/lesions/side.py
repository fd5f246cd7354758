"""Left, right or midline: where the patient's mid-sagittal plane lies and on which side of it a lesion is."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from HNTargetSegLib.case.orientation import axial_turn
from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.lesions.lesion import Side

MIDLINE_TOLERANCE_MM = 5.0

_LONGEST_AXIS = 96


def side_of(x: float, midline_mm: float, tolerance_mm: float = MIDLINE_TOLERANCE_MM) -> Side:
    """Side of a point at LPS ``x``: left is towards +x, midline means within ``tolerance_mm`` of the plane."""
    if abs(x - midline_mm) <= tolerance_mm:
        return Side.MIDLINE
    return Side.LEFT if x > midline_mm else Side.RIGHT


def grid_midline(geometry: Geometry) -> float:
    """LPS x in mm of the middle of a grid: what there is to go by without an image."""
    middle = (np.array(geometry.shape) - 1) / 2
    return float(geometry.to_lps(middle)[0])


def body_midline(image: Volume) -> float:
    """LPS x in mm of the body's mid-sagittal plane, taken as vertical: a reconstruction.

    The foreground (Otsu's threshold on a thinned-out copy, clipped at its 99th percentile, largest connected piece)
    is filled from its right to its left border on every line that runs across the patient, so that airway and bone
    count as body; the plane goes through the centroid of what results.

    Parameters
    ----------
    image
        MR of the visit.

    Returns
    -------
    float
        Falls back on the middle of the grid where the image has no foreground, such as a constant one.
    """
    from scipy import ndimage

    steps = [max(1, round(n / _LONGEST_AXIS)) for n in image.array.shape]
    thin: np.ndarray = image.array[:: steps[0], :: steps[1], :: steps[2]].astype(np.float32)
    thin = np.minimum(thin, np.percentile(thin, 99))
    if thin.min() == thin.max():
        return grid_midline(image.geometry)
    bright: np.ndarray = sitk.GetArrayFromImage(sitk.OtsuThreshold(sitk.GetImageFromArray(thin), 0, 1)).astype(bool)
    pieces, _ = ndimage.label(bright)
    body = pieces == np.bincount(pieces[bright]).argmax()
    return _filled_centroid_x(body, image.geometry, steps)


def _filled_centroid_x(body: np.ndarray, geometry: Geometry, steps: list[int]) -> float:
    across = axial_turn(geometry).order[2]
    lines = np.moveaxis(body, across, -1)
    used = lines.any(axis=-1)
    first = lines.argmax(axis=-1)[used]
    last = lines.shape[-1] - 1 - lines[..., ::-1].argmax(axis=-1)[used]
    places = np.insert(np.argwhere(used).astype(float), across, (first + last) / 2, axis=1) * steps
    x = geometry.to_lps(places)[:, 0]
    return float(np.average(x, weights=last - first + 1))
