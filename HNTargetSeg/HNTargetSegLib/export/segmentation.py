"""The folder that one segmented visit is written into."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.case.write import write_volume
from HNTargetSegLib.errors import OutputError
from HNTargetSegLib.export.format import LESION_IDS, SEGMENTATION, TABLE
from HNTargetSegLib.export.manifest import Manifest, write_manifest
from HNTargetSegLib.export.picture import write_overlay
from HNTargetSegLib.files import replacing_files
from HNTargetSegLib.lesions.lesion import LesionSet
from HNTargetSegLib.lesions.table import write_table

MANIFEST = "manifest.json"
OVERLAY = "overlay.png"


def write_result(
    folder: str | PathLike[str], image: Volume, lesions: LesionSet, manifest: Manifest, *, title: str = ""
) -> None:
    """Write one visit's result, all of its files or none.

    ``segmentation.nii.gz`` (uint8: 0 background, 1 PT, 2 LN; rejected lesions left out), ``lesions.nii.gz`` (uint16
    lesion ids), ``lesions.csv``, ``manifest.json`` and ``overlay.png``. They replace those of an earlier run; other
    files in the folder stay.

    Parameters
    ----------
    folder
        Made when missing.
    image
        The MR of the visit; maps and picture have its geometry.
    lesions
        On the grid of ``image``.
    title
        Headline of the picture.

    Raises
    ------
    GeometryError
        If the lesions lie on another grid.
    OutputError
        If anything cannot be written; an earlier result then stands as it was.
    """
    image.require_same_grid(lesions.ids)
    target = Path(folder)
    try:
        with replacing_files(target) as new:
            write_volume(_on_grid_of(image, lesions.label_map()), new / SEGMENTATION)
            write_volume(_on_grid_of(image, lesions.ids), new / LESION_IDS)
            write_table(lesions, new / TABLE)
            write_overlay(image, lesions, new / OVERLAY, title)
            write_manifest(manifest, new / MANIFEST)
    except OutputError as error:
        if error.path is None or Path(error.path) == target:
            raise
        # What went wrong in the temporary folder is told of the file that the user knows.
        raise OutputError(error.what, path=target / Path(error.path).name, remedy=error.remedy) from error


def _on_grid_of(image: Volume, map_: Volume) -> Volume:
    return Volume(map_.array, image.geometry, map_.name)
