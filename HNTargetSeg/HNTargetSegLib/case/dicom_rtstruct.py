"""Read an RTSTRUCT onto the grid of a series, by geometry: its references to single images are not needed."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from HNTargetSegLib.case.dicom_object import reading_object
from HNTargetSegLib.case.dicom_structure import Structure, cropped, target_of_name
from HNTargetSegLib.case.polygons import fill_slice
from HNTargetSegLib.case.volume import Geometry
from HNTargetSegLib.errors import BadInputError, GeometryError

RTSTRUCT_CLASS = "1.2.840.10008.5.1.4.1.1.481.3"

# Contours are written with few decimals, and slices stand within a twentieth of their gap (dicom_series).
_OFF_PLANE = 0.25
_CLOSED, _XOR = "CLOSED_PLANAR", "CLOSEDPLANAR_XOR"
_REMEDY = "Export the RTSTRUCT again from the system that made it"


@dataclass(frozen=True, eq=False)
class Contour:
    """One contour: LPS positions in mm of its points, shape (n, 3), and its ContourGeometricType (3006,0042)."""

    points: np.ndarray
    kind: str


@dataclass(frozen=True, eq=False)
class Roi:
    """One region of interest of an RTSTRUCT with its contours; all else as DICOM names it, see :class:`Structure`."""

    number: int
    name: str
    frame_of_reference_uid: str
    contours: tuple[Contour, ...]
    conceptual_volume_uid: str = ""
    description: str = ""
    made: str = ""


@dataclass(frozen=True)
class Rtstruct:
    """What an RTSTRUCT holds, as text; empty where it does not say."""

    path: Path
    patient_id: str
    frame_of_reference_uid: str
    sop_instance_uid: str
    rois: tuple[Roi, ...] = field(repr=False)


def read_rtstruct(path: str | os.PathLike[str]) -> Rtstruct:
    """Read the regions of interest of an RTSTRUCT.

    Raises
    ------
    BadInputError
        If the file is no RTSTRUCT, damaged, or holds no region of interest.
    """
    source = Path(path)
    with reading_object(source) as pydicom:
        data = pydicom.dcmread(source, force=True)
        if str(data.get("SOPClassUID", "")) != RTSTRUCT_CLASS and str(data.get("Modality", "")) != "RTSTRUCT":
            raise BadInputError("The file is no RTSTRUCT", path=source, remedy="Give an RTSTRUCT or a SEG")
        named = {int(item.ROINumber): item for item in data.get("StructureSetROISequence") or ()}
        drawn = {int(item.ReferencedROINumber): item for item in data.get("ROIContourSequence") or ()}
        rois = tuple(_roi(number, item, drawn.get(number)) for number, item in named.items())
        frames = {roi.frame_of_reference_uid for roi in rois} - {""}
        frame = frames.pop() if len(frames) == 1 else str(data.get("FrameOfReferenceUID", ""))
        facts = str(data.get("PatientID") or "").strip(), frame, str(data.get("SOPInstanceUID", ""))
    if not rois:
        raise BadInputError("The RTSTRUCT holds no structure", path=source, remedy=_REMEDY)
    return Rtstruct(source, *facts, rois)


def structures_of_rtstruct(content: Rtstruct, geometry: Geometry) -> tuple[Structure, ...]:
    """Fill the contours of every region of interest into voxels of a series.

    A contour belongs to the slice in whose plane it lies. Within a slice, keyholes and inner contours are holes, see
    :func:`~HNTargetSegLib.case.polygons.fill_slice`.

    Parameters
    ----------
    geometry
        Grid of the series, k along the normal of its slices.

    Raises
    ------
    GeometryError
        If a contour lies across the slices, or between two of them.
    """
    return tuple(_structure(content, roi, geometry) for roi in content.rois)


def _roi(number: int, item: Any, drawing: Any | None) -> Roi:
    volume = item.get("ConceptualVolumeIdentificationSequence") or ()
    return Roi(
        number=number,
        name=str(item.get("ROIName") or "").strip() or f"ROI {number}",
        frame_of_reference_uid=str(item.get("ReferencedFrameOfReferenceUID") or ""),
        contours=tuple(_contours(drawing)) if drawing is not None else (),
        conceptual_volume_uid=str(volume[0].get("ConceptualVolumeUID") or "") if volume else "",
        description=str(item.get("ROIDescription") or "").strip(),
        made=str(item.get("ROIGenerationAlgorithm") or "").strip(),
    )


def _contours(drawing: Any) -> Iterator[Contour]:
    for item in drawing.get("ContourSequence") or ():
        values = np.array([float(value) for value in item.get("ContourData") or ()])
        if values.size % 3 or not np.isfinite(values).all():
            raise ValueError(f"a contour of {values.size} coordinates")
        yield Contour(values.reshape(-1, 3), str(item.get("ContourGeometricType") or _CLOSED).strip())


def _structure(content: Rtstruct, roi: Roi, geometry: Geometry) -> Structure:
    on_slice: dict[int, list[np.ndarray]] = defaultdict(list)
    closed = [c for c in roi.contours if c.kind in (_CLOSED, _XOR) and len(c.points) >= 3]
    for contour in closed:
        kji = geometry.to_kji(contour.points)
        on_slice[_slice_of(content, roi, kji[:, 0])].append(kji[:, 1:])
    outside = sum(len(polygons) for k, polygons in on_slice.items() if not 0 <= k < geometry.shape[0])
    xor = any(contour.kind == _XOR for contour in closed)
    inside = sorted(k for k in on_slice if 0 <= k < geometry.shape[0])
    first = inside[0] if inside else 0
    block: np.ndarray = np.zeros((inside[-1] + 1 - first if inside else 1, *geometry.shape[1:]), bool)
    for k in inside:
        block[k - first] = fill_slice(on_slice[k], geometry.shape[1:], xor=xor)
    (along, *in_plane), mask = cropped(block)
    box = (slice(along.start + first, along.stop + first), in_plane[0], in_plane[1])
    notes = []
    if lost := len(roi.contours) - len(closed):
        notes.append(f"{roi.name}: {lost} contours enclose nothing (fewer than 3 points, or not closed); left out.")
    if outside:
        notes.append(f"{roi.name}: {outside} contours lie beyond the slices of the series; left out.")
    words = (roi.conceptual_volume_uid, roi.description, roi.made)
    return Structure(roi.name, roi.number, target_of_name(roi.name), box, mask, tuple(notes), *words)


def _slice_of(content: Rtstruct, roi: Roi, k: np.ndarray) -> int:
    nearest = int(np.rint(k.mean()))
    if np.ptp(k) > _OFF_PLANE:
        what, how = "lies across the slices of the series", f"it spans {np.ptp(k):.2f} slices"
    elif np.abs(k - nearest).max() > _OFF_PLANE:
        what, how = "lies between two slices of the series", f"at slice {k.mean():.2f}, counted from 0"
    else:
        return nearest
    raise GeometryError(
        f"A contour of {roi.name} {what} ({how})",
        path=content.path,
        remedy="Give the series that the structures were drawn on",
    )
