"""Where the patient is in a T2-weighted MR, and where there is air."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.prior.grids import resampled, smoothed

_SPACING_MM = 3.0
_CLOSING_MM = 9.0


def body_mask(image: Volume, grid: Geometry) -> np.ndarray:
    """Body in an image, on a grid along the same or other axes: a reconstruction.

    A tenth of the bright end of the smoothed image separates it from air (Otsu's threshold would leave out muscle
    where fat is bright); the largest piece is closed and its holes, such as the airway, are filled slice by slice.

    Parameters
    ----------
    image
        T2-weighted MR.
    grid
        Where the mask is wanted; spacing of a few mm is enough.

    Returns
    -------
    numpy.ndarray
        bool, shape of ``grid``; all false where the image is constant.
    """
    from scipy import ndimage

    array = resampled(smoothed(image, _SPACING_MM / 2), grid)
    low, high = np.percentile(array, (1, 98))
    if not high > low:
        return np.zeros(grid.shape, bool)
    pieces, count = ndimage.label(array > low + 0.1 * (high - low))
    if not count:
        return np.zeros(grid.shape, bool)
    body = pieces == np.bincount(pieces.ravel())[1:].argmax() + 1
    steps = [int(max(1, round(_CLOSING_MM / 2 / mm))) for mm in grid.spacing]
    padded = sitk.ConstantPad(sitk.GetImageFromArray(body.astype(np.uint8)), steps, steps)
    closed = sitk.GetArrayFromImage(sitk.Crop(sitk.BinaryMorphologicalClosing(padded, steps), steps, steps))
    filled: np.ndarray = closed.astype(bool)
    for part in filled:
        part[...] = ndimage.binary_fill_holes(part)
    return filled
