"""`hntargetseg export` in formats that need no DICOM series, and `import` with names and states."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pydicom
import pytest
from Testing.unit.export.conftest import GEOMETRY, Run, refused

from HNTargetSegLib.case.dicom_series import DicomSeries
from HNTargetSegLib.case.read import read_volume
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.case.write import write_volume
from HNTargetSegLib.lesions.table import read_table


def given(result: dict[str, Path]) -> tuple[str | Path, ...]:
    return "export", "--lesions-map", result["lesions"], "--lesions", result["table"]


def test_formats_without_a_series_need_none(command: Run, result: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    status, text, error = command(*given(result), "--output", out, "--format", "nifti,nrrd,stl,csv", "--json")
    assert (status, error) == (0, "")
    assert json.loads(text)["files"] == {
        "nifti": str(out / "segmentation.nii.gz"),
        "nrrd": str(out / "lesions.seg.nrrd"),
        "stl": str(out / "stl"),
        "csv": str(out / "lesions.csv"),
    }
    assert {path.name for path in (out / "stl").iterdir()} == {"GTVp^left.stl", "GTVn1.stl"}
    assert np.array_equal(read_volume(out / "lesions.nii.gz").array, read_volume(result["lesions"]).array)
    assert json.loads((out / "manifest.json").read_text())["parameters"]["formats"] == ["nifti", "nrrd", "stl", "csv"]


def test_a_report_needs_the_image_and_names_the_reviewer(
    command: Run,
    result: dict[str, Path],
    image: Volume,
    tmp_path: Path,
) -> None:
    arguments = (*given(result), "--output", tmp_path / "out", "--format", "report")
    refused(command(*arguments), "A report shows the lesions on their image")
    write_volume(image, tmp_path / "T2.nii.gz")
    status, *_ = command(*arguments, "--image", tmp_path / "T2.nii.gz", "--reviewer", "Somebody Else")
    assert status == 0
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Somebody Else" in page
    assert page.count("<figure>") == 2


def test_dicom_formats_without_a_series_are_refused(
    command: Run,
    result: dict[str, Path],
    tmp_path: Path,
) -> None:
    refused(command(*given(result), "--output", tmp_path / "out"), "can only be written on a DICOM series")
    assert not (tmp_path / "out").exists()


def test_probabilities_leave_as_a_fractional_seg(
    command: Run,
    result: dict[str, Path],
    series: DicomSeries,
    tmp_path: Path,
) -> None:
    array = np.random.default_rng(0).random(GEOMETRY.shape).astype(np.float32)
    write_volume(Volume(array, GEOMETRY), tmp_path / "p.nii.gz")
    arguments = (*given(result), "--series", series.folder, "--output", tmp_path / "out", "--format", "seg")
    refused(command(*arguments, "--probability", "tumour=p.nii.gz"), "begins with neither PT= nor LN=")
    status, _, error = command(*arguments, "--probability", f"PT={tmp_path / 'p.nii.gz'}")
    assert (status, error) == (0, "")
    data = pydicom.dcmread(tmp_path / "out" / "probabilities.dcm")
    assert (data.SegmentationType, data.SegmentSequence[0].SegmentLabel) == ("FRACTIONAL", "GTVp")
    heights = [f.PlanePositionSequence[0].ImagePositionPatient[2] for f in data.PerFrameFunctionalGroupsSequence]
    assert np.abs(data.pixel_array[np.argsort(heights)] / 255 - array).max() < 1 / 255


@pytest.mark.parametrize("name", ["rtstruct.dcm", "seg.dcm"])
def test_names_and_states_come_back_as_a_table(
    command: Run,
    result: dict[str, Path],
    series: DicomSeries,
    tmp_path: Path,
    name: str,
) -> None:
    command(*given(result), "--series", series.folder, "--output", tmp_path / "out")
    arguments = ("--series", series.folder, "--output", tmp_path / "mask.nrrd", "--lesions-map", tmp_path / "ids.nrrd")
    status, *_ = command("import", tmp_path / "out" / name, *arguments, "--lesions", tmp_path / "back.csv")
    assert status == 0
    keys = ("id", "name", "state", "origin", "volume_cc", "cx")
    rows = [[row[key] for key in keys] for row in read_table(tmp_path / "back.csv")]
    assert rows == [[row[key] for key in keys] for row in read_table(result["table"])]
