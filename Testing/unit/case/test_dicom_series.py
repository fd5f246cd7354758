"""DICOM folders: order, geometry, pixels, and an error for every irregular series."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    ExplicitVRLittleEndian,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RTStructureSetStorage,
    generate_uid,
)

from HNTargetSegLib.case.checks import check_image
from HNTargetSegLib.case.dicom_series import read_identity, read_series, series_volume
from HNTargetSegLib.case.read import read_volume
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.errors import BadInputError

MakeSeries = Callable[..., list[Path]]
SAGITTAL = np.array([[0.0, 0.0, -1.0], [1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])


def by_simpleitk(files: tuple[Path, ...] | list[Path]) -> Volume:
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames([str(path) for path in files])
    return Volume.from_sitk(reader.Execute())


def expected_array(count: int) -> np.ndarray:
    return (100 * np.arange(count)[:, None] + np.arange(42)).reshape(count, 7, 6)


def edit(path: Path, **facts: object) -> None:
    data = pydicom.dcmread(path)
    for keyword, value in facts.items():
        if value is None:
            delattr(data, keyword)
        else:
            setattr(data, keyword, value)
    data.save_as(path)


def test_slices_are_ordered_by_position_not_by_file_name(tmp_path: Path, make_series: MakeSeries) -> None:
    paths = make_series(tmp_path)
    assert [path.name for path in paths] != sorted(path.name for path in paths)
    series = read_series(tmp_path)
    assert series.files == tuple(paths)
    assert np.array_equal(series_volume(series).array, expected_array(5))


@pytest.mark.parametrize("axes", [None, np.eye(3), SAGITTAL, np.diag([-1.0, 1.0, -1.0])])
def test_geometry_is_that_of_simpleitk(tmp_path: Path, make_series: MakeSeries, axes: np.ndarray | None) -> None:
    paths = make_series(tmp_path) if axes is None else make_series(tmp_path, axes=axes)
    found, peer = read_volume(tmp_path), by_simpleitk(paths)
    assert found.geometry.matches(peer.geometry, 1e-4)
    assert np.allclose(found.spacing, (0.6, 0.7, 2.5), atol=1e-5)
    assert np.array_equal(found.array, peer.array)


@pytest.mark.parametrize(
    ("archive", "size", "spacing"),
    [
        ("t2w-mr-dicom/SCAN_001_t2.zip", (584, 512, 33), (0.6836, 0.6836, 8.0)),
        ("mr-dicom-oblique/t1_axial_oblique_60_slices.zip", (274, 384, 60), (0.699988, 0.666667, 0.666667)),
    ],
)
def test_real_series_read_as_simpleitk_reads_them(
    unpacked: Callable[[str], Path], archive: str, size: tuple[int, int, int], spacing: tuple[float, float, float]
) -> None:
    series = read_series(unpacked(archive))
    found, peer = series_volume(series), by_simpleitk(series.files)
    assert found.geometry.size == size
    assert np.allclose(found.spacing, spacing, atol=1e-5)
    assert found.geometry.matches(peer.geometry, 1e-4)
    assert np.array_equal(found.array, peer.array)


@pytest.mark.parametrize("patient", ["STS_002", "STS_003", "STS_031"])
def test_a_real_series_equals_its_nifti_and_its_rtstruct_is_passed_over(
    real_data: Path, unpacked: Callable[[str], Path], patient: str
) -> None:
    found = read_volume(unpacked(f"sts-mr-rtstruct/{patient}/dicom.zip"))
    nifti = read_volume(real_data / "sts-mr-rtstruct" / patient / "MR_T1_image.nii.gz")
    assert np.array_equal(found.array, nifti.array)
    assert found.geometry.matches(nifti.geometry, 1e-4)


def test_facts_of_the_series_are_kept_for_display(tmp_path: Path, make_series: MakeSeries) -> None:
    paths = make_series(tmp_path, PatientSex="F", SeriesDate="20240103", MagneticFieldStrength=3.0)
    series = read_series(tmp_path)
    identity = series.identity
    assert identity == read_identity(tmp_path)
    assert (identity.patient_id, identity.patient_name, identity.patient_sex) == ("P7", "Doe^Jane", "F")
    assert (identity.study_date, identity.series_date, identity.modality) == ("20240102", "20240103", "MR")
    assert (identity.series_description, identity.magnetic_field_strength) == ("AX T2", "3.0")
    assert identity.manufacturer == ""
    assert series.sop_instance_uids == tuple(str(pydicom.dcmread(path).SOPInstanceUID) for path in paths)
    assert series.sop_class_uid == pydicom.uid.MRImageStorage
    assert read_identity(paths[0]) is None


def test_slope_and_intercept_of_each_slice_are_applied(tmp_path: Path, make_series: MakeSeries) -> None:
    def scale(k: int, data: pydicom.Dataset) -> None:
        data.RescaleSlope, data.RescaleIntercept = k + 0.5, -3

    make_series(tmp_path, change=scale)
    found = read_volume(tmp_path).array
    assert found.dtype == np.float32
    assert np.allclose(found, expected_array(5) * (np.arange(5) + 0.5)[:, None, None] - 3)


def test_signed_pixels_with_rubbish_above_the_stored_bits_read(tmp_path: Path, make_series: MakeSeries) -> None:
    values = np.arange(-21, 21)

    def twelve_bits(k: int, data: pydicom.Dataset) -> None:
        data.BitsStored, data.HighBit, data.PixelRepresentation = 12, 11, 1
        data.PixelData = ((values & 0x0FFF) | 0x5000).astype("<u2").tobytes()

    make_series(tmp_path, change=twelve_bits)
    assert np.array_equal(read_volume(tmp_path).array[2].ravel(), values)


def test_implicit_vr_without_preamble_reads(tmp_path: Path, make_series: MakeSeries) -> None:
    for path in make_series(tmp_path):
        bare = pydicom.Dataset(pydicom.dcmread(path))
        bare.save_as(path, implicit_vr=True, little_endian=True, enforce_file_format=False)
        assert path.read_bytes()[:2] == b"\x08\x00"
    assert np.array_equal(read_volume(tmp_path).array, expected_array(5))


@pytest.mark.parametrize("compressor", ["JPEG", "JPEG2000"])
def test_compressed_slices_read(tmp_path: Path, compressor: str) -> None:
    array = np.random.default_rng(1).integers(0, 4000, (4, 32, 24)).astype(np.int16)
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    writer.UseCompressionOn()
    writer.SetCompressor(compressor)
    series_uid = generate_uid()
    for k in range(4):
        image = sitk.GetImageFromArray(array[k : k + 1])
        image.SetSpacing((0.5, 0.5, 2.0))
        image.SetOrigin((0.0, 0.0, 2.0 * k))
        facts = {"0008|0060": "MR", "0020|000e": series_uid, "0008|0018": generate_uid()}
        for tag, value in facts.items():
            image.SetMetaData(tag, value)
        writer.SetFileName(str(tmp_path / f"{9 - k}.dcm"))
        writer.Execute(image)
    # GDCM writes a geometry for MR only with the right class: the test needs the pixels to be compressed, and says so.
    for k in range(4):
        data = pydicom.dcmread(tmp_path / f"{9 - k}.dcm")
        assert data.file_meta.TransferSyntaxUID.is_compressed
        data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = pydicom.uid.MRImageStorage
        data.ImagePositionPatient, data.ImageOrientationPatient = [0, 0, 2 * k], [1, 0, 0, 0, 1, 0]
        data.PixelSpacing = [0.5, 0.5]
        data.save_as(tmp_path / f"{9 - k}.dcm")
    found = read_volume(tmp_path)
    assert np.array_equal(found.array, array)
    assert found.spacing == (0.5, 0.5, 2.0)


@pytest.mark.parametrize(
    ("syntax", "error", "stored"),
    [
        (JPEGLSLossless, 0, {}),
        (JPEGLSLossless, 0, {"BitsStored": 12, "HighBit": 11}),
        (JPEGLSNearLossless, 2, {"BitsStored": 12, "HighBit": 11}),
    ],
)
def test_jpeg_ls_slices_read(
    tmp_path: Path, make_series: MakeSeries, syntax: pydicom.uid.UID, error: int, stored: dict[str, int]
) -> None:
    for path in make_series(tmp_path, **stored):
        data = pydicom.dcmread(path)
        data.compress(syntax, jls_error=error)
        data.save_as(path)
        assert pydicom.dcmread(path).file_meta.TransferSyntaxUID == syntax
    found = read_volume(tmp_path).array
    assert found.dtype == np.uint16
    assert np.abs(found.astype(int) - expected_array(5)).max() <= error


def test_a_jpeg_ls_slice_that_is_cut_off_is_refused(tmp_path: Path, make_series: MakeSeries) -> None:
    for path in make_series(tmp_path):
        data = pydicom.dcmread(path)
        data.compress(JPEGLSLossless)
        (frame,) = generate_frames(data.PixelData, number_of_frames=1)
        data.PixelData = encapsulate([frame[: len(frame) // 2]])
        data.save_as(path)
    with pytest.raises(BadInputError, match="cannot be decoded"):
        read_volume(tmp_path)


def test_run_length_encoded_slices_read_and_are_scaled(tmp_path: Path, make_series: MakeSeries) -> None:
    for path in make_series(tmp_path, RescaleSlope=2, RescaleIntercept=-7):
        data = pydicom.dcmread(path)
        data.compress(pydicom.uid.RLELossless)
        data.save_as(path)
    assert np.array_equal(read_volume(tmp_path).array, expected_array(5) * 2.0 - 7)


def test_a_single_slice_takes_its_thickness(tmp_path: Path, make_series: MakeSeries) -> None:
    make_series(tmp_path, count=1, SliceThickness=4.0)
    assert read_volume(tmp_path).geometry.size == (6, 7, 1)
    assert read_volume(tmp_path).spacing[2] == 4.0


def test_what_is_no_image_is_passed_over(tmp_path: Path, make_series: MakeSeries) -> None:
    make_series(tmp_path / "series")
    (tmp_path / "README.txt").write_text("exported from the archive\n" * 20)
    (tmp_path / ".DS_Store").write_bytes(b"\0" * 200)
    shutil.copy(tmp_path / "series" / "IM001", tmp_path / "DICOMDIR")
    (rtstruct,) = make_series(tmp_path / "rt", count=1, Modality="RTSTRUCT", SOPClassUID=RTStructureSetStorage)
    edit(rtstruct, Rows=None, Columns=None, PixelData=None)
    make_series(tmp_path / "dose", count=1, Modality="RTDOSE", NumberOfFrames=12)
    assert np.array_equal(read_volume(tmp_path).array, expected_array(5))


def test_a_folder_without_dicom_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing here " * 50)
    with pytest.raises(BadInputError, match=r"no DICOM image series \(found: no DICOM file\)"):
        read_volume(tmp_path)


def test_a_folder_with_only_a_structure_set_says_so(tmp_path: Path, make_series: MakeSeries) -> None:
    (rtstruct,) = make_series(tmp_path, count=1, Modality="RTSTRUCT")
    edit(rtstruct, Rows=None, Columns=None, PixelData=None)
    with pytest.raises(BadInputError, match="found: 1 RTSTRUCT"):
        read_volume(tmp_path)


def test_one_dicom_file_asks_for_its_folder(tmp_path: Path, make_series: MakeSeries) -> None:
    path = make_series(tmp_path)[0].rename(tmp_path / "a.dcm")
    with pytest.raises(BadInputError, match="Give the folder that holds its series"):
        read_volume(path)


def test_missing_slices_are_counted_and_placed(tmp_path: Path, make_series: MakeSeries) -> None:
    paths = make_series(tmp_path, count=9, axes=np.eye(3))
    for k in (3, 4):
        paths[k].unlink()
    with pytest.raises(BadInputError, match=r"2 slices are missing: .*7\.50 mm between IM007 .*35\.00 mm\) and IM004"):
        read_volume(tmp_path)


def test_uneven_gaps_are_an_error(tmp_path: Path, make_series: MakeSeries) -> None:
    paths = make_series(tmp_path, axes=np.eye(3))
    edit(paths[-1], ImagePositionPatient=[10, -20, 40.8])
    with pytest.raises(BadInputError, match=r"not evenly spaced.*3\.30 mm between IM002"):
        read_volume(tmp_path)


def test_a_sheared_stack_is_an_error(tmp_path: Path, make_series: MakeSeries) -> None:
    def tilt(k: int, data: pydicom.Dataset) -> None:
        data.ImagePositionPatient = [10, -20 + 0.4 * k * k, 30 + 2.5 * k]

    make_series(tmp_path, axes=np.eye(3), change=tilt)
    with pytest.raises(BadInputError, match=r"IM001 is 6\.40 mm beside its place"):
        read_volume(tmp_path)


def test_mixed_series_are_listed_with_their_slices(tmp_path: Path, make_series: MakeSeries) -> None:
    make_series(tmp_path, count=4, prefix="A", SeriesDescription="AX T2", series_uid="1.2.3")
    make_series(tmp_path, count=3, prefix="B", SeriesDescription="AX T1 C+", series_uid="1.2.4")
    with pytest.raises(
        BadInputError, match=r"2 image series: 'AX T2' with 4 slices \(1\.2\.3.*'AX T1 C\+' with 3 slices"
    ):
        read_volume(tmp_path)
    assert len(read_series(tmp_path, series_uid="1.2.4").files) == 3
    with pytest.raises(BadInputError, match=r"no series 9\.9"):
        read_series(tmp_path, series_uid="9.9")


def test_a_multi_frame_image_is_an_error(tmp_path: Path, make_series: MakeSeries) -> None:
    make_series(tmp_path, count=1, NumberOfFrames=33)
    with pytest.raises(BadInputError, match=r"IM001: .*multi-frame image with 33 frames.*dcm2niix"):
        read_volume(tmp_path)


def test_doubled_positions_name_their_files(tmp_path: Path, make_series: MakeSeries) -> None:
    paths = make_series(tmp_path)
    shutil.copy(paths[2], tmp_path / "copy")
    with pytest.raises(BadInputError, match=r"share a position.*IM003 and copy|share a position.*copy and IM003"):
        read_volume(tmp_path)


def test_a_localiser_within_the_series_is_named(tmp_path: Path, make_series: MakeSeries) -> None:
    make_series(tmp_path, series_uid="1.2.3")
    make_series(tmp_path, count=2, series_uid="1.2.3", axes=SAGITTAL, prefix="LOC")
    with pytest.raises(BadInputError, match=r"2 of 7 slices have another orientation than the rest: LOC001, LOC002"):
        read_volume(tmp_path)


@pytest.mark.parametrize("facts", [{"Rows": 6, "Columns": 7}, {"PixelSpacing": [0.7, 0.9]}])
def test_a_slice_of_another_size_is_named(tmp_path: Path, make_series: MakeSeries, facts: dict[str, object]) -> None:
    paths = make_series(tmp_path)
    edit(paths[0], **facts)
    with pytest.raises(BadInputError, match=r"1 of 5 slices have another size or pixel spacing than the rest: IM005"):
        read_volume(tmp_path)


@pytest.mark.parametrize("keyword", ["ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"])
def test_a_slice_without_geometry_is_named(tmp_path: Path, make_series: MakeSeries, keyword: str) -> None:
    edit(make_series(tmp_path)[1], **{keyword: None})
    with pytest.raises(BadInputError, match=rf"IM004: The slice has no usable {keyword}"):
        read_volume(tmp_path)


def test_colour_is_an_error(tmp_path: Path, make_series: MakeSeries) -> None:
    make_series(tmp_path, SamplesPerPixel=3)
    with pytest.raises(BadInputError, match="3 values a pixel"):
        read_volume(tmp_path)


@pytest.mark.parametrize("cut", [20, 300])
def test_a_slice_cut_short_is_named(tmp_path: Path, make_series: MakeSeries, cut: int) -> None:
    path = make_series(tmp_path)[3]
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(BadInputError, match="IM002: "):
        read_volume(tmp_path)


def test_the_order_of_files_on_disk_does_not_matter(tmp_path: Path, make_series: MakeSeries) -> None:
    paths = make_series(tmp_path, count=12)
    names = [f"{name:02d}.dcm" for name in range(12)]
    random.Random(4).shuffle(names)
    for path, name in zip(paths, names, strict=True):
        path.rename(tmp_path / name)
    assert np.array_equal(read_volume(tmp_path).array, expected_array(12))


def test_explicit_little_endian_is_what_the_fixture_writes(tmp_path: Path, make_series: MakeSeries) -> None:
    assert pydicom.dcmread(make_series(tmp_path)[0]).file_meta.TransferSyntaxUID == ExplicitVRLittleEndian


def test_axes_of_a_series_that_are_not_quite_at_right_angles_are_straightened_and_said(
    tmp_path: Path, make_series: MakeSeries
) -> None:
    make_series(tmp_path, axes=np.eye(3), ImageOrientationPatient=[1, 9e-4, 0, 0, 1, 0])
    volume = read_volume(tmp_path)
    assert np.abs(volume.direction.T @ volume.direction - np.eye(3)).max() < 1e-12
    assert any("straightened" in line for line in check_image(volume))
