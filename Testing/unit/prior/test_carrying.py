"""Images, label maps and lesions on the grid of another visit."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.lesions.find import find_lesions
from HNTargetSegLib.lesions.lesion import Fate
from HNTargetSegLib.lesions.match import match_lesions
from HNTargetSegLib.lesions.registered import carry_lesions, carry_mask
from HNTargetSegLib.prior.carrying import carry_image, carry_labels, displacement_field, jacobian_determinant
from HNTargetSegLib.prior.grids import resampled

GRID = Geometry((12, 10, 8), (1.0, 1.0, 2.0))
IDENTITY = sitk.Transform(3, sitk.sitkIdentity)


def shift(*mm):
    return sitk.TranslationTransform(3, [float(value) for value in mm])


def labels(*boxes, dtype=np.uint8):
    array = np.zeros(GRID.shape, dtype)
    for value, (k, j, i) in boxes:
        array[slice(*k), slice(*j), slice(*i)] = value
    return Volume(array, GRID, "labels")


def test_a_shift_by_whole_voxels_moves_a_mask_without_changing_it():
    mask = labels((1, ((2, 5), (3, 6), (4, 8))), (2, ((5, 7), (1, 3), (1, 4))))
    moved = carry_labels(mask, GRID, shift(2, 0, 2))
    assert moved.array.dtype == np.uint8
    assert np.array_equal(moved.array[:-1, :, :-2], mask.array[1:, :, 2:])
    assert not moved.array[-1].any()


@pytest.mark.parametrize("nearest", [False, True])
def test_touching_labels_stay_apart_under_half_a_voxel_of_shift(nearest):
    mask = labels((1, ((2, 5), (3, 6), (2, 5))), (2, ((2, 5), (3, 6), (5, 8))))
    moved = carry_labels(mask, GRID, shift(0.4, 0, 0), nearest=nearest)
    assert set(np.unique(moved.array)) == {0, 1, 2}
    assert np.array_equal(moved.array > 0, mask.array > 0)


def test_a_label_too_thin_to_fill_half_a_voxel_is_not_lost():
    mask = labels((2, ((4, 5), (4, 5), (4, 5))))
    coarse = Geometry((4, 4, 4), (3.0, 3.0, 4.0), (0.6, 0.6, 0.9))
    assert (carry_labels(mask, coarse, IDENTITY).array == 2).sum() <= 1
    assert (carry_labels(mask, GRID, shift(0.4, 0.4, 0.8)).array == 2).sum() == 1


def test_an_image_is_interpolated_linearly_and_zero_outside():
    ramp = Volume(np.broadcast_to(np.arange(12, dtype=np.float32), GRID.shape).copy() + 10, GRID, "ramp")
    moved = carry_image(ramp, GRID, shift(0.5, 0, 0))
    assert np.allclose(moved.array[..., :-1], ramp.array[..., :-1] + 0.5)
    assert not moved.array[..., -1].any()


def test_the_jacobian_of_a_scaling_is_its_change_of_volume_on_a_turned_grid():
    turned = Geometry((10, 10, 10), (2.0, 2.0, 2.0), direction=(0.0, -1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0))
    scaling = sitk.AffineTransform(3)
    scaling.SetMatrix((1.2, 0, 0, 0, 0.5, 0, 0, 0, 1.0))
    assert np.allclose(jacobian_determinant(turned, scaling), 0.6)


def test_a_mirror_is_folded_everywhere():
    mirror = sitk.AffineTransform(3)
    mirror.SetMatrix((-1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0))
    assert (jacobian_determinant(GRID, mirror) <= 0).all()


def test_the_displacement_field_holds_lps_millimetres():
    assert np.allclose(displacement_field(GRID, shift(1, -2, 3)), (1, -2, 3))


def test_lesions_keep_ids_names_and_native_volumes_on_the_other_grid():
    native = find_lesions(labels((1, ((1, 4), (2, 6), (2, 6))), (2, ((5, 7), (6, 9), (6, 9)))))
    grow = sitk.AffineTransform(3)
    grow.SetMatrix((0.8, 0, 0, 0, 0.8, 0, 0, 0, 0.8))
    carried = carry_lesions(native, lambda volume: carry_labels(volume, GRID, grow))
    assert [(lesion.id, lesion.name) for lesion in carried.lesions] == [(1, "GTVp"), (2, "GTVn1")]
    assert carried.native_cc == {lesion.id: lesion.volume_cc for lesion in native}
    assert carried.lesions[1].volume_cc > native[1].volume_cc
    assert carried.lost == ()


def test_matching_on_carried_lesions_compares_with_native_volumes():
    mask = labels((1, ((1, 4), (2, 6), (2, 6))), (2, ((5, 7), (6, 9), (6, 9))))
    carried = carry_mask(mask, lambda volume: carry_labels(volume, GRID, shift(1, 0, 0)))
    mid = find_lesions(labels((1, ((1, 4), (2, 6), (1, 5)))))
    matched = match_lesions(mid, carried.lesions, native_cc=carried.native_cc)
    assert [(lesion.name, lesion.fate) for lesion in matched] == [("GTVp", Fate.KEPT), ("GTVn1", Fate.VANISHED)]
    assert matched[1].prior_cc == pytest.approx(carried.native_cc[1])


def test_a_lesion_outside_the_other_field_of_view_is_named_as_lost():
    mask = labels((1, ((1, 4), (2, 6), (4, 7))), (2, ((5, 7), (6, 9), (0, 2))))
    carried = carry_mask(mask, lambda volume: carry_labels(volume, GRID, shift(4, 0, 0)))
    assert carried.lost == ("GTVn1",)
    assert list(carried.native_cc) == [1]


def test_looking_only_round_a_label_gives_the_same_as_looking_everywhere(patient, registration):
    grid, lesions = patient.mid.image.geometry, patient.pre.lesions
    # Cut into slabs that touch each other.
    slabs = 1 + np.arange(len(lesions.array))[:, None, None] // 2
    source = lesions.with_array(np.where(lesions.array > 0, slabs, 0).astype(np.uint16))
    carried = carry_labels(source, grid, registration.transform).array
    fullest: np.ndarray = np.full(grid.shape, np.float32(0.5))
    plain = np.zeros_like(carried)
    for label in np.unique(source.array)[1:]:
        mask = source.with_array((source.array == label).astype(np.float32)).to_sitk()
        filled = resampled(mask, grid, registration.transform)
        wins = filled >= fullest
        plain[wins], fullest[wins] = label, filled[wins]
    closest = resampled(source.to_sitk(), grid, registration.transform, nearest=True)
    for label in set(np.unique(source.array)) - set(np.unique(plain)):
        plain[closest == label] = label
    assert len(np.unique(plain)) > 4
    assert np.array_equal(carried, plain)
