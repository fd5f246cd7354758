"""The DICOM segmentation: segments, codes, tracking, and the voxels as they come back."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from Testing.unit.export.conftest import GEOMETRY

from HNTargetSegLib.case.dicom_import import read_structures
from HNTargetSegLib.case.dicom_seg import read_seg
from HNTargetSegLib.case.dicom_series import DicomSeries
from HNTargetSegLib.case.dicom_structure import label_map
from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.errors import BadInputError, MissingDependencyError
from HNTargetSegLib.export.dicom_lesion import Algorithm, lesion_uid
from HNTargetSegLib.export.dicom_seg import write_probabilities, write_seg
from HNTargetSegLib.export.dicom_source import read_source
from HNTargetSegLib.lesions.lesion import LesionSet, State


def test_voxels_come_back_and_rejected_lesions_do_not(lesions: LesionSet, series: DicomSeries, tmp_path: Path) -> None:
    path = tmp_path / "seg.dcm"
    write_seg(path, lesions, read_source(series))
    found, _ = label_map(read_structures(path, series), series.geometry, "seg")
    assert np.array_equal(found.array, lesions.label_map().array)
    rejected = lesions.with_lesions(replace(lesions.lesions[0], state=State.REJECTED))
    write_seg(path, rejected, read_source(series))
    found, _ = label_map(read_structures(path, series), series.geometry, "seg")
    assert np.array_equal(found.array, rejected.label_map().array)


def test_segments_carry_the_codes_and_the_tracking_of_their_lesions(
    lesions: LesionSet, series: DicomSeries, tmp_path: Path
) -> None:
    drawn = lesions.with_lesions(replace(lesions.lesions[1], state=State.ADDED))
    write_seg(tmp_path / "seg.dcm", drawn, read_source(series), Algorithm("HNTargetSeg demo", "2"))
    data = pydicom.dcmread(tmp_path / "seg.dcm")
    tumour, node = data.SegmentSequence
    assert data.SegmentationType == "BINARY"
    assert [segment.SegmentLabel for segment in data.SegmentSequence] == ["GTVp", "GTVn1"]
    for segment in data.SegmentSequence:
        assert segment.SegmentedPropertyCategoryCodeSequence[0].CodeValue == "49755003"
    assert tumour.SegmentedPropertyTypeCodeSequence[0].CodeValue == "86049000"
    assert node.SegmentedPropertyTypeCodeSequence[0].CodeValue == "14799000"
    assert node.AnatomicRegionSequence[0].CodeValue == "59441001"
    assert tumour.SegmentAlgorithmType == "AUTOMATIC"
    assert tumour.SegmentationAlgorithmIdentificationSequence[0].AlgorithmName == "HNTargetSeg demo"
    assert node.SegmentAlgorithmType == "MANUAL"
    assert "SegmentationAlgorithmIdentificationSequence" not in node
    assert [segment.TrackingUID for segment in data.SegmentSequence] == [
        lesion_uid(series.identity, lesion) for lesion in lesions
    ]


def test_it_refers_to_the_images_of_the_series_and_keeps_patient_and_frame(
    lesions: LesionSet, series: DicomSeries, tmp_path: Path
) -> None:
    write_seg(tmp_path / "seg.dcm", lesions, read_source(series))
    data = pydicom.dcmread(tmp_path / "seg.dcm")
    (referred,) = data.ReferencedSeriesSequence
    assert referred.SeriesInstanceUID == series.identity.series_instance_uid
    images = {item.ReferencedSOPInstanceUID for item in referred.ReferencedInstanceSequence}
    assert images <= set(series.sop_instance_uids)
    assert data.FrameOfReferenceUID == series.identity.frame_of_reference_uid
    assert (data.PatientID, data.StudyInstanceUID) == ("G1", series.identity.study_instance_uid)


def test_probabilities_are_written_in_steps_of_a_255th(lesions: LesionSet, series: DicomSeries, tmp_path: Path) -> None:
    p = np.random.default_rng(0).random(GEOMETRY.shape).astype(np.float32)
    write_probabilities(tmp_path / "p.dcm", {Target.LN: Volume(p, GEOMETRY, "p")}, read_source(series))
    data = pydicom.dcmread(tmp_path / "p.dcm")
    assert (data.SegmentationType, data.SegmentationFractionalType) == ("FRACTIONAL", "PROBABILITY")
    (segment,) = read_seg(tmp_path / "p.dcm").segments
    assert (segment.label, segment.target) == ("GTVn", Target.LN)
    (node,) = read_structures(tmp_path / "p.dcm", series)
    found = np.zeros(GEOMETRY.shape, bool)
    found[node.box] = node.mask
    # Rounded to 255 steps, a value right at the half may fall on either side.
    clear = np.abs(p - 0.5) > 1 / 255
    assert np.array_equal(found[clear], (p >= 0.5)[clear])


def test_values_that_are_no_probabilities_are_refused(series: DicomSeries, tmp_path: Path) -> None:
    volume = Volume(np.full(GEOMETRY.shape, 1.5, np.float32), GEOMETRY, "p.nii.gz")
    with pytest.raises(BadInputError, match="not between 0 and 1"):
        write_probabilities(tmp_path / "p.dcm", {Target.PT: volume}, read_source(series))


def test_without_highdicom_the_error_says_what_to_install(
    lesions: LesionSet, series: DicomSeries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "highdicom", None)
    with pytest.raises(MissingDependencyError, match="Install the package highdicom"):
        write_seg(tmp_path / "seg.dcm", lesions, read_source(series))
    assert not (tmp_path / "seg.dcm").exists()
