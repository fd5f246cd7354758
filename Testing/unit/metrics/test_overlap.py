"""Overlap."""

import numpy as np
import pytest

from HNTargetSegLib.case.read import read_mask
from HNTargetSegLib.errors import GeometryError
from HNTargetSegLib.metrics.overlap import Overlap, dsc_agg, overlap


def test_dsc_of_half_shared_masks():
    reference = np.zeros((2, 2, 2), bool)
    reference[0] = True
    prediction = np.zeros_like(reference)
    prediction[:, 0] = True
    assert overlap(reference, prediction, 0.5).dsc == 0.5


def test_two_empty_masks_have_no_dsc():
    empty = np.zeros((2, 2, 2), bool)
    assert overlap(empty, empty, 1.0).dsc is None


def test_an_empty_reference_only_adds_its_prediction_to_dsc_agg():
    full, empty = np.ones((2, 2, 2), bool), np.zeros((2, 2, 2), bool)
    assert dsc_agg([overlap(full, full, 1.0), overlap(empty, full, 1.0)]) == pytest.approx(16 / 24)


def test_different_shapes_are_refused():
    with pytest.raises(GeometryError, match=r"\(2, 2, 2\) and \(1, 2, 2\)"):
        overlap(np.ones((2, 2, 2)), np.ones((1, 2, 2)), 1.0)


def test_dsc_agg_of_the_real_registered_masks_is_the_challenges(real_data):
    """The figures were computed once with the challenge's own evaluation notebook."""
    expected = {1: 0.24157370335062064, 2: 0.7088479948816196}
    overlaps = {1: [], 2: []}
    for path in sorted((real_data / "hntsmrg2024-masks").glob("*_midRT_mask.nii.gz")):
        reference = read_mask(path)
        prior = read_mask(path.with_name(path.name.replace("midRT_mask", "preRT_mask_registered")))
        for label, found in overlaps.items():
            found.append(overlap(reference.array == label, prior.array == label, reference.geometry.voxel_cc))
    for label, value in expected.items():
        assert dsc_agg(overlaps[label]) == pytest.approx(value, abs=1e-12)


def test_the_volume_error_is_signed_and_in_percent_of_the_reference():
    found = Overlap(4.0, 3.0, 2.0)
    assert (found.volume_error_cc, found.volume_error_percent) == (-1.0, -25.0)
    assert Overlap(0.0, 3.0, 0.0).volume_error_percent is None
