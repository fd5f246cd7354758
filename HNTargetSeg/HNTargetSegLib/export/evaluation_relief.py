"""Segments in three dimensions, as a picture: seen from one direction, lit, drawn without any graphics library."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.metrics.pieces import occupied_box

Rgb = tuple[float, float, float]

_PIXELS = 180
_SMOOTHING_MM, _SMOOTHING_VOXELS = 0.8, 0.6
_MARGIN_MM = 6.0
_LIGHT = np.array([-0.45, 0.55, -0.7])
_AMBIENT, _DIFFUSE, _GLOSS = 0.35, 0.6, 0.25


@dataclass(frozen=True, eq=False)
class View:
    """From where segments are seen; the same view makes pictures of one scale.

    Attributes
    ----------
    centre
        LPS in mm that the picture's middle shows.
    radius_mm
        Half the width and height of the picture.
    axes
        Rows are the LPS directions to the right, upwards and away from the eye.
    """

    centre: np.ndarray
    radius_mm: float
    axes: np.ndarray


def view_of(maps: list[Volume], turn: float = 25.0, tilt: float = 15.0) -> View | None:
    """A view from the front that holds every voxel of the maps; None where all are empty.

    Parameters
    ----------
    turn, tilt
        Degrees by which the eye goes to the patient's left and upwards.
    """
    corners = []
    for volume in maps:
        box = occupied_box(volume.array)
        if box is not None:
            ends = [(side.start - 0.5, side.stop - 0.5) for side in box]
            corners.append(volume.geometry.to_lps(np.stack(np.meshgrid(*ends, indexing="ij"), -1).reshape(-1, 3)))
    if not corners:
        return None
    points = np.concatenate(corners)
    centre = (points.min(axis=0) + points.max(axis=0)) / 2
    radius = float(np.linalg.norm(points - centre, axis=1).max()) + _MARGIN_MM
    angle, rise = np.radians(turn), np.radians(tilt)
    away = np.array([-np.sin(angle) * np.cos(rise), np.cos(angle) * np.cos(rise), -np.sin(rise)])
    right = np.array([np.cos(angle), np.sin(angle), 0.0])
    return View(centre, radius, np.stack([right, np.cross(right, away), away]))


def relief(labels: Volume, view: View, colours: dict[int, Rgb], background: Rgb = (0.1, 0.1, 0.12)) -> np.ndarray:
    """Picture of the labels of a map, RGB in [0, 1], shape (pixels, pixels, 3), the first row on top.

    Each label is smoothed a little and cut where it reaches one half; the surface nearest to the eye is lit by its
    slope.
    """
    picture: np.ndarray = np.tile(np.array(background), (_PIXELS, _PIXELS, 1))
    nearest: np.ndarray = np.full((_PIXELS, _PIXELS), np.inf)
    for label, colour in colours.items():
        found = _surface(labels.array == label, labels.geometry, view)
        if found is None:
            continue
        depth, normal = found
        seen = depth < nearest
        picture[seen] = _lit(normal[seen], view, colour)
        nearest[seen] = depth[seen]
    return np.clip(picture, 0, 1)


def _surface(mask: np.ndarray, geometry: Geometry, view: View) -> tuple[np.ndarray, np.ndarray] | None:
    """Depth in mm of the first surface behind each pixel (infinite without one) and its outward normal in LPS."""
    from scipy import ndimage

    box = occupied_box(mask)
    if box is None:
        return None
    # Thick slices need more, or they show as steps.
    deviations = [max(_SMOOTHING_MM / step, _SMOOTHING_VOXELS) for step in geometry.spacing_kji]
    rim = [int(np.ceil(4 * deviation)) + 1 for deviation in deviations]
    crop = np.pad(mask[box].astype(np.float32), [(n, n) for n in rim])
    field = ndimage.gaussian_filter(crop, deviations)
    corner = np.array([side.start for side in box]) - rim

    def sample(places: np.ndarray) -> np.ndarray:
        kji = np.moveaxis(geometry.to_kji(places) - corner, -1, 0)
        values: np.ndarray = ndimage.map_coordinates(field, kji, order=1, mode="constant")
        return values

    depth = _first_depth(sample, view)
    hit = np.isfinite(depth)
    places = _pixels(view)[hit] + depth[hit][:, None] * view.axes[2]
    slope = np.stack([sample(places + step) - sample(places - step) for step in np.eye(3) * _SMOOTHING_MM], axis=-1)
    normal: np.ndarray = np.zeros((*depth.shape, 3))
    normal[hit] = -slope / np.maximum(np.linalg.norm(slope, axis=-1, keepdims=True), 1e-9)
    return depth, normal


def _first_depth(sample: Callable[[np.ndarray], np.ndarray], view: View) -> np.ndarray:
    """Where each line of sight first meets a value of one half, in mm behind the picture's plane."""
    pixels = _pixels(view)
    step = 2 * view.radius_mm / _PIXELS
    depth: np.ndarray = np.full(pixels.shape[:2], np.inf)
    before: np.ndarray = np.zeros(pixels.shape[:2])
    for number in range(_PIXELS + 1):
        at = number * step - view.radius_mm
        value = sample(pixels + at * view.axes[2])
        crossed = (value >= 0.5) & np.isinf(depth)
        share = (0.5 - before[crossed]) / np.maximum(value[crossed] - before[crossed], 1e-9)
        depth[crossed] = at - step * (1 - share)
        before = value
    return depth


def _pixels(view: View) -> np.ndarray:
    """LPS position of each pixel on the plane through the view's centre, (pixels, pixels, 3)."""
    offsets = ((np.arange(_PIXELS) + 0.5) / _PIXELS * 2 - 1) * view.radius_mm
    across, down = offsets[None, :, None] * view.axes[0], offsets[:, None, None] * view.axes[1]
    plane: np.ndarray = view.centre + across - down
    return plane


def _lit(normal: np.ndarray, view: View, colour: Rgb) -> np.ndarray:
    light = (_LIGHT / np.linalg.norm(_LIGHT)) @ view.axes
    facing = np.clip(normal @ light, 0, None)
    half = light - view.axes[2]
    gloss = np.clip(normal @ (half / np.linalg.norm(half)), 0, None) ** 30
    shaded: np.ndarray = (_AMBIENT + _DIFFUSE * facing)[:, None] * np.array(colour) + _GLOSS * gloss[:, None]
    return shaded
