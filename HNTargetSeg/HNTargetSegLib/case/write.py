"""Write a volume whole or not at all, and prove it by reading it back."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from HNTargetSegLib.case.itk_name import itk_name
from HNTargetSegLib.case.read import image_suffix, read_volume
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.errors import OutputError, TargetSegError
from HNTargetSegLib.files import replacing

_WRITERS = {".nii.gz": "NiftiImageIO", ".nii": "NiftiImageIO", ".nrrd": "NrrdImageIO", ".mha": "MetaImageIO"}
_TOLERANCE_MM = 1e-4


def write_volume(volume: Volume, path: str | os.PathLike[str], *, fields: Mapping[str, str] | None = None) -> None:
    """Write ``volume`` in the format that the suffix of ``path`` names, compressed where the format can.

    The axes become the nearest orthonormal ones, as :func:`read_volume` makes them: NIfTI keeps no others. This moves
    nothing of what was read.

    Parameters
    ----------
    volume
        What to write; bool becomes uint8 and float16 becomes float32.
    path
        Ends in ``.nii.gz``, ``.nii``, ``.nrrd`` or ``.mha``. Its folder is made when missing.
    fields
        Key and value pairs for the header of an NRRD file; the other formats keep none.

    Raises
    ------
    OutputError
        If the suffix is another, or the file could not be written whole (full disk, no rights). An older file at
        ``path`` then stays as it was and nothing half-written is left.
    """
    target = Path(path)
    suffix = image_suffix(target)
    if suffix not in _WRITERS:
        raise OutputError(
            "The format is not one that is written here", path=target, remedy=f"End the name in {', '.join(_WRITERS)}"
        )
    array = volume.array.astype(_writable_type(volume.array.dtype), copy=False)
    written = Volume(array, volume.geometry.orthonormalised(), volume.name)
    with replacing(target) as temporary:
        try:
            with itk_name(temporary) as name:
                sitk.WriteImage(_image(written, fields or {}), name, useCompression=True, imageIO=_WRITERS[suffix])
        except RuntimeError as error:
            raise _incomplete(target) from error
        # ITK does not report every failed write: on a full disk some of its writers end without an error.
        _require_same(temporary, written, target)


def ensure_writable_folder(path: str | os.PathLike[str]) -> Path:
    """Make a folder when it is missing and prove that files can be made in it.

    Raises
    ------
    OutputError
        If it cannot be made or written to; meant to be called before long work begins.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(prefix=".writing-", dir=folder) as probe:
            probe.write(b"\0")
    except OSError as error:
        raise OutputError(
            f"The folder cannot be written to ({error.strerror or error})",
            path=folder,
            remedy="Choose a folder on a disk with free space that you may write to",
        ) from error
    return folder


def _image(volume: Volume, fields: Mapping[str, str]) -> sitk.Image:
    image = volume.to_sitk()
    for key, value in fields.items():
        image.SetMetaData(key, value)
    return image


def _writable_type(dtype: np.dtype) -> np.dtype:
    if dtype.kind == "b":
        return np.dtype(np.uint8)
    return np.dtype(np.float32) if dtype == np.float16 else dtype


def _require_same(temporary: Path, written: Volume, target: Path) -> None:
    try:
        found = read_volume(temporary)
    except TargetSegError as error:
        raise _incomplete(target) from error
    if not np.array_equal(found.array, written.array):
        raise _incomplete(target)
    if not found.geometry.matches(written.geometry, _TOLERANCE_MM):
        raise OutputError(
            f"The format cannot keep the geometry {written.geometry}; it would become {found.geometry}",
            path=target,
            remedy="Write .nrrd or .mha instead",
        )


def _incomplete(target: Path) -> OutputError:
    return OutputError(
        "The file could not be written whole; the disk is full, or there is a limit on file sizes",
        path=target,
        remedy="Free some space or choose another folder; nothing was changed",
    )
