"""Series and masks that written DICOM is proved on: real series, a double-oblique one, shapes that are hard to draw."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path

import numpy as np
from Testing.unit.export.mr_series import write_mr_series

from HNTargetSegLib.case.dicom_series import DicomSeries, read_series
from HNTargetSegLib.case.read import read_volume
from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.lesions.find import find_lesions
from HNTargetSegLib.lesions.lesion import LesionSet

REAL = {
    "t2w-mr-dicom": "t2w-mr-dicom/SCAN_001_t2.zip",
    "mr-dicom-oblique": "mr-dicom-oblique/t1_axial_oblique_60_slices.zip",
    "sts-mr-rtstruct": "sts-mr-rtstruct/STS_002/dicom.zip",
}
GENERATED = ("double-oblique", "sagittal", "axial")
NAMES = (*REAL, *GENERATED)

SHAPES = ("spheres", "shell", "islands", "plate")
"""Masks that :func:`made_lesions` draws."""

_SPHERES_CC = (0.25, 0.5, 1.1, 3.0, 8.0)


def open_series(name: str, real_data: Path, folder: Path) -> DicomSeries:
    """One of :data:`NAMES` as a series on disk."""
    if name in REAL:
        with zipfile.ZipFile(real_data / REAL[name]) as archive:
            archive.extractall(folder)
        return read_series(folder)
    axes = {"double-oblique": _turn(), "sagittal": np.array([[0.0, 0, -1], [1, 0, 0], [0, -1, 0]]), "axial": np.eye(3)}
    # A spacing whose quotients have no end, far from the origin.
    geometry = Geometry(
        (128, 128, 40), (0.9765625, 0.9765625, 2.3), (-187.3331, 401.7, -988.125), tuple(axes[name].ravel().tolist())
    )
    return read_series(write_mr_series(folder, geometry))


def made_lesions(shape: str, series: DicomSeries) -> LesionSet:
    """One of :data:`SHAPES` on the grid of a series."""
    geometry = series.geometry
    labels = np.zeros(geometry.shape, np.uint8)
    extent = np.array(geometry.shape) * geometry.spacing_kji
    middle = extent / 2
    from_middle = _distances(geometry, middle)
    if shape == "spheres":
        for n, volume_cc in enumerate(_SPHERES_CC):
            radius = (3000 * volume_cc / (4 * np.pi)) ** (1 / 3)
            centre = middle + (n - 2) * np.array([0.0, 0.0, 0.19 * extent[2]])
            labels[_distances(geometry, centre) < radius] = 2
    elif shape == "shell":
        labels[(from_middle < 22) & (from_middle > 11)] = 1
    elif shape == "islands":
        labels[(from_middle < 20) & (from_middle > 14)] = 1
        labels[from_middle < 9] = 1
    else:
        k, j, i = (round(float(value)) for value in middle / geometry.spacing_kji)
        labels[k, j - 15 : j + 15, i - 20 : i + 20] = 1
        labels[k - 4 : k + 4, j + 25, i - 20 : i + 20] = 2
    return find_lesions(Volume(labels, geometry, shape))


def complaints(path: Path) -> set[str]:
    """Errors that dciodvfy finds in a DICOM file."""
    ended = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, errors="replace", check=False)
    assert ended.stderr.strip(), "dciodvfy names at least the kind of object"
    return {line for line in ended.stderr.splitlines() if line.startswith(("Error", "Abort"))}


def agreement(found: np.ndarray, truth: np.ndarray, geometry: Geometry) -> tuple[float, float]:
    """DSC, and the largest distance in mm from a voxel of one mask to the other mask."""
    from scipy.ndimage import distance_transform_edt

    dsc = 2.0 * float((found & truth).sum()) / float(found.sum() + truth.sum())
    if not (found != truth).any():
        return dsc, 0.0
    farthest = [
        float(distance_transform_edt(~other, sampling=geometry.spacing_kji)[one].max())
        for one, other in ((found, truth), (truth, found))
    ]
    return dsc, max(farthest)


def real_lesions(case: str, real_data: Path, folder: Path) -> tuple[DicomSeries, LesionSet]:
    """A series made for a real mask such as ``8_midRT``, whose image is not public, and its lesions."""
    mask = read_volume(real_data / "hntsmrg2024-masks" / f"{case}_mask.nii.gz")
    series = read_series(write_mr_series(folder, mask.geometry))
    return series, find_lesions(Volume(mask.array.astype(np.uint8), series.geometry, case))


def require_agreement(found: dict[str, np.ndarray], lesions: LesionSet, what: str, *, exact: bool = False) -> None:
    """DSC at least 0.98 over 1 cc and 0.95 over 0.2 cc with the volume within 1 %, or equality."""
    assert set(found) == {lesion.name for lesion in lesions.present}
    said = []
    for lesion in lesions.present:
        truth = lesions.ids.array == lesion.id
        dsc, farthest = agreement(found[lesion.name], truth, lesions.ids.geometry)
        volume = found[lesion.name].sum() / truth.sum()
        said.append(
            f"{lesion.name} of {lesion.volume_cc:.2f} cc: DSC {dsc:.4f}, largest distance {farthest:.2f} mm, "
            f"volume {100 * (volume - 1):+.2f} %"
        )
        message = f"{what}: {'; '.join(said)}"
        if exact:
            assert dsc == 1.0, message
        elif lesion.volume_cc > 0.2:
            assert dsc >= (0.98 if lesion.volume_cc > 1 else 0.95), message
            assert abs(volume - 1) <= 0.01, message
    print(f"{what}: {'; '.join(said)}")


def _distances(geometry: Geometry, centre: np.ndarray) -> np.ndarray:
    k, j, i = (
        (np.arange(count) * step - place) ** 2
        for count, step, place in zip(geometry.shape, geometry.spacing_kji, centre, strict=True)
    )
    return np.sqrt(k[:, None, None] + j[:, None] + i)


def _turn() -> np.ndarray:
    def about(axis: int, degrees: float) -> np.ndarray:
        c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        plane = [index for index in range(3) if index != axis]
        matrix = np.eye(3)
        matrix[np.ix_(plane, plane)] = [[c, -s], [s, c]]
        return matrix

    return about(0, 17.3) @ about(1, -11.9)
