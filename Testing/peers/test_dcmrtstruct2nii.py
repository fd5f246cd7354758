"""RTSTRUCT: dcmrtstruct2nii, which subtracts contours that overlap, finds the lesions that were written."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from Testing.peers.dicom_cases import NAMES, SHAPES, made_lesions, open_series, real_lesions, require_agreement
from Testing.peers.separate import separate_program

from HNTargetSegLib.case.dicom_series import DicomSeries
from HNTargetSegLib.export.dicom_rtstruct import write_rtstruct
from HNTargetSegLib.export.dicom_source import read_source
from HNTargetSegLib.lesions.lesion import LesionSet


@pytest.fixture(scope="module")
def program() -> Path:
    # Its release calls pydicom.read_file, which pydicom 3 has no more.
    return separate_program("dcmrtstruct2nii", "dcmrtstruct2nii==5", "pydicom==2.4.4")


@pytest.mark.parametrize("name", NAMES)
def test_made_shapes_come_back(program, real_data, tmp_path, name):
    series = open_series(name, real_data, tmp_path / "series")
    for shape in SHAPES:
        lesions = made_lesions(shape, series)
        found = read_back(program, lesions, series, tmp_path / shape)
        require_agreement(found, lesions, f"{name}, {shape}, dcmrtstruct2nii")


@pytest.mark.parametrize("case", ["8_midRT", "77_midRT", "90_midRT", "86_midRT"])
def test_real_lesions_come_back(program, real_data, tmp_path, case):
    series, lesions = real_lesions(case, real_data, tmp_path / "series")
    found = read_back(program, lesions, series, tmp_path / "masks")
    require_agreement(found, lesions, f"{case}, dcmrtstruct2nii")


def read_back(program: Path, lesions: LesionSet, series: DicomSeries, folder: Path) -> dict[str, np.ndarray]:
    folder.mkdir()
    write_rtstruct(folder / "rtstruct.dcm", lesions, read_source(series))
    slices = folder / "slices"
    slices.mkdir()
    for number, path in enumerate(series.files):
        (slices / f"{number:04d}.dcm").symlink_to(path.absolute())
    command = [program, "convert", "-r", folder / "rtstruct.dcm", "-d", slices, "-o", folder / "masks"]
    subprocess.run([*command, "--no-interaction"], check=True, capture_output=True)
    masks = {path.name: sitk.ReadImage(str(path)) for path in (folder / "masks").glob("mask_*.nii.gz")}
    return {
        name.removeprefix("mask_").removesuffix(".nii.gz"): on_series(image, series) for name, image in masks.items()
    }


def on_series(image: sitk.Image, series: DicomSeries) -> np.ndarray:
    """The mask in the order of our slices: its reader may have taken them from the other end."""
    array = sitk.GetArrayFromImage(image) > 0
    ours = series.geometry
    assert image.GetSize() == ours.size
    apart = np.linalg.norm(np.array(image.GetOrigin()) - ours.origin)
    return array if apart < max(ours.spacing) else array[::-1]
