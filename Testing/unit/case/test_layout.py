"""Discovery of patients in folders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from HNTargetSegLib.case.layout import discover
from HNTargetSegLib.case.patient import PatientFiles
from HNTargetSegLib.case.visit_words import visits_named, words
from HNTargetSegLib.errors import BadInputError

MakeSeries = Callable[..., list[Path]]
NAMES = {
    "pre": "preRT/{}_preRT_T2.nii.gz",
    "pre_mask": "preRT/{}_preRT_mask.nii.gz",
    "mid": "midRT/{}_midRT_T2.nii.gz",
    "mid_mask": "midRT/{}_midRT_mask.nii.gz",
    "registered_pre": "midRT/{}_preRT_T2_registered.nii.gz",
    "registered_mask": "midRT/{}_preRT_mask_registered.nii.gz",
}


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"not read by discovery")


def challenge_patient(folder: Path, patient: str) -> dict[str, Path]:
    paths = {role: folder / name.format(patient) for role, name in NAMES.items()}
    touch(*paths.values())
    return paths


def test_the_training_set_of_hntsmrg_is_found_in_natural_order(tmp_path: Path) -> None:
    expected = [PatientFiles(name, **challenge_patient(tmp_path / "train" / name, name)) for name in ("8", "77", "100")]
    touch(tmp_path / "train" / "readme.txt", tmp_path / "train" / "8" / "prediction.nii.gz")
    assert discover(tmp_path) == expected
    assert discover(tmp_path / "train") == expected


def test_one_patient_of_hntsmrg_is_found(tmp_path: Path) -> None:
    paths = challenge_patient(tmp_path / "8", "8")
    assert discover(tmp_path / "8") == [PatientFiles("8", **paths)]


def test_loose_files_with_the_names_of_hntsmrg_are_found(tmp_path: Path) -> None:
    touch(tmp_path / "HN 01_midRT_T2.nrrd", tmp_path / "HN 01_preRT_T2.mha")
    found = discover(tmp_path)
    assert found == [PatientFiles("HN 01", pre=tmp_path / "HN 01_preRT_T2.mha", mid=tmp_path / "HN 01_midRT_T2.nrrd")]


def test_real_masks_without_images_are_an_error_that_lists_them(real_data: Path) -> None:
    with pytest.raises(BadInputError, match=r"neither a pre-RT nor a mid-RT image \(found: .*_preRT_mask_registered"):
        discover(real_data / "hntsmrg2024-masks")


def test_two_files_for_one_role_are_named(tmp_path: Path) -> None:
    challenge_patient(tmp_path / "a" / "8", "8")
    challenge_patient(tmp_path / "b" / "8", "8")
    with pytest.raises(BadInputError, match=r"Two files claim to be the .* of patient 8: .*a/8/.* and .*b/8/"):
        discover(tmp_path)
    touch(tmp_path / "c" / "T2_pre.nii.gz", tmp_path / "c" / "T2_pre.nrrd")
    with pytest.raises(BadInputError, match=r"claim to be the pre of patient c: .*T2_pre\.nii\.gz and .*T2_pre\.nrrd"):
        discover(tmp_path / "c")


@pytest.mark.parametrize(
    ("names", "roles"),
    [
        (("pre.nii.gz", "mid.nii.gz"), ("pre", "mid")),
        (("T2 preRT.nrrd", "T2 mid-RT.nrrd"), ("pre", "mid")),
        (("Scan_MidTreatment.mha",), ("mid",)),
        (("baseline.nii", "mid_T2.nii", "baseline_seg.nii"), ("pre", "mid", "pre_mask")),
        (("mid.nii.gz", "preMask_registered.nii.gz"), ("mid", "registered_mask")),
    ],
)
def test_loose_files_are_told_by_the_words_of_their_names(
    tmp_path: Path, names: tuple[str, ...], roles: tuple[str, ...]
) -> None:
    folder = tmp_path / "Müller A"
    touch(*(folder / name for name in names))
    expected = {role: folder / name for role, name in zip(roles, names, strict=True)}
    assert discover(folder) == [PatientFiles("Müller A", **expected)]


def test_a_folder_of_loose_files_for_each_patient(tmp_path: Path) -> None:
    for name in ("a", "b"):
        touch(tmp_path / name / "pre.nii.gz", tmp_path / name / "mid.nii.gz")
    assert [patient.name for patient in discover(tmp_path)] == ["a", "b"]


@pytest.mark.parametrize("name", ["T2.nii.gz", "pre_to_mid.nii.gz", "premium.nii.gz", "midline.nii.gz"])
def test_a_file_that_does_not_say_its_visit_is_named(tmp_path: Path, name: str) -> None:
    touch(tmp_path / "pre.nii.gz", tmp_path / name)
    with pytest.raises(BadInputError, match=rf"{name} does not say whether .*files in the folder: .*pre\.nii\.gz"):
        discover(tmp_path)


def test_two_dicom_folders_are_told_by_name_before_date(tmp_path: Path, make_series: MakeSeries) -> None:
    make_series(tmp_path / "T2 preRT" / "series", StudyDate="20240301")
    make_series(tmp_path / "T2 midRT", StudyDate="20240201")
    expected = PatientFiles("P7", pre=tmp_path / "T2 preRT" / "series", mid=tmp_path / "T2 midRT")
    assert discover(tmp_path) == [expected]


def test_two_dicom_folders_without_names_are_told_by_date(tmp_path: Path, make_series: MakeSeries) -> None:
    make_series(tmp_path / "A", StudyDate="20240301")
    make_series(tmp_path / "B", StudyDate="20240201")
    make_series(tmp_path / "C", count=1, Modality="RTDOSE")
    assert discover(tmp_path) == [PatientFiles("P7", pre=tmp_path / "B", mid=tmp_path / "A")]


def test_dicom_folders_that_neither_name_nor_date_tells_are_listed(tmp_path: Path, make_series: MakeSeries) -> None:
    make_series(tmp_path / "A")
    with pytest.raises(BadInputError, match=r"Neither names nor dates tell .*: A \(patient P7, 20240102"):
        discover(tmp_path)
    make_series(tmp_path / "B")
    with pytest.raises(
        BadInputError, match=r"Neither names nor dates tell .*A \(patient P7, 20240102.*; B \(patient P7"
    ):
        discover(tmp_path)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"SeriesTime": "100000"}, {"SeriesTime": "110000"}),
        ({"SeriesDate": "20240102"}, {"SeriesDate": "20240109"}),
        ({"StudyDate": "", "SeriesDate": "20240102"}, {"StudyDate": "", "SeriesDate": "20240109"}),
        ({"StudyDate": "20240101"}, {"StudyDate": "", "SeriesDate": "20240109"}),
    ],
    ids=["times", "series dates", "no study dates", "one study date"],
)
def test_two_dicom_series_without_two_study_dates_are_not_taken_for_two_visits(
    tmp_path: Path, make_series: MakeSeries, first: dict[str, str], second: dict[str, str]
) -> None:
    make_series(tmp_path / "A", **first)
    make_series(tmp_path / "B", **second)
    with pytest.raises(BadInputError, match="Neither names nor dates tell"):
        discover(tmp_path)


def test_two_dicom_folders_of_different_patients_are_an_error(tmp_path: Path, make_series: MakeSeries) -> None:
    make_series(tmp_path / "pre", PatientID="one")
    make_series(tmp_path / "mid", PatientID="two")
    with pytest.raises(BadInputError, match=r"different patients: mid \(patient two.*pre \(patient one"):
        discover(tmp_path)


def test_a_folder_of_two_dicom_series_for_each_patient(tmp_path: Path, make_series: MakeSeries) -> None:
    for patient in ("P1", "P2"):
        make_series(tmp_path / patient / "first", PatientID=patient, StudyDate="20240101")
        make_series(tmp_path / patient / "second", PatientID=patient, StudyDate="20240202")
    found = discover(tmp_path)
    assert [(patient.name, patient.mid) for patient in found] == [
        ("P1", tmp_path / "P1" / "second"),
        ("P2", tmp_path / "P2" / "second"),
    ]


def test_an_empty_folder_and_no_folder_are_errors(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="holds no patient"):
        discover(tmp_path)
    with pytest.raises(BadInputError, match="no such folder"):
        discover(tmp_path / "nowhere")


def test_words_are_split_at_case_digits_and_signs() -> None:
    assert words("HN01_preRT-T2 mask") == {"hn", "prert", "pre", "rt", "t", "mask"}
    assert visits_named("P01 Mid_RT") == {"mid"}
    assert visits_named("premolar") == set()
