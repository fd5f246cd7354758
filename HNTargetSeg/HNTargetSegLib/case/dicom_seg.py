"""Read a DICOM segmentation onto the grid of a series, frame by frame, by geometry."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from HNTargetSegLib.case.dicom_object import reading_object
from HNTargetSegLib.case.dicom_structure import Structure, cropped, target_of_name
from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.stored import MAX_VOXELS
from HNTargetSegLib.case.volume import Geometry
from HNTargetSegLib.errors import BadInputError, GeometryError

SEG_CLASS = "1.2.840.10008.5.1.4.1.1.66.4"
LABEL_MAP_CLASS = "1.2.840.10008.5.1.4.1.1.66.7"

# Voxels by which a frame may lie off the grid: positions are written with few decimals.
_OFF_GRID = 0.05
_TARGETS = {"86049000": Target.PT, "14799000": Target.LN}


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame: which segment (0 in a label map), its pixels, and LPS of pixel (0, 0) and of one row and column on."""

    segment: int
    pixels: np.ndarray
    corner: np.ndarray
    row_step: np.ndarray
    column_step: np.ndarray


@dataclass(frozen=True)
class Segment:
    """Number, label and target of a segment; all else as :class:`Structure` has it."""

    number: int
    label: str
    target: Target | None
    uid: str = ""
    description: str = ""
    made: str = ""


@dataclass(frozen=True, eq=False)
class Seg:
    """What a DICOM segmentation holds; texts are empty where it does not say."""

    path: Path
    patient_id: str
    frame_of_reference_uid: str
    segments: tuple[Segment, ...]
    frames: tuple[Frame, ...]


def read_seg(path: str | os.PathLike[str]) -> Seg:
    """Read a segmentation: binary, fractional (at least half of the maximum counts) or label map.

    Raises
    ------
    BadInputError
        If the file is no segmentation, is damaged, or is a fractional one that claims too many voxels.
    """
    source = Path(path)
    with reading_object(source) as pydicom:
        data = pydicom.dcmread(source, force=True)
        if str(data.get("SOPClassUID", "")) not in (SEG_CLASS, LABEL_MAP_CLASS):
            raise BadInputError("The file is no DICOM segmentation", path=source, remedy="Give an RTSTRUCT or a SEG")
        segments = tuple(_segment(item) for item in data.SegmentSequence)
        count = int(data.get("NumberOfFrames") or 1)
        if float(count) * int(data.Rows) * int(data.Columns) > MAX_VOXELS * max(len(segments), 1):
            raise BadInputError(
                f"The header claims {count} frames of {data.Rows}x{data.Columns} pixels, more than any patient has",
                path=source,
                remedy="Export the segmentation again",
            )
        pixels = data.pixel_array.reshape(count, int(data.Rows), int(data.Columns))
        frames = tuple(_frame(data, n, pixels[n]) for n in range(count))
        facts = str(data.get("PatientID") or "").strip(), str(data.get("FrameOfReferenceUID") or "")
    return Seg(source, *facts, segments, frames)


def structures_of_seg(content: Seg, geometry: Geometry) -> tuple[Structure, ...]:
    """Put the frames of every segment onto the grid of a series, whatever their order, direction and extent.

    Raises
    ------
    GeometryError
        If a frame's pixels are not voxels of the grid, or segmented pixels lie outside of it.
    """
    by_segment: dict[int, list[tuple[Frame, np.ndarray]]] = defaultdict(list)
    for frame in content.frames:
        for segment in content.segments:
            if frame.segment in (0, segment.number):
                inside = frame.pixels == segment.number if frame.segment == 0 else frame.pixels != 0
                if inside.any():
                    by_segment[segment.number].append((frame, inside))
    structures = []
    for segment in content.segments:
        mask: np.ndarray = np.zeros(geometry.shape, bool)
        for frame, inside in by_segment[segment.number]:
            mask[_voxels(content, frame, inside, geometry)] = True
        words = (segment.uid, segment.description, segment.made)
        structures.append(Structure(segment.label, segment.number, segment.target, *cropped(mask), (), *words))
    return tuple(structures)


def _segment(item: Any) -> Segment:
    number = int(item.SegmentNumber)
    label = str(item.get("SegmentLabel") or "").strip() or f"Segment {number}"
    types = item.get("SegmentedPropertyTypeCodeSequence") or ()
    code = str(types[0].get("CodeValue") or "") if types else ""
    words = (str(item.get(key) or "").strip() for key in ("TrackingUID", "SegmentDescription", "SegmentAlgorithmType"))
    return Segment(number, label, target_of_name(label) or _TARGETS.get(code), *words)


def _frame(data: Any, index: int, pixels: np.ndarray) -> Frame:
    groups = [data.PerFrameFunctionalGroupsSequence[index], *(data.get("SharedFunctionalGroupsSequence") or ())]

    def group(keyword: str) -> Any:
        for functional in groups:
            if functional.get(keyword):
                return functional[keyword].value[0]
        raise ValueError(f"frame {index + 1} has no {keyword}")

    kind = str(data.get("SegmentationType") or "BINARY")
    if kind == "FRACTIONAL":
        pixels = pixels.astype(np.int64) * 2 >= int(data.MaximumFractionalValue)
    number = 0 if kind == "LABELMAP" else int(group("SegmentIdentificationSequence").ReferencedSegmentNumber)
    along_row, down_column = np.array(group("PlaneOrientationSequence").ImageOrientationPatient, float).reshape(2, 3)
    between_rows, between_columns = (float(value) for value in group("PixelMeasuresSequence").PixelSpacing)
    corner = np.array(group("PlanePositionSequence").ImagePositionPatient, float)
    if not np.isfinite([*corner, *along_row, *down_column, between_rows, between_columns]).all():
        raise ValueError(f"the place of frame {index + 1} is not finite")
    return Frame(number, pixels, corner, down_column * between_rows, along_row * between_columns)


def _voxels(content: Seg, frame: Frame, inside: np.ndarray, geometry: Geometry) -> tuple[np.ndarray, ...]:
    """Array indices of a frame's true pixels."""
    rows, columns = np.nonzero(inside)
    lps = frame.corner + rows[:, None] * frame.row_step + columns[:, None] * frame.column_step
    kji = geometry.to_kji(lps)
    nearest = np.rint(kji)
    off = np.abs(kji - nearest).max()
    steps = np.abs(
        geometry.to_kji(frame.corner + np.stack([frame.row_step, frame.column_step])) - geometry.to_kji(frame.corner)
    )
    if (
        off > _OFF_GRID
        or np.abs(steps - np.rint(steps)).max() > _OFF_GRID
        or not (np.rint(steps).sum(axis=1) == 1).all()
    ):
        raise GeometryError(
            f"The frames of the segmentation do not lie on the grid of the series ({geometry}); pixels stand up to "
            f"{off:.2f} voxels off",
            path=content.path,
            remedy="Give the series that the segmentation was made on",
        )
    if (nearest < 0).any() or (nearest >= geometry.shape).any():
        raise GeometryError(
            f"Segmented pixels lie outside of the series ({geometry})",
            path=content.path,
            remedy="Give the series that the segmentation was made on",
        )
    k, j, i = nearest.astype(int).T
    return k, j, i
