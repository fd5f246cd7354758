"""Read a volume or a mask: NIfTI, NRRD, MetaImage or a DICOM folder. SimpleITK gives the geometry."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from HNTargetSegLib.case.dicom_series import is_dicom, read_series, series_volume
from HNTargetSegLib.case.itk_name import itk_name
from HNTargetSegLib.case.metaimage import parse_metaimage
from HNTargetSegLib.case.nifti import parse_nifti
from HNTargetSegLib.case.nrrd import parse_nrrd
from HNTargetSegLib.case.stored import StoredVoxels, load_voxels
from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.errors import BadInputError, GeometryError, OutOfMemoryError

_PARSERS: dict[str, Callable[[Path], StoredVoxels]] = {
    ".nii.gz": parse_nifti,
    ".nii": parse_nifti,
    ".nrrd": parse_nrrd,
    ".nhdr": parse_nrrd,
    ".mha": parse_metaimage,
    ".mhd": parse_metaimage,
}
IMAGE_SUFFIXES = tuple(_PARSERS)
"""File name endings that :func:`read_volume` reads, in lower case."""

_READERS: dict[Callable[[Path], StoredVoxels], str] = {
    parse_nifti: "NiftiImageIO",
    parse_nrrd: "NrrdImageIO",
    parse_metaimage: "MetaImageIO",
}
_EXPECTED = "Give a NIfTI (.nii.gz, .nii), NRRD (.nrrd, .nhdr) or MetaImage (.mha, .mhd) file, or a DICOM folder"

sitk.ProcessObject.GlobalWarningDisplayOff()


def image_suffix(path: str | os.PathLike[str]) -> str | None:
    """The ending of a file name that tells its format, in lower case; None unless in :data:`IMAGE_SUFFIXES`."""
    name = Path(path).name.lower()
    return next((suffix for suffix in IMAGE_SUFFIXES if name.endswith(suffix)), None)


def image_stem(path: str | os.PathLike[str]) -> str:
    """The file name without the ending that tells its format."""
    name = Path(path).name
    return name[: len(name) - len(image_suffix(name) or "")]


def read_volume(path: str | os.PathLike[str]) -> Volume:
    """Read one scalar 3D volume.

    The header is checked before SimpleITK sees the file and before memory is taken, and checksums are verified, so that
    a damaged file gives an error and never a crash or wrong voxels. Scaling in the header is applied.

    Parameters
    ----------
    path
        A NIfTI-1, NRRD or MetaImage file, or a folder with one DICOM series.

    Returns
    -------
    Volume
        Named after ``path``. Geometry as SimpleITK reads it, LPS in mm, with the nearest orthonormal axes: what is
        made of the image can be written on its very grid in any format.

    Raises
    ------
    BadInputError
        If there is no such file or folder, or it is not a whole, finite, scalar 3D volume.
    GeometryError
        If its grid is impossible: spacing not positive, direction not orthonormal.
    OutOfMemoryError
        If it does not fit into memory.
    """
    source = Path(path)
    try:
        _require_existing(source)
        return series_volume(read_series(source)) if source.is_dir() else _read_file(source)
    except GeometryError as error:
        raise error if error.path else GeometryError(error.what, path=source, remedy=error.remedy) from error
    except OSError as error:
        raise BadInputError(
            f"The file cannot be read ({error.strerror or error})", path=source, remedy="Check the disk and its rights"
        ) from error
    except MemoryError as error:
        raise OutOfMemoryError(
            "The image does not fit into memory", path=source, remedy="Close other programs or crop the image"
        ) from error


def read_mask(
    path: str | os.PathLike[str],
    like: Volume | None = None,
    labels: Collection[int] = (0, 1, 2),
    resample: bool = False,
) -> Volume:
    """Read a label map.

    Parameters
    ----------
    path
        As for :func:`read_volume`.
    like
        The image that the mask belongs to; the result lies on exactly its grid.
    labels
        Values that the mask may hold, within 0 to 255.
    resample
        Bring a mask of another grid onto that of ``like`` by nearest neighbour, with 0 outside.

    Returns
    -------
    Volume
        Array of uint8.

    Raises
    ------
    BadInputError
        If it holds anything but ``labels``; the message names the values.
    GeometryError
        If its grid is not that of ``like`` and ``resample`` is off; the message names both grids.
    """
    stored = read_volume(path)
    _require_labels(stored, labels)
    mask = stored.with_array(stored.array.astype(np.uint8, copy=False))
    if like is None:
        return mask
    if resample and not mask.geometry.matches(like.geometry):
        return resample_nearest(mask, like.geometry)
    like.require_same_grid(mask)
    return Volume(mask.array, like.geometry, mask.name)


def resample_nearest(mask: Volume, geometry: Geometry) -> Volume:
    """Bring a label map onto another grid by nearest neighbour, with 0 outside."""
    empty = sitk.Image(geometry.size, sitk.sitkUInt8)
    empty.SetSpacing(geometry.spacing)
    empty.SetOrigin(geometry.origin)
    empty.SetDirection(geometry.direction)
    moved = sitk.Resample(mask.to_sitk(), empty, sitk.Transform(3, sitk.sitkIdentity), sitk.sitkNearestNeighbor, 0)
    return Volume(sitk.GetArrayFromImage(moved), geometry, mask.name)


def _require_existing(path: Path) -> None:
    if "\0" in str(path) or not path.exists():
        raise BadInputError("There is no such file or folder", path=path, remedy="Check the path")
    # Opening a named pipe waits for a writer, and a device never ends.
    if not path.is_file() and not path.is_dir():
        raise BadInputError("This is neither a file nor a folder", path=path, remedy=_EXPECTED)
    if path.is_file() and path.stat().st_size == 0:
        raise BadInputError("The file is empty", path=path, remedy="Copy or export it again")


def _read_file(path: Path) -> Volume:
    suffix = image_suffix(path)
    if suffix is None:
        if is_dicom(path):
            raise BadInputError("This is one DICOM file", path=path, remedy="Give the folder that holds its series")
        raise BadInputError("The file is not an image in a format that is read here", path=path, remedy=_EXPECTED)
    parse = _PARSERS[suffix]
    stored = parse(path)
    geometry = _itk_geometry(path, _READERS[parse])
    if geometry.size != stored.size:
        raise BadInputError(
            f"The header gives two sizes, {stored.size} and {geometry.size}", path=path, remedy="Export it again"
        )
    return Volume(load_voxels(stored), geometry.orthonormalised(), str(path), stated=geometry)


def _itk_geometry(path: Path, image_io: str) -> Geometry:
    reader = sitk.ImageFileReader()
    # Named, as ITK's own choice is by suffix, some in lower case only.
    reader.SetImageIO(image_io)
    try:
        with itk_name(path) as name:
            reader.SetFileName(name)
            reader.ReadImageInformation()
    except RuntimeError as error:
        if "orthonormal" in str(error):
            raise GeometryError(
                "The axes in the header do not stand at right angles",
                path=path,
                remedy="Resample the image onto a grid with right angles",
            ) from error
        reason = str(error).strip().splitlines()[-1].removeprefix("ITK ERROR: ")
        raise BadInputError(
            f"The header cannot be read ({reason})", path=path, remedy="The file is damaged; export it again"
        ) from error
    # Trailing axes of length 1 are dropped; the parsers have refused any other.
    axes = np.reshape(reader.GetDirection(), (reader.GetDimension(), -1))[:3, :3]
    size, spacing, origin = (tuple(row[:3]) for row in (reader.GetSize(), reader.GetSpacing(), reader.GetOrigin()))
    return Geometry(size, spacing, origin, tuple(float(value) for value in axes.ravel()))


def _require_labels(mask: Volume, labels: Collection[int]) -> None:
    low, high = mask.intensity_range
    # Nearly every mask passes by its extremes; sorting all the voxels takes a hundred times as long.
    if mask.array.dtype.kind in "iu" and set(range(int(low), int(high) + 1)) <= set(labels):
        return
    values = np.unique(mask.array)
    strange = [value for value in values.tolist() if value not in labels]
    if strange:
        shown = ", ".join(f"{value:g}" for value in strange[:8]) + (" ..." if len(strange) > 8 else "")
        raise BadInputError(
            f"The mask holds {'values' if len(strange) > 1 else 'the value'} {shown}; allowed are "
            f"{', '.join(map(str, sorted(labels)))}",
            path=mask.name,
            remedy="Give a label map with 1 for the primary tumour (GTVp) and 2 for lymph nodes (GTVn)",
        )
