"""Lesions changed as a whole."""

from __future__ import annotations

import numpy as np
import pytest

from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.lesions.shaping import filled_between, smoothed, within_range

SPACING = (2.0, 1.0, 1.0)


def ball(radius: float, centre: tuple[float, float, float] = (20.0, 20.0, 20.0)) -> np.ndarray:
    """Mask of a ball in mm; voxels lie at multiples of the spacing."""
    k, j, i = np.ogrid[:20, :40, :40]
    z, y, x = (index * step - place for index, step, place in zip((k, j, i), SPACING, centre, strict=True))
    return (z**2 + y**2 + x**2) <= radius**2


def as_ids(mask: np.ndarray, lesion: int = 3) -> np.ndarray:
    return np.where(mask, lesion, 0).astype(np.uint16)


def test_smoothing_takes_a_spike_away_and_leaves_a_ball_nearly_as_it_was() -> None:
    mask = ball(9)
    mask[10, 20, 29:36] = True
    result = smoothed(as_ids(mask), 3, SPACING, 1.5) == 3
    assert not result[10, 20, 31:].any()
    assert np.count_nonzero(result ^ ball(9)) < 0.08 * np.count_nonzero(ball(9))


def test_smoothing_reaches_equally_far_in_millimetres_along_every_axis() -> None:
    block = np.zeros((20, 40, 40), bool)
    block[5:15, 10:30, 10:30] = True
    result = smoothed(as_ids(block), 3, SPACING, 4.0) == 3
    corner_k, corner_j = (~result[5:10, 10, 20]).sum() * 2.0, (~result[10, 10:15, 10]).sum() * 1.0
    assert corner_k >= 2.0
    assert corner_j >= 2.0
    assert result[10, 20, 20]


@pytest.mark.parametrize(
    "change", [lambda ids: smoothed(ids, 3, SPACING, 3.0), lambda ids: filled_between(ids, 3, SPACING)]
)
def test_a_neighbour_keeps_its_voxels(change) -> None:
    mask = ball(9)
    mask[10] = False
    ids = as_ids(mask)
    ids[10, 15:25, 25:35] = 7
    result = change(ids)
    np.testing.assert_array_equal(result == 7, ids == 7)


def test_the_slices_left_out_of_a_ball_are_filled_and_those_drawn_stay() -> None:
    whole = ball(12)
    drawn = whole.copy()
    drawn[1::2] = False
    result = filled_between(as_ids(drawn), 3, SPACING) == 3
    np.testing.assert_array_equal(result[::2], drawn[::2])
    overlap = 2 * np.count_nonzero(result & whole) / (np.count_nonzero(result) + np.count_nonzero(whole))
    assert overlap > 0.95


def test_slices_are_filled_along_the_axis_that_was_drawn_on() -> None:
    drawn = ball(12)
    drawn[:, :, 1::3] = False
    drawn[:, :, 2::3] = False
    result = filled_between(as_ids(drawn), 3, SPACING) == 3
    occupied = np.flatnonzero(drawn.any(axis=(0, 1)))
    assert result[:, :, occupied[0] : occupied[-1] + 1].any(axis=(0, 1)).all()
    np.testing.assert_array_equal(result[:, :, occupied], drawn[:, :, occupied])


def test_a_shape_between_two_circles_is_a_circle_of_the_size_between() -> None:
    ids = np.zeros((20, 40, 40), np.uint16)
    j, i = np.ogrid[:40, :40]
    for place, radius in ((4, 4), (8, 12)):
        ids[place][(j - 20) ** 2 + (i - 20) ** 2 <= radius**2] = 3
    area = np.count_nonzero(filled_between(ids, 3, SPACING)[6])
    assert area == pytest.approx(np.pi * 8**2, rel=0.08)


def test_grey_values_outside_the_range_leave_the_lesion_and_nothing_else_does() -> None:
    ids = as_ids(ball(9))
    image = np.broadcast_to(np.arange(40.0), ids.shape)
    result = within_range(ids, 3, image, 15.0, 22.0) == 3
    np.testing.assert_array_equal(result, ball(9) & (image >= 15) & (image <= 22))


@pytest.mark.parametrize(
    "change",
    [
        lambda ids: smoothed(ids, 3, SPACING, 30.0),
        lambda ids: smoothed(ids, 3, SPACING, 0.0),
        lambda ids: smoothed(ids, 4, SPACING, 1.0),
        lambda ids: within_range(ids, 3, np.zeros(ids.shape), 1.0, 2.0),
        lambda ids: filled_between(ids, 3, SPACING),
    ],
    ids=["smoothed away", "no width", "no such lesion", "no such grey value", "no slice left out"],
)
def test_what_cannot_be_done_is_said_and_the_map_stays(change) -> None:
    ids = as_ids(ball(9))
    before = ids.copy()
    with pytest.raises(BadInputError) as said:
        change(ids)
    assert said.value.remedy
    np.testing.assert_array_equal(ids, before)
