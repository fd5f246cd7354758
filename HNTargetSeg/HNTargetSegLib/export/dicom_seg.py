"""Write a DICOM segmentation of the lesions on their series, with highdicom (PS3.3 A.51)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from HNTargetSegLib import __version__
from HNTargetSegLib.case.dicom_rtstruct import Rtstruct
from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.errors import BadInputError, MissingDependencyError
from HNTargetSegLib.export.dicom_lesion import (
    ARTIFICIAL_INTELLIGENCE,
    MORPHOLOGICALLY_ABNORMAL,
    TARGET_REGIONS,
    TARGET_TYPES,
    Algorithm,
    Code,
    carried_uids,
    exported,
    generation,
    lesion_uid,
    require_names,
)
from HNTargetSegLib.export.dicom_source import (
    Source,
    copy_patient_and_study,
    read_header,
    require_on_series,
    save,
    tolerant_pydicom,
)
from HNTargetSegLib.lesions.described import description
from HNTargetSegLib.lesions.lesion import Lesion, LesionSet

_SERIES_NUMBER = 9002


def write_seg(
    path: Path,
    lesions: LesionSet,
    source: Source,
    algorithm: Algorithm | None = None,
    *,
    any_name: bool = False,
    predecessor: Rtstruct | None = None,
) -> None:
    """Write all lesions that were not rejected as a binary segmentation, one segment a lesion.

    Parameters
    ----------
    lesions
        On the grid of the series.
    algorithm
        That proposed the lesions.
    any_name
        Allow names that are not TG-263's, of up to 64 characters.
    predecessor
        RTSTRUCT of the visit before: lesions of a name that it has keep the UID they have there.

    Raises
    ------
    GeometryError
        If the lesions lie on another grid.
    BadInputError
        If there is no lesion, a name is not allowed, or highdicom refuses the series.
    MissingDependencyError
        If highdicom is not installed.
    OutputError
        If the file cannot be written whole.
    """
    require_on_series(lesions.ids, source)
    present = exported(lesions)
    require_names(present, any_name=any_name)
    table: np.ndarray = np.zeros(int(lesions.ids.array.max()) + 1, np.uint8 if len(present) < 256 else np.uint16)
    for number, lesion in enumerate(present, 1):
        table[lesion.id] = number
    uids = carried_uids(predecessor)
    with tolerant_pydicom():
        made_by = algorithm or Algorithm()
        segments = [
            _segment(number, lesion, uids.get(lesion.name) or lesion_uid(source.series.identity, lesion), made_by)
            for number, lesion in enumerate(present, 1)
        ]
        save(_data_set(source, table[lesions.ids.array], segments, "BINARY"), path)


def write_probabilities(
    path: Path, probabilities: Mapping[Target, Volume], source: Source, algorithm: Algorithm | None = None
) -> None:
    """Write the model's probability of each target as a fractional segmentation, in steps of 1/255.

    Parameters
    ----------
    probabilities
        Values from 0 to 1 on the grid of the series.

    Raises
    ------
    GeometryError
        If one lies on another grid.
    BadInputError
        If there is none, or a value is not a probability.
    MissingDependencyError
        If highdicom is not installed.
    OutputError
        If the file cannot be written whole.
    """
    if not probabilities:
        raise BadInputError("There is no probability map to export", path=source.series.folder)
    for volume in probabilities.values():
        require_on_series(volume, source)
        low, high = volume.intensity_range
        if low < 0 or high > 1:
            raise BadInputError(
                f"Probabilities from {low:g} to {high:g} are not between 0 and 1",
                path=volume.name,
                remedy="Give a map of probabilities",
            )
    array = np.stack([volume.array for volume in probabilities.values()], axis=-1).astype(np.float32)
    with tolerant_pydicom():
        segments = [
            _probability_segment(number, target, algorithm or Algorithm())
            for number, target in enumerate(probabilities, 1)
        ]
        save(_data_set(source, array, segments, "FRACTIONAL"), path)


def require_highdicom() -> Any:
    """highdicom, or MissingDependencyError."""
    try:
        import highdicom
    except ImportError as error:
        raise MissingDependencyError(
            f"highdicom is not usable, so DICOM SEG cannot be written ({error})",
            remedy="Install the package highdicom with pydicom 3, or write RTSTRUCT only",
        ) from error
    return highdicom


def _segment(number: int, lesion: Lesion, uid: str, algorithm: Algorithm) -> Any:
    hd = require_highdicom()
    made = generation(lesion).value
    segment = hd.seg.SegmentDescription(
        number,
        lesion.name,
        _concept(MORPHOLOGICALLY_ABNORMAL),
        _concept(TARGET_TYPES[lesion.label]),
        made,
        algorithm_identification=None if made == "MANUAL" else _identification(algorithm),
        tracking_uid=uid,
        tracking_id=lesion.name,
        anatomic_regions=_regions(lesion.label),
        display_color=hd.color.CIELabColor.from_rgb(*lesion.label.rgb),
    )
    segment.SegmentDescription = description(lesion)
    return segment


def _probability_segment(number: int, target: Target, algorithm: Algorithm) -> Any:
    hd = require_highdicom()
    return hd.seg.SegmentDescription(
        number,
        target.structure_name,
        _concept(MORPHOLOGICALLY_ABNORMAL),
        _concept(TARGET_TYPES[target]),
        "AUTOMATIC",
        algorithm_identification=_identification(algorithm),
        anatomic_regions=_regions(target),
        display_color=hd.color.CIELabColor.from_rgb(*target.rgb),
    )


def _concept(code: Code) -> Any:
    return require_highdicom().sr.CodedConcept(code.value, "SCT", code.meaning)


def _regions(target: Target) -> list[Any] | None:
    return [_concept(TARGET_REGIONS[target])] if target in TARGET_REGIONS else None


def _identification(algorithm: Algorithm) -> Any:
    hd = require_highdicom()
    family = hd.sr.CodedConcept(ARTIFICIAL_INTELLIGENCE.value, "DCM", ARTIFICIAL_INTELLIGENCE.meaning)
    return hd.AlgorithmIdentificationSequence(algorithm.name, family, algorithm.version)


def _data_set(source: Source, array: np.ndarray, segments: list[Any], kind: str) -> Any:
    hd = require_highdicom()
    headers = [read_header(path) for path in source.series.files]
    try:
        data = hd.seg.Segmentation(
            source_images=headers,
            pixel_array=array,
            segmentation_type=kind,
            segment_descriptions=segments,
            series_instance_uid=hd.UID(),
            series_number=_SERIES_NUMBER,
            sop_instance_uid=hd.UID(),
            instance_number=1,
            manufacturer="HNTargetSeg",
            manufacturer_model_name="HNTargetSeg",
            software_versions=__version__,
            device_serial_number="none",
            content_label="RESEARCH_ONLY",
            content_description="HNTargetSeg lesions, research use only",
            series_description="HNTargetSeg lesions, research use only",
        )
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise BadInputError(
            f"highdicom cannot refer to this series ({error})",
            path=source.series.folder,
            remedy="Export the series again, or write RTSTRUCT only",
        ) from error
    copy_patient_and_study(source, data)
    return data
