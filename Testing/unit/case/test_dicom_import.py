"""RTSTRUCT and SEG of other makers: by geometry, and an error for what does not belong to the series."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from HNTargetSegLib.case.dicom_import import Allowed, read_structures
from HNTargetSegLib.case.dicom_rtstruct import RTSTRUCT_CLASS, read_rtstruct
from HNTargetSegLib.case.dicom_seg import LABEL_MAP_CLASS, SEG_CLASS
from HNTargetSegLib.case.dicom_series import DicomSeries, read_series
from HNTargetSegLib.case.dicom_structure import Structure
from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.read import read_volume
from HNTargetSegLib.errors import BadInputError, GeometryError

Squares = list[tuple[float, float, float]]
"""Slice, low and high row and column of each square contour."""


@pytest.fixture
def series(tmp_path: Path, make_series: Callable[..., list[Path]]) -> DicomSeries:
    """An oblique series of 5 slices, 7 rows and 6 columns."""
    make_series(tmp_path / "series")
    return read_series(tmp_path / "series")


def item(**values: Any) -> Dataset:
    data = Dataset()
    for keyword, value in values.items():
        setattr(data, keyword, value)
    return data


def new_file(kind: str, series: DicomSeries, **values: Any) -> FileDataset:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = ExplicitVRLittleEndian, kind
    meta.MediaStorageSOPInstanceUID = generate_uid()
    data = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = kind, meta.MediaStorageSOPInstanceUID
    data.PatientID = series.identity.patient_id
    for keyword, value in values.items():
        setattr(data, keyword, value)
    return data


@pytest.fixture
def rtstruct(series: DicomSeries, tmp_path: Path) -> Callable[..., Path]:
    """Writer of an RTSTRUCT with one structure of square contours; it refers to no image."""

    def write(squares: Squares, kind: str = "CLOSED_PLANAR", frame: str | None = None, **values: Any) -> Path:
        contours = []
        for k, low, high in squares:
            kji = np.array([(k, low, low), (k, low, high), (k, high, high), (k, high, low)])
            numbers = [f"{value:.4f}" for value in series.geometry.to_lps(kji).ravel()]
            contours.append(item(ContourGeometricType=kind, NumberOfContourPoints=4, ContourData=numbers))
        uid = frame or series.identity.frame_of_reference_uid
        roi = item(ROINumber=3, ROIName="GTVn", ReferencedFrameOfReferenceUID=uid)
        drawn = item(ReferencedROINumber=3, ContourSequence=contours)
        data = new_file(RTSTRUCT_CLASS, series, Modality="RTSTRUCT", **values)
        data.StructureSetROISequence, data.ROIContourSequence = [roi], [drawn]
        data.save_as(tmp_path / "rs.dcm", enforce_file_format=True)
        return tmp_path / "rs.dcm"

    return write


def whole(structure: Structure, series: DicomSeries) -> np.ndarray:
    mask = np.zeros(series.geometry.shape, bool)
    mask[structure.box] = structure.mask
    return mask


def test_contours_become_voxels_by_their_place_alone(series: DicomSeries, rtstruct: Callable[..., Path]) -> None:
    (found,) = read_structures(rtstruct([(1, 0.5, 3.5), (2.1, 1.5, 4.5)]), series)
    expected = np.zeros(series.geometry.shape, bool)
    expected[1, 1:4, 1:4] = expected[2, 2:5, 2:5] = True
    assert np.array_equal(whole(found, series), expected)
    assert (found.name, found.number, found.target, found.notes) == ("GTVn", 3, Target.LN, ())


def test_inner_contours_are_holes_in_both_kinds(series: DicomSeries, rtstruct: Callable[..., Path]) -> None:
    for kind in ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR"):
        (found,) = read_structures(rtstruct([(1, 0.5, 5.5), (1, 1.5, 3.5)], kind), series)
        assert found.voxels == 25 - 4


def test_contours_that_enclose_nothing_or_lie_beyond_are_left_out_and_said(
    series: DicomSeries, rtstruct: Callable[..., Path]
) -> None:
    path = rtstruct([(1, 0.5, 3.5), (2, 0.5, 3.5), (9, 0.5, 3.5)])
    data = pydicom.dcmread(path)
    data.ROIContourSequence[0].ContourSequence[1].ContourData = ["1", "2", "3", "4", "5", "6"]
    data.save_as(path)
    (found,) = read_structures(path, series)
    assert found.voxels == 9
    assert [note.split(": ")[1][:20] for note in found.notes] == ["1 contours enclose n", "1 contours lie beyon"]


def test_contours_of_another_series_are_refused(series: DicomSeries, rtstruct: Callable[..., Path]) -> None:
    with pytest.raises(GeometryError, match="lies between two slices"):
        read_structures(rtstruct([(1.5, 0.5, 3.5)]), series)
    path = rtstruct([(1, 0.5, 3.5)])
    data = pydicom.dcmread(path)
    points = series.geometry.to_lps(np.array([(0, 1, 1), (3, 1, 4), (3, 5, 4), (0, 5, 1)]))
    data.ROIContourSequence[0].ContourSequence[0].ContourData = [f"{value:.4f}" for value in points.ravel()]
    data.save_as(path)
    with pytest.raises(GeometryError, match="lies across the slices"):
        read_structures(path, series)


def test_another_patient_or_frame_must_be_confirmed(series: DicomSeries, rtstruct: Callable[..., Path]) -> None:
    path = rtstruct([(1, 0.5, 3.5)], frame="1.2.3")
    with pytest.raises(GeometryError, match=r"frame of reference 1\.2\.3"):
        read_structures(path, series)
    assert read_structures(path, series, Allowed(other_frame=True))[0].voxels == 9
    path = rtstruct([(1, 0.5, 3.5)])
    data = pydicom.dcmread(path)
    data.PatientID = "P8"
    data.save_as(path)
    with pytest.raises(BadInputError, match="patient 'P8', the series of patient 'P7'"):
        read_structures(path, series)
    assert read_structures(path, series, Allowed(other_patient=True))[0].voxels == 9


def test_damaged_and_foreign_files_are_refused(
    series: DicomSeries, rtstruct: Callable[..., Path], tmp_path: Path
) -> None:
    path = rtstruct([(1, 0.5, 3.5)])
    data = pydicom.dcmread(path)
    data.ROIContourSequence[0].ContourSequence[0].ContourData = ["1", "2", "3", "4"]
    data.save_as(path)
    with pytest.raises(BadInputError, match="4 coordinates"):
        read_rtstruct(path)
    with pytest.raises(BadInputError, match="neither an RTSTRUCT nor a SEG"):
        read_structures(series.files[0], series)
    with pytest.raises(BadInputError, match="no such file"):
        read_structures(tmp_path / "none.dcm", series)
    (tmp_path / "text.dcm").write_text("not DICOM at all" * 20)
    with pytest.raises(BadInputError):
        read_structures(tmp_path / "text.dcm", series)
    data = new_file(RTSTRUCT_CLASS, series, Modality="RTSTRUCT")
    data.save_as(path, enforce_file_format=True)
    with pytest.raises(BadInputError, match="holds no structure"):
        read_structures(path, series)


def test_bytes_that_are_wrong_or_missing_give_an_error_that_names_the_file_and_never_another(
    series: DicomSeries, rtstruct: Callable[..., Path]
) -> None:
    path = rtstruct([(1, 0.5, 3.5), (2, 1.5, 4.5)])
    whole_file = path.read_bytes()
    refused = []
    for n in range(150):
        rng = np.random.default_rng(n)
        content = bytearray(whole_file[: rng.integers(132, len(whole_file)) if n % 3 == 0 else None])
        for place in rng.integers(132, len(content), rng.integers(1, 6)):
            content[place] = rng.integers(256)
        path.write_bytes(content)
        try:
            read_structures(path, series, Allowed(other_patient=True, other_frame=True))
        except BadInputError as error:
            refused.append(error.path)
    assert len(refused) > 50
    assert set(refused) == {str(path)}


@pytest.fixture
def seg(series: DicomSeries, tmp_path: Path) -> Callable[..., Path]:
    """Writer of a label-map or fractional segmentation: frames of 8 bits, a corner (k, j, i) each, steps along j, i."""

    def write(
        frames: list[tuple[tuple[float, float, float], np.ndarray]], kind: str = "LABELMAP", flip: int = 1
    ) -> Path:
        grid = series.geometry
        rows, columns = frames[0][1].shape
        orientation = [*(grid.axes[:, 0] * flip), *(grid.axes[:, 1] * flip)]
        shared = item(
            PlaneOrientationSequence=[item(ImageOrientationPatient=[f"{value:.12f}" for value in orientation])],
            PixelMeasuresSequence=[item(PixelSpacing=[grid.spacing[1], grid.spacing[0]])],
        )
        groups = []
        for corner, _ in frames:
            place = [f"{value:.6f}" for value in grid.to_lps(np.array(corner))]
            group = item(PlanePositionSequence=[item(ImagePositionPatient=place)])
            if kind != "LABELMAP":
                group.SegmentIdentificationSequence = [item(ReferencedSegmentNumber=2)]
            groups.append(group)
        data = new_file(
            LABEL_MAP_CLASS if kind == "LABELMAP" else SEG_CLASS,
            series,
            Modality="SEG",
            SegmentationType=kind,
            FrameOfReferenceUID=series.identity.frame_of_reference_uid,
            SegmentSequence=[item(SegmentNumber=n, SegmentLabel=f"GTVn{n}") for n in (1, 2)],
            SharedFunctionalGroupsSequence=[shared],
            PerFrameFunctionalGroupsSequence=groups,
            **{"NumberOfFrames": len(frames), "Rows": rows, "Columns": columns, "SamplesPerPixel": 1},
            **{"PhotometricInterpretation": "MONOCHROME2", "PixelRepresentation": 0, "MaximumFractionalValue": 200},
            **{"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7},
        )
        data.PixelData = np.stack([pixels for _, pixels in frames]).astype(np.uint8).tobytes()
        data.save_as(tmp_path / "seg.dcm", enforce_file_format=True)
        return tmp_path / "seg.dcm"

    return write


def test_frames_may_be_cropped_in_any_order_and_turned(series: DicomSeries, seg: Callable[..., Path]) -> None:
    first, second = np.array([[1, 2, 0], [0, 1, 0]]), np.array([[2, 0, 0], [0, 0, 2]])
    for flip in (1, -1):
        one, two = read_structures(seg([((3, 4, 3), first), ((0, 3, 2), second)], flip=flip), series)
        expected = np.zeros(series.geometry.shape, int)
        for k, corner, pixels in ((3, (4, 3), first), (0, (3, 2), second)):
            for (j, i), value in np.ndenumerate(pixels):
                if value:
                    expected[k, corner[0] + flip * j, corner[1] + flip * i] = value
        assert np.array_equal(whole(one, series), expected == 1)
        assert np.array_equal(whole(two, series), expected == 2)
        assert (one.name, two.target) == ("GTVn1", Target.LN)


def test_of_a_fractional_segmentation_half_the_maximum_counts(series: DicomSeries, seg: Callable[..., Path]) -> None:
    path = seg([((2, 1, 1), np.array([[99, 100], [200, 0]]))], kind="FRACTIONAL")
    empty, full = read_structures(path, series)
    assert (empty.voxels, full.voxels) == (0, 2)


def test_frames_between_voxels_or_outside_are_refused(series: DicomSeries, seg: Callable[..., Path]) -> None:
    pixels = np.ones((2, 2))
    with pytest.raises(GeometryError, match="do not lie on the grid"):
        read_structures(seg([((2, 1.5, 1), pixels)]), series)
    with pytest.raises(GeometryError, match="outside of the series"):
        read_structures(seg([((7, 1, 1), pixels)]), series)


@pytest.mark.parametrize("patient", ["STS_002", "STS_003", "STS_031"])
def test_real_rtstructs_give_the_reference_masks_though_no_image_uid_fits(
    real_data: Path, unpacked: Callable[[str], Path], patient: str
) -> None:
    folder = unpacked(f"sts-mr-rtstruct/{patient}/dicom.zip")
    series = read_series(folder)
    (path,) = folder.rglob("RS.dcm")
    data = pydicom.dcmread(path)
    referred = {
        image.ReferencedSOPInstanceUID
        for contour in data.ROIContourSequence[0].ContourSequence
        for image in contour.get("ContourImageSequence", ())
    }
    assert not referred & set(series.sop_instance_uids)
    (found,) = read_structures(path, series)
    reference = read_volume(real_data / "sts-mr-rtstruct" / patient / "MR_T1_mask.nii.gz").array > 0
    assert np.array_equal(whole(found, series), reference)
