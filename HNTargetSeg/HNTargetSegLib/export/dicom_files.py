"""The folder that a DICOM export is written into: SEG, RTSTRUCT and manifest, all of them or none."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum
from os import PathLike
from typing import Any

from HNTargetSegLib.case.dicom_rtstruct import Rtstruct
from HNTargetSegLib.case.dicom_series import DicomSeries
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.export.dicom_lesion import Algorithm
from HNTargetSegLib.export.dicom_rtstruct import RtstructOptions, write_rtstruct
from HNTargetSegLib.export.dicom_seg import require_highdicom, write_seg
from HNTargetSegLib.export.dicom_source import invalid_values, read_source
from HNTargetSegLib.export.manifest import InputRecord, Manifest, write_manifest
from HNTargetSegLib.files import replacing_files
from HNTargetSegLib.lesions.lesion import LesionSet, State

MANIFEST = "manifest.json"


class DicomFormat(str, Enum):
    """An object that lesions are written as."""

    SEG = "seg"
    RTSTRUCT = "rtstruct"

    @property
    def file_name(self) -> str:
        """Its name in the folder."""
        return f"{self.value}.dcm"


@dataclass(frozen=True)
class DicomOptions:
    """What to write and what to say in it.

    Attributes
    ----------
    formats
        At least one.
    algorithm
        That proposed the lesions.
    any_name
        Allow names that are not TG-263's, of up to 64 characters.
    predecessor
        RTSTRUCT of the visit before.

    Raises
    ------
    BadInputError
        If there is no format.
    """

    formats: Collection[DicomFormat] = tuple(DicomFormat)
    algorithm: Algorithm = field(default_factory=Algorithm)
    any_name: bool = False
    predecessor: Rtstruct | None = None

    def __post_init__(self) -> None:
        if not self.formats:
            raise BadInputError("No format was given", remedy="Give seg, rtstruct or both")


def write_dicom(
    folder: str | PathLike[str],
    lesions: LesionSet,
    series: DicomSeries,
    inputs: Mapping[str, str | PathLike[str] | InputRecord],
    options: DicomOptions | None = None,
) -> Manifest:
    """Write the lesions that were not rejected on their series, with a manifest.

    Files of an earlier export are replaced; other files in the folder stay.

    Parameters
    ----------
    inputs
        What the lesions and the series were read from, for the manifest.

    Returns
    -------
    Manifest
        Its warnings name what a reader should know: lesions that nobody reviewed, and values of the series that are
        taken over although they are invalid.

    Raises
    ------
    GeometryError
        If the lesions lie on another grid than the series.
    BadInputError
        If there is no lesion, a name is not allowed, or the series lacks what the objects must refer to.
    MissingDependencyError
        If a SEG is wanted and highdicom is not installed.
    OutputError
        If a file cannot be written; an earlier export then stands as it was.
    """
    wanted = options or DicomOptions()
    started = datetime.datetime.now(datetime.timezone.utc)
    if DicomFormat.SEG in wanted.formats:
        require_highdicom()
    _require_own_predecessor(wanted.predecessor, series)
    source = read_source(series)
    with replacing_files(folder) as new:
        if DicomFormat.RTSTRUCT in wanted.formats:
            said = RtstructOptions(wanted.algorithm, wanted.any_name, wanted.predecessor)
            write_rtstruct(new / DicomFormat.RTSTRUCT.file_name, lesions, source, said)
        if DicomFormat.SEG in wanted.formats:
            path = new / DicomFormat.SEG.file_name
            write_seg(path, lesions, source, wanted.algorithm, any_name=wanted.any_name, predecessor=wanted.predecessor)
        manifest = Manifest.of_run(
            inputs=inputs,
            model=None,
            parameters=_parameters(wanted),
            device="cpu",
            started=started,
            warnings=[*_unreviewed(lesions), *invalid_values(source)],
        )
        write_manifest(manifest, new / MANIFEST)
    return manifest


def _require_own_predecessor(predecessor: Rtstruct | None, series: DicomSeries) -> None:
    if predecessor is not None and predecessor.patient_id != series.identity.patient_id:
        raise BadInputError(
            f"The predecessor is of patient '{predecessor.patient_id}', the series of patient "
            f"'{series.identity.patient_id}'",
            path=predecessor.path,
            remedy="Give the RTSTRUCT of the same patient's visit before",
        )


def _parameters(options: DicomOptions) -> dict[str, Any]:
    predecessor = options.predecessor
    return {
        "formats": sorted(kind.value for kind in options.formats),
        "algorithm": f"{options.algorithm.name} {options.algorithm.version}",
        "any_name": options.any_name,
        "predecessor": None if predecessor is None else predecessor.sop_instance_uid,
        "holes": "keyhole",
    }


def _unreviewed(lesions: LesionSet) -> list[str]:
    names = [lesion.name for lesion in lesions.present if lesion.state is State.PROPOSED]
    return [f"Nobody has reviewed {', '.join(names)}."] if names else []
