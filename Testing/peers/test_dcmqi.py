"""SEG: dcmqi's segimage2itkimage finds the voxels that were written, and the codes and tracking that they bear."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from Testing.peers.dicom_cases import NAMES, SHAPES, made_lesions, open_series, real_lesions
from Testing.peers.installed import peer

from HNTargetSegLib.case.dicom_series import DicomSeries
from HNTargetSegLib.export.dicom_lesion import lesion_uid
from HNTargetSegLib.export.dicom_seg import write_seg
from HNTargetSegLib.export.dicom_source import read_source
from HNTargetSegLib.lesions.lesion import LesionSet


@pytest.fixture(scope="module")
def program() -> Path:
    folder = Path(peer("dcmqi").__file__).parent / "bin"
    return folder / ("segimage2itkimage.exe" if sys.platform == "win32" else "segimage2itkimage")


@pytest.mark.parametrize("name", NAMES)
def test_made_shapes_come_back_voxel_by_voxel(program, real_data, tmp_path, name):
    series = open_series(name, real_data, tmp_path / "series")
    for shape in SHAPES:
        lesions = made_lesions(shape, series)
        require_equal(program, lesions, series, tmp_path / shape)


@pytest.mark.parametrize("case", ["8_midRT", "77_midRT", "90_midRT", "86_midRT"])
def test_real_lesions_come_back_voxel_by_voxel(program, real_data, tmp_path, case):
    series, lesions = real_lesions(case, real_data, tmp_path / "series")
    require_equal(program, lesions, series, tmp_path / "masks")


def require_equal(program: Path, lesions: LesionSet, series: DicomSeries, folder: Path) -> None:
    folder.mkdir()
    write_seg(folder / "seg.dcm", lesions, read_source(series))
    command = [program, "--inputDICOM", folder / "seg.dcm", "--outputDirectory", folder, "--outputType", "nrrd"]
    subprocess.run(command, check=True, capture_output=True)
    said = [segment for group in json.loads((folder / "meta.json").read_text())["segmentAttributes"]
            for segment in group]  # fmt: skip
    assert [segment["labelID"] for segment in said] == list(range(1, len(lesions.present) + 1))
    for segment, lesion in zip(said, lesions.present, strict=True):
        image = sitk.ReadImage(str(folder / f"{segment['labelID']}.nrrd"))
        assert np.array_equal(on_series(image, series), lesions.ids.array == lesion.id)
        assert segment["SegmentLabel"] == lesion.name
        assert segment["TrackingUniqueIdentifier"] == lesion_uid(series.identity, lesion)


def on_series(image: sitk.Image, series: DicomSeries) -> np.ndarray:
    """The mask on the grid of the series; dcmqi cuts away slices without a voxel and may turn axes about."""
    array = sitk.GetArrayFromImage(image) > 0
    found = np.zeros(series.geometry.shape, bool)
    at = np.argwhere(array)[:, ::-1].astype(float)
    steps = np.array(image.GetDirection()).reshape(3, 3) * image.GetSpacing()
    places = np.array(image.GetOrigin()) + at @ steps.T
    exact = series.geometry.to_kji(places)
    nearest = np.rint(exact).astype(int)
    # dcmqi's own arithmetic over the length of the volume.
    assert np.abs(exact - nearest).max() < 0.02
    found[tuple(nearest.T)] = True
    return found
