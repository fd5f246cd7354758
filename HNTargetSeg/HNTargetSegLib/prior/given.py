"""A transform or a registered mask that was made elsewhere, taken instead of a registration."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from HNTargetSegLib.case.itk_name import itk_name
from HNTargetSegLib.case.read import read_mask
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.files import replacing
from HNTargetSegLib.prior.body import body_mask

TRANSFORM_SUFFIXES = (".h5", ".tfm", ".txt", ".hdf5")
"""File name endings that :func:`read_transform` reads."""

_LEAST_IN_BODY = 0.9


def read_transform(path: str | os.PathLike[str]) -> sitk.Transform:
    """Read a transform of ITK: rigid, affine, B-spline, displacement field or several of them.

    Slicer and SimpleITK store the map from points of the fixed image to the moving one, which resampling needs; a
    transform node under which the pre-RT volume lies is stored as just that.

    Raises
    ------
    BadInputError
        If there is no such file, or it holds no three-dimensional transform.
    """
    source = Path(path)
    if not source.is_file():
        raise BadInputError("There is no such file", path=source, remedy="Check the path")
    if source.suffix.lower() not in TRANSFORM_SUFFIXES:
        raise BadInputError(
            "The file is not a transform that is read here",
            path=source,
            remedy=f"Save the transform as one of {', '.join(TRANSFORM_SUFFIXES)}",
        )
    try:
        with itk_name(source) as name:
            transform = sitk.ReadTransform(name)
    except RuntimeError as error:
        raise BadInputError(
            "The file holds no transform that ITK can read", path=source, remedy="Save it again as .h5 or .tfm"
        ) from error
    if transform.GetDimension() != 3:
        raise BadInputError(
            f"The transform has {transform.GetDimension()} dimensions", path=source, remedy="Give one for 3D volumes"
        )
    numbers = (*transform.GetParameters(), *transform.GetFixedParameters())
    if not np.isfinite(numbers).all():
        raise BadInputError("The transform holds numbers that are not finite", path=source, remedy="Save it again")
    return transform


def write_transform(transform: sitk.Transform, path: str | os.PathLike[str]) -> None:
    """Write a transform as ``.h5`` or ``.tfm``, whole or not at all.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    with replacing(path) as temporary:
        try:
            with itk_name(temporary) as name:
                sitk.WriteTransform(transform, name)
        except RuntimeError as error:
            raise OSError(f"the transform could not be written: {str(error).splitlines()[-1][:200]}") from error


def read_registered_mask(path: str | os.PathLike[str], fixed: Volume) -> Volume:
    """Pre-RT delineation that was brought onto the mid-RT grid elsewhere.

    Raises
    ------
    GeometryError
        If it does not lie on the grid of ``fixed``; the message names both grids.
    BadInputError
        If it holds other labels than 0, 1 and 2, or much of it lies outside the body.
    """
    mask = read_mask(path, like=fixed)
    inside = body_mask(fixed, fixed.geometry)[mask.array > 0]
    if inside.size and inside.mean() < _LEAST_IN_BODY:
        raise BadInputError(
            f"Only {inside.mean():.0%} of the registered mask lies in the patient",
            path=path,
            remedy="Check that the mask is the registered one and belongs to this mid-RT image",
        )
    return mask
