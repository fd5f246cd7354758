"""Pictures of an evaluation."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.export.evaluation_pictures import Masks, errors, side_by_side
from HNTargetSegLib.export.evaluation_relief import relief, view_of

GEOMETRY = Geometry((40, 36, 12), (1.0, 1.0, 3.0))
GREEN, YELLOW, MISSED, FALSE = Target.PT.rgb, Target.LN.rgb, (255, 92, 92), (179, 136, 255)
COLOURS = {1: (0.0, 1.0, 0.0), 2: (1.0, 1.0, 0.0)}


def volume(*boxes: tuple[int, slice, slice, slice]) -> Volume:
    array = np.zeros(GEOMETRY.shape, np.uint8)
    for label, k, j, i in boxes:
        array[k, j, i] = label
    return Volume(array, GEOMETRY, "map")


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def share_like(picture: np.ndarray, colour: tuple[int, int, int], opacity: float) -> float:
    """Share of pixels with a colour laid over the plain background of a slice."""
    background = np.array([0.12 * 255] * 3)
    wanted = opacity * np.array(colour) + (1 - opacity) * background
    return float((np.abs(picture - wanted).max(axis=-1) < 6).mean())


CUBE = (1, slice(4, 8), slice(10, 20), slice(8, 18))


def test_what_both_have_what_is_missed_and_what_is_false_have_their_colours():
    reference, prediction = volume(CUBE), volume((1, slice(4, 8), slice(10, 20), slice(12, 24)))
    picture = pixels(errors(Masks(reference, {"model": prediction}), Target.PT, "8"))
    shared, missed, false = (share_like(picture, colour, 0.6) for colour in (GREEN, MISSED, FALSE))
    assert missed / shared == pytest.approx(4 / 6, rel=0.25)
    assert false / shared == pytest.approx(6 / 6, rel=0.25)


def test_the_slice_with_most_errors_is_shown():
    reference = volume(CUBE)
    prediction = volume(CUBE, (1, slice(10, 11), slice(5, 25), slice(5, 25)))
    picture = pixels(errors(Masks(reference, {"model": prediction}), Target.PT, "8"))
    assert share_like(picture, GREEN, 0.6) == 0
    assert share_like(picture, FALSE, 0.6) > 0.02


def test_the_image_is_drawn_behind_the_masks():
    image = Volume(np.random.default_rng(0).normal(300, 80, GEOMETRY.shape).astype(np.float32), GEOMETRY)
    reference = volume(CUBE)
    plain, drawn = (
        pixels(errors(Masks(reference, {"model": reference}, shown), Target.PT, "8")) for shown in (None, image)
    )
    assert drawn.std() > 2 * plain.std()


def test_side_by_side_has_a_column_for_the_reference_and_each_model():
    reference = volume(CUBE, (2, slice(5, 8), slice(12, 18), slice(26, 34)))
    predictions = {"one": reference, "two": volume(), "three": reference}
    picture = pixels(side_by_side(Masks(reference, predictions), "Case 8"))
    quarters = np.array_split(picture, 4, axis=1)
    above, below = (
        [share_like(half(quarter), GREEN, 0.45) for quarter in quarters]
        for half in (lambda q: q[: len(q) // 2], lambda q: q[len(q) // 2 :])
    )
    assert [share > 0 for share in above] == [True, True, False, True]
    assert above[0] == pytest.approx(above[1], rel=0.1)
    assert max(below) < min(above[0], above[1])
    greenish = [((q[..., 1] > q[..., 0] + 60) & (q[..., 1] > q[..., 2] + 60))[len(q) // 2 :].any() for q in quarters]
    assert greenish == [True, True, False, True]


def test_a_case_without_a_voxel_can_be_drawn():
    assert pixels(side_by_side(Masks(volume(), {"one": volume()}), "$x$")).size > 0


def test_the_view_holds_every_voxel_of_all_maps():
    maps = [volume(CUBE), volume((2, slice(0, 1), slice(0, 1), slice(39, 40)))]
    view = view_of(maps)
    assert view is not None
    for found in maps:
        places = GEOMETRY.to_lps(np.argwhere(found.array)) - view.centre
        assert np.linalg.norm(places, axis=1).max() < view.radius_mm
    np.testing.assert_allclose(view.axes @ view.axes.T, np.eye(3), atol=1e-12)
    assert view_of([volume()]) is None


def test_from_the_front_the_patients_left_is_at_the_right_and_superior_is_up():
    left_and_high = volume((1, slice(9, 12), slice(14, 20), slice(32, 38)))
    other = volume((1, slice(0, 2), slice(14, 20), slice(0, 4)))
    view = view_of([left_and_high, other], turn=0, tilt=0)
    assert view is not None
    seen = relief(left_and_high, view, COLOURS)[..., 1] > 0.3
    rows, columns = np.nonzero(seen)
    assert rows.mean() < len(seen) / 2 < columns.mean()


def test_what_lies_in_front_hides_what_lies_behind():
    front, behind = (slice(4, 8), slice(2, 6), slice(10, 30)), (slice(4, 8), slice(28, 32), slice(10, 30))
    for labels, seen in (((1, 2), 1), ((2, 1), 2)):
        both = volume((labels[0], *front), (labels[1], *behind))
        view = view_of([both], turn=0, tilt=0)
        assert view is not None
        red, green, _ = relief(both, view, COLOURS)[90, 90]
        assert (2 if red > 0.5 * green else 1) == seen


def test_a_ball_has_the_size_it_has():
    places = np.indices((40, 40, 40)) - 19.5
    ball = Volume(((places**2).sum(axis=0) < 12**2).astype(np.uint8), Geometry((40, 40, 40)))
    view = view_of([ball])
    assert view is not None
    seen = (relief(ball, view, COLOURS)[..., 1] > 0.2).sum()
    pixel_mm = 2 * view.radius_mm / 180
    assert seen * pixel_mm**2 == pytest.approx(np.pi * 12**2, rel=0.05)
