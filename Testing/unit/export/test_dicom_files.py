"""The folder of a DICOM export, and the commands `export` and `import` from end to end."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from Testing.unit.export.conftest import GEOMETRY, Run, refused
from Testing.unit.export.mr_series import change_headers, write_mr_series

from HNTargetSegLib.case.dicom_rtstruct import read_rtstruct
from HNTargetSegLib.case.dicom_series import DicomSeries
from HNTargetSegLib.case.read import read_volume
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.case.write import write_volume
from HNTargetSegLib.cli.main import main
from HNTargetSegLib.errors import BadInputError, ErrorCode, OutputError
from HNTargetSegLib.export.dicom_files import DicomFormat, DicomOptions, write_dicom
from HNTargetSegLib.lesions.lesion import LesionSet


def states(path: Path) -> list[tuple[str, str]]:
    return [
        (str(roi.ROIName), str(roi.ROIGenerationAlgorithm)) for roi in pydicom.dcmread(path).StructureSetROISequence
    ]


def test_a_mask_goes_out_and_comes_back_through_both_formats(
    command: Run, result: dict[str, Path], series: DicomSeries, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    arguments = ("export", "--segmentation", result["segmentation"], "--series", series.folder, "--output", out)
    status, text, error = command(*arguments)
    assert (status, error) == (0, "")
    assert "Nobody has reviewed GTVp, GTVn1." in text
    assert {path.name for path in out.iterdir()} == {"seg.dcm", "rtstruct.dcm", "manifest.json"}
    expected = read_volume(result["segmentation"])
    for name in ("seg.dcm", "rtstruct.dcm"):
        mask = tmp_path / f"{name}.nii.gz"
        status, text, error = command("import", out / name, "--series", series.folder, "--output", mask)
        assert (status, error) == (0, "")
        assert "GTVp as GTVp" in text
        found = read_volume(mask)
        assert np.array_equal(found.array, expected.array)
        assert found.geometry.matches(expected.geometry)


@pytest.mark.parametrize("given", ["segmentation", "lesions"])
def test_names_and_states_are_those_of_the_table(
    command: Run, result: dict[str, Path], series: DicomSeries, tmp_path: Path, given: str
) -> None:
    option = "--segmentation" if given == "segmentation" else "--lesions-map"
    arguments = ("--lesions", result["table"], "--series", series.folder, "--output", tmp_path / "out", "--json")
    status, text, _ = command("export", option, result[given], *arguments, "--format", "rtstruct")
    assert status == 0
    record = json.loads(text)
    assert (record["lesions"], record["warnings"]) == (["GTVp^left", "GTVn1"], [])
    assert list(record["files"]) == ["rtstruct"]
    assert states(tmp_path / "out" / "rtstruct.dcm") == [("GTVp^left", "SEMIAUTOMATIC"), ("GTVn1", "MANUAL")]


def test_the_manifest_lists_inputs_and_what_was_taken_over_though_invalid(
    lesions: LesionSet, series: DicomSeries, tmp_path: Path
) -> None:
    with pydicom.config.disable_value_validation():
        change_headers(series.folder, PatientAge="42")
    inputs = {"series": series.folder}
    write_dicom(tmp_path / "out", lesions, series, inputs, DicomOptions([DicomFormat.RTSTRUCT]))
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["inputs"][0]["role"] == "series"
    assert len(manifest["inputs"][0]["files"]) == 16
    assert manifest["parameters"]["holes"] == "keyhole"
    assert any(line.startswith("PatientAge is kept as the series has it") for line in manifest["warnings"])


def test_a_predecessor_of_another_patient_is_refused(
    lesions: LesionSet, series: DicomSeries, command: Run, result: dict[str, Path], tmp_path: Path
) -> None:
    write_dicom(tmp_path / "pre", lesions, series, {}, DicomOptions([DicomFormat.RTSTRUCT]))
    before = read_rtstruct(tmp_path / "pre" / "rtstruct.dcm")
    with pytest.raises(BadInputError, match="predecessor is of patient 'P0'"):
        write_dicom(tmp_path / "out", lesions, series, {}, DicomOptions(predecessor=replace(before, patient_id="P0")))
    arguments = ("--series", series.folder, "--output", tmp_path / "mid", "--predecessor", before.path)
    status, _, error = command("export", "--segmentation", result["segmentation"], *arguments)
    assert (status, error) == (0, "")
    sequence = pydicom.dcmread(tmp_path / "mid" / "rtstruct.dcm").PredecessorStructureSetSequence
    assert sequence[0].ReferencedSOPInstanceUID == before.sop_instance_uid


def test_an_earlier_export_stands_when_a_new_one_fails(
    lesions: LesionSet, series: DicomSeries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_dicom(tmp_path / "out", lesions, series, {})
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    renamed = lesions.with_lesions(replace(lesions.lesions[0], name="no such name"))
    with pytest.raises(BadInputError, match="TG-263"):
        write_dicom(tmp_path / "out", renamed, series, {})
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


@pytest.mark.skipif(sys.platform == "win32", reason="limits on file sizes are those of POSIX")
def test_a_file_that_cannot_be_written_whole_is_told_in_one_line_and_leaves_nothing(
    lesions: LesionSet, series: DicomSeries, tmp_path: Path
) -> None:
    import resource
    import signal

    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, usual[1]))
    try:
        with pytest.raises(OutputError, match=r"^[^\n]*rtstruct.dcm: Could not be written \(File too large\)[^\n]*$"):
            write_dicom(tmp_path / "out", lesions, series, {}, DicomOptions([DicomFormat.RTSTRUCT]))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
        signal.signal(signal.SIGXFSZ, ignored)
    assert not list((tmp_path / "out").iterdir())


def test_masks_that_cannot_go_out_are_refused_and_nothing_is_left(
    command: Run, series: DicomSeries, tmp_path: Path
) -> None:
    def export(volume: Volume) -> tuple[int, str, str]:
        write_volume(volume, tmp_path / "mask.nii.gz")
        arguments = ("--series", series.folder, "--output", tmp_path / "out")
        return command("export", "--segmentation", tmp_path / "mask.nii.gz", *arguments)

    array = np.zeros(GEOMETRY.shape, np.uint8)
    refused(export(Volume(array, GEOMETRY)), "no lesion to export")
    array[3, 4:8, 5:9] = 1
    refused(export(Volume(array, replace(GEOMETRY, spacing=(2.0, 2.5, 4.0)))), "grid differs")
    array[3, 4:8, 5:9] = 5
    refused(export(Volume(array, GEOMETRY)), "the mask holds the value 5".replace("the mask", "The mask"))
    assert not (tmp_path / "out").exists()


def test_options_that_do_not_fit_are_refused(
    command: Run, result: dict[str, Path], series: DicomSeries, tmp_path: Path
) -> None:
    ids, mask, out = result["lesions"], result["segmentation"], tmp_path / "out"
    series_and_output = ("--series", series.folder, "--output", out)
    refused(command("export", "--lesions-map", ids, *series_and_output), "Give --lesions CSV too")
    refused(command("export", "--segmentation", mask, *series_and_output, "--format", "dcm"), "Choose from nifti, nrrd")
    refused(command("export", "--segmentation", mask, *series_and_output, "--format", ","), "No format was given")
    refused(command("export", "--segmentation", mask, "--series", tmp_path / "no", "--output", out), "no such folder")
    array = read_volume(mask)
    array.array[0, 0, 0] = 2
    write_volume(array, tmp_path / "more.nii.gz")
    arguments = ("--segmentation", tmp_path / "more.nii.gz", "--lesions", result["table"], *series_and_output)
    refused(command("export", *arguments), "has 0 rows for the GTVn")
    assert not out.exists()


def test_a_table_with_more_lesions_than_the_mask_is_refused(
    command: Run, result: dict[str, Path], series: DicomSeries, tmp_path: Path
) -> None:
    array = read_volume(result["segmentation"])
    array.array[array.array == 2] = 0
    write_volume(array, tmp_path / "less.nii.gz")
    arguments = ("--lesions", result["table"], "--series", series.folder, "--output", tmp_path / "out")
    refused(command("export", "--segmentation", tmp_path / "less.nii.gz", *arguments), "has 2 lesions, the mask 1")


def test_without_highdicom_seg_is_refused_before_work_and_rtstruct_is_written(
    command: Run, result: dict[str, Path], series: DicomSeries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "highdicom", None)
    arguments = (
        "export",
        "--segmentation",
        result["segmentation"],
        "--series",
        series.folder,
        "--output",
        tmp_path / "o",
    )
    refused(command(*arguments), "Install the package highdicom", ErrorCode.MISSING_DEPENDENCY)
    assert command(*arguments, "--format", "rtstruct")[0] == 0


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_refused(
    command: Run, result: dict[str, Path], series: DicomSeries, tmp_path: Path
) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o555)
    arguments = ("--series", series.folder, "--output", folder)
    refused(command("export", "--segmentation", result["segmentation"], *arguments), "cannot be written to")


def test_a_folder_that_is_a_file_is_refused(
    command: Run, result: dict[str, Path], series: DicomSeries, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    arguments = ("--series", series.folder, "--output", tmp_path / "file" / "out")
    refused(command("export", "--segmentation", result["segmentation"], *arguments), "cannot be written to")


def test_import_takes_what_the_user_names_and_writes_ids(
    command: Run, result: dict[str, Path], series: DicomSeries, tmp_path: Path
) -> None:
    arguments = ("--lesions", result["table"], "--series", series.folder, "--output", tmp_path / "out")
    command("export", "--segmentation", result["segmentation"], *arguments)
    mask, ids = tmp_path / "mask.nrrd", tmp_path / "ids.nrrd"
    arguments = ("--series", series.folder, "--output", mask, "--lesions-map", ids, "--json")
    wanted = ("--structure", "GTVn1=PT")
    status, text, _ = command("import", tmp_path / "out" / "rtstruct.dcm", *arguments, *wanted)
    assert status == 0
    record = json.loads(text)
    assert [(s["id"], s["name"], s["label"]) for s in record["structures"]] == [(1, "GTVn1", "GTVp")]
    assert record["left_out"] == ["GTVp^left"]
    node = read_volume(result["segmentation"]).array == 2
    assert np.array_equal(read_volume(mask).array, node.astype(np.uint8))
    assert np.array_equal(read_volume(ids).array, node.astype(np.uint16))


def test_import_refuses_what_it_cannot_do(
    command: Run, lesions: LesionSet, series: DicomSeries, tmp_path: Path
) -> None:
    write_dicom(tmp_path / "out", lesions, series, {}, DicomOptions([DicomFormat.RTSTRUCT]))
    path = tmp_path / "out" / "rtstruct.dcm"
    here = ("--series", series.folder)
    refused(command("import", path, *here, "--output", tmp_path / "mask.txt"), "format is not one")
    mask = ("--output", tmp_path / "mask.nii.gz")
    refused(command("import", path, *here, *mask, "--structure", "GTVp=tumour"), "neither PT nor LN")
    refused(command("import", path, *here, *mask, "--structure", "=PT"), "has no name")
    refused(command("import", path, *here, *mask, "--structure", "Cord"), "There is no structure Cord")
    other = write_mr_series(tmp_path / "other", GEOMETRY)
    refused(command("import", path, "--series", other, *mask), "frame of reference")
    status, *_ = command("import", path, "--series", other, *mask, "--other-frame")
    assert status == 0
    refused(command("import", path, "--series", tmp_path / "none", *mask), "no such folder")


def test_help_shows_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("export", "import"):
        with pytest.raises(SystemExit) as stop:
            main([name, "--help"])
        assert stop.value.code == 0
        shown: Any = capsys.readouterr().out
        assert f"hntargetseg {name} " in shown
