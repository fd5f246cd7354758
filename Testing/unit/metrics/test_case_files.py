"""Which file is which case."""

from __future__ import annotations

from pathlib import Path

import pytest

from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.metrics.case_files import Naming, find_images, find_masks, pair_cases


def folder_with(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    folder.mkdir(exist_ok=True)
    return folder


def test_the_id_ends_at_the_first_underscore_and_folders_hold_a_segmentation(tmp_path):
    names = ("8.nii.gz", "77_midRT_mask.nii.gz", "81_x.mha", "HN_2/segmentation.nii.gz", "HN_2/lesions.nii.gz")
    folder = folder_with(tmp_path, *names, "notes.txt", ".8_hidden.nii.gz", "empty/other.nii.gz")
    found = find_masks(folder)
    assert {case: path.relative_to(folder).as_posix() for case, path in found.items()} == {
        "8": "8.nii.gz",
        "77": "77_midRT_mask.nii.gz",
        "81": "81_x.mha",
        "HN_2": "HN_2/segmentation.nii.gz",
    }


def test_cases_come_in_the_order_of_their_numbers(tmp_path):
    assert list(find_masks(folder_with(tmp_path, "10.nii.gz", "9.nii.gz", "a2.nii.gz", "a10.nii.gz"))) == [
        *("9", "10", "a2", "a10"),
    ]


@pytest.mark.parametrize("second", ["8_other.nii.gz", "8.nrrd", "8/segmentation.nii.gz"])
def test_two_files_for_one_id_are_named(tmp_path, second):
    folder = folder_with(tmp_path, "8_midRT.nii.gz", second)
    with pytest.raises(BadInputError, match="Two files are case 8") as error:
        find_masks(folder)
    assert "8_midRT.nii.gz" in str(error.value)
    assert second in str(error.value)


def test_whole_names_may_be_ids(tmp_path):
    folder = folder_with(tmp_path, "HN_1.nii.gz", "HN_2.nii.gz")
    assert list(find_masks(folder, Naming(whole_names=True))) == ["HN_1", "HN_2"]


def test_a_visit_is_found_in_the_folders_of_cases(tmp_path):
    folder = folder_with(
        tmp_path, "8/midRT/8_midRT_mask.nii.gz", "8/midRT/8_midRT_T2.nii.gz", "9/midRT/segmentation.nii.gz"
    )
    naming = Naming(visit="mid")
    assert [path.name for path in find_masks(folder, naming).values()] == [
        "8_midRT_mask.nii.gz",
        "segmentation.nii.gz",
    ]
    assert [path.name for path in find_images(folder, naming).values()] == ["8_midRT_T2.nii.gz"]
    with pytest.raises(BadInputError, match="holds no case"):
        find_masks(folder)


@pytest.mark.parametrize(("name", "what"), [("nowhere", "no such folder"), ("empty", "holds no case")])
def test_a_folder_that_is_missing_or_empty_is_named(tmp_path, name, what):
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInputError, match=what) as error:
        find_masks(tmp_path / name)
    assert error.value.path == str(tmp_path / name)


def test_cases_that_are_not_in_all_folders_are_named(tmp_path):
    reference = folder_with(tmp_path / "truth", "8.nii.gz", "77.nii.gz")
    prediction = folder_with(tmp_path / "found", "8.nii.gz", "90.nii.gz")
    with pytest.raises(BadInputError) as error:
        pair_cases(reference, {"model": prediction})
    assert f"1 case (77) without a prediction in {prediction}" in str(error.value)
    assert f"1 case (90) of {prediction} without a reference" in str(error.value)
    assert "--only-common" in error.value.remedy


def test_common_cases_are_enough_on_request(tmp_path):
    reference = folder_with(tmp_path / "truth", "8.nii.gz", "77.nii.gz")
    found = {name: folder_with(tmp_path / name, *files) for name, files in MODELS.items()}
    pairing = pair_cases(reference, found, only_common=True)
    assert [case.case for case in pairing.cases] == ["8"]
    assert pairing.cases[0].predictions == {name: tmp_path / name / "8.nii.gz" for name in MODELS}
    assert len(pairing.left_out) == 2


MODELS = {"a": ("8.nii.gz",), "b": ("8.nii.gz", "77.nii.gz", "90.nii.gz")}


def test_folders_without_a_common_case_are_refused_even_then(tmp_path):
    reference, found = folder_with(tmp_path / "truth", "8.nii.gz"), folder_with(tmp_path / "found", "9.nii.gz")
    with pytest.raises(BadInputError, match=r"\(8\).*\(9\)"):
        pair_cases(reference, {"model": found}, only_common=True)
