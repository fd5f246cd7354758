"""The gradient map: edges of the mid-RT image inside boxes round the prior lesions, as a second network channel.

Ren et al., "Gradient map-assisted head and neck tumor segmentation" (arXiv 2410.12941). Paper and published code
differ; both readings are here, the code's as the default because its figures were made with it.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.prior.boxes import prior_boxes
from HNTargetSegLib.prior.options import GradientOptions


def gradient_map(
    image: Volume, prior: Volume, options: GradientOptions | None = None, rng: np.random.Generator | None = None
) -> np.ndarray:
    """Gradient map of an image under a prior delineation.

    Parameters
    ----------
    image
        T2-weighted MR.
    prior
        Registered delineation on its grid: 0, 1 (PT), 2 (LN).
    options
        The published code's map with a fixed margin by default.
    rng
        Draws the margins in training; without it the map is the same every time.

    Returns
    -------
    numpy.ndarray
        float32 in [0, 1], shape (k, j, i); 0 outside the boxes and everywhere without prior lesions. Where boxes
        overlap the later one counts, nodes after primary tumours, as in the published code.

    Raises
    ------
    GeometryError
        If the two lie on different grids.
    """
    image.require_same_grid(prior)
    options = options or GradientOptions()
    result = np.zeros(image.array.shape, np.float32)
    for box in prior_boxes(prior.array, options.margin, rng):
        result[box.slices] = box_gradient(image, box.slices, options)
    return result


def box_gradient(image: Volume, box: tuple[slice, slice, slice], options: GradientOptions | None = None) -> np.ndarray:
    """Gradient map of one box, as a prior lesion's or as a reviewer has drawn it.

    Parameters
    ----------
    box
        Slices along (k, j, i) inside the image.

    Returns
    -------
    numpy.ndarray
        float32 in [0, 1], shape of the box.
    """
    options = options or GradientOptions()
    magnitude = _magnitude(image, box, options)
    if options.reading == "code":
        return np.minimum(options.gain * _stretched(magnitude), 1.0).astype(np.float32)
    low, high = image.intensity_range
    return np.minimum(magnitude / (high - low or 1.0) / float(options.scale or 1.0), 1.0).astype(np.float32)


def fitted_scale(
    pairs: Iterable[tuple[Volume, Volume]], options: GradientOptions | None = None, quantile: float = 0.99
) -> float:
    """Scale of the paper's reading from training images and their priors: a quantile of the gradient in all boxes.

    The paper does not say how its scale was found; the quantile is ours.

    Raises
    ------
    BadInputError
        If no pair has a prior lesion.
    """
    options = options or GradientOptions()
    found = []
    for image, prior in pairs:
        image.require_same_grid(prior)
        low, high = image.intensity_range
        for box in prior_boxes(prior.array, options.margin):
            found.append(_magnitude(image, box.slices, options).ravel() / (high - low or 1.0))
    if not found:
        raise BadInputError("No training patient has a prior lesion", remedy="Give pre-RT delineations with lesions")
    return float(np.quantile(np.concatenate(found), quantile))


def _magnitude(image: Volume, box: tuple[slice, slice, slice], options: GradientOptions) -> np.ndarray:
    """Gaussian gradient magnitude inside a box, per voxel step, float64; whole-number images do not truncate it."""
    from scipy import ndimage

    crop: np.ndarray = image.array[box].astype(np.float64)
    if options.sigma_unit == "voxel":
        magnitude: np.ndarray = ndimage.gaussian_gradient_magnitude(crop, options.sigma)
        return magnitude
    spacing = image.geometry.spacing_kji
    sigma = [options.sigma / step for step in spacing]
    squares = np.zeros(crop.shape)
    for axis, step in enumerate(spacing):
        order = [int(axis == other) for other in range(3)]
        squares += (ndimage.gaussian_filter(crop, sigma, order) / step) ** 2
    magnitude = np.sqrt(squares)
    return magnitude


def _stretched(magnitude: np.ndarray) -> np.ndarray:
    """0 to 1 inside a box; all ones where it is flat, as in the published code."""
    low, high = float(magnitude.min()), float(magnitude.max())
    return (magnitude - low) / (high - low) if high > low else np.ones_like(magnitude)
