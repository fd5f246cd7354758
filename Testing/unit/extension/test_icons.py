"""The icons: there, of the right size, told apart by shape, and visible on light and dark panels."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread
from Testing.pictures.make_icon import STATES, write_icons

from HNTargetSegLib import links
from HNTargetSegLib.lesions.lesion import State

LIGHT, DARK = (0.94, 0.94, 0.94), (0.18, 0.18, 0.19)
# WCAG 2.2, success criterion 1.4.11: graphics need 3:1 to what lies beside them.
CONTRAST = 3.0


@pytest.fixture(scope="module")
def icons(repository: Path) -> Path:
    return repository / "HNTargetSeg" / "Resources" / "Icons"


def test_the_icon_of_the_catalogue_is_128_pixels_wide_and_transparent_round_the_neck(repository: Path) -> None:
    icon = imread(repository / links.ICON_FILE)
    assert icon.shape == (128, 128, 4)
    assert icon[[0, 0, -1, -1], [0, -1, 0, -1], 3].max() == 0


def test_tumour_and_node_are_seen_at_16_pixels(repository: Path) -> None:
    small = imread(repository / links.ICON_FILE)[..., :3].reshape(16, 8, 16, 8, 3).mean((1, 3))
    red, green, blue = np.moveaxis(small, -1, 0)
    assert ((green > red + 0.3) & (green > blue + 0.2)).sum() >= 4
    assert ((red > blue + 0.4) & (green > blue + 0.4)).sum() >= 4


def test_every_state_has_an_icon(icons: Path) -> None:
    assert set(STATES) == {state.value for state in State}
    for state in State:
        assert imread(icons / f"lesion-{state.value}.png").shape == (24, 24, 4)
        assert imread(icons / f"lesion-{state.value}@2x.png").shape == (48, 48, 4)


@pytest.mark.parametrize(("one", "other"), list(combinations(State, 2)))
def test_states_differ_in_shape_and_not_in_colour_only(icons: Path, one: State, other: State) -> None:
    first, second = (imread(icons / f"lesion-{state.value}@2x.png")[..., 3] > 0.5 for state in (one, other))
    assert (first & second).sum() < 0.5 * (first | second).sum()


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("panel", [LIGHT, DARK])
def test_states_stand_out_from_light_and_dark_panels(icons: Path, state: State, panel: tuple[float, ...]) -> None:
    icon = imread(icons / f"lesion-{state.value}@2x.png")
    colour = np.median(icon[icon[..., 3] > 0.99][:, :3], axis=0)
    bright, dim = sorted((_luminance(colour), _luminance(np.array(panel))), reverse=True)
    assert (bright + 0.05) / (dim + 0.05) >= CONTRAST


def test_the_icons_are_those_that_the_script_draws(icons: Path, tmp_path: Path) -> None:
    for path in write_icons(tmp_path):
        # Not byte by byte: another matplotlib may smooth edges otherwise.
        assert np.abs(imread(path) - imread(icons / path.name)).mean() < 0.01, path.name


def _luminance(colour: np.ndarray) -> float:
    """Relative luminance of an sRGB colour, as WCAG defines it."""
    linear = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])
