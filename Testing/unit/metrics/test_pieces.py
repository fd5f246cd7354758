"""Pieces of masks."""

from __future__ import annotations

import numpy as np
import pytest

from HNTargetSegLib.metrics.pieces import find_pieces, occupied_box, shared_voxels


def mask_with(*boxes: tuple[int, int], shape: tuple[int, int, int] = (12, 12, 12)) -> np.ndarray:
    """Cubes from the first to before the second index along each axis."""
    mask = np.zeros(shape, bool)
    for start, stop in boxes:
        mask[start:stop, start:stop, start:stop] = True
    return mask


def test_pieces_come_by_size_and_put_together_are_the_mask():
    mask = mask_with((0, 2), (4, 8), (10, 11))
    pieces = find_pieces(mask)
    assert [piece.voxels for piece in pieces] == [64, 8, 1]
    assert [piece.first for piece in pieces] == [(4, 4, 4), (0, 0, 0), (10, 10, 10)]
    again = np.zeros_like(mask)
    for piece in pieces:
        again[piece.box] |= piece.mask
    assert np.array_equal(again, mask)


def test_voxels_that_touch_by_a_corner_are_one_piece():
    assert len(find_pieces(mask_with((0, 2), (2, 4)))) == 1


def test_a_piece_has_its_middle_in_the_whole_grid():
    (piece,) = find_pieces(mask_with((9, 11)))
    assert piece.middle() == (9.5, 9.5, 9.5)


def test_an_empty_mask_has_no_piece():
    assert find_pieces(mask_with()) == ()


def test_shared_voxels_are_counted_for_each_pair():
    reference, prediction = find_pieces(mask_with((0, 3), (6, 8))), find_pieces(mask_with((2, 7), (10, 12)))
    assert [piece.voxels for piece in prediction] == [125, 8]
    assert shared_voxels(reference, prediction).tolist() == [[1, 0], [1, 0]]


def test_nothing_shares_voxels_with_nothing():
    assert shared_voxels((), find_pieces(mask_with((0, 2)))).shape == (0, 1)


@pytest.mark.parametrize("shape", [(12, 12, 12), (9, 10, 11), (3, 8, 16)])
def test_the_box_holds_all_masks_and_no_more(shape):
    one, other = np.zeros(shape, np.uint8), np.zeros(shape, bool)
    one[1, 4, 5], other[2, 2, 7] = 2, True
    assert occupied_box(one, other) == (slice(1, 3), slice(2, 5), slice(5, 8))


def test_the_box_of_a_view_that_is_not_contiguous_is_the_same():
    mask = mask_with((3, 6))[:, ::-1].transpose(2, 0, 1)
    assert occupied_box(mask) == (slice(3, 6), slice(3, 6), slice(6, 9))


def test_empty_masks_have_no_box():
    assert occupied_box(mask_with(), mask_with()) is None
