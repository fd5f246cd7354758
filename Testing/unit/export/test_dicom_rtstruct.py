"""The RTSTRUCT: what it refers to, what it says of each lesion, and that its contours hold the voxels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from Testing.unit.export.conftest import GEOMETRY
from Testing.unit.export.mr_series import write_mr_series

from HNTargetSegLib.case.dicom_import import read_structures
from HNTargetSegLib.case.dicom_rtstruct import read_rtstruct
from HNTargetSegLib.case.dicom_series import DicomSeries, read_series
from HNTargetSegLib.case.dicom_structure import label_map
from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.errors import BadInputError, GeometryError, OutputError
from HNTargetSegLib.export.dicom_rtstruct import RtstructOptions, decimal_strings, write_rtstruct
from HNTargetSegLib.export.dicom_source import invalid_values, read_source
from HNTargetSegLib.lesions.find import find_lesions
from HNTargetSegLib.lesions.lesion import LesionSet, State

SAGITTAL = (0.0, 0.0, -1.0, 1.0, 0.0, 0.0, 0.0, -1.0, 0.0)
OBLIQUE = tuple(np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0].ravel().tolist())


@pytest.fixture
def written(lesions: LesionSet, series: DicomSeries, tmp_path: Path) -> Any:
    """The RTSTRUCT of the visit, read by pydicom."""
    write_rtstruct(tmp_path / "rtstruct.dcm", lesions, read_source(series))
    return pydicom.dcmread(tmp_path / "rtstruct.dcm")


def test_each_contour_refers_to_the_slice_that_it_lies_on(written: Any, series: DicomSeries) -> None:
    contours = [contour for roi in written.ROIContourSequence for contour in roi.ContourSequence]
    assert len(contours) == 4 + 5
    for contour in contours:
        (image,) = contour.ContourImageSequence
        k = series.sop_instance_uids.index(image.ReferencedSOPInstanceUID)
        points = np.array(contour.ContourData, float).reshape(-1, 3)
        assert len(points) == contour.NumberOfContourPoints
        assert np.allclose(series.geometry.to_kji(points)[:, 0], k, atol=1e-4)
        assert image.ReferencedSOPClassUID == pydicom.uid.MRImageStorage


def test_it_names_study_series_frame_and_every_image(written: Any, series: DicomSeries) -> None:
    (frame,) = written.ReferencedFrameOfReferenceSequence
    (study,) = frame.RTReferencedStudySequence
    (referred,) = study.RTReferencedSeriesSequence
    identity = series.identity
    assert frame.FrameOfReferenceUID == written.FrameOfReferenceUID == identity.frame_of_reference_uid
    assert study.ReferencedSOPInstanceUID == written.StudyInstanceUID == identity.study_instance_uid
    assert referred.SeriesInstanceUID == identity.series_instance_uid != written.SeriesInstanceUID
    assert [image.ReferencedSOPInstanceUID for image in referred.ContourImageSequence] == list(series.sop_instance_uids)
    assert (written.PatientID, str(written.PatientName)) == ("G1", "Generated^One")


def test_it_is_unapproved_and_says_research_in_its_label(written: Any) -> None:
    assert written.ApprovalStatus == "UNAPPROVED"
    assert "RESEARCH" in written.StructureSetLabel
    assert len(written.StructureSetLabel) <= 16
    assert "Research use only" in written.StructureSetDescription


def test_lesions_are_gtvs_with_name_algorithm_and_type_of_their_state(
    lesions: LesionSet, series: DicomSeries, tmp_path: Path
) -> None:
    tumour, node = lesions
    reviewed = lesions.with_lesions(replace(tumour, state=State.EDITED), replace(node, state=State.ADDED))
    write_rtstruct(tmp_path / "rs.dcm", reviewed, read_source(series))
    data = pydicom.dcmread(tmp_path / "rs.dcm")
    first, second = data.StructureSetROISequence
    assert (first.ROIName, first.ROIGenerationAlgorithm) == ("GTVp", "SEMIAUTOMATIC")
    assert (second.ROIName, second.ROIGenerationAlgorithm) == ("GTVn1", "MANUAL")
    (algorithm,) = first.ROIDerivationAlgorithmIdentificationSequence
    assert algorithm.AlgorithmName == "HNTargetSeg"
    assert algorithm.AlgorithmVersion
    assert "ROIDerivationAlgorithmIdentificationSequence" not in second
    assert [item.RTROIInterpretedType for item in data.RTROIObservationsSequence] == ["GTV", "GTV"]
    codes = [item.RTROIIdentificationCodeSequence[0].CodeValue for item in data.RTROIObservationsSequence]
    assert codes == ["86049000", "14799000"]


def test_rejected_lesions_are_not_written(lesions: LesionSet, series: DicomSeries, tmp_path: Path) -> None:
    reviewed = lesions.with_lesions(replace(lesions.lesions[1], state=State.REJECTED))
    write_rtstruct(tmp_path / "rs.dcm", reviewed, read_source(series))
    assert [roi.name for roi in read_rtstruct(tmp_path / "rs.dcm").rois] == ["GTVp"]


def test_the_next_visit_refers_to_it_and_keeps_the_uids_of_its_lesions(
    lesions: LesionSet, series: DicomSeries, tmp_path: Path
) -> None:
    write_rtstruct(tmp_path / "pre.dcm", lesions, read_source(series))
    data = pydicom.dcmread(tmp_path / "pre.dcm")
    for n, roi in enumerate(data.StructureSetROISequence):
        roi.ConceptualVolumeIdentificationSequence[0].ConceptualVolumeUID = f"2.25.10{n}"
    data.save_as(tmp_path / "pre.dcm")
    later = read_source(read_series(write_mr_series(tmp_path / "mid", GEOMETRY)))
    options = RtstructOptions(predecessor=read_rtstruct(tmp_path / "pre.dcm"))
    node = replace(lesions.lesions[1], name="GTVn2")
    write_rtstruct(tmp_path / "mid.dcm", lesions.with_lesions(node), later, options)
    mid = pydicom.dcmread(tmp_path / "mid.dcm")
    assert mid.PredecessorStructureSetSequence[0].ReferencedSOPInstanceUID == data.SOPInstanceUID
    kept, new = (roi.conceptual_volume_uid for roi in read_rtstruct(tmp_path / "mid.dcm").rois)
    assert kept == "2.25.100"
    assert not new.startswith("2.25.10")


@pytest.mark.parametrize("direction", [SAGITTAL, OBLIQUE])
def test_voxels_come_back_from_sagittal_and_oblique_series(tmp_path: Path, direction: tuple[float, ...]) -> None:
    geometry = Geometry((22, 18, 7), (0.9, 1.1, 3.0), (-31.5, 44.25, -1012.125), direction)
    labels = np.zeros(geometry.shape, np.uint8)
    labels[2:5, 3:12, 4:15] = 1
    labels[3, 6:9, 7:10] = 0
    labels[1, 14:16, 2:20] = 2
    labels[5, 14:17, 0] = 2
    series = read_series(write_mr_series(tmp_path / "series", geometry))
    lesions = find_lesions(Volume(labels, geometry, "labels"))
    write_rtstruct(tmp_path / "rs.dcm", lesions, read_source(series))
    found, doubled = label_map(read_structures(tmp_path / "rs.dcm", series), series.geometry, "rs")
    assert np.array_equal(found.array, labels)
    assert doubled == 0


def test_coordinates_have_at_most_16_characters_and_a_tenth_of_a_micrometre() -> None:
    points = np.array([[-99_998.123456789, 1e-9, -0.00004], [1 / 3, 12.0, 100.0]])
    texts = decimal_strings(points, "series").split("\\")
    assert texts == ["-99998.1235", "0", "0", "0.3333", "12", "100"]
    with pytest.raises(BadInputError, match="from the origin"):
        decimal_strings(np.array([[1e6, 0.0, 0.0]]), "series")


def test_a_contour_of_more_than_64_kilobytes_is_written_whole(tmp_path: Path) -> None:
    geometry = Geometry((200, 200, 2), (0.5, 0.5, 2.0), (-1000.123456, -1000.123456, 0.0))
    labels = np.zeros(geometry.shape, np.uint8)
    j, i = np.indices((200, 200))
    # A comb whose teeth have teeth: one outline with very many corners.
    labels[0] = (j == 0) | (i % 4 == 0) | ((i % 4 == 1) & (j % 2 == 0))
    series = read_series(write_mr_series(tmp_path / "series", geometry))
    lesions = find_lesions(Volume(labels, geometry, "labels"))
    write_rtstruct(tmp_path / "rs.dcm", lesions, read_source(series))
    contours = pydicom.dcmread(tmp_path / "rs.dcm").ROIContourSequence[0].ContourSequence
    assert max(len("\\".join(map(str, contour.ContourData))) for contour in contours) > 65_536
    found, _ = label_map(read_structures(tmp_path / "rs.dcm", series), series.geometry, "rs")
    assert np.array_equal(found.array, labels)


def test_invalid_values_of_the_series_are_kept_and_said(tmp_path: Path, lesions: LesionSet) -> None:
    folder = write_mr_series(tmp_path / "series", GEOMETRY)
    for path in folder.iterdir():
        with pydicom.config.disable_value_validation():
            data = pydicom.dcmread(path)
            data.PatientAge, data.StudyID = "42", "a study id that is too long"
            data.save_as(path)
    source = read_source(read_series(folder))
    write_rtstruct(tmp_path / "rs.dcm", lesions, source)
    with pydicom.config.disable_value_validation():
        data = pydicom.dcmread(tmp_path / "rs.dcm")
        assert (data.PatientAge, data.StudyID) == ("42", "a study id that is too long")
    said = invalid_values(source)
    assert [line.split()[0] for line in said] == ["PatientAge", "StudyID"]


def test_lesions_of_another_grid_are_refused(lesions: LesionSet, tmp_path: Path) -> None:
    other = replace(GEOMETRY, origin=(0.0, 0.0, 0.0))
    source = read_source(read_series(write_mr_series(tmp_path / "series", other)))
    with pytest.raises(GeometryError, match="differs from that of"):
        write_rtstruct(tmp_path / "rs.dcm", lesions, source)
    assert not (tmp_path / "rs.dcm").exists()


@pytest.mark.parametrize("keyword", ["FrameOfReferenceUID", "StudyInstanceUID"])
def test_a_series_without_the_uids_to_refer_to_is_refused(tmp_path: Path, keyword: str) -> None:
    series = read_series(write_mr_series(tmp_path / "series", GEOMETRY, **{keyword: None}))
    with pytest.raises(BadInputError, match=f"no {keyword}"):
        read_source(series)


def test_a_place_that_cannot_be_written_to_is_an_error(lesions: LesionSet, series: DicomSeries, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        write_rtstruct(tmp_path / "file" / "rs.dcm", lesions, read_source(series))
