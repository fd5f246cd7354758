"""The volume-aware Dice against its golden table and against nnU-Net's own loss."""

from __future__ import annotations

import pytest
import torch
from nnunetv2.training.loss.compound_losses import DC_and_CE_loss
from nnunetv2.training.loss.deep_supervision import DeepSupervisionWrapper
from nnunetv2.training.loss.dice import MemoryEfficientSoftDiceLoss

from HNTargetSegLib.training.losses.dice_ce import (
    SizeWeightedDeepSupervision,
    SizeWeightedDiceCE,
    WithInstanceTerm,
    carried_down,
)
from HNTargetSegLib.training.losses.instance_terms import blob_term, cc_dice_ce_term
from HNTargetSegLib.training.losses.weights import InverseWeighting, VolumeAware

from .conftest import logits_of, target_of

DICE = {"batch_dice": False, "smooth": 1e-5, "do_bg": False, "ddp": False}

GOLDEN = [
    (VolumeAware(labels=(1,), gamma=0), (0.941176, 0.2, 1, 0.935065)),
    (VolumeAware(labels=(1,), gamma=1), (0.666667, 0.666667, 1, 0.935065)),
    (VolumeAware(labels=(1,), gamma=0.5), (0.849779, 0.414214, 1, 0.935065)),
    (VolumeAware(labels=(1,), gamma=1 / 3), (0.888889, 0.333333, 1, 0.935065)),
    (
        VolumeAware(labels=(1,), gamma=1, normalisation="reference", reference_voxels=64),
        (0.666667, 0.666667, 1, 0.962406),
    ),
    (InverseWeighting(labels=(1,), limits=None), (0.666667, 0.666667, 1, 0.999685)),
    (InverseWeighting(labels=(1,)), (0.666667, 0.666667, 1, 0.999063)),
]


def loss_of(weighting, **options):
    return SizeWeightedDiceCE(weighting, DICE | options.pop("dice", {}), **options)


def stock(**options):
    return DC_and_CE_loss(DICE | options.pop("dice", {}), {}, dice_class=MemoryEfficientSoftDiceLoss, **options)


def random_batch(seed=0, labels=2, shape=(9, 10, 11), batch=2):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(batch, labels + 1, *shape, generator=generator)
    return logits, torch.randint(0, labels + 1, (batch, 1, *shape), generator=generator).float()


@pytest.mark.parametrize(("weighting", "expected"), GOLDEN)
def test_golden_table_of_the_reconstruction(toy, weighting, expected):
    loss = loss_of(weighting, weight_ce=0, short_cut=False)
    dice = [-loss(logits_of(mask), target_of(toy.truth)).item() for mask in toy.predictions.values()]
    assert dice == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("batch_dice", [False, True])
def test_gamma_zero_is_nnunets_loss_through_the_weights(batch_dice):
    logits, target = random_batch()
    dice = {"batch_dice": batch_dice}
    ours = loss_of(VolumeAware(gamma=0), short_cut=False, dice=dice)(logits, target)
    assert ours.item() == pytest.approx(stock(dice=dice)(logits, target).item(), abs=1e-6)


def test_the_short_cut_for_gamma_zero_finds_no_lesions_and_is_nnunets_loss_to_the_bit():
    logits, target = random_batch(1)
    loss = loss_of(VolumeAware(gamma=0))
    assert loss.weights(target, 2) is None
    assert loss(logits, target).item() == stock()(logits, target).item()


@pytest.mark.parametrize("weighting", [VolumeAware(gamma=1), VolumeAware(labels=(2,)), InverseWeighting()])
def test_gradients_are_those_of_finite_differences(weighting):
    logits, target = random_batch(2, shape=(3, 4, 4), batch=1)
    target[:, :, :2, :2, :2] = 2
    loss = loss_of(weighting)
    # The Dice class sums in float32, so the differences are coarse.
    logits.requires_grad_(True)
    loss(logits, target).backward()
    step = 1e-2
    for index in [(0, 0, 1, 1, 1), (0, 1, 0, 2, 3), (0, 2, 1, 0, 0), (0, 2, 2, 3, 3)]:
        up, down = logits.detach().clone(), logits.detach().clone()
        up[index] += step
        down[index] -= step
        numeric = (loss(up, target) - loss(down, target)).item() / (2 * step)
        assert logits.grad[index].item() == pytest.approx(numeric, abs=2e-5)


def test_ignored_voxels_change_nothing():
    logits, target = random_batch(3)
    target[:, :, :3] = 3
    loss = loss_of(VolumeAware(gamma=1), ignore_label=3)
    before = loss(logits, target).item()
    logits[:, :, :3] += 5 * torch.randn_like(logits[:, :, :3])
    assert loss(logits, target).item() == pytest.approx(before, abs=1e-6)
    assert stock(ignore_label=3)(logits, target).item() == pytest.approx(
        loss_of(VolumeAware(gamma=0), ignore_label=3, short_cut=False)(logits, target).item(), abs=1e-6
    )


def test_a_batch_that_is_ignored_altogether_is_finite():
    logits, target = random_batch(4)
    target[:] = 3
    assert torch.isfinite(loss_of(VolumeAware(gamma=1), ignore_label=3)(logits, target))


def test_an_empty_patch_is_nnunets_loss():
    logits, target = random_batch(5)
    target[:] = 0
    ours = loss_of(VolumeAware(gamma=1))(logits, target)
    assert ours.item() == pytest.approx(stock()(logits, target).item(), abs=1e-6)


def test_missing_a_small_lesion_costs_more_than_with_nnunets_loss(toy):
    truth, missed = target_of(toy.truth), logits_of(toy.big)
    ours, plain = loss_of(VolumeAware(labels=(1,)), weight_ce=0), stock(weight_ce=0)
    assert ours(missed, truth) > plain(missed, truth)


def test_the_cross_entropy_is_not_weighted(toy):
    logits, target = random_batch(6)
    ours = loss_of(VolumeAware(gamma=1), weight_dice=0)(logits, target)
    assert ours.item() == pytest.approx(stock(weight_dice=0)(logits, target).item(), abs=1e-6)


def pyramid(logits, target):
    smaller = [torch.nn.functional.interpolate(x, (5, 5, 5), mode="nearest-exact") for x in (logits, target)]
    return [logits, smaller[0]], [target, smaller[1]]


def test_deep_supervision_with_gamma_zero_is_nnunets():
    outputs, targets = pyramid(*random_batch(7))
    ours = SizeWeightedDeepSupervision(loss_of(VolumeAware(gamma=0), short_cut=False), (0.7, 0.3))
    assert ours(outputs, targets).item() == pytest.approx(
        DeepSupervisionWrapper(stock(), (0.7, 0.3))(outputs, targets).item(), abs=1e-6
    )


def test_coarse_scales_keep_the_sizes_of_full_resolution(toy):
    target = target_of(toy.truth)
    loss = loss_of(VolumeAware(labels=(1,), gamma=1))
    coarse = torch.nn.functional.interpolate(target, (10, 10, 10), mode="nearest-exact")
    weights = carried_down(loss.weights(target, 1), (10, 10, 10))
    inside = weights[0, 0][coarse[0, 0] == 1].unique().tolist()
    assert inside == pytest.approx([0.5625, 4.5])
    assert (weights[0, 0][coarse[0, 0] == 0] == 1).all()


def test_scales_without_weight_are_not_computed(toy):
    loss = SizeWeightedDeepSupervision(loss_of(VolumeAware(labels=(1,))), (1.0, 0.0))
    logits, target = logits_of(toy.big), target_of(toy.truth)
    assert torch.isfinite(loss([logits, torch.full((1, 2, 4, 4, 4), torch.nan)], [target, torch.zeros(1, 1, 4, 4, 4)]))


@pytest.mark.parametrize("term", [blob_term, cc_dice_ce_term])
def test_instance_terms_are_small_when_all_is_found_and_grow_with_a_missed_lesion(toy, term):
    truth = target_of(toy.truth)
    found, missed_small, missed_big = (term(logits_of(mask), truth).item() for mask in (toy.truth, toy.big, toy.small))
    assert found == pytest.approx(0, abs=1e-3)
    assert missed_small > 0.4
    # Each lesion counts the same, whatever its size.
    assert missed_small - found == pytest.approx(missed_big - found, rel=0.35)


def test_blob_term_masks_the_other_lesions_and_not_the_background(toy):
    truth = target_of(toy.truth)
    # Both lesions found, ten false positives: Dice 2*8/(8+8+10) and 2*64/(64+64+10).
    expected = 1 - (16 / 26 + 128 / 138) / 2
    assert blob_term(logits_of(toy.truth | toy.false), truth).item() == pytest.approx(expected, abs=2e-3)


@pytest.mark.parametrize("term", [blob_term, cc_dice_ce_term])
def test_instance_terms_of_an_empty_batch_are_zero_with_a_gradient(term):
    logits = torch.randn(1, 3, 4, 4, 4, requires_grad=True)
    value = term(logits, torch.zeros(1, 1, 4, 4, 4))
    value.backward()
    assert value.item() == 0
    assert not logits.grad.any()


def test_an_instance_term_is_added_at_the_finest_scale_only(toy):
    outputs, targets = pyramid(*random_batch(8))
    base = DeepSupervisionWrapper(stock(), (0.7, 0.3))
    both = WithInstanceTerm(base, blob_term, base_weight=2.0, term_weight=0.5)
    expected = 2 * base(outputs, targets) + 0.5 * blob_term(outputs[0], targets[0])
    assert both(outputs, targets).item() == pytest.approx(expected.item())
