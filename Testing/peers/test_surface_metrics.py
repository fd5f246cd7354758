"""Surface figures: ours against DeepMind's surface-distance, MedPy and MONAI, on random and real pairs of masks."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from Testing.peers.installed import peer

from HNTargetSegLib.case.read import read_mask
from HNTargetSegLib.metrics.distances import TOLERANCES_MM, mask_distances
from HNTargetSegLib.metrics.surface import Definition
from HNTargetSegLib.metrics.surface_elements import element_areas

RANDOM_PAIRS = 200
Pair = tuple[np.ndarray, np.ndarray, tuple[float, float, float]]


@pytest.fixture
def surface_distance():
    package = peer("surface_distance")
    with warnings.catch_warnings():
        # It uses names that SciPy is about to drop.
        warnings.simplefilter("ignore", DeprecationWarning)
        yield package


@pytest.fixture
def medpy():
    """MedPy is under the GPL; it is compared with here and ships with nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield peer("medpy.metric.binary")


@pytest.fixture
def monai_metrics():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield peer("monai.metrics")


def blob(random: np.random.Generator, shape: tuple[int, ...], density: float) -> np.ndarray:
    """A random mask of a few rough pieces, some at the border."""
    from scipy import ndimage

    noise = ndimage.gaussian_filter(random.standard_normal(shape), random.uniform(0.6, 2.2))
    mask = noise > np.quantile(noise, 1 - density)
    mask.flat[random.integers(mask.size)] = True
    return mask


def random_pairs(count: int = RANDOM_PAIRS) -> Iterator[Pair]:
    random = np.random.default_rng(20)
    for _ in range(count):
        shape = tuple(random.integers(4, 22, 3))
        one, other = (blob(random, shape, random.uniform(0.02, 0.5)) for _ in range(2))
        if random.random() < 0.5:
            other = np.roll(one, tuple(random.integers(-2, 3, 3)), (0, 1, 2)) | (other & blob(random, shape, 0.1))
        yield one, other, tuple(random.uniform(0.4, 3.5, 3).tolist())


def real_pairs(folder: Path) -> Iterator[Pair]:
    for path in sorted((folder / "hntsmrg2024-masks").glob("*_midRT_mask.nii.gz")):
        reference = read_mask(path)
        prior = read_mask(path.with_name(path.name.replace("midRT_mask", "preRT_mask_registered")))
        for label in (1, 2):
            masks = reference.array == label, prior.array == label
            if all(mask.any() for mask in masks):
                yield *masks, reference.geometry.spacing_kji


def deepminds_figures(peer, one, other, spacing):
    found = peer.compute_surface_distances(one, other, spacing)
    dice = [peer.compute_surface_dice_at_tolerance(found, tolerance) for tolerance in TOLERANCES_MM]
    mean = np.mean(peer.compute_average_surface_distance(found))
    return [*dice, mean, peer.compute_robust_hausdorff(found, 95)]


def our_figures(one, other, spacing, definition=Definition.DEEPMIND):
    found = mask_distances(one, other, spacing, definition)
    return [*(found.surface_dice(tolerance) for tolerance in TOLERANCES_MM), found.mean(), found.percentile()]


def test_each_surface_element_has_the_area_of_surface_distance(surface_distance):
    table = surface_distance.lookup_tables.create_table_neighbour_code_to_surface_area
    random = np.random.default_rng(1)
    for spacing in [(1.0, 1.0, 1.0), (2.0, 0.5, 0.5), *np.exp(random.uniform(-2, 2, (100, 3))).tolist()]:
        np.testing.assert_allclose(element_areas(tuple(spacing)), table(spacing), rtol=1e-12)


def test_random_pairs_have_the_figures_of_surface_distance(surface_distance):
    for one, other, spacing in random_pairs():
        np.testing.assert_allclose(
            our_figures(one, other, spacing),
            deepminds_figures(surface_distance, one, other, spacing),
            rtol=0,
            atol=1e-9,
        )


def test_real_pairs_have_the_figures_of_surface_distance(surface_distance, real_data):
    pairs = list(real_pairs(real_data))
    assert len(pairs) == 12
    for one, other, spacing in pairs:
        np.testing.assert_allclose(
            our_figures(one, other, spacing),
            deepminds_figures(surface_distance, one, other, spacing),
            rtol=0,
            atol=1e-9,
        )


def test_random_pairs_have_the_distances_of_medpy(medpy):
    for one, other, spacing in random_pairs():
        ours = our_figures(one, other, spacing, Definition.MEDPY)[-2:]
        theirs = [medpy.assd(other, one, spacing), medpy.hd95(other, one, spacing)]
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)


def test_real_pairs_have_the_distances_of_medpy(medpy, real_data):
    for one, other, spacing in real_pairs(real_data):
        # MedPy takes half a minute for a whole volume; its figures do not depend on how much background there is.
        box = tuple(slice(max(p.min() - 1, 0), p.max() + 2) for p in np.nonzero(one | other))
        ours = our_figures(one, other, spacing, Definition.MEDPY)[-2:]
        theirs = [figure(other[box], one[box], spacing) for figure in (medpy.assd, medpy.hd95)]
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)


def test_random_pairs_have_the_surface_dice_of_monai(monai_metrics):
    import torch

    for one, other, spacing in random_pairs(20):
        # MONAI's areas need a rim, and it computes in single precision.
        padded = (torch.from_numpy(np.pad(mask, 2)[None, None]) for mask in (other, one))
        theirs = monai_metrics.compute_surface_dice(
            *padded, [2.0], include_background=True, spacing=spacing, use_subvoxels=True
        )
        assert our_figures(one, other, spacing)[1] == pytest.approx(float(theirs), abs=1e-5)


def test_random_pairs_have_the_mean_distance_of_monai(monai_metrics):
    import torch

    for one, other, spacing in random_pairs(20):
        masks = (torch.from_numpy(mask[None, None]) for mask in (other, one))
        theirs = monai_metrics.compute_average_surface_distance(
            *masks, include_background=True, symmetric=True, spacing=spacing
        )
        assert our_figures(one, other, spacing, Definition.MEDPY)[3] == pytest.approx(float(theirs), rel=1e-5)
