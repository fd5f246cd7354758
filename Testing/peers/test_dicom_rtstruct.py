"""RTSTRUCT: dciodvfy finds no fault that the series has not, and plastimatch and our reader find the same voxels."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from Testing.peers.dicom_cases import NAMES, REAL, SHAPES, agreement, complaints, made_lesions, open_series

from HNTargetSegLib.case.dicom_import import read_structures
from HNTargetSegLib.case.dicom_series import DicomSeries, series_volume
from HNTargetSegLib.case.read import read_volume
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.case.write import write_volume
from HNTargetSegLib.export.dicom_rtstruct import write_rtstruct
from HNTargetSegLib.export.dicom_source import read_source
from HNTargetSegLib.lesions.find import find_lesions
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
    from Testing.unit.export.mr_series import write_mr_series

    from HNTargetSegLib.case.dicom_series import read_series

    mask = read_volume(real_data / "hntsmrg2024-masks" / f"{case}_mask.nii.gz")
    series = read_series(write_mr_series(tmp_path / "series", mask.geometry))
    lesions = find_lesions(Volume(mask.array.astype(np.uint8), series.geometry, case))
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
