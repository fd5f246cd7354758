"""From tissues to a T2-weighted MR image: contrast, texture, bias field, blur, Rician noise and scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from HNTargetSegLib.phantom.canvas import Canvas
from HNTargetSegLib.phantom.fields import Coordinates, Lattice, Waves, draw_lattice, draw_waves
from HNTargetSegLib.phantom.styles import Style
from HNTargetSegLib.phantom.tissues import Tissue

# Foreground median of the challenge's images, and the largest value seen in them.
FOREGROUND_MEDIAN = 307.0
LARGEST_VALUE = 9900.0

# Relative strength of the fibre, lobule and strand textures in each tissue.
_TEXTURE = {
    Tissue.SKIN: (0.05, 0.08, 0.0),
    Tissue.FAT: (0.05, 0.06, 0.2),
    Tissue.MUSCLE: (0.13, 0.05, 0.10),
    Tissue.TONGUE: (0.16, 0.10, 0.0),
    Tissue.MARROW: (0.06, 0.12, 0.0),
    Tissue.DISC: (0.05, 0.08, 0.0),
    Tissue.CORD: (0.03, 0.02, 0.0),
    Tissue.CSF: (0.08, 0.08, 0.0),
    Tissue.BRAIN: (0.03, 0.14, 0.10),
    Tissue.MUCOSA: (0.08, 0.14, 0.0),
    Tissue.PAROTID: (0.06, 0.15, 0.12),
    Tissue.SUBMANDIBULAR: (0.05, 0.10, 0.05),
    Tissue.THYROID: (0.04, 0.10, 0.0),
    Tissue.CARTILAGE: (0.1, 0.2, 0.0),
    Tissue.VEIN: (0.1, 0.1, 0.0),
    Tissue.TONSIL: (0.04, 0.08, 0.04),
    Tissue.NODE: (0.02, 0.02, 0.0),
    Tissue.TUMOUR: (0.02, 0.02, 0.0),
}


@dataclass(frozen=True, eq=False)
class Textures:
    """What one patient's tissues look like inside; the same at both visits."""

    fibre: Lattice
    lobule: Lattice
    strand: Lattice


@dataclass(frozen=True, eq=False)
class Scan:
    """One visit's imaging.

    Attributes
    ----------
    fat_saturated
        Whether fat is suppressed.
    contrast
        Mean signal of each tissue, shape (tissues,), float32.
    unsaturated
        Where fat suppression fails, as a field; used when ``fat_saturated``.
    bias
        Logarithm of the bias field.
    coil
        Relative brightening at the skin.
    noise
        Standard deviation of the noise in either channel, in the units of the signal.
    median
        Median of the body in the finished image.
    """

    fat_saturated: bool
    contrast: np.ndarray
    unsaturated: Waves
    bias: Waves
    coil: float
    noise: float
    median: float


def draw_textures(rng: np.random.Generator) -> Textures:
    """Draw a patient's textures."""
    return Textures(
        draw_lattice(rng, (2.3, 2.3, 9.0)), draw_lattice(rng, (4.0, 4.0, 4.0)), draw_lattice(rng, (10.0, 10.0, 14.0))
    )


def draw_scan(rng: np.random.Generator, style: Style, fat_saturated: bool) -> Scan:
    """Draw one visit's imaging."""
    means = style.saturated if fat_saturated else style.plain
    contrast: np.ndarray = np.zeros(len(Tissue), np.float32)
    for tissue, mean in means.items():
        contrast[tissue] = mean * np.exp(rng.normal(0, 0.05))
    # A lesion must not be told from a benign node by the scan's own contrast.
    contrast[Tissue.TUMOUR] = contrast[Tissue.NODE] * means[Tissue.TUMOUR] / means[Tissue.NODE]
    return Scan(
        fat_saturated=fat_saturated,
        contrast=contrast,
        unsaturated=draw_waves(rng, (90, 260), 0.35, 5),
        bias=draw_waves(rng, (180, 500), float(rng.uniform(*style.bias)), 5),
        coil=float(rng.uniform(*style.coil)),
        noise=float(rng.uniform(*style.noise)),
        median=FOREGROUND_MEDIAN * float(np.exp(rng.normal(0, 0.22))),
    )


def add_texture(canvas: Canvas, textures: Textures, scan: Scan) -> None:
    """Multiply each tissue by its texture, and fat by its incomplete suppression; in place."""
    strength: np.ndarray = np.zeros((3, len(Tissue)), np.float32)
    for tissue, parts in _TEXTURE.items():
        strength[:, tissue] = parts
    if scan.fat_saturated:
        strength[2, Tissue.FAT] *= -1.5
    factor = textures.fibre(*canvas.position) * strength[0][canvas.tissue]
    factor += textures.lobule(*canvas.position) * strength[1][canvas.tissue]
    strands = textures.strand(*canvas.position)
    factor -= np.exp(-((strands / np.float32(0.22)) ** 2)) * strength[2][canvas.tissue]
    if scan.fat_saturated:
        fat = canvas.tissue == Tissue.FAT
        factor[fat] += np.clip(scan.unsaturated(*(part[fat] for part in canvas.position)), -0.3, 1.5)
    np.multiply(canvas.signal, np.clip(1 + factor, 0.2, 3), out=canvas.signal)


def acquire(
    signal: np.ndarray,
    depth: np.ndarray,
    place: Coordinates,
    scan: Scan,
    voxel_mm: tuple[float, float, float],
    rng: np.random.Generator,
) -> np.ndarray:
    """Image the signal: bias field, coil, blur, Rician noise, scale.

    Parameters
    ----------
    signal
        Shape (k, j, i), float32.
    depth
        Signed distance in mm to the skin, negative inside.
    place
        Position of each voxel at the visit, mm; the scanner does not move with the patient.
    scan
        How to image.
    voxel_mm
        Voxel size in array order.
    rng
        Source of the noise.

    Returns
    -------
    numpy.ndarray
        float32, 0 to 9900.
    """
    from scipy.ndimage import gaussian_filter

    gain = np.exp(scan.bias(*place) + np.float32(scan.coil) * np.exp(np.minimum(depth, 0) / np.float32(18)))
    blurred = gaussian_filter(
        signal * gain, [mm / size for mm, size in zip((0.9, 0.65, 0.65), voxel_mm, strict=True)], truncate=2.5
    )
    real = rng.standard_normal(signal.shape, dtype=np.float32)
    imaginary = rng.standard_normal(signal.shape, dtype=np.float32)
    real *= np.float32(scan.noise)
    imaginary *= np.float32(scan.noise)
    real += blurred
    image = np.hypot(real, imaginary)
    body = image[depth < 0]
    scale = scan.median / float(np.median(body)) if body.size else 1.0
    return np.clip(image * np.float32(scale), 0, LARGEST_VALUE)
