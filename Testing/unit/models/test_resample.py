"""Our resampling gives what nnU-Net's default functions give."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from HNTargetSegLib.errors import ModelError
from HNTargetSegLib.models.resample import (
    ProbabilityResampling,
    interpolate,
    resample_image,
    resampled_shape,
    separate_axis,
    spline_matrix,
)

LOGITS = {"is_seg": False, "order": 1, "order_z": 0, "force_separate_z": None}
IMAGE = {"is_seg": False, "order": 3, "order_z": 0, "force_separate_z": None}
# shape, new shape, spacing, new spacing: anisotropic along each axis, isotropic, both directions, one slice.
CASES = [
    ((12, 40, 44), (15, 64, 60), (3.5, 1.0, 1.0), (2.8, 0.62, 0.73)),
    ((40, 12, 44), (33, 15, 60), (1.0, 4.0, 1.0), (1.2, 3.2, 0.73)),
    ((40, 44, 12), (50, 44, 9), (1.0, 1.0, 5.0), (0.8, 1.0, 6.6)),
    ((20, 30, 25), (31, 22, 40), (1.5, 1.5, 1.5), (0.97, 2.0, 0.94)),
    ((20, 30, 25), (20, 30, 30), (1.0, 1.0, 1.2), (1.0, 1.0, 1.0)),
    ((10, 30, 25), (30, 30, 25), (3.3, 1.0, 1.0), (1.1, 1.0, 1.0)),
    ((1, 30, 25), (1, 45, 50), (6.0, 1.0, 1.0), (6.0, 0.67, 0.5)),
]


def _nnunet(data: np.ndarray, case: tuple[Any, ...], arguments: dict[str, Any]) -> np.ndarray:
    from nnunetv2.preprocessing.resampling.default_resampling import resample_data_or_seg_to_shape

    _, new_shape, spacing, new_spacing = case
    resampled: np.ndarray = resample_data_or_seg_to_shape(data, new_shape, spacing, new_spacing, **arguments)
    return resampled


def _plan(**arguments: Any) -> ProbabilityResampling:
    entries = {
        "resampling_fn_probabilities": "resample_data_or_seg_to_shape",
        "resampling_fn_probabilities_kwargs": {**LOGITS, **arguments},
    }
    return ProbabilityResampling.from_plans(entries)


@pytest.mark.parametrize("force", [None, False])
@pytest.mark.parametrize("case", CASES)
def test_logits_resample_to_nnunets_labels_and_values(case: tuple[Any, ...], force: bool | None) -> None:
    logits = np.random.default_rng(1).normal(scale=4, size=(3, *case[0])).astype(np.float16)
    theirs = _nnunet(logits, case, {**LOGITS, "force_separate_z": force})
    taps = _plan(force_separate_z=force).taps(*case)
    ours = interpolate(torch.from_numpy(logits), taps).half().numpy()
    # A value half way between two half-precision numbers may be rounded to the other one.
    assert np.mean(ours != theirs) <= 0.03
    step = np.spacing(np.maximum(np.abs(ours), np.abs(theirs))).astype(float)
    assert np.all(np.abs(ours.astype(float) - theirs) <= step + 2e-6)
    assert np.mean(ours.argmax(0) != theirs.argmax(0)) <= 2e-5


def test_shape_and_the_axis_treated_apart_are_those_of_nnunet() -> None:
    from nnunetv2.preprocessing.resampling.default_resampling import compute_new_shape, determine_do_sep_z_and_axis

    generator = np.random.default_rng(5)
    for _ in range(300):
        # Few values, so that ties and equal spacings occur.
        spacing, new_spacing = generator.choice([0.5, 0.7, 1.0, 2.0, 3.5, 6.0], (2, 3)).tolist()
        shape = generator.integers(1, 300, 3).tolist()
        assert resampled_shape(shape, spacing, new_spacing) == tuple(compute_new_shape(shape, spacing, new_spacing))
        for force in (None, True, False):
            separate, axis = determine_do_sep_z_and_axis(force, spacing, new_spacing)
            assert separate_axis(force, spacing, new_spacing) == (separate, axis)


@pytest.mark.parametrize("order", [0, 1, 3])
def test_the_matrix_of_an_axis_is_that_of_scikit_image(order: int) -> None:
    from skimage.transform import resize

    for inputs, outputs in ((1, 7), (7, 1), (30, 41), (64, 37), (200, 256)):
        theirs = resize(np.eye(inputs), (outputs, inputs), order, mode="edge", anti_aliasing=False, clip=False)
        assert np.array_equal(spline_matrix(inputs, outputs, order), theirs)


def test_a_box_of_resampled_logits_is_cut_from_the_whole() -> None:
    case = CASES[0]
    logits = torch.from_numpy(np.random.default_rng(2).normal(size=(3, *case[0])).astype(np.float16))
    taps = _plan().taps(*case)
    whole = interpolate(logits, taps)
    box = (slice(4, 9), slice(20, 50), slice(3, 31))
    part = interpolate(logits, [axis.part(s.start, s.stop) for axis, s in zip(taps, box, strict=True)])
    assert torch.allclose(part, whole[(slice(None), *box)], atol=1e-6)


def test_a_part_of_the_grid_is_read_through_its_offset() -> None:
    case = CASES[3]
    logits = torch.from_numpy(np.random.default_rng(3).normal(size=(3, *case[0])).astype(np.float16))
    taps = [axis.part(10, 18) for axis in _plan().taps(*case)]
    known = logits[:, 5:16, 12:28, 4:14]
    assert torch.allclose(interpolate(known, taps, (5, 12, 4)), interpolate(logits, taps), atol=1e-6)


def test_equal_shapes_leave_logits_untouched_in_half_precision() -> None:
    logits = torch.rand(3, 4, 5, 6).half()
    result = interpolate(logits, _plan().taps((4, 5, 6), (4, 5, 6), (1, 1, 1), (1, 1, 1)))
    assert result.dtype == torch.half
    assert torch.equal(result, logits)


@pytest.mark.parametrize("force", [None, False])
@pytest.mark.parametrize("case", CASES)
def test_images_resample_as_in_nnunet_to_float32_rounding(case: tuple[Any, ...], force: bool | None) -> None:
    image = np.random.default_rng(4).normal(size=case[0]).astype(np.float32)
    arguments = {**IMAGE, "force_separate_z": force}
    theirs = _nnunet(image[None], case, arguments)[0]
    ours = resample_image(image, *case[1:], arguments)
    assert ours.dtype == np.float32
    assert np.abs(ours - theirs).max() <= 5e-7
    assert np.mean(ours != theirs) <= 1e-3
    quick = resample_image(image, *case[1:], arguments, np.float32)
    assert np.abs(quick - theirs).max() <= 1e-5


def test_plans_that_resample_probabilities_by_splines_are_refused() -> None:
    with pytest.raises(ModelError, match="order"):
        _plan(order=3)


def test_the_torch_resampling_of_newer_plans_is_followed() -> None:
    from nnunetv2.preprocessing.resampling.resample_torch import resample_torch_fornnunet

    case = CASES[0]
    arguments = {"is_seg": False, "force_separate_z": None, "memefficient_seg_resampling": False}
    entries = {
        "resampling_fn_probabilities": "resample_torch_fornnunet",
        "resampling_fn_probabilities_kwargs": arguments,
    }
    logits = torch.from_numpy(np.random.default_rng(5).normal(size=(3, *case[0])).astype(np.float16))
    rule = ProbabilityResampling.from_plans(entries)
    theirs = resample_torch_fornnunet(logits, *case[1:], **arguments)
    assert not rule.half
    assert torch.allclose(interpolate(logits, rule.taps(*case)), theirs, atol=1e-4)
