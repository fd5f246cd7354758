"""Figures of one case."""

from __future__ import annotations

import numpy as np
import pytest

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.read import read_mask
from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.errors import GeometryError
from HNTargetSegLib.metrics.case import Rules, evaluate_case
from HNTargetSegLib.metrics.distances import mask_distances
from HNTargetSegLib.metrics.sizes import SizeBins
from HNTargetSegLib.metrics.surface import Definition


def test_each_label_is_compared_for_itself(label_map):
    pt, ln = evaluate_case("8", label_map(pt=[(0, 2)], ln=[(5, 2)]), label_map(pt=[(0, 2)], ln=[(9, 2)]))
    assert (pt.case, pt.label, ln.label) == ("8", Target.PT, Target.LN)
    assert (pt.agreement.overlap.dsc, ln.agreement.overlap.dsc) == (1.0, 0.0)
    assert (ln.detection.missed, ln.detection.false_findings) == (1, 1)


def test_volumes_are_in_cc_and_positions_in_lps(label_map):
    _, nodes = evaluate_case("8", label_map(ln=[(2, 2)]), label_map(ln=[(2, 3)]))
    (lesion,), (finding,) = nodes.lesions, nodes.findings
    assert (lesion.agreement.overlap.reference_cc, finding.volume_cc) == (pytest.approx(8), pytest.approx(27))
    assert lesion.centre == pytest.approx((5 + 25, 6 + 25, 7 + 15))
    assert nodes.agreement.overlap.volume_error_cc == pytest.approx(19)


def test_a_lesion_is_compared_with_all_findings_that_touch_it(label_map):
    reference = label_map(ln=[(2, 4)])
    prediction = label_map(ln=[(1, 2), (5, 2), (9, 1)])
    _, nodes = evaluate_case("8", reference, prediction)
    (lesion,) = nodes.lesions
    overlap = lesion.agreement.overlap
    assert (overlap.prediction_cc, overlap.shared_cc) == (pytest.approx(16), pytest.approx(2 + 2))
    assert lesion.iou == pytest.approx(2 / 70)
    assert not lesion.matched
    assert [finding.true for finding in nodes.findings] == [True, True, False]
    apart = mask_distances(reference.array == 2, label_map(ln=[(1, 2), (5, 2)]).array == 2, (10.0,) * 3)
    assert lesion.agreement.hd95_mm == pytest.approx(apart.percentile())
    assert lesion.agreement.msd_mm == pytest.approx(apart.mean())


def test_a_missed_lesion_has_no_distance_and_a_reason(label_map):
    _, nodes = evaluate_case("8", label_map(ln=[(0, 2), (6, 2)]), label_map(ln=[(0, 2)]))
    missed = nodes.lesions[1].agreement
    assert nodes.lesions[1].found is False
    assert (missed.overlap.dsc, missed.surface_dice, missed.msd_mm, missed.hd95_mm) == (0.0, (0.0,) * 3, None, None)
    assert missed.undefined() == {"msd_mm": "the prediction is empty", "hd95_mm": "the prediction is empty"}
    assert missed.added_path_mm == pytest.approx(2 * 4 * 10)


def test_a_false_case_names_the_empty_reference(label_map):
    _, nodes = evaluate_case("8", label_map(), label_map(ln=[(0, 2)]))
    reasons = nodes.agreement.undefined()
    assert set(reasons) == {"msd_mm", "hd95_mm", "added_path_mm", "volume_error_percent"}
    assert set(reasons.values()) == {"the reference is empty"}
    assert nodes.agreement.overlap.dsc == 0.0


def test_of_nothing_only_the_volume_error_is_defined(label_map):
    for figures in evaluate_case("8", label_map(), label_map()):
        values = figures.agreement.values()
        assert values.pop("volume_error_cc") == 0.0
        assert set(values.values()) == {None}
        assert figures.agreement.undefined() == dict.fromkeys(values, "reference and prediction are empty")


def test_more_overlap_can_be_asked_for(label_map):
    maps = label_map(ln=[(2, 2)]), label_map(ln=[(3, 2)])
    assert evaluate_case("8", *maps)[1].detection.found == 1
    # A cube that starts one voxel further on shares a column of two voxels.
    strict = evaluate_case("8", *maps, Rules(minimum_voxels=3))[1]
    assert (strict.detection.found, strict.lesions[0].found, strict.findings[0].true) == (0, False, False)


def test_the_iou_of_a_match_can_be_chosen(label_map):
    maps = label_map(ln=[(2, 3)]), label_map(ln=[(2, 2)])
    matched = [evaluate_case("8", *maps, Rules(match_iou=iou))[1].lesions[0].matched for iou in (0.29, 0.3)]
    assert 0.29 < evaluate_case("8", *maps)[1].lesions[0].iou < 0.3
    assert matched == [True, False]


def test_lesions_and_findings_have_the_bin_of_their_own_volume(label_map):
    rules = Rules(bins=SizeBins((10.0,)))
    _, nodes = evaluate_case("8", label_map(ln=[(2, 2)]), label_map(ln=[(2, 3)]), rules)
    assert (nodes.lesions[0].size_bin, nodes.findings[0].size_bin) == (0, 1)


def test_two_grids_are_refused(label_map):
    with pytest.raises(GeometryError, match=r"\(10, 10, 10\)"):
        evaluate_case("8", label_map(), label_map(spacing=9.0))


@pytest.mark.parametrize("definition", Definition)
def test_a_case_of_real_masks_has_the_distances_of_its_whole_masks(real_data, definition):
    folder = real_data / "hntsmrg2024-masks"
    reference = read_mask(folder / "81_midRT_mask.nii.gz")
    prediction = read_mask(folder / "81_preRT_mask_registered.nii.gz", like=reference)
    for figures in evaluate_case("81", reference, prediction, Rules(definition)):
        masks = (volume.array == figures.label for volume in (reference, prediction))
        whole = mask_distances(*masks, reference.geometry.spacing_kji, definition)
        assert figures.agreement.msd_mm == pytest.approx(whole.mean(), abs=1e-12)
        assert figures.agreement.hd95_mm == pytest.approx(whole.percentile(), abs=1e-12)
        assert figures.agreement.surface_dice == tuple(whole.surface_dice(mm) for mm in (1, 2, 3))


def test_where_a_case_lies_in_its_grid_changes_nothing():
    random = np.random.default_rng(2)
    small = (random.random((5, 6, 7)) < 0.3).astype(np.uint8)
    other = (random.random((5, 6, 7)) < 0.3).astype(np.uint8)
    found = []
    for margin in (0, 4):
        maps = (np.pad(array, margin) for array in (small, other))
        geometry = Geometry(tuple(n + 2 * margin for n in (7, 6, 5)), (0.5, 0.5, 2.0))
        found.append(evaluate_case("8", *(Volume(array, geometry) for array in maps))[0])
    assert found[0].agreement == found[1].agreement
    assert found[0].detection == found[1].detection
