"""Splits of patients."""

import json

import pytest

from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.training.cases import TrainingCase
from HNTargetSegLib.training.folds import check_folds, cross_validation, one_split, read_folds


def cases(patients, visits=("pre", "mid")):
    return [
        TrainingCase(f"{p}_{visit}", str(p), "T2.nii.gz", "mask.nii.gz") for p in range(patients) for visit in visits
    ]


def held_out(folds):
    return [{name.split("_")[0] for name in fold["val"]} for fold in folds]


def test_each_patient_is_held_out_once_with_all_visits():
    members = cases(11)
    folds = cross_validation(members, 5)
    check_folds(folds, members)
    assert sorted(name for fold in folds for name in fold["val"]) == sorted(case.identifier for case in members)
    assert sorted(map(len, held_out(folds))) == [2, 2, 2, 2, 3]


def test_folds_do_not_depend_on_the_order_of_the_patients():
    assert held_out(cross_validation(cases(20), 5)) == held_out(cross_validation(cases(20)[::-1], 5))


def test_a_single_split_holds_out_as_many_as_are_asked_for():
    (fold,) = one_split(cases(60), 20)
    assert len(held_out([fold])[0]) == 20
    assert len(fold["train"]) == 80
    assert len(held_out(one_split(cases(9)))[0]) == 3


@pytest.mark.parametrize(("patients", "folds"), [(4, 5), (4, 0), (4, 1)])
def test_folds_that_cannot_be_made_are_refused(patients, folds):
    with pytest.raises(BadInputError, match=f"{patients} patients cannot be divided into {folds} folds"):
        cross_validation(cases(patients), folds)


@pytest.mark.parametrize("number", [0, 4])
def test_a_split_without_a_patient_on_one_side_is_refused(number):
    with pytest.raises(BadInputError, match=f"{number} of 4 patients cannot be held out"):
        one_split(cases(4), number)


@pytest.mark.parametrize(
    ("folds", "message"),
    [
        ([{"train": ["0_pre", "1_pre"], "val": ["1_mid"]}], "Fold 0 has patient 1 on both sides"),
        ([{"train": ["0_pre"], "val": ["1_pre"]}, {"train": ["0_pre"], "val": ["1_mid"]}], "both hold patient 1 out"),
        ([{"train": ["0_pre"], "val": ["7_pre"]}], "cases that are not there: 7_pre"),
        ([{"train": [], "val": ["1_pre"]}], "Fold 0 has no case on one side"),
        ([], "no fold"),
    ],
)
def test_folds_that_share_a_patient_or_a_case_that_is_not_there_are_refused(tmp_path, folds, message):
    path = tmp_path / "splits.json"
    path.write_text(json.dumps(folds))
    with pytest.raises(BadInputError, match=message):
        read_folds(path, cases(2))


@pytest.mark.parametrize("text", ["{", '{"train": []}', '[{"train": ["0_pre"]}]'])
def test_a_file_that_holds_no_folds_is_named(tmp_path, text):
    path = tmp_path / "splits.json"
    path.write_text(text)
    with pytest.raises(BadInputError, match=r"splits\.json: The folds cannot be read"):
        read_folds(path, cases(2))
