"""The folder that a DICOM export is written into: SEG, RTSTRUCT and manifest, all of them or none."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum
from os import PathLike
from pathlib import Path
from typing import Any

from HNTargetSegLib.case.dicom_rtstruct import Rtstruct
from HNTargetSegLib.case.dicom_series import DicomSeries
from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.export.deidentify_profile import Deidentification
from HNTargetSegLib.export.dicom_deidentify import deidentified_manifest, deidentify_folder
from HNTargetSegLib.export.dicom_lesion import Algorithm
from HNTargetSegLib.export.dicom_rtstruct import RtstructOptions, write_rtstruct
from HNTargetSegLib.export.dicom_seg import require_highdicom, write_probabilities, write_seg
from HNTargetSegLib.export.dicom_source import invalid_values, read_source
from HNTargetSegLib.export.manifest import InputRecord, Manifest, write_manifest
from HNTargetSegLib.files import replacing_files
from HNTargetSegLib.lesions.lesion import LesionSet, State

MANIFEST = "manifest.json"
PROBABILITIES = "probabilities.dcm"


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
    deidentification
        How what identifies the patient is removed; None to keep patient, study and frame of reference.

    Raises
    ------
    BadInputError
        If there is no format.
    """

    formats: Collection[DicomFormat] = tuple(DicomFormat)
    algorithm: Algorithm = field(default_factory=Algorithm)
    any_name: bool = False
    predecessor: Rtstruct | None = None
    deidentification: Deidentification | None = None

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
        As the user is told; the one on disk says less where the objects are de-identified. Its warnings name what a
        reader should know: lesions that nobody reviewed, and values of the series that are taken over although they are
        invalid.

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
    with replacing_files(folder) as new:
        notes = write_objects(new, lesions, series, wanted.formats, wanted)
        manifest = Manifest.of_run(
            inputs=inputs,
            model=None,
            parameters=dicom_parameters(wanted),
            device="cpu",
            started=started,
            warnings=[*unreviewed_note(lesions), *notes],
        )
        hidden = wanted.deidentification
        kept = manifest if hidden is None else deidentified_manifest(manifest, hidden, notes)
        write_manifest(kept, new / MANIFEST)
    return manifest


def write_objects(
    folder: Path,
    lesions: LesionSet,
    series: DicomSeries,
    formats: Collection[DicomFormat],
    options: DicomOptions,
    probabilities: Mapping[Target, Volume] | None = None,
) -> list[str]:
    """Write DICOM objects into a folder of the caller's, who moves or removes it as a whole.

    Parameters
    ----------
    formats
        Which; those of ``options`` do not count.
    probabilities
        Of targets, on the grid of the series; where there are some, a fractional SEG is written beside the binary one.

    Returns
    -------
    list of str
        Values of the series that are taken over although they are invalid.

    Raises
    ------
    GeometryError, BadInputError, MissingDependencyError, OutputError
        As :func:`write_dicom`.
    """
    if DicomFormat.SEG in formats:
        require_highdicom()
    _require_own_predecessor(options.predecessor, series)
    source = read_source(series)
    if DicomFormat.RTSTRUCT in formats:
        said = RtstructOptions(options.algorithm, options.any_name, options.predecessor)
        write_rtstruct(folder / DicomFormat.RTSTRUCT.file_name, lesions, source, said)
    if DicomFormat.SEG in formats:
        path = folder / DicomFormat.SEG.file_name
        write_seg(path, lesions, source, options.algorithm, any_name=options.any_name, predecessor=options.predecessor)
        if probabilities:
            write_probabilities(folder / PROBABILITIES, probabilities, source, options.algorithm)
    if options.deidentification is None:
        return invalid_values(source)
    return deidentify_folder(folder, series.files, options.deidentification)


def _require_own_predecessor(predecessor: Rtstruct | None, series: DicomSeries) -> None:
    if predecessor is not None and predecessor.patient_id != series.identity.patient_id:
        raise BadInputError(
            f"The predecessor is of patient '{predecessor.patient_id}', the series of patient "
            f"'{series.identity.patient_id}'",
            path=predecessor.path,
            remedy="Give the RTSTRUCT of the same patient's visit before",
        )


def dicom_parameters(options: DicomOptions) -> dict[str, Any]:
    """What a manifest says of the options."""
    predecessor = options.predecessor
    return {
        "formats": sorted(kind.value for kind in options.formats),
        "algorithm": f"{options.algorithm.name} {options.algorithm.version}",
        "any_name": options.any_name,
        "predecessor": None if predecessor is None else _predecessor_uid(predecessor, options.deidentification),
        "holes": "keyhole",
    }


def _predecessor_uid(predecessor: Rtstruct, deidentification: Deidentification | None) -> str:
    uid = predecessor.sop_instance_uid
    return uid if deidentification is None else deidentification.key.uid(uid)


def unreviewed_note(lesions: LesionSet) -> list[str]:
    """A sentence that names the lesions that nobody has reviewed; empty where there are none."""
    names = [lesion.name for lesion in lesions.present if lesion.state is State.PROPOSED]
    return [f"Nobody has reviewed {', '.join(names)}."] if names else []
