"""Which voxels a box holds."""

from __future__ import annotations

import numpy as np
import pytest
from Testing.unit.scene.small_case import oblique_axes

from HNTargetSegLib.case.volume import Geometry
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.prompts.extent import REACH_VOXELS, extent_of, grown
from HNTargetSegLib.prompts.prompt import Kind, Prompt

PLAIN = Geometry((60, 50, 40), (1.0, 1.0, 2.0))


def box(low: tuple[float, float, float], high: tuple[float, float, float]) -> Prompt:
    return Prompt(Kind.LN, low, high)


def bounds(slices: tuple[slice, slice, slice]) -> list[tuple[int, int]]:
    return [(part.start, part.stop) for part in slices]


@pytest.mark.parametrize("left_handed", [False, True])
def test_on_a_double_oblique_volume_the_voxels_are_those_round_all_eight_corners(left_handed: bool) -> None:
    axes = oblique_axes(left_handed=left_handed)
    geometry = Geometry((60, 50, 40), (0.8, 1.1, 2.3), (5.0, -7.0, 11.0), tuple(axes.ravel().tolist()))
    middle = geometry.to_lps(np.array([20, 25, 30]))
    half = np.array([9.0, 6.0, 8.0])
    prompt = box(tuple((middle - half).tolist()), tuple((middle + half).tolist()))
    found = extent_of(prompt, geometry).box
    centres = np.moveaxis(np.indices(geometry.shape), 0, -1)
    inside = (np.abs(geometry.to_lps(centres) - middle) <= half).all(axis=-1)
    held = np.zeros(geometry.shape, bool)
    held[found] = True
    assert inside.any()
    assert held[inside].all(), "every voxel whose centre lies in the box is held"
    # Two opposite corners alone would hold fewer: each of the eight lies in the held box.
    corners = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * half + middle
    low, high = (np.array(ends) for ends in zip(*bounds(found), strict=True))
    voxels = geometry.to_kji(corners)
    assert (voxels >= low - 0.5 - 1e-6).all()
    assert (voxels <= high - 0.5 + 1e-6).all()
    assert (voxels.min(axis=0) < low + 0.5 + 1e-6).all(), "and no slice more"
    assert (voxels.max(axis=0) > high - 1.5 - 1e-6).all()


def test_a_box_of_voxels_comes_back_as_these_voxels() -> None:
    slices = (slice(3, 9), slice(10, 20), slice(30, 31))
    assert extent_of(Prompt.of_slices(Kind.PT, slices, PLAIN), PLAIN).box == slices


def test_the_reach_is_twelve_voxels_more_inside_the_volume() -> None:
    found = extent_of(Prompt.of_slices(Kind.PT, (slice(3, 9), slice(20, 30), slice(50, 58)), PLAIN), PLAIN)
    assert REACH_VOXELS == 12
    assert bounds(found.reach) == [(0, 21), (8, 42), (38, 60)]
    assert bounds(found.box_in_reach) == [(3, 9), (12, 22), (12, 20)]


@pytest.mark.parametrize("low", [(-100.0, 5.0, 5.0), (5.0, 70.0, 5.0), (5.0, 5.0, 200.0)])
def test_a_box_outside_the_volume_is_refused_with_its_corners(low: tuple[float, float, float]) -> None:
    high = tuple(value + 10 for value in low)
    with pytest.raises(BadInputError, match=r"lies outside the volume of 60x50x40.*LPS"):
        extent_of(box(low, high), PLAIN)  # type: ignore[arg-type]


def test_a_box_larger_than_the_volume_is_cut_and_that_is_said() -> None:
    found = extent_of(box((-500, -500, -500), (500, 500, 500)), PLAIN)
    assert bounds(found.box) == bounds(found.reach) == [(0, 40), (0, 50), (0, 60)]
    assert found.notes == ("The box was cut to the image",)


def test_a_box_that_is_flat_along_one_axis_becomes_as_deep_as_its_shorter_side() -> None:
    found = extent_of(box((10, 10, 40), (30, 22, 40)), PLAIN)
    assert bounds(found.box) == [(17, 24), (10, 23), (10, 31)]
    assert found.notes == ("The box was flat head-foot; it was made 12 mm deep",)


@pytest.mark.parametrize(("high", "what"), [((10, 10, 40), "point"), ((30, 10, 40), "line")])
def test_a_box_that_is_a_line_or_a_point_is_refused(high: tuple[float, float, float], what: str) -> None:
    with pytest.raises(BadInputError, match=f"is a {what}"):
        extent_of(box((10, 10, 40), high), PLAIN)


def test_a_grown_box_holds_what_was_found_and_has_a_reach_of_its_own() -> None:
    found = extent_of(Prompt.of_slices(Kind.PT, (slice(3, 9), slice(20, 30), slice(20, 28)), PLAIN), PLAIN)
    larger = grown(found, (slice(5, 21), slice(22, 25), slice(10, 21)), PLAIN.shape)
    assert bounds(larger.box) == [(3, 21), (20, 30), (10, 28)]
    assert bounds(larger.reach) == [(0, 33), (8, 42), (0, 40)]
