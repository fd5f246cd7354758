"""Room on the disk: how much a training needs, and a refusal before hours are spent on one that cannot end."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from HNTargetSegLib.errors import BadInputError, OutputError
from HNTargetSegLib.training.cases import TrainingCase

_BYTES_A_CHANNEL = 4
_BYTES_OF_LABELS = 1
"""Images in float32 and labels; nnU-Net compresses both, and a finer target grid takes the room back."""


def preprocessed_bytes(cases: Iterable[TrainingCase], channels: int = 1) -> int:
    """Bytes of all cases as nnU-Net's preprocessing keeps them, uncompressed: an upper bound on equal grids.

    Parameters
    ----------
    channels
        Of each case.

    Raises
    ------
    BadInputError
        If the header of an image cannot be read.
    """
    import SimpleITK as sitk

    total = 0
    for case in cases:
        reader = sitk.ImageFileReader()
        reader.SetFileName(str(case.image))
        try:
            reader.ReadImageInformation()
        except RuntimeError as error:
            raise BadInputError("The image's header cannot be read", path=case.image, remedy="Get it again") from error
        voxels = 1
        for size in reader.GetSize():
            voxels *= size
        total += voxels * (channels * _BYTES_A_CHANNEL + _BYTES_OF_LABELS)
    return total


def free_bytes(folder: Path) -> int:
    """Free bytes on the disk of a folder that need not exist yet."""
    there = next(parent for parent in (folder, *folder.parents) if parent.is_dir())
    return shutil.disk_usage(there).free


def require_space(folder: Path, needed: int) -> None:
    """Refuse a disk that is too small.

    Raises
    ------
    OutputError
        If fewer than ``needed`` bytes are free.
    """
    free = free_bytes(folder)
    if free < needed:
        raise OutputError(
            f"The disk has {in_words(free)} free, and about {in_words(needed)} are needed",
            path=folder,
            remedy="Make room, or choose a folder on a larger disk; nothing was changed",
        )


def in_words(count: int) -> str:
    """Bytes as a reader says them."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"
