"""Lesion-wise figures: ours against panoptica and MONAI."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from Testing.peers.installed import peer

from HNTargetSegLib.case.read import read_mask
from HNTargetSegLib.metrics.detection import intersection_over_union, match_by_iou
from HNTargetSegLib.metrics.overlap import overlap
from HNTargetSegLib.metrics.pieces import find_pieces, shared_voxels


@pytest.fixture
def panoptica():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield peer("panoptica")


def pairs(folder):
    for path in sorted((folder / "hntsmrg2024-masks").glob("*_midRT_mask.nii.gz")):
        reference = read_mask(path).array
        prior = read_mask(path.with_name(path.name.replace("midRT_mask", "preRT_mask_registered"))).array
        for label in (1, 2):
            masks = reference == label, prior == label
            if all(mask.any() for mask in masks):
                yield masks


def random_pairs(count):
    from scipy import ndimage

    random = np.random.default_rng(5)
    for _ in range(count):
        noise = ndimage.gaussian_filter(random.standard_normal((20, 24, 24)), 1.4)
        other = noise + 0.7 * ndimage.gaussian_filter(random.standard_normal(noise.shape), 1.4)
        yield noise > np.quantile(noise, 0.93), other > np.quantile(other, 0.9)


def matched_by_panoptica(panoptica, reference, prediction):
    # An IoU of exactly the threshold is a match there and none here.
    matcher = panoptica.NaiveThresholdMatching(matching_metric=panoptica.Metric.IOU, matching_threshold=0.3 + 1e-12)
    evaluator = panoptica.Panoptica_Evaluator(
        expected_input=panoptica.InputType.SEMANTIC,
        instance_approximator=panoptica.ConnectedComponentsInstanceApproximator(cca_backend=panoptica.CCABackend.cc3d),
        instance_matcher=matcher,
        instance_metrics=[panoptica.Metric.IOU],
    )
    found = evaluator.evaluate(prediction.astype(np.uint8), reference.astype(np.uint8), verbose=False)["ungrouped"]
    return found.n_ref_instances, found.n_pred_instances, found.tp


def matched_by_us(reference, prediction):
    lesions, findings = find_pieces(reference), find_pieces(prediction)
    voxels = [np.array([piece.voxels for piece in pieces]) for pieces in (lesions, findings)]
    ious = intersection_over_union(shared_voxels(lesions, findings), *voxels)
    return len(lesions), len(findings), len(match_by_iou(ious))


def test_lesions_findings_and_matches_are_those_of_panoptica(panoptica, real_data):
    checked = [*pairs(real_data), *random_pairs(20)]
    assert len(checked) == 32
    for reference, prediction in checked:
        expected = matched_by_panoptica(panoptica, reference, prediction)
        assert matched_by_us(reference, prediction) == expected


def test_dsc_is_that_of_monai(real_data):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        metrics = peer("monai.metrics")
    import torch

    for reference, prediction in pairs(real_data):
        masks = (torch.from_numpy(mask[None, None].astype(np.float64)) for mask in (prediction, reference))
        # MONAI computes in single precision.
        theirs = float(metrics.compute_dice(*masks))
        assert overlap(reference, prediction, 1.0).dsc == pytest.approx(theirs, abs=1e-6)
