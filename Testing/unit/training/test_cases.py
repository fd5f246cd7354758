"""Training cases and their split."""

import numpy as np
import pytest

from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.case.write import write_volume
from HNTargetSegLib.errors import BadInputError, GeometryError
from HNTargetSegLib.training.cases import (
    TrainingCase,
    check_case,
    find_cases,
    require_distinct_patients,
    split_by_patient,
)


def make_patient(root, name, *, mid_mask=True):
    for visit in ("pre", "mid"):
        folder = root / name / f"{visit}RT"
        folder.mkdir(parents=True)
        (folder / f"{name}_{visit}RT_T2.nii.gz").touch()
        if visit == "pre" or mid_mask:
            (folder / f"{name}_{visit}RT_mask.nii.gz").touch()


def test_both_visits_of_each_patient_become_cases(tmp_path):
    for name in ("1", "2"):
        make_patient(tmp_path, name)
    assert sorted(case.identifier for case in find_cases(tmp_path)) == ["1_mid", "1_pre", "2_mid", "2_pre"]
    assert [case.identifier for case in find_cases(tmp_path, "mid")] == ["1_mid", "2_mid"]


def test_a_patient_without_a_mid_rt_mask_is_named(tmp_path):
    make_patient(tmp_path, "1")
    make_patient(tmp_path, "2", mid_mask=False)
    with pytest.raises(BadInputError, match=r"Patient 2 has no mid-RT mask.*--visit pre"):
        find_cases(tmp_path)
    assert len(find_cases(tmp_path, "pre")) == 2


def test_one_patient_is_too_few(tmp_path):
    make_patient(tmp_path, "1")
    with pytest.raises(BadInputError, match="Fewer than two patients"):
        find_cases(tmp_path)


def cases(number):
    return [
        TrainingCase(f"{patient}_{visit}", str(patient), f"{patient}.nii.gz", f"{patient}_mask.nii.gz")
        for patient in range(number)
        for visit in ("pre", "mid")
    ]


@pytest.mark.parametrize("number", [2, 5, 40])
def test_no_patient_is_on_both_sides_of_the_split(number):
    split = split_by_patient(cases(number))
    sides = [{identifier.split("_")[0] for identifier in split[side]} for side in ("train", "val")]
    assert sides[0]
    assert sides[1]
    assert not sides[0] & sides[1]
    assert len(split["train"]) + len(split["val"]) == 2 * number


def test_the_split_does_not_depend_on_the_order_of_the_patients():
    forwards, backwards = split_by_patient(cases(20)), split_by_patient(cases(20)[::-1])
    assert set(forwards["val"]) == set(backwards["val"])


def test_a_case_is_read_before_it_is_trained_on(tmp_path):
    image = Volume(np.arange(512, dtype=np.float32).reshape(8, 8, 8), Geometry((8, 8, 8)))
    case = TrainingCase("1_mid", "1", tmp_path / "T2.nii.gz", tmp_path / "mask.nii.gz")
    write_volume(image, case.image)
    write_volume(image.with_array((image.array > 500).astype(np.uint8) * 2), case.mask)
    check_case(case)
    write_volume(image.with_array((image.array > 500).astype(np.uint8) * 3), case.mask)
    with pytest.raises(BadInputError, match=r"mask\.nii\.gz: The mask holds the value 3"):
        check_case(case)
    write_volume(Volume(np.zeros((4, 8, 8), np.uint8), Geometry((8, 8, 4), (1.0, 1.0, 2.0))), case.mask)
    with pytest.raises(GeometryError, match=r"mask\.nii\.gz: The grid differs"):
        check_case(case)


def test_an_image_whose_axes_are_not_those_of_an_axial_series_is_refused(tmp_path):
    """nnU-Net would train on it as it is stored, and every image is turned at prediction."""
    geometry = Geometry((8, 8, 4), direction=(-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0))
    image = Volume(np.arange(256, dtype=np.float32).reshape(4, 8, 8), geometry)
    case = TrainingCase("1_mid", "1", tmp_path / "T2.nii.gz", tmp_path / "mask.nii.gz")
    write_volume(image, case.image)
    write_volume(image.with_array(np.zeros((4, 8, 8), np.uint8)), case.mask)
    with pytest.raises(BadInputError, match=r"T2\.nii\.gz: The image's axes do not run left, posterior, superior"):
        check_case(case)


def test_two_files_for_one_image_of_a_patient_are_named(tmp_path):
    make_patient(tmp_path / "one", "1")
    make_patient(tmp_path / "two", "1")
    with pytest.raises(BadInputError, match=r"Two files claim to be the mid of patient 1"):
        find_cases(tmp_path)


def test_a_patient_under_two_names_is_refused(tmp_path):
    images = [tmp_path / f"{number}.nii.gz" for number in range(3)]
    for image, content in zip(images, (b"same", b"else", b"same"), strict=True):
        image.write_bytes(content)
    members = [TrainingCase(f"{image.name}_mid", image.name[0], image, image) for image in images]
    require_distinct_patients(members[:2])
    with pytest.raises(BadInputError, match=r"2\.nii\.gz: Patients 0 and 2 have the same image"):
        require_distinct_patients(members)
