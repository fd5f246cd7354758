"""The files of a written patient."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from HNTargetSegLib.case.layout import discover
from HNTargetSegLib.case.read import read_volume
from HNTargetSegLib.phantom import PhantomPatient, registered_pre, write_patient


def test_a_written_patient_lies_as_in_the_challenge(small_patient: PhantomPatient, tmp_path: Path) -> None:
    home = write_patient(small_patient, tmp_path)
    assert home == tmp_path / "7"
    assert {str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()} == {
        "preRT/7_preRT_T2.nii.gz",
        "preRT/7_preRT_mask.nii.gz",
        "midRT/7_midRT_T2.nii.gz",
        "midRT/7_midRT_mask.nii.gz",
        "midRT/7_preRT_T2_registered.nii.gz",
        "midRT/7_preRT_mask_registered.nii.gz",
        "7_truth.json",
    }
    assert len(discover(tmp_path)) == 1


def test_images_and_masks_come_back_as_they_were(small_patient: PhantomPatient, tmp_path: Path) -> None:
    home = write_patient(small_patient, tmp_path)
    for name, volume in {
        "preRT/7_preRT_T2": small_patient.pre.image,
        "preRT/7_preRT_mask": small_patient.pre.mask,
        "midRT/7_midRT_T2": small_patient.mid.image,
        "midRT/7_midRT_mask": small_patient.mid.mask,
    }.items():
        read = read_volume(home / f"{name}.nii.gz")
        assert read.array.dtype == volume.array.dtype
        assert np.array_equal(read.array, volume.array)
        assert read.geometry.matches(volume.geometry)


def test_the_truth_says_that_the_patient_is_synthetic_and_how_to_make_it_again(
    small_patient: PhantomPatient, tmp_path: Path
) -> None:
    truth = json.loads((write_patient(small_patient, tmp_path) / "7_truth.json").read_text())
    assert truth["synthetic"] is True
    assert (truth["seed"], truth["index"], truth["style"]) == (5, 6, "a")
    assert len(truth["lesions"]) == len(small_patient.truth)
    assert len(truth["landmarks"]) == len(small_patient.landmarks_pre)


def test_the_registered_files_are_on_the_mid_grid_and_line_up(cohort: list[PhantomPatient]) -> None:
    for patient in cohort[:3]:
        t2, mask = registered_pre(patient)
        t2.require_same_grid(patient.mid.image)
        assert set(np.unique(mask.array)) <= {0, 1, 2}
        air = patient.mid.image.array < np.quantile(patient.mid.image.array, 0.3)
        warped, unwarped = (np.median(image[air]) for image in (t2.array, patient.pre.image.array))
        assert warped <= unwarped * 1.05
        lesions = {lesion.id for lesion in patient.truth if lesion.pre_cc and lesion.mid_cc > 1}
        for number in lesions:
            assert (mask.array[patient.mid.lesions.array == number] > 0).mean() > 0.5
