"""Weights of whole lesions that travel with the labels."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.training.losses.coded import CodedCases, labels_and_weights, with_weights
from HNTargetSegLib.training.losses.dice_ce import CodedTarget, SizeWeightedDeepSupervision, SizeWeightedDiceCE
from HNTargetSegLib.training.losses.weights import VolumeAware, weight_map

DICE = {"batch_dice": False, "smooth": 1e-5, "do_bg": False, "ddp": False}
WEIGHTING = VolumeAware(gamma=1)


@pytest.fixture
def case(toy):
    labels = np.zeros((20, 20, 20), np.int16)
    labels[toy.small], labels[toy.big] = 2, 2
    labels[6:9, 2:4, 2:4] = 1
    labels[0, 0] = -1
    return labels


def as_target(coded):
    return torch.from_numpy(coded)[None, None]


def test_labels_and_weights_come_back(case):
    labels, weights = labels_and_weights(as_target(with_weights(case, WEIGHTING)), 2)
    inside = np.where(case < 0, 3, case)
    assert np.array_equal(labels[0, 0].numpy(), inside)
    assert np.allclose(weights[0], weight_map(case[None], WEIGHTING, 2)[0], rtol=1e-3)


def test_nnunets_value_for_outside_stays_as_it_is(case):
    assert (with_weights(case, WEIGHTING)[0, 0] == -1).all()


def test_a_cut_lesion_keeps_the_weight_of_the_whole(case, toy):
    cut = with_weights(case, WEIGHTING)[11:]
    _, weights = labels_and_weights(as_target(cut), 2)
    assert weights[0, 1][torch.from_numpy(toy.big[11:])].unique().tolist() == pytest.approx([0.5625], rel=2e-3)


@pytest.mark.parametrize("scales", [1, 2])
def test_the_loss_of_a_coded_target_is_that_of_the_plain_one(case, scales):
    plain = torch.from_numpy(np.maximum(case, 0))[None, None]
    coded = as_target(with_weights(np.maximum(case, 0), WEIGHTING))
    logits = torch.randn(1, 3, 20, 20, 20, generator=torch.Generator().manual_seed(0))
    loss = SizeWeightedDiceCE(WEIGHTING, DICE)
    ours = SizeWeightedDeepSupervision(CodedTarget(loss), (0.6, 0.4))
    theirs = SizeWeightedDeepSupervision(loss, (0.6, 0.4))

    def levels(target):
        coarse = torch.nn.functional.interpolate(target.float(), (10, 10, 10), mode="nearest-exact").to(target.dtype)
        return [target, coarse]

    outputs = [logits, logits[:, :, ::2, ::2, ::2]]
    assert ours(outputs, levels(coded)).item() == pytest.approx(theirs(outputs, levels(plain)).item(), rel=1e-3)
    assert ours(outputs, levels(plain)).item() == pytest.approx(theirs(outputs, levels(plain)).item(), rel=1e-6)


def test_a_case_is_coded_once_and_kept(case, tmp_path):
    loads = []

    def load_case(name):
        loads.append(name)
        return "image", case[None], None, {"spacing": 1}

    first = CodedCases(load_case, WEIGHTING, tmp_path / "kept")("1")
    kept = (tmp_path / "kept" / "1.npy").stat().st_mtime_ns
    second = CodedCases(load_case, WEIGHTING, tmp_path / "kept")("1")
    assert np.array_equal(first[1], second[1])
    assert first[1].dtype == np.int16
    assert (tmp_path / "kept" / "1.npy").stat().st_mtime_ns == kept
    assert (first[0], first[3]) == ("image", {"spacing": 1})


def test_labels_and_weights_that_do_not_fit_are_refused(case):
    with pytest.raises(BadInputError, match="coded"):
        with_weights(case + 3, WEIGHTING)
    with pytest.raises(BadInputError, match="ignored"):
        CodedTarget(SizeWeightedDiceCE(WEIGHTING, DICE, ignore_label=3))
