"""Surface figures beside DeepMind's package and MedPy, on one pair of masks of two nodes and a false island."""

from __future__ import annotations

import importlib.util
import time
import warnings
from collections.abc import Callable
from statistics import median

import numpy as np
from Testing.benchmarks.setting import Setting
from Testing.benchmarks.table import Row, at_most, below_peer

from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.metrics.case import evaluate_case
from HNTargetSegLib.metrics.distances import TOLERANCES_MM, mask_distances
from HNTargetSegLib.metrics.surface import Definition

SHAPE = (120, 512, 512)
SPACING_KJI = (2.0, 0.5, 0.5)

# Centre and half axes in mm of the reference's nodes (about 3 and 14 cc) and of what the prediction adds.
_NODES = (((100.0, 150.0, 60.0), (14.0, 8.0, 7.0)), ((130.0, 140.0, 190.0), (21.0, 14.0, 11.0)))
_ISLAND = ((190.0, 90.0, 210.0), (6.0, 4.0, 4.0))


def run(setting: Setting) -> list[Row]:
    """Measure; the median of ours and of DeepMind's counts, MedPy runs once."""
    reference, prediction = masks()
    ours, figures = _timed(lambda: surface_figures(reference, prediction), setting.repeats + 4)
    full, _ = _timed(lambda: _full(reference, prediction), setting.repeats + 4)
    rows = [at_most("all figures of a case, lesions too", full / ours, 2, "x the surface figures alone")]
    rows += _beside_deepmind(reference, prediction, ours, figures, setting.repeats)
    return [*rows, *_beside_medpy(reference, prediction, setting.repeats + 4)]


def masks() -> tuple[np.ndarray, np.ndarray]:
    """Reference and prediction: nodes with a rough outline, the prediction's moved and a little larger."""
    random = np.random.default_rng(SHAPE[0])
    reference, prediction = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
    for centre, axes in _NODES:
        _add_ellipsoid(reference, centre, axes, random)
        _add_ellipsoid(prediction, tuple(np.add(centre, 1.5)), tuple(np.multiply(axes, 1.08)), random)
    _add_ellipsoid(prediction, *_ISLAND, random)
    return reference, prediction


def surface_figures(
    reference: np.ndarray, prediction: np.ndarray, definition: Definition = Definition.DEEPMIND
) -> list[float | None]:
    """Surface Dice at each tolerance, mean surface distance and HD95."""
    found = mask_distances(reference, prediction, SPACING_KJI, definition)
    return [*(found.surface_dice(tolerance) for tolerance in TOLERANCES_MM), found.mean(), found.percentile()]


def _full(reference: np.ndarray, prediction: np.ndarray) -> object:
    geometry = Geometry(SHAPE[::-1], SPACING_KJI[::-1])
    maps = (Volume(mask.view(np.uint8) * np.uint8(2), geometry) for mask in (reference, prediction))
    return evaluate_case("pair", *maps)


def _beside_deepmind(
    reference: np.ndarray, prediction: np.ndarray, ours: float, figures: list[float | None], repeats: int
) -> list[Row]:
    name = "SDS, MSD, HD95 beside surface-distance"
    if importlib.util.find_spec("surface_distance") is None:
        return [Row(f"{name}, which is not installed", ours, goal="2x below")]
    theirs, peer = _timed(lambda: _deepmind(reference, prediction), repeats)
    return [below_peer(name, ours, theirs, 2), at_most("  largest difference", _apart(figures, peer), 1e-9, "")]


def _beside_medpy(reference: np.ndarray, prediction: np.ndarray, repeats: int) -> list[Row]:
    name = "HD95 and ASSD beside MedPy"
    ours, figures = _timed(lambda: surface_figures(reference, prediction, Definition.MEDPY)[-2:], repeats)
    if importlib.util.find_spec("medpy") is None:
        return [Row(f"{name}, which is not installed", ours, goal="300x below")]
    import medpy.metric  # noqa: F401, its import is not what is timed

    begin = time.perf_counter()
    peer = _medpy(reference, prediction)
    theirs = time.perf_counter() - begin
    return [below_peer(name, ours, theirs, 300), at_most("  largest difference", _apart(figures, peer), 1e-9, "")]


def _deepmind(reference: np.ndarray, prediction: np.ndarray) -> list[float]:
    import surface_distance as peer

    with warnings.catch_warnings():
        # The package uses names that SciPy is about to drop.
        warnings.simplefilter("ignore", DeprecationWarning)
        found = peer.compute_surface_distances(reference, prediction, SPACING_KJI)
    dice = [peer.compute_surface_dice_at_tolerance(found, tolerance) for tolerance in TOLERANCES_MM]
    mean = float(np.mean(peer.compute_average_surface_distance(found)))
    return [*map(float, dice), mean, float(peer.compute_robust_hausdorff(found, 95))]


def _medpy(reference: np.ndarray, prediction: np.ndarray) -> list[float]:
    from medpy.metric import binary

    return [float(figure(prediction, reference, SPACING_KJI)) for figure in (binary.assd, binary.hd95)]


def _timed(work: Callable[[], list], repeats: int) -> tuple[float, list]:
    # The first call imports and makes tables.
    work()
    seconds = []
    for _ in range(repeats):
        begin = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - begin)
    return median(seconds), result


def _apart(ours: list[float | None], theirs: list[float]) -> float:
    return max(abs((a if a is not None else np.inf) - b) for a, b in zip(ours, theirs, strict=True))


def _add_ellipsoid(
    mask: np.ndarray, centre: tuple[float, ...], axes: tuple[float, ...], random: np.random.Generator
) -> None:
    from scipy import ndimage

    places = [np.arange(n) * step - c for n, step, c in zip(mask.shape, SPACING_KJI, centre, strict=True)]
    box = tuple(slice(*np.flatnonzero(np.abs(p) < 1.5 * a)[[0, -1]]) for p, a in zip(places, axes, strict=True))
    k, j, i = np.ix_(*(p[side] / a for p, side, a in zip(places, box, axes, strict=True)))
    rough = ndimage.gaussian_filter(random.standard_normal(np.broadcast(k, j, i).shape), (1, 4, 4))
    mask[box] |= k**2 + j**2 + i**2 + 0.25 * rough / rough.std() < 1
