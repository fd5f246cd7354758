"""The primitives and the canvas on a few voxels."""

from __future__ import annotations

import numpy as np
import pytest

from HNTargetSegLib.phantom.canvas import Canvas, soft_step
from HNTargetSegLib.phantom.fields import draw_lattice, draw_waves
from HNTargetSegLib.phantom.shapes import Shape, arch, column, ellipsoid, mirrored
from HNTargetSegLib.phantom.tissues import Tissue


def at(shape: Shape, *point: float) -> float:
    return float(shape.distance(*(np.array([value], np.float32) for value in point))[0])


@pytest.mark.parametrize(
    "shape",
    [
        ellipsoid((5, -3, 2), (4, 9, 6), 30),
        column([(-10, 3, 0, 4, 6, 20), (12, -3, 2, 3, 8, -40)]),
        arch((0, -5, 1), (20, 25), 4, 6, 8),
    ],
)
def test_no_point_inside_a_shape_lies_outside_its_box(shape: Shape) -> None:
    points = np.random.default_rng(0).uniform(-45, 45, (20000, 3)).astype(np.float32)
    inside = points[shape.distance(*points.T) < 0]
    assert len(inside) > 20
    assert (inside >= shape.low).all()
    assert (inside <= shape.high).all()


def test_the_distance_of_a_ball_is_exact() -> None:
    ball = ellipsoid((1, 2, 3), (5, 5, 5))
    assert at(ball, 1, 2, 3) == pytest.approx(-5)
    assert at(ball, 8, 2, 3) == pytest.approx(2)


def test_growing_and_taking_away_change_the_distance_as_said() -> None:
    ball = ellipsoid((0, 0, 0), (5, 5, 5))
    assert at(ball.grown(2), 6, 0, 0) == pytest.approx(-1)
    assert at(ball.without(ellipsoid((0, 0, 0), (3, 3, 3))), 1, 0, 0) == pytest.approx(2)


def test_mirrored_knots_are_the_same_shape_on_the_other_side() -> None:
    knots = [(-5.0, 10.0, 1.0, 2.0, 4.0, 30.0), (5.0, 12.0, 2.0, 3.0, 4.0, 10.0)]
    left, right = column(mirrored(knots, 1)), column(mirrored(knots, -1))
    assert at(left, 12, 3, 1) == pytest.approx(at(right, -12, 3, 1), abs=1e-5)


def test_an_arch_is_open_to_the_back() -> None:
    horseshoe = arch((0, 0, 0), (20, 20), 4, 5, 3)
    assert at(horseshoe, 0, -20, 0) < 0
    assert at(horseshoe, 20, 0, 0) < 0
    assert at(horseshoe, 0, 20, 0) > 0
    assert at(horseshoe, 0, 0, 0) > 0


def test_painting_a_structure_smaller_than_the_coarse_steps_is_not_missed() -> None:
    z, y, x = np.meshgrid(*(np.arange(n, dtype=np.float32) for n in (9, 17, 17)), indexing="ij")
    empty = np.zeros(x.shape, np.float32)
    canvas = Canvas((x, y, z), (1.0, 1.0, 1.0), empty, np.zeros(x.shape, np.uint8), np.zeros(x.shape, np.uint16))
    for centre in ((6, 7, 3), (16, 16, 8), (0, 0, 0)):
        canvas.paint(Tissue.VEIN, ellipsoid(centre, (0.9, 0.9, 0.9)), 100.0, 0.5)
        assert canvas.signal[centre[::-1]] == 100.0
        assert canvas.tissue[centre[::-1]] == Tissue.VEIN


def test_a_border_is_linear_over_its_blur() -> None:
    assert soft_step(np.array([-2.0, -1.0, 0.0, 0.5, 1.0, 2.0]), 1.0) == pytest.approx([1, 1, 0.5, 0.25, 0, 0])


def test_random_fields_have_the_spread_that_was_asked_for() -> None:
    rng = np.random.default_rng(2)
    x, y, z = rng.uniform(-300, 300, (3, 20000)).astype(np.float32)
    waves = [draw_waves(rng, (20, 60), 1.5)(x, y, z).std() for _ in range(10)]
    assert np.mean(waves) == pytest.approx(1.5, rel=0.1)
    assert draw_lattice(rng, (3, 3, 3))(x, y, z).std() == pytest.approx(1.0, rel=0.25)
