"""`hntargetseg segment` from files to files."""

from __future__ import annotations

import csv
import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

from HNTargetSegLib.case.read import read_mask, read_volume
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.case.write import write_volume
from HNTargetSegLib.cli.segment import segment_images
from HNTargetSegLib.files import sha256

Make = Callable[..., Volume]
FILES = ["lesions.csv", "lesions.nii.gz", "manifest.json", "overlay.png", "segmentation.nii.gz"]
COLUMNS = (
    "id,label,name,side,state,origin,volume_cc,long_mm,short_mm,cx,cy,cz,p_mean,p_max,prior_id,prior_cc,change_pct,fate"
)
C, S = np.cos(0.25), np.sin(0.25)
OBLIQUE = np.array([[C, -S, 0], [S, C, 0], [0, 0, 1]]) @ np.array([[1, 0, 0], [0, C, -S], [0, S, C]])


@pytest.fixture
def t2(tmp_path: Path, head_with_blobs: Make) -> Path:
    path = tmp_path / "T2.nii.gz"
    write_volume(head_with_blobs(), path)
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def rows(folder: Path) -> list[dict[str, str]]:
    with open(folder / "lesions.csv", encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def write_dicom(volume: Volume, folder: Path) -> Path:
    """One file a slice, named against the order of the slices."""
    folder.mkdir(parents=True)
    series, frame, axes = generate_uid(), generate_uid(), volume.direction
    for k, pixels in enumerate(volume.array.astype(np.uint16)):
        meta = FileMetaDataset()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = MRImageStorage, generate_uid()
        path = folder / f"IM{len(volume.array) - k:03d}"
        data: pydicom.Dataset = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
        data.SOPClassUID, data.SOPInstanceUID = MRImageStorage, meta.MediaStorageSOPInstanceUID
        data.SeriesInstanceUID, data.FrameOfReferenceUID, data.Modality = series, frame, "MR"
        data.PatientID, data.PatientName = "P7", "Doe^Jane"
        data.Rows, data.Columns, data.SamplesPerPixel = *pixels.shape, 1
        data.PhotometricInterpretation, data.PixelRepresentation = "MONOCHROME2", 0
        data.BitsAllocated, data.BitsStored, data.HighBit = 16, 16, 15
        data.PixelSpacing = [volume.spacing[1], volume.spacing[0]]
        data.ImageOrientationPatient = [round(float(value), 8) for value in axes[:, :2].T.ravel()]
        data.ImagePositionPatient = [round(float(value), 6) for value in volume.geometry.to_lps(np.array([k, 0, 0]))]
        data.PixelData = pixels.tobytes()
        data.save_as(path, enforce_file_format=True)
    return folder


def test_one_visit_is_written_into_the_folder_itself(segment: Any, t2: Path, tmp_path: Path) -> None:
    output = tmp_path / "result"
    outcome = segment("--mid", t2, "--output", output)
    assert (outcome.status, outcome.err) == (0, "")
    assert names(output) == FILES
    assert str(output) in outcome.out
    assert "GTVp " in outcome.out
    image, labels = read_volume(t2), read_mask(output / "segmentation.nii.gz")
    ids = read_volume(output / "lesions.nii.gz")
    assert labels.geometry.matches(image.geometry, 1e-4)
    assert ids.geometry.matches(image.geometry, 1e-4)
    assert (labels.array.dtype, ids.array.dtype) == (np.uint8, np.uint16)
    assert np.array_equal(labels.array, ids.array), "the first lesion is the PT, the second the node"
    assert set(np.unique(labels.array)) == {0, 1, 2}


def test_the_lesion_table_has_the_columns_of_the_contract(segment: Any, t2: Path, tmp_path: Path) -> None:
    segment("--mid", t2, "--output", tmp_path / "result")
    header, *_ = (tmp_path / "result" / "lesions.csv").read_text().splitlines()
    assert header == COLUMNS
    bright, dark = rows(tmp_path / "result")
    assert (bright["label"], bright["name"], bright["side"], bright["state"]) == ("1", "GTVp", "left", "proposed")
    assert (dark["label"], dark["name"], dark["side"], dark["origin"]) == ("2", "GTVn1", "right", "model")
    assert [float(bright[axis]) for axis in ("cx", "cy", "cz")] == pytest.approx([30, -20, 40], abs=0.5)
    assert float(bright["volume_cc"]) == pytest.approx(3.05, rel=0.1)


def test_the_manifest_names_input_model_options_device_versions_and_times(
    segment: Any, t2: Path, tmp_path: Path, blob_model: Path
) -> None:
    segment("--mid", t2, "--output", tmp_path / "result", "--minimum-cc", "0.5")
    manifest = json.loads((tmp_path / "result" / "manifest.json").read_text())
    (image,) = manifest["inputs"]
    assert image == {"role": "midRT_T2", "path": str(t2), "sha256": sha256(t2), "files": {}}
    assert manifest["model"]["name"] == "blobs"
    assert manifest["model"]["sha256"] == sha256(blob_model / "blobs" / "card.json")
    assert manifest["parameters"]["minimum_cc"] == 0.5
    assert manifest["parameters"]["mirror"] is False
    assert manifest["device"] == "PyTorch, cpu, float32"
    assert {"hntargetseg", "torch", "nnunetv2"} <= manifest["versions"].keys()
    assert {"preprocess", "network", "labels", "lesions"} <= manifest["seconds"].keys()
    assert manifest["started"] <= manifest["finished"]


def test_two_visits_of_different_geometry_are_written_each_in_its_own(
    segment: Any, tmp_path: Path, head_with_blobs: Make
) -> None:
    pre, mid = tmp_path / "pre.nii.gz", tmp_path / "mid.nrrd"
    write_volume(head_with_blobs((34, 40, 22), (3.5, 2.5, 3.7), OBLIQUE), pre)
    write_volume(head_with_blobs(), mid)
    output = tmp_path / "result"
    outcome = segment("--pre", pre, "--mid", mid, "--output", output, "--json")
    assert outcome.status == 0
    assert names(output) == ["midRT", "preRT"]
    assert list(outcome.json) == ["pre", "mid"]
    for visit, path in (("preRT", pre), ("midRT", mid)):
        assert names(output / visit) == FILES
        assert read_mask(output / visit / "segmentation.nii.gz").geometry.matches(read_volume(path).geometry, 1e-4)
        assert [row["name"] for row in rows(output / visit)] == ["GTVp", "GTVn1"]
        assert json.loads((output / visit / "manifest.json").read_text())["inputs"][0]["role"] == f"{visit}_T2"


def test_one_visit_of_two_can_be_chosen(segment: Any, t2: Path, tmp_path: Path) -> None:
    output = tmp_path / "result"
    outcome = segment("--pre", t2, "--mid", tmp_path / "never read", "--visit", "pre", "--output", output, "--json")
    assert list(outcome.json) == ["pre"]
    assert names(output) == FILES


def test_json_is_one_document_with_the_rows_of_the_table(segment: Any, t2: Path, tmp_path: Path) -> None:
    outcome = segment("--mid", t2, "--output", tmp_path / "result", "--json")
    assert outcome.err == ""
    visit = outcome.json["mid"]
    assert visit["folder"] == str(tmp_path / "result")
    assert [lesion["name"] for lesion in visit["lesions"]] == ["GTVp", "GTVn1"]
    assert ",".join(visit["lesions"][0]) == COLUMNS
    assert [str(lesion["volume_cc"]) for lesion in visit["lesions"]] == [
        row["volume_cc"] for row in rows(tmp_path / "result")
    ]
    assert visit["candidates"] == []


def test_small_lesions_are_left_out_of_list_and_maps(segment: Any, t2: Path, tmp_path: Path) -> None:
    outcome = segment("--mid", t2, "--output", tmp_path / "result", "--minimum-cc", "50")
    assert outcome.status == 0
    assert "No lesion found." in outcome.out
    assert rows(tmp_path / "result") == []
    assert not read_mask(tmp_path / "result" / "segmentation.nii.gz").array.any()


def test_candidates_are_listed_apart(segment: Any, tmp_path: Path, head_with_blobs: Make) -> None:
    image = head_with_blobs()
    array = image.array.copy()
    for _ in range(3):
        array[8:11, 4:7, 18:22] = array.mean() + 2.8 * array.std()
    path = tmp_path / "T2.mha"
    write_volume(image.with_array(array), path)
    outcome = segment("--mid", path, "--output", tmp_path / "result", "--candidates")
    assert "Candidates, not part of the segmentation:" in outcome.out
    assert "PT?1" in outcome.out
    assert [row["name"] for row in rows(tmp_path / "result")] == ["GTVp", "GTVn1"]


@pytest.mark.parametrize("suffix", [".nii", ".nrrd", ".mha"])
def test_other_formats_give_what_nifti_gives(segment: Any, t2: Path, tmp_path: Path, suffix: str) -> None:
    other = tmp_path / f"T2{suffix}"
    write_volume(read_volume(t2), other)
    for path, output in ((t2, "a"), (other, "b")):
        assert segment("--mid", path, "--output", tmp_path / output).status == 0
    assert rows(tmp_path / "a") == rows(tmp_path / "b")


def test_a_dicom_folder_is_segmented_and_hashed_file_by_file(
    segment: Any, tmp_path: Path, head_with_blobs: Make
) -> None:
    image = head_with_blobs(axes=OBLIQUE)
    folder = write_dicom(image, tmp_path / "series of 2024")
    outcome = segment("--mid", folder, "--output", tmp_path / "result", "--json")
    assert [lesion["name"] for lesion in outcome.json["mid"]["lesions"]] == ["GTVp", "GTVn1"]
    assert read_mask(tmp_path / "result" / "segmentation.nii.gz").geometry.matches(image.geometry, 1e-4)
    (record,) = json.loads((tmp_path / "result" / "manifest.json").read_text())["inputs"]
    assert len(record["files"]) == len(image.array)


def test_the_manifest_has_the_hash_of_the_image_as_it_was_read(
    segment: Any, t2: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_read = sha256(t2)

    def segment_after_a_change(*arguments: Any, **options: Any) -> Any:
        t2.write_bytes(b"another image by now")
        return segment_images(*arguments, **options)

    monkeypatch.setattr("HNTargetSegLib.cli.segment.segment_images", segment_after_a_change)
    assert segment("--mid", t2, "--output", tmp_path / "result").status == 0
    (record,) = json.loads((tmp_path / "result" / "manifest.json").read_text())["inputs"]
    assert (record["role"], record["sha256"]) == ("midRT_T2", as_read)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
@pytest.mark.parametrize("kind", ["NIfTI", "DICOM"])
def test_a_name_that_is_not_utf_8_runs(segment: Any, tmp_path: Path, head_with_blobs: Make, kind: str) -> None:
    image = tmp_path / os.fsdecode(b"M\xfcller.nii.gz" if kind == "NIfTI" else b"M\xfcller")
    source = tmp_path / ("T2.nii.gz" if kind == "NIfTI" else "T2")
    if kind == "NIfTI":
        write_volume(head_with_blobs(), source)
    else:
        write_dicom(head_with_blobs(), source)
    source.rename(image)
    outcome = segment("--mid", image, "--output", tmp_path / "result", "--json")
    assert (outcome.status, outcome.err) == (0, "")
    (record,) = json.loads((tmp_path / "result" / "manifest.json").read_text("utf-8"))["inputs"]
    assert record["path"] == str(image)


def test_axes_not_quite_at_right_angles_are_said_and_image_and_result_share_a_grid(
    segment: Any, tmp_path: Path, head_with_blobs: Make
) -> None:
    sheared = head_with_blobs((160, 160, 24), (1.5, 1.5, 4.0)).to_sitk()
    sheared.SetDirection((1.0, 9e-4, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0))
    sitk.WriteImage(sheared, str(tmp_path / "T2.nrrd"))
    outcome = segment("--mid", tmp_path / "T2.nrrd", "--output", tmp_path / "result", "--json")
    assert any("straightened" in warning for warning in outcome.json["mid"]["warnings"])
    image = read_volume(tmp_path / "T2.nrrd")
    found = read_mask(tmp_path / "result" / "segmentation.nii.gz")
    assert found.geometry.matches(image.geometry, 1e-4)


@pytest.mark.parametrize("orientation", ["PIR", "RSP"], ids=["sagittal", "coronal"])
def test_a_turned_copy_has_the_lesions_of_the_axial_one_in_its_own_geometry(
    segment: Any, t2: Path, tmp_path: Path, orientation: str
) -> None:
    turned = tmp_path / "turned.nii.gz"
    sitk.WriteImage(sitk.DICOMOrient(sitk.ReadImage(str(t2)), orientation), str(turned))
    assert read_volume(turned).geometry.size != read_volume(t2).geometry.size
    for path, output in ((t2, "axial"), (turned, "turned")):
        assert segment("--mid", path, "--output", tmp_path / output).status == 0
    assert (tmp_path / "axial" / "lesions.csv").read_text() == (tmp_path / "turned" / "lesions.csv").read_text()
    found = sitk.ReadImage(str(tmp_path / "turned" / "segmentation.nii.gz"))
    back = sitk.GetArrayFromImage(sitk.DICOMOrient(found, "LPS"))
    assert np.array_equal(back, read_mask(tmp_path / "axial" / "segmentation.nii.gz").array)
    assert read_mask(tmp_path / "turned" / "segmentation.nii.gz").geometry.matches(read_volume(turned).geometry, 1e-4)


@pytest.mark.parametrize(
    ("size", "spacing"), [((24, 22, 16), (5.0, 5.0, 5.0)), ((200, 130, 120), (0.2, 0.2, 0.2))], ids=["5 mm", "0.2 mm"]
)
def test_unusual_voxels_run_and_say_so(
    segment: Any, tmp_path: Path, head_with_blobs: Make, size: Any, spacing: Any
) -> None:
    image = head_with_blobs(size, spacing)
    write_volume(image, tmp_path / "T2.nii.gz")
    outcome = segment("--mid", tmp_path / "T2.nii.gz", "--output", tmp_path / "result", "--json")
    assert outcome.status == 0
    assert any("voxels are unusually" in warning for warning in outcome.json["mid"]["warnings"])
    assert read_mask(tmp_path / "result" / "segmentation.nii.gz").geometry.matches(image.geometry, 1e-4)


def test_a_second_run_replaces_the_first_and_leaves_other_files(segment: Any, t2: Path, tmp_path: Path) -> None:
    output = tmp_path / "result"
    segment("--mid", t2, "--output", output)
    (output / "my notes.txt").write_text("mine")
    segment("--mid", t2, "--output", output, "--minimum-cc", "50")
    assert names(output) == sorted([*FILES, "my notes.txt"])
    assert rows(output) == []


def test_blank_and_unicode_in_every_path_run_where_the_terminal_knows_ascii_only(
    process: Any, tmp_path: Path, head_with_blobs: Make
) -> None:
    image = tmp_path / "Patientin Müller 患者" / "T2 después 1.5 mm.nii.gz"
    write_volume(head_with_blobs(), image)
    output = tmp_path / "Ergebnis für 患者" / "zweites Blatt"
    outcome = process(
        *("segment", "--mid", image, "--output", output, "--model", "blobs", "--device", "cpu", "--backend", "torch"),
        env={"PYTHONIOENCODING": "ascii"},
    )
    assert (outcome.status, outcome.err) == (0, "")
    assert names(output) == FILES
    assert json.loads((output / "manifest.json").read_text("utf-8"))["inputs"][0]["path"] == str(image)


def test_openvino_and_pytorch_find_the_same(segment: Any, t2: Path, tmp_path: Path) -> None:
    pytest.importorskip("openvino")
    for backend in ("openvino", "torch"):
        outcome = segment("--mid", t2, "--output", tmp_path / backend, "--backend", backend, "--json")
        assert outcome.status == 0
        assert outcome.err == ""
        assert len(outcome.json["mid"]["lesions"]) == 2
    manifest = json.loads((tmp_path / "openvino" / "manifest.json").read_text())
    assert manifest["device"] == "OpenVINO, cpu, f32"
    labels = [read_mask(tmp_path / backend / "segmentation.nii.gz").array for backend in ("openvino", "torch")]
    assert np.array_equal(*labels)


def read_until(terminal: int, wanted: bytes | None, seconds: float = 60.0) -> bytes:
    """What a terminal shows until it shows ``wanted``, or until its other end is closed."""
    shown, deadline = b"", time.monotonic() + seconds
    while wanted is None or wanted not in shown:
        assert select.select([terminal], [], [], deadline - time.monotonic())[0], shown
        try:
            shown += os.read(terminal, 1000)
        except OSError:  # how Linux says that the other end was closed
            assert wanted is None, shown
            break
    return shown


def test_a_terminal_shows_progress_and_ctrl_c_ends_with_4_and_leaves_nothing(
    command_line: Any, tmp_path: Path, head_with_blobs: Make
) -> None:
    command, variables = command_line
    image, output = tmp_path / "T2.nii", tmp_path / "new" / "result"
    write_volume(head_with_blobs((160, 160, 60)), image)
    # Some 45,000 tiles: minutes.
    arguments = ["--mid", image, "--output", output, "--model", "blobs", "--device", "cpu", "--step", "0.1"]
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 120, 0, 0))
    running = subprocess.Popen(
        [*command, "segment", *map(str, arguments), "--backend", "torch"],
        env=variables,
        stdout=subprocess.PIPE,
        stderr=slave,
        # Where the tests run in the background, Ctrl-C is ignored, and children would inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )
    os.close(slave)
    try:
        shown = read_until(master, b"network")
        assert output.exists()
        running.send_signal(signal.SIGINT)
        shown += read_until(master, None)
        out, _ = running.communicate(timeout=60)
    finally:
        running.kill()
        running.wait()
        os.close(master)
    assert (running.returncode, out) == (4, b""), shown.decode(errors="replace")
    assert b"mid-RT" in shown
    assert b"Cancelled by the user" in shown
    assert b"Traceback" not in shown
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["T1_head_ext2.nii.gz", "T2w.nii.gz"])
def test_a_real_volume_runs_and_keeps_its_geometry(segment: Any, real_data: Path, tmp_path: Path, name: str) -> None:
    path = real_data / "mr-nifti" / name
    assert_real_run(segment, path, tmp_path / "result")


@pytest.mark.parametrize("archive", ["t2w-mr-dicom", "mr-dicom-oblique"])
def test_a_real_dicom_series_runs_and_keeps_its_geometry(
    segment: Any, real_data: Path, tmp_path: Path, archive: str
) -> None:
    (packed,) = (real_data / archive).glob("*.zip")
    with zipfile.ZipFile(packed) as stream:
        stream.extractall(tmp_path / "series")
    assert_real_run(segment, tmp_path / "series", tmp_path / "result")


def assert_real_run(segment: Any, path: Path, output: Path) -> None:
    outcome = segment("--mid", path, "--output", output, "--minimum-cc", "1", "--step", "1", "--json")
    assert (outcome.status, outcome.err) == (0, "")
    assert names(output) == FILES
    image = read_volume(path)
    for file in ("segmentation.nii.gz", "lesions.nii.gz"):
        assert read_volume(output / file).geometry.matches(image.geometry, 1e-4)
    assert (output / "overlay.png").stat().st_size > 20_000
