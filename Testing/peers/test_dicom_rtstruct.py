"""RTSTRUCT: dciodvfy finds no fault that the series has not, and plastimatch and our reader find the same voxels."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from Testing.peers.dicom_cases import (
    NAMES,
    REAL,
    SHAPES,
    complaints,
    made_lesions,
    open_series,
    real_lesions,
    require_agreement,
)

from HNTargetSegLib.case.dicom_import import read_structures
from HNTargetSegLib.case.dicom_series import DicomSeries, series_volume
from HNTargetSegLib.case.write import write_volume
from HNTargetSegLib.export.dicom_rtstruct import write_rtstruct
from HNTargetSegLib.export.dicom_source import read_source
from HNTargetSegLib.lesions.lesion import LesionSet

# ConceptualVolumeIdentificationSequence (3010,00A0) is newer than the dictionary of Debian 12's dciodvfy of June 2022.
NEWER_THAN_DCIODVFY = "Attribute with an even group number is not a recognized standard attribute - (0x3010,0x00a0)"


def written(lesions: LesionSet, series: DicomSeries, folder: Path) -> Path:
    path = folder / "rtstruct.dcm"
    write_rtstruct(path, lesions, read_source(series))
    return path


@pytest.mark.needs("dicom3tools")
@pytest.mark.parametrize("name", NAMES)
def test_dciodvfy_finds_no_error_that_the_series_has_not(real_data, tmp_path, name):
    series = open_series(name, real_data, tmp_path / "series")
    path = written(made_lesions("shell", series), series, tmp_path)
    inherited = complaints(series.files[0])
    added = {line for line in complaints(path) - inherited if NEWER_THAN_DCIODVFY not in line}
    assert not added
    if name not in REAL:
        assert not inherited


@pytest.mark.parametrize("name", NAMES)
def test_every_decimal_string_has_at_most_16_characters(real_data, tmp_path, name):
    series = open_series(name, real_data, tmp_path / "series")
    data = pydicom.dcmread(written(made_lesions("islands", series), series, tmp_path))
    texts = [
        text
        for roi in data.ROIContourSequence
        for contour in roi.ContourSequence
        for text in contour.get_item("ContourData").value.decode().split("\\")
    ]
    assert len(texts) > 300
    assert max(len(text.strip()) for text in texts) <= 16


@pytest.mark.parametrize("name", NAMES)
def test_our_reader_finds_exactly_the_voxels_that_were_written(real_data, tmp_path, name):
    series = open_series(name, real_data, tmp_path / "series")
    for shape in SHAPES:
        lesions = made_lesions(shape, series)
        found = structures(written(lesions, series, tmp_path), series)
        require_agreement(found, lesions, f"{name}, {shape}, our reader", exact=True)


@pytest.mark.needs("plastimatch")
@pytest.mark.parametrize("name", NAMES)
def test_plastimatch_finds_the_lesions_that_were_written(real_data, tmp_path, name):
    series = open_series(name, real_data, tmp_path / "series")
    image = tmp_path / "image.nrrd"
    write_volume(series_volume(series), image)
    for shape in SHAPES:
        lesions = made_lesions(shape, series)
        found = by_plastimatch(written(lesions, series, tmp_path), image, tmp_path / shape)
        require_agreement(found, lesions, f"{name}, {shape}, plastimatch")


@pytest.mark.needs("plastimatch")
def test_plastimatch_finds_the_same_hole_and_islands_when_it_subtracts_contours(real_data, tmp_path):
    series = open_series("double-oblique", real_data, tmp_path / "series")
    image = tmp_path / "image.nrrd"
    write_volume(series_volume(series), image)
    for shape in ("shell", "islands"):
        lesions = made_lesions(shape, series)
        path = written(lesions, series, tmp_path)
        joined = by_plastimatch(path, image, tmp_path / f"{shape}-joined")
        subtracted = by_plastimatch(path, image, tmp_path / f"{shape}-xor", "--xor-contours")
        assert joined.keys() == subtracted.keys()
        assert all(np.array_equal(joined[name], subtracted[name]) for name in joined)


@pytest.mark.needs("plastimatch")
@pytest.mark.parametrize("case", ["8_midRT", "77_midRT", "90_midRT", "86_midRT"])
def test_real_lesions_come_back_from_plastimatch_and_from_our_reader(real_data, tmp_path, case):
    series, lesions = real_lesions(case, real_data, tmp_path / "series")
    path = written(lesions, series, tmp_path)
    image = tmp_path / "image.nrrd"
    write_volume(series_volume(series), image)
    require_agreement(structures(path, series), lesions, f"{case}, our reader", exact=True)
    require_agreement(by_plastimatch(path, image, tmp_path / "masks"), lesions, f"{case}, plastimatch")


def structures(path: Path, series: DicomSeries) -> dict[str, np.ndarray]:
    found = {}
    for structure in read_structures(path, series):
        found[structure.name] = np.zeros(series.geometry.shape, bool)
        found[structure.name][structure.box] = structure.mask
    return found


def by_plastimatch(path: Path, image: Path, folder: Path, *options: str) -> dict[str, np.ndarray]:
    command = ["plastimatch", "convert", "--input", str(path), "--fixed", str(image), "--output-prefix", str(folder)]
    command += ["--prefix-format", "nrrd", *options]
    subprocess.run(command, check=True, capture_output=True)
    return {file.stem: sitk.GetArrayFromImage(sitk.ReadImage(str(file))) > 0 for file in folder.glob("*.nrrd")}
