"""Whether two registered images show one contrast: their correlation in the surroundings of each voxel."""

from __future__ import annotations

import numpy as np

_SIGMA_VOXELS = 1.5
_BORDER_VOXELS = 2


def local_correlation(first: np.ndarray, second: np.ndarray, where: np.ndarray) -> float | None:
    """Mean over a region of the correlation under a Gaussian window (local normalised cross-correlation).

    Near 1 for two images of one patient in one contrast, near 0 where fat is dark in one of them and bright in the
    other; the scale of the intensities does not count.

    Parameters
    ----------
    first, second
        Images on one grid.
    where
        bool; what lies outside is left out of the windows, and so is the border of the region.

    Returns
    -------
    float or None
        None where the region is too thin, or an image is flat in it.
    """
    from scipy import ndimage

    inner = ndimage.binary_erosion(where, iterations=_BORDER_VOXELS)
    if not inner.any():
        return None
    weight: np.ndarray = where.astype(np.float64)
    share = ndimage.gaussian_filter(weight, _SIGMA_VOXELS)

    def mean(values: np.ndarray) -> np.ndarray:
        windowed: np.ndarray = ndimage.gaussian_filter(values * weight, _SIGMA_VOXELS)[inner] / share[inner]
        return windowed

    a, b = (_scaled(image, where) for image in (first, second))
    if a is None or b is None:
        return None
    mean_a, mean_b = mean(a), mean(b)
    spread = np.maximum(mean(a * a) - mean_a**2, 0) * np.maximum(mean(b * b) - mean_b**2, 0)
    known = spread > np.finfo(np.float64).eps
    if not known.any():
        return None
    return float(((mean(a * b) - mean_a * mean_b)[known] / np.sqrt(spread[known])).mean())


def _scaled(image: np.ndarray, where: np.ndarray) -> np.ndarray | None:
    """Mean 0 and deviation 1 in the region; None where it is flat."""
    values = image[where].astype(np.float64)
    deviation = values.std()
    return (image.astype(np.float64) - values.mean()) / deviation if deviation > 0 else None
