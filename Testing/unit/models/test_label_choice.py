"""Labels follow argmax, ties included, or the threshold."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from HNTargetSegLib.models.label_choice import choose_labels, most_probable, probable_enough
from HNTargetSegLib.models.options import PredictOptions


@pytest.mark.parametrize("dtype", [torch.half, torch.float32])
def test_running_maximum_equals_argmax_with_ties(dtype: torch.dtype) -> None:
    # Few different values: most voxels have ties.
    logits = torch.from_numpy(np.random.default_rng(0).integers(-2, 3, size=(4, 9, 10, 11))).to(dtype)
    assert np.array_equal(most_probable(logits).numpy(), logits.float().numpy().argmax(0))


def test_running_maximum_leaves_its_input_alone() -> None:
    logits = torch.rand(3, 4, 4, 4)
    before = logits.clone()
    most_probable(logits)
    assert torch.equal(logits, before)


def test_threshold_keeps_background_where_no_target_is_probable_enough() -> None:
    probabilities = torch.tensor([[0.2, 0.40, 0.10, 0.5], [0.3, 0.35, 0.80, 0.5], [0.5, 0.25, 0.10, 0.0]])
    logits = probabilities.clamp_min(1e-9).log()[:, :, None, None]
    assert probable_enough(logits, 0.45)[:, 0, 0].tolist() == [2, 0, 1, 1]
    assert probable_enough(logits, 0.6)[:, 0, 0].tolist() == [0, 0, 1, 0]
    # A low threshold finds a target even where background is most probable.
    assert probable_enough(logits, 0.3)[:, 0, 0].tolist() == [2, 1, 1, 1]


def test_the_rule_is_taken_from_the_options() -> None:
    logits = torch.tensor([0.3, 0.35, 0.35]).log()[:, None, None, None]
    assert choose_labels(logits, PredictOptions()).item() == 1
    assert choose_labels(logits, PredictOptions(rule="threshold")).item() == 0
