"""A channel that takes the place of a prepared one, where the tiles lie."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.models.network import read_plan
from HNTargetSegLib.models.options import PredictOptions
from HNTargetSegLib.models.predictor import Predictor
from HNTargetSegLib.models.preprocess import preprocess
from HNTargetSegLib.models.replaced import replaced_part, require_replaceable

SCHEMES = ["ZScoreNormalization", "NoNormalization"]
SHAPE = (14, 40, 36)
TORCH = PredictOptions(device="cpu", backend="torch")


def guide(seed: int = 0) -> np.ndarray:
    """Two boxes with something in them."""
    rng = np.random.default_rng(seed)
    channel = np.zeros(SHAPE, np.float32)
    channel[4:9, 8:20, 9:22] = rng.random((5, 12, 13))
    channel[9:12, 24:33, 20:30] = rng.random((3, 9, 10))
    return channel


@pytest.mark.parametrize("transpose", [(0, 1, 2), (2, 0, 1)])
@pytest.mark.parametrize("spacing", [(2.0, 1.0, 1.0), (3.0, 0.7, 0.8), (4.5, 1.3, 1.3)])
def test_a_part_is_that_of_the_whole_channel_prepared(
    random_model: Callable[..., Any],
    textured: Callable[..., Any],
    transpose: tuple[int, ...],
    spacing: tuple[float, ...],
) -> None:
    plan = read_plan(
        random_model(channels=2, normalization_schemes=SCHEMES, use_mask_for_norm=[False, False], transpose=transpose)
    )
    image = textured(SHAPE, seed=1, border=2)
    whole = preprocess(np.stack([image, guide()]), spacing, plan)
    without = preprocess(np.stack([image, np.zeros_like(image)]), spacing, plan)
    part = tuple(slice(int(size * 0.2), int(size * 0.9)) for size in without.placement.network_shape)
    require_replaceable(without, 1, guide(), plan)
    made = replaced_part(without, guide(), part, plan, "exact")
    assert made.dtype == np.float32
    assert np.abs(made - whole.data[(1, *part)]).max() <= 1e-6


def test_a_prediction_with_a_replaced_channel_is_that_of_the_whole_image(
    random_model: Callable[..., Any], textured: Callable[..., Any]
) -> None:
    model = random_model(channels=2, normalization_schemes=SCHEMES, use_mask_for_norm=[False, False])
    predictor = Predictor(model, TORCH)
    image, spacing = textured(SHAPE, seed=1, border=2), (1.0, 1.3, 3.0)
    region = (slice(3, 11), slice(6, 26), slice(8, 24))
    prepared = predictor.prepare(np.stack([image, np.zeros_like(image)]), spacing)
    before = prepared.data.copy()
    for seed in (0, 1):
        ours = predictor.predict_prepared(prepared, region, replaced={1: guide(seed)})
        plain = predictor.predict(np.stack([image, guide(seed)]), spacing, region=region, region_tiles="fewest")
        assert np.abs(ours.probability(1, region) - plain.probability(1, region)).max() < 1e-3
        assert np.mean(ours.labels != plain.labels) < 1e-4
    assert np.array_equal(prepared.data, before), "what was prepared is as it was"


def test_without_replacement_a_prepared_image_gives_what_the_image_gives(
    random_model: Callable[..., Any], textured: Callable[..., Any]
) -> None:
    predictor = Predictor(random_model(), TORCH)
    image, region = textured(SHAPE, seed=1, border=2)[None], (slice(3, 11), slice(6, 26), slice(8, 24))
    prepared = predictor.prepare(image, (1.0, 1.3, 3.0))
    for tiles in ("shared", "fewest"):
        ours = predictor.predict_prepared(prepared, region, region_tiles=tiles)  # type: ignore[arg-type]
        plain = predictor.predict(image, (1.0, 1.3, 3.0), region=region, region_tiles=tiles)  # type: ignore[arg-type]
        assert np.array_equal(ours.labels, plain.labels)
        assert np.array_equal(ours.probability(2), plain.probability(2))


def test_two_channels_are_prepared_as_nnunet_prepares_them(
    random_model: Callable[..., Any], textured: Callable[..., Any]
) -> None:
    from Testing.unit.models.test_preprocess import _nnunet

    model = random_model(channels=2, normalization_schemes=SCHEMES, use_mask_for_norm=[False, False])
    for spacing in ((2.0, 1.0, 1.0), (3.0, 0.7, 0.8), (4.5, 1.3, 1.3)):
        both = np.stack([textured(SHAPE, seed=1, border=2), guide()])
        theirs, _ = _nnunet(both, spacing, model)
        ours = preprocess(both, spacing, read_plan(model)).data
        assert np.abs(ours - theirs).max() <= 2e-6
        assert ours[1].min() >= 0
        assert ours[1].max() <= 1


def test_a_channel_that_is_normalised_over_the_whole_image_is_not_replaced(
    random_model: Callable[..., Any], textured: Callable[..., Any]
) -> None:
    plan = read_plan(random_model(channels=2))
    image = textured(SHAPE, seed=1, border=2)
    prepared = preprocess(np.stack([image, guide()]), (2.0, 1.0, 1.0), plan)
    with pytest.raises(BadInputError, match="normalised by ZScoreNormalization"):
        require_replaceable(prepared, 1, guide(), plan)


def test_a_channel_that_is_filled_where_the_image_is_empty_is_not_replaced(
    random_model: Callable[..., Any], textured: Callable[..., Any]
) -> None:
    plan = read_plan(random_model(channels=2, normalization_schemes=SCHEMES, use_mask_for_norm=[False, False]))
    image = textured(SHAPE, seed=1, border=2)
    prepared = preprocess(np.stack([image, np.zeros_like(image)]), (2.0, 1.0, 1.0), plan)
    beyond = guide()
    beyond[0, 0, 0] = 1
    with pytest.raises(BadInputError, match="not 0 where the image is empty"):
        require_replaceable(prepared, 1, beyond, plan)


@pytest.mark.parametrize(("number", "shape"), [(2, SHAPE), (1, (14, 40, 35))])
def test_a_channel_of_another_number_or_size_is_refused(
    random_model: Callable[..., Any], textured: Callable[..., Any], number: int, shape: tuple[int, ...]
) -> None:
    plan = read_plan(random_model(channels=2, normalization_schemes=SCHEMES, use_mask_for_norm=[False, False]))
    image = textured(SHAPE, seed=1)
    prepared = preprocess(np.stack([image, np.zeros_like(image)]), (2.0, 1.0, 1.0), plan)
    with pytest.raises(BadInputError, match="cannot be channel"):
        require_replaceable(prepared, number, np.zeros(shape, np.float32), plan)
