"""The formats that lesions of a visit leave in, and the files of each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from HNTargetSegLib.case.dicom_series import DicomSeries
from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.case.write import write_volume
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.export.dicom_files import DicomFormat, DicomOptions, write_objects
from HNTargetSegLib.export.format import LESION_IDS, SEG_NRRD, SEGMENTATION, STL_FOLDER, TABLE, Format
from HNTargetSegLib.export.picture import write_overlay
from HNTargetSegLib.export.seg_nrrd import write_seg_nrrd
from HNTargetSegLib.export.segmentation import OVERLAY
from HNTargetSegLib.export.stl import write_stl
from HNTargetSegLib.lesions.lesion import LesionSet
from HNTargetSegLib.lesions.table import write_table


@dataclass(frozen=True, eq=False)
class Leaving:
    """What leaves of one visit.

    Attributes
    ----------
    lesions
        Rejected ones are left out by every format.
    image
        MR on the same grid; None where it is not known.
    series
        DICOM series on the same grid; None where there is none.
    title
        Headline of the picture.
    probabilities
        Of each target, on the same grid; written beside a SEG as a fractional one.
    """

    lesions: LesionSet
    image: Volume | None = None
    series: DicomSeries | None = None
    title: str = ""
    probabilities: Mapping[Target, Volume] = field(default_factory=dict)


def write_formats(
    folder: Path,
    leaving: Leaving,
    formats: Collection[Format],
    dicom: DicomOptions,
    progress: Callable[[str], object] = str,
) -> list[str]:
    """Write the files of all formats but the report into a folder of the caller's, who moves or removes it as a whole.

    Parameters
    ----------
    dicom
        What DICOM objects say; its ``formats`` do not count.
    progress
        Told what is written next.

    Returns
    -------
    list of str
        What a reader should know, such as invalid values that are taken over from the series.

    Raises
    ------
    BadInputError
        If a format needs a lesion, the image or the series, and there is none; and as
        :func:`~HNTargetSegLib.export.dicom_files.write_objects`.
    GeometryError
        If lesions, image and series do not lie on one grid.
    MissingDependencyError
        If a SEG is wanted and highdicom is not installed.
    OutputError
        If a file cannot be written.
    """
    lesions = leaving.lesions.without_rejected()
    objects = [DicomFormat(kind.value) for kind in formats if kind.is_dicom]
    notes = []
    if objects:
        progress("DICOM")
        notes = _write_dicom(folder, leaving, lesions, objects, dicom)
    writers: dict[Format, Callable[[], object]] = {
        Format.NIFTI: lambda: _write_nifti(folder, leaving, lesions),
        Format.NRRD: lambda: write_seg_nrrd(lesions, folder / SEG_NRRD),
        Format.STL: lambda: write_stl(lesions, folder / STL_FOLDER),
        Format.CSV: lambda: write_table(lesions, folder / TABLE),
    }
    for kind, write in writers.items():
        if kind in formats:
            progress(kind.title)
            write()
    return notes


def _write_dicom(
    folder: Path, leaving: Leaving, lesions: LesionSet, objects: list[DicomFormat], options: DicomOptions
) -> list[str]:
    if leaving.series is None:
        names = " and ".join(kind.value.upper() for kind in objects)
        raise BadInputError(
            f"{names} can only be written on a DICOM series", remedy="Give the DICOM folder of the image"
        )
    return write_objects(folder, lesions, leaving.series, objects, options, leaving.probabilities)


def _write_nifti(folder: Path, leaving: Leaving, lesions: LesionSet) -> None:
    grid = lesions.ids.geometry
    if leaving.image is not None:
        leaving.image.require_same_grid(lesions.ids)
        grid = leaving.image.geometry
        write_overlay(leaving.image, lesions, folder / OVERLAY, leaving.title)
    for map_, name in ((lesions.label_map(), SEGMENTATION), (lesions.ids, LESION_IDS)):
        write_volume(Volume(map_.array, grid, map_.name), folder / name)
