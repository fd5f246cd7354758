"""What a generated patient holds."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy.ndimage import label as components

from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.phantom import PhantomOptions, PhantomPatient, PhantomVisit, generate_patient

COARSE = PhantomOptions(size=(40, 50, 22), spacing=(5.0, 5.0, 8.0))


def test_a_seed_and_an_index_give_the_same_patient_again() -> None:
    first, again = generate_patient(9, 4, COARSE), generate_patient(9, 4, COARSE)
    for name in ("image", "mask", "lesions", "distractors"):
        for visit in ("pre", "mid"):
            a, b = (getattr(getattr(patient, visit), name) for patient in (first, again))
            assert np.array_equal(a.array, b.array)
            assert a.geometry == b.geometry
    assert first.truth == again.truth


@pytest.mark.parametrize("other", [(9, 5, "a"), (10, 4, "a"), (9, 4, "b")])
def test_another_seed_index_or_style_gives_another_patient(other: tuple[int, int, str]) -> None:
    seed, index, style = other
    first = generate_patient(9, 4, COARSE)
    second = generate_patient(seed, index, PhantomOptions(style, COARSE.size, COARSE.spacing))
    assert not np.array_equal(first.pre.image.array, second.pre.image.array)
    assert not np.allclose(first.landmarks_pre, second.landmarks_pre)


def test_a_default_pair_takes_under_five_seconds_of_one_core() -> None:
    began = time.process_time()
    patient = generate_patient(1, 2)
    assert time.process_time() - began < 5.0
    assert patient.pre.image.geometry.size == (128, 160, 56)
    assert patient.pre.image.spacing == (1.6, 1.6, 3.0)


def test_all_volumes_of_a_visit_have_their_types_and_one_grid(small_patient: PhantomPatient) -> None:
    for visit in (small_patient.pre, small_patient.mid):
        types = [v.array.dtype for v in (visit.image, visit.mask, visit.lesions, visit.distractors)]
        assert types == [np.float32, np.uint8, np.uint16, np.uint8]
        for volume in (visit.mask, visit.lesions, visit.distractors):
            visit.image.require_same_grid(volume)


def test_the_grids_are_a_little_oblique_and_differ_between_the_visits(cohort: list[PhantomPatient]) -> None:
    for patient in cohort:
        angles = [
            np.degrees(np.arccos(np.clip((np.trace(v.image.geometry.axes) - 1) / 2, -1, 1)))
            for v in (patient.pre, patient.mid)
        ]
        assert all(0.05 < angle < 12 for angle in angles)
        assert not patient.pre.image.geometry.matches(patient.mid.image.geometry)


def test_intensities_are_in_the_range_of_the_challenge(cohort: list[PhantomPatient]) -> None:
    medians = []
    for visit in (v for patient in cohort for v in (patient.pre, patient.mid)):
        image = visit.image.array
        assert image.min() >= 0
        assert 500 < image.max() <= 9900
        medians.append(np.median(image[image > 0.3 * image.mean()]))
    assert np.median(medians) == pytest.approx(307, rel=0.35)


def test_the_mask_is_the_lesion_map_with_labels(cohort: list[PhantomPatient]) -> None:
    for patient in cohort:
        labels = {lesion.id: lesion.label for lesion in patient.truth}
        for visit in (patient.pre, patient.mid):
            derived = np.zeros_like(visit.mask.array)
            for number, label in labels.items():
                derived[visit.lesions.array == number] = label
            assert np.array_equal(derived, visit.mask.array)
            assert not np.any((visit.mask.array > 0) & (visit.distractors.array > 0))


def test_each_lesion_is_one_connected_piece(cohort: list[PhantomPatient]) -> None:
    for visit in (v for patient in cohort for v in (patient.pre, patient.mid)):
        for number in np.unique(visit.lesions.array)[1:]:
            assert components(visit.lesions.array == number, np.ones((3, 3, 3)))[1] == 1


def test_the_truth_states_the_volumes_in_the_masks_and_the_fate(cohort: list[PhantomPatient]) -> None:
    for patient in cohort:
        for lesion in patient.truth:
            for visit, stated in ((patient.pre, lesion.pre_cc), (patient.mid, lesion.mid_cc)):
                counted = (visit.lesions.array == lesion.id).sum() * visit.mask.geometry.voxel_cc
                assert counted == pytest.approx(stated)
            assert (lesion.fate == "vanished") == (lesion.mid_cc == 0)
            assert (lesion.fate == "new") == (lesion.pre_cc == 0)
            if lesion.fate == "shrunk":
                assert lesion.mid_cc < 0.81 * lesion.pre_cc


def test_landmark_pairs_are_joined_by_the_true_deformation(cohort: list[PhantomPatient]) -> None:
    for patient in cohort:
        assert np.abs(patient.to_pre(patient.landmarks_mid) - patient.landmarks_pre).max() < 1e-3
        assert np.linalg.norm(patient.landmarks_pre - patient.landmarks_mid, axis=1).mean() >= 6.0
        assert len(patient.landmark_names) == len(patient.landmarks_pre) >= 20


def around(visit: PhantomVisit, lps: np.ndarray) -> np.ndarray:
    k, j, i = np.round(visit.image.geometry.to_kji(lps)).astype(int)
    return visit.image.array[k - 1 : k + 2, j - 1 : j + 2, i - 1 : i + 2]


def test_tissues_lie_where_the_landmarks_say(cohort: list[PhantomPatient]) -> None:
    """A gland outshines the muscle beside it at both visits; a position off by the deformation would miss it."""
    brighter = []
    for patient in cohort:
        for visit, points in ((patient.pre, patient.landmarks_pre), (patient.mid, patient.landmarks_mid)):
            at = dict(zip(patient.landmark_names, points, strict=True))
            gland = np.median(around(visit, at["left submandibular gland"]))
            muscle = np.median(around(visit, at["left sternocleidomastoid"]))
            brighter.append(gland > muscle)
    assert np.mean(brighter) > 0.8


def test_some_patients_are_imaged_with_fat_saturation_and_some_without() -> None:
    nape = []
    for index in range(12):
        patient = generate_patient(3, index, COARSE)
        image = patient.pre.image.array
        body = image > 0.3 * image.mean()
        nape.append(np.quantile(image[body], 0.9) / np.median(image[body]))
    assert max(nape) / min(nape) > 1.5


def test_a_finer_grid_shows_the_same_lesions() -> None:
    coarse = generate_patient(7, 1, PhantomOptions(size=(64, 80, 28), spacing=(3.2, 3.2, 6.0)))
    fine = generate_patient(7, 1, PhantomOptions(size=(128, 160, 56), spacing=(1.6, 1.6, 3.0)))
    assert [lesion.site for lesion in coarse.truth] == [lesion.site for lesion in fine.truth]
    for a, b in zip(coarse.truth, fine.truth, strict=True):
        assert a.pre_cc == pytest.approx(b.pre_cc, abs=0.2 + 0.15 * b.pre_cc)


@pytest.mark.parametrize(
    "wrong", [{"style": "c"}, {"size": (0, 10, 10)}, {"spacing": (1.0, 1.0, 0.0)}, {"size": (10, 10)}]
)
def test_impossible_options_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(BadInputError):
        PhantomOptions(**wrong)  # type: ignore[arg-type]


def test_a_grid_of_a_few_voxels_is_possible() -> None:
    patient = generate_patient(0, 0, PhantomOptions(size=(3, 2, 1), spacing=(30.0, 30.0, 30.0)))
    assert patient.mid.image.array.shape == (1, 2, 3)
