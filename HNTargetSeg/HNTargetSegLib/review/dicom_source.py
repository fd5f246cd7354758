"""The DICOM series that a visit's objects are written on."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from HNTargetSegLib.case.dicom_series import DicomSeries, read_series
from HNTargetSegLib.errors import BadInputError, GeometryError
from HNTargetSegLib.review.visit import VisitReview


def without_series(review: VisitReview) -> str:
    """Why DICOM objects of a visit need a series to be named; empty where its image is one."""
    image = review.image
    if image.source is None:
        return "the image came from the scene, not from a DICOM folder"
    if not image.source.exists():
        return f"{image.source.name} is not where it was"
    if image.identity is None or not image.source.is_dir():
        return f"{image.source.name} is no DICOM series"
    return ""


def series_of(review: VisitReview, given: str | PathLike[str] | None = None) -> DicomSeries:
    """The series of a visit: the folder that was given, else the one that its image came from.

    Raises
    ------
    BadInputError
        If there is none, or the folder holds no usable series.
    GeometryError
        If the series that was given lies on another grid than the image.
    """
    if given is None:
        if reason := without_series(review):
            raise BadInputError(
                f"DICOM objects can only be written on a DICOM series, and {reason}",
                path=review.image.image.name,
                remedy="Name the DICOM folder of the image",
            )
        assert review.image.source is not None
        return read_series(review.image.source)
    if not Path(given).is_dir():
        raise BadInputError("There is no such folder", path=given, remedy="Name the DICOM folder of the image")
    series = read_series(given)
    if not series.geometry.matches(review.image.image.geometry):
        raise GeometryError(
            f"The series lies on another grid ({series.geometry}) than the image ({review.image.image.geometry})",
            path=given,
            remedy="Name the series that the image was made of",
        )
    return series
