"""Painting one visit of one patient: normal structures, benign nodes, lesions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.volume import Geometry
from HNTargetSegLib.phantom.anatomy import Anatomy
from HNTargetSegLib.phantom.canvas import Canvas, soft_step
from HNTargetSegLib.phantom.deformation import Deformation
from HNTargetSegLib.phantom.fields import Coordinates
from HNTargetSegLib.phantom.lesion_model import LesionPlan
from HNTargetSegLib.phantom.lesion_shape import Form
from HNTargetSegLib.phantom.signal import Scan, Textures, acquire, add_texture
from HNTargetSegLib.phantom.tissues import BARRIERS, Tissue

# How much farther from its centre a lesion counts a voxel of these tissues: it pushes vessels and air away
# rather than eating them.
_RELUCTANCE = {Tissue.AIR: 0.35, Tissue.ARTERY: 0.6, Tissue.VEIN: 0.6, Tissue.MUSCLE: 0.12, Tissue.CARTILAGE: 0.2}
# Radiation makes mucosa and glands swell and brighten.
_TREATED_GAIN = {Tissue.MUCOSA: 1.12, Tissue.PAROTID: 1.08, Tissue.SUBMANDIBULAR: 1.08}


_LEAST_DEPTH_MM = 3.5


@dataclass(frozen=True, eq=False)
class Patient:
    """All that both visits share."""

    anatomy: Anatomy
    textures: Textures
    plans: list[LesionPlan]
    forms: list[Form]


@dataclass(frozen=True, eq=False)
class Painted:
    """One visit's arrays of shape (k, j, i).

    Attributes
    ----------
    image
        float32.
    ids
        uint16; lesions and benign nodes by the id of their plan.
    tonsils
        bool.
    """

    image: np.ndarray
    ids: np.ndarray
    tonsils: np.ndarray


def grid_positions(geometry: Geometry, centre: np.ndarray) -> Coordinates:
    """Positions of all voxels in mm relative to ``centre``; three float32 arrays of shape (k, j, i)."""
    steps = geometry.axes * np.asarray(geometry.spacing)
    start = np.asarray(geometry.origin) - centre
    along: list[np.ndarray] = [np.arange(n, dtype=np.float32) for n in geometry.size]
    x, y, z = (
        np.float32(start[row])
        + np.float32(steps[row, 0]) * along[0][None, None, :]
        + np.float32(steps[row, 1]) * along[1][None, :, None]
        + np.float32(steps[row, 2]) * along[2][:, None, None]
        for row in range(3)
    )
    return x, y, z


def paint_visit(
    patient: Patient,
    scan: Scan,
    geometry: Geometry,
    centre: np.ndarray,
    deformation: Deformation | None,
    rng: np.random.Generator,
) -> Painted:
    """Paint the pre-RT visit, or with a deformation the mid-RT visit.

    Parameters
    ----------
    patient
        What to paint.
    scan
        How it is imaged.
    geometry
        On which grid.
    centre
        LPS position in mm of the anatomical zero.
    deformation
        None for the pre-RT visit.
    rng
        Source of the noise.
    """
    place = grid_positions(geometry, centre)
    there = place if deformation is None else deformation.to_pre(*place)
    position = patient.anatomy.to_shapes(*there)
    canvas, depth = _normal_anatomy(patient.anatomy, position, scan, geometry, treated=deformation is not None)
    # Large lesions come last and so keep their form where two meet.
    for plan, form in sorted(zip(patient.plans, patient.forms, strict=True), key=lambda pair: pair[0].radius):
        _paint_lesion(canvas, plan, form, scan, geometry.voxel_cc, deformation is not None, depth)
    add_texture(canvas, patient.textures, scan)
    image = acquire(canvas.signal, depth, place, scan, geometry.spacing_kji, rng)
    return Painted(image, canvas.lesions, (canvas.tissue == Tissue.TONSIL) & (canvas.lesions == 0))


def _normal_anatomy(
    anatomy: Anatomy, position: Coordinates, scan: Scan, geometry: Geometry, treated: bool
) -> tuple[Canvas, np.ndarray]:
    depth = anatomy.body.distance(*position)
    fat, skin = scan.contrast[Tissue.FAT], scan.contrast[Tissue.SKIN]
    inner = soft_step(depth + np.float32(1.8), 0.8)
    signal = (skin + (fat - skin) * inner) * soft_step(depth, 0.8)
    tissue = np.where(depth < -1.8, np.uint8(Tissue.FAT), np.uint8(Tissue.SKIN))
    tissue[depth > 0] = Tissue.AIR
    canvas = Canvas(position, geometry.spacing_kji, signal.copy(), tissue.copy(), np.zeros(signal.shape, np.uint16))
    for structure in anatomy.structures:
        level = float(scan.contrast[structure.tissue]) * structure.gain
        level *= _TREATED_GAIN.get(structure.tissue, 1.0) if treated else 1.0
        canvas.paint(structure.tissue, structure.shape, level, structure.blur)
    # The fat under the skin lies over all that reaches into it; it is thinner over the head.
    fat_mm = anatomy.body.fat_mm * (1 - 0.45 / (1 + np.exp(-(position[2] - np.float32(15)) / 8)))
    under_fat = soft_step(depth + np.float32(1.8) + fat_mm, 1.0)
    canvas.signal[...] = signal + under_fat * (canvas.signal - signal)
    shallow = under_fat < 0.5
    canvas.tissue[shallow] = tissue[shallow]
    return canvas, depth


def _paint_lesion(
    canvas: Canvas, plan: LesionPlan, form: Form, scan: Scan, voxel_cc: float, mid: bool, depth: np.ndarray
) -> None:
    volume_cc = plan.mid_cc if mid else plan.pre_cc
    radius = (volume_cc * 1000 * 3 / (4 * np.pi)) ** (1 / 3)
    where = canvas.box(np.subtract(plan.centre, radius * 2.2), np.add(plan.centre, radius * 2.2))
    if where is None or volume_cc <= 0:
        return
    x, y, z = (part[where] for part in canvas.position)
    offset = np.stack(
        [(part - np.float32(c)) / np.float32(radius) for part, c in zip((x, y, z), plan.centre, strict=True)]
    )
    distance, free = _reach(canvas, where, form.relative_distance(offset, mid), depth[where])
    level = _level_holding(distance[free], max(round(volume_cc / voxel_cc), 1))
    if level <= 0:
        return
    inside = _largest(free & (distance <= level))
    weight = soft_step((distance - np.float32(level)) * np.float32(radius), form.blur_mm)
    weight *= free & _grown(inside)
    # The texture is even on average, so that the mean signal of a lesion tells nothing about its kind.
    mean = np.float32(float(scan.contrast[Tissue.TUMOUR if plan.label is Target.PT else Tissue.NODE]) * form.gain)
    texture = form.texture(x, y, z, distance / np.float32(level))
    value = _with_hilum(mean * (texture / texture[inside].mean()), form, offset, scan)
    part = canvas.signal[where]
    part += weight * (value - part)
    canvas.lesions[where][inside] = plan.id
    canvas.tissue[where][inside] = Tissue.NODE if plan.label is None else Tissue.TUMOUR


def _reach(
    canvas: Canvas, where: tuple[slice, ...], distance: np.ndarray, depth: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Relative distance with the reluctance of the tissues added, and the voxels that a lesion may take."""
    tissue = canvas.tissue[where]
    for kind, reluctance in _RELUCTANCE.items():
        distance[tissue == kind] += np.float32(reluctance)
    # Under the skin it flattens before it would break through.
    distance += np.float32(0.06) * np.clip(depth + np.float32(9), 0, None)
    return distance, ~np.isin(tissue, BARRIERS) & (canvas.lesions[where] == 0) & (depth < -_LEAST_DEPTH_MM)


def _with_hilum(value: np.ndarray, form: Form, offset: np.ndarray, scan: Scan) -> np.ndarray:
    *centre, size = form.hilum
    if not size:
        return value
    distance2 = sum((part - np.float32(c)) ** 2 for part, c in zip(offset, centre, strict=True))
    weight = np.exp(-distance2 / np.float32(size**2)) * np.float32(0.85)
    return value + weight * (scan.contrast[Tissue.FAT] - value)


def _level_holding(distance: np.ndarray, count: int) -> float:
    """Distance within which the ``count`` nearest voxels lie; 0 where there is none."""
    if distance.size == 0:
        return 0.0
    rank = min(count, distance.size) - 1
    return float(np.partition(distance, rank)[rank])


def _largest(mask: np.ndarray) -> np.ndarray:
    from scipy.ndimage import label

    parts, count = label(mask, np.ones((3, 3, 3)))
    if count < 2:
        return mask
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    return parts == sizes.argmax()


def _grown(mask: np.ndarray) -> np.ndarray:
    from scipy.ndimage import binary_dilation

    return binary_dilation(mask, np.ones((3, 3, 3)), iterations=2)
