"""A DICOM series as one volume: slices ordered by position, every irregularity an error that names the files."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from HNTargetSegLib.case.dicom_pixels import PixelFormat, load_slices
from HNTargetSegLib.case.dicom_scan import Header, image_series, is_dicom, reading
from HNTargetSegLib.case.identity import SeriesIdentity, identity_of
from HNTargetSegLib.case.stored import is_sane
from HNTargetSegLib.case.volume import Geometry, Volume, nearest_orthonormal
from HNTargetSegLib.errors import BadInputError

__all__ = ["DicomSeries", "is_dicom", "read_identity", "read_series", "series_volume"]

_ORIENTATION_TOLERANCE = 1e-3
_SAME_POSITION_MM = 1e-3
# Positions are written with few decimals and tables move by fractions of a millimetre; a missing slice is a whole gap.
_GAP_TOLERANCE = 0.05
_GRID_TOLERANCE = 0.1


@dataclass(frozen=True)
class DicomSeries:
    """One image series whose slices form a regular grid.

    Attributes
    ----------
    folder
        Where it was found.
    identity
        Patient, study and series.
    geometry
        Grid of the volume; k runs along the normal of the slices.
    stated
        The same with the axes as the header gives them, orthonormal to its decimals only.
    files, sop_instance_uids
        One for each slice, in the order of k.
    sop_class_uid
        Of the slices.
    pixels
        How each slice is stored, in the order of k.
    """

    folder: Path
    identity: SeriesIdentity
    geometry: Geometry
    stated: Geometry
    files: tuple[Path, ...]
    sop_instance_uids: tuple[str, ...]
    sop_class_uid: str
    pixels: tuple[PixelFormat, ...]


def read_series(folder: str | os.PathLike[str], series_uid: str | None = None) -> DicomSeries:
    """Read the headers of the one image series in a folder and the folders below it.

    RTSTRUCT, SEG, RTDOSE, DICOMDIR and files that are not DICOM are passed over.

    Parameters
    ----------
    folder
        Folder of the series.
    series_uid
        Series Instance UID to take where there are several.

    Raises
    ------
    BadInputError
        If there is no series or several, a frame is not a plain 2D slice, or slices are missing, doubled, of another
        orientation or size. The message names the files or positions.
    """
    base = Path(folder)
    headers = _one_series(base, series_uid)
    for header in headers:
        _require_plain_slice(header)
    _require_alike(base, headers)
    first = headers[0].data
    with reading(headers[0].path):
        stated = _axes(first)
        axes = nearest_orthonormal(stated)
        positions = np.array([[float(value) for value in header.data.ImagePositionPatient] for header in headers])
    order = np.argsort(positions @ axes[:, 2], kind="stable")
    headers = [headers[index] for index in order]
    geometry = _geometry(base, headers, positions[order], axes)
    return DicomSeries(
        folder=base,
        identity=identity_of(first),
        geometry=geometry,
        stated=replace(geometry, direction=tuple(float(value) for value in stated.ravel())),
        files=tuple(header.path for header in headers),
        sop_instance_uids=tuple(str(header.data.get("SOPInstanceUID", "")) for header in headers),
        sop_class_uid=str(first.get("SOPClassUID", "")),
        pixels=tuple(PixelFormat.of(header) for header in headers),
    )


def series_volume(series: DicomSeries) -> Volume:
    """Read the pixels of a series; rescale slope and intercept are applied."""
    array = load_slices(series.files, series.pixels)
    return Volume(array, series.geometry, str(series.folder), stated=series.stated)


def read_identity(path: str | os.PathLike[str]) -> SeriesIdentity | None:
    """Facts for display of the series in a DICOM folder; None for a file, as NIfTI, NRRD and MetaImage hold none."""
    folder = Path(path)
    if not folder.is_dir():
        return None
    return identity_of(_one_series(folder, None)[0].data)


def _one_series(folder: Path, series_uid: str | None) -> list[Header]:
    series = image_series(folder)
    if series_uid is not None:
        series = {uid: headers for uid, headers in series.items() if uid == series_uid}
        if not series:
            raise BadInputError(f"There is no series {series_uid}", path=folder, remedy="Check the Series Instance UID")
    if len(series) > 1:
        raise _mixed_series(folder, series)
    (headers,) = series.values()
    return headers


def _mixed_series(folder: Path, series: dict[str, list[Header]]) -> BadInputError:
    listed = "; ".join(
        f"'{headers[0].data.get('SeriesDescription') or 'no description'}' with {len(headers)} "
        f"{'slice' if len(headers) == 1 else 'slices'} ({uid or 'no UID'}, first file {headers[0].path.name})"
        for uid, headers in sorted(series.items())
    )
    return BadInputError(
        f"The folder holds {len(series)} image series: {listed}",
        path=folder,
        remedy="Put the wanted series into a folder of its own",
    )


def _require_plain_slice(header: Header) -> None:
    data = header.data
    with reading(header.path):
        frames, samples = int(data.get("NumberOfFrames") or 1), int(data.get("SamplesPerPixel") or 1)
        lacking = [
            name
            for name, count in (("ImagePositionPatient", 3), ("ImageOrientationPatient", 6), ("PixelSpacing", 2))
            if not _has_numbers(data, name, count)
        ]
        size = int(data.get("Rows") or 0), int(data.get("Columns") or 0)
    if frames > 1:
        raise BadInputError(
            f"The file is a multi-frame image with {frames} frames",
            path=header.path,
            remedy="Export the series as single-frame (classic) DICOM, or convert it to NIfTI with dcm2niix",
        )
    if samples != 1 or min(size) < 1:
        raise BadInputError(
            f"The file has {samples} values a pixel and {size[0]}x{size[1]} pixels; a grey image is needed",
            path=header.path,
            remedy="Take it out of the folder; it is a screenshot or a report, not a slice",
        )
    if lacking:
        raise BadInputError(
            f"The slice has no usable {', '.join(lacking)}",
            path=header.path,
            remedy="Export the series from the scanner as MR images, or take this file out of the folder",
        )


def _has_numbers(data: Any, name: str, count: int) -> bool:
    values = data.get(name)
    if values is None or isinstance(values, (str, float, int)) or len(values) != count:
        return False
    return all(is_sane(float(value), positive=name == "PixelSpacing") for value in values)


def _require_alike(folder: Path, headers: Sequence[Header]) -> None:
    def orientation(data: Any) -> tuple[float, ...]:
        return tuple(float(value) for value in data.ImageOrientationPatient)

    def size(data: Any) -> tuple[float, ...]:
        return (float(data.Rows), float(data.Columns), *(float(value) for value in data.PixelSpacing))

    for what, facts in (("orientation", orientation), ("size or pixel spacing", size)):
        _require_one_value(folder, headers, what, facts)


def _require_one_value(
    folder: Path, headers: Sequence[Header], what: str, facts: Callable[[Any], tuple[float, ...]]
) -> None:
    first = np.array(facts(headers[0].data))
    odd = [h for h in headers if np.abs(np.array(facts(h.data)) - first).max() > _ORIENTATION_TOLERANCE]
    if odd:
        # The smaller group is most likely the one that does not belong.
        group = odd if len(odd) <= len(headers) // 2 else [header for header in headers if header not in odd]
        raise BadInputError(
            f"{len(group)} of {len(headers)} slices have another {what} than the rest: {_names(group)}",
            path=folder,
            remedy="Put them (localisers, for example) into another folder",
        )


def _axes(data: Any) -> np.ndarray:
    """3x3; columns are the directions of i (along a row), j (down a column) and k."""
    row, column = np.array([float(value) for value in data.ImageOrientationPatient]).reshape(2, 3)
    axes = np.column_stack([row, column, np.cross(row, column)])
    if np.abs(axes.T @ axes - np.eye(3)).max() > _ORIENTATION_TOLERANCE:
        raise ValueError(f"ImageOrientationPatient {list(data.ImageOrientationPatient)} is not orthonormal")
    return axes


def _geometry(folder: Path, headers: Sequence[Header], positions: np.ndarray, axes: np.ndarray) -> Geometry:
    first = headers[0].data
    rows_mm, columns_mm = (float(value) for value in first.PixelSpacing)
    return Geometry(
        size=(int(first.Columns), int(first.Rows), len(headers)),
        spacing=(columns_mm, rows_mm, _regular_gap(folder, headers, positions, axes)),
        origin=(float(positions[0, 0]), float(positions[0, 1]), float(positions[0, 2])),
        direction=tuple(float(value) for value in axes.ravel()),
    )


def _regular_gap(folder: Path, headers: Sequence[Header], positions: np.ndarray, axes: np.ndarray) -> float:
    """Distance in mm between slices along their normal."""
    if len(headers) == 1:
        with reading(headers[0].path):
            data = headers[0].data
            return abs(float(data.get("SpacingBetweenSlices") or data.get("SliceThickness") or 1.0)) or 1.0
    along = positions @ axes[:, 2]
    gaps = np.diff(along)
    doubled = np.flatnonzero(gaps < _SAME_POSITION_MM)
    if doubled.size:
        pairs = "; ".join(f"{headers[k].path.name} and {headers[k + 1].path.name}" for k in doubled[:4])
        raise BadInputError(
            f"{doubled.size + 1 if doubled.size > 1 else 2} slices share a position with another: {pairs}"
            + ("; ..." if doubled.size > 4 else ""),
            path=folder,
            remedy="Keep one image at each position: remove copies, or put each echo or time point into its own folder",
        )
    usual = float(np.median(gaps))
    odd = np.flatnonzero(np.abs(gaps - usual) > _GAP_TOLERANCE * usual)
    if odd.size:
        raise _irregular_gaps(folder, headers, along, usual, odd)
    gap = float(along[-1] - along[0]) / (len(headers) - 1)
    expected = positions[0] + np.arange(len(headers))[:, None] * gap * axes[:, 2]
    off = np.linalg.norm(positions - expected, axis=1)
    if off.max() > _GRID_TOLERANCE * gap:
        raise BadInputError(
            f"The slices do not lie on a grid with right angles: {headers[int(off.argmax())].path.name} is "
            f"{off.max():.2f} mm beside its place (a tilted gantry, or a sheared stack)",
            path=folder,
            remedy="Resample the series onto a grid with right angles first",
        )
    return gap


def _irregular_gaps(
    folder: Path, headers: Sequence[Header], along: np.ndarray, usual: float, odd: np.ndarray
) -> BadInputError:
    places = "; ".join(
        f"{along[k + 1] - along[k]:.2f} mm between {headers[k].path.name} (at {along[k]:.2f} mm) and "
        f"{headers[k + 1].path.name} (at {along[k + 1]:.2f} mm)"
        for k in odd[:4]
    )
    missing = [max(round(float(along[k + 1] - along[k]) / usual) - 1, 0) for k in odd]
    count = f"{sum(missing)} slices are" if sum(missing) > 1 else "1 slice is"
    what = f"{count} missing" if all(missing) else "The slices are not evenly spaced"
    return BadInputError(
        f"{what}: slices stand {usual:.2f} mm apart, but {places}" + ("; ..." if odd.size > 4 else ""),
        path=folder,
        remedy="Export the whole series again",
    )


def _names(headers: Sequence[Header]) -> str:
    return ", ".join(header.path.name for header in headers[:6]) + (" ..." if len(headers) > 6 else "")
