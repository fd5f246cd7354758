"""Whether a volume can be an MR of a patient: what cannot be worked on is an error, what is unusual a warning."""

from __future__ import annotations

from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.errors import BadInputError

USUAL_SPACING_MM = (0.3, 4.0)
"""Voxel sizes of head-and-neck T2w MR lie well within this; HNTS-MRG 2024 has 0.4 to 3 mm."""

USUAL_EXTENT_MM = (80.0, 700.0)
"""Width, depth and height of a head-and-neck field of view lie within this."""

STRAIGHTENED_MM = 1e-3
"""Shift from which straightened axes are worth a word; six decimals in a header stay below it."""


def check_image(volume: Volume) -> list[str]:
    """Check that an image can be segmented.

    Returns
    -------
    list of str
        Warnings, each a sentence: voxels or fields of view of unusual size, axes that were not at right angles.

    Raises
    ------
    BadInputError
        If the image has a single slice, or one value everywhere.
    """
    geometry = volume.geometry
    size = "x".join(str(count) for count in geometry.size)
    if min(geometry.size) < 2:
        raise BadInputError(
            f"The image is a single slice ({size} voxels)", path=volume.name, remedy="Give the whole 3D volume"
        )
    low, high = volume.intensity_range
    if low == high:
        raise BadInputError(
            f"The image is {low:g} everywhere", path=volume.name, remedy="Export it again from the scanner's series"
        )
    warnings = []
    spacing = " x ".join(f"{step:.3g}" for step in geometry.spacing)
    if min(geometry.spacing) < USUAL_SPACING_MM[0]:
        warnings.append(f"The voxels are unusually small ({spacing} mm); the result may need checking.")
    if max(geometry.spacing) > USUAL_SPACING_MM[1]:
        warnings.append(f"The voxels are unusually large ({spacing} mm); small lesions may be missed.")
    extents = [count * step for count, step in zip(geometry.size, geometry.spacing, strict=True)]
    if min(extents) < USUAL_EXTENT_MM[0] or max(extents) > USUAL_EXTENT_MM[1]:
        shown = " x ".join(f"{extent:.0f}" for extent in extents)
        warnings.append(f"The field of view ({shown} mm) is unusual for the head and neck.")
    shift = 0.0 if volume.stated is None else geometry.largest_shift(volume.stated)
    if shift > STRAIGHTENED_MM:
        warnings.append(
            f"The axes in the header are not quite at right angles; they were straightened for the image and the "
            f"results, which moves voxels by up to {shift:.2g} mm."
        )
    return warnings
