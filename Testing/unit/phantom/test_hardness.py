"""That brightness alone finds neither target."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import label as components

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.phantom import PhantomPatient, PhantomVisit

# In units of the visit's body median; the last one has no upper limit.
EDGES = (0.6, 1.0, 1.4, 1.8, 2.3, 3.0, 4.0, 5.5, np.inf)
KEPT = (1, 2, 3)


def visits(cohort: list[PhantomPatient], count: int) -> list[PhantomVisit]:
    return [visit for patient in cohort[:count] for visit in (patient.pre, patient.mid)]


def relative(visit: PhantomVisit) -> np.ndarray:
    image = visit.image.array
    return image / np.median(image[image > 0.3 * image.mean()])


def overlaps(image: np.ndarray, truths: list[np.ndarray], low: float, high: float) -> np.ndarray:
    """DSC of the 1, 2, 3 largest components of a band with each truth; NaN where the truth is empty."""
    parts, _ = components((image > low) & (image <= high))
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    order = np.argsort(sizes)[::-1]
    table = []
    for truth in truths:
        hits = np.bincount(parts[truth], minlength=sizes.size)
        hits[0] = 0
        table.append(
            [
                2 * hits[order[:n]].sum() / (sizes[order[:n]].sum() + truth.sum()) if truth.any() else np.nan
                for n in KEPT
            ]
        )
    return np.array(table)


def test_no_threshold_or_band_with_largest_components_finds_a_target(cohort: list[PhantomPatient]) -> None:
    bands = [(a, b) for n, a in enumerate(EDGES) for b in EDGES[n + 1 :]]
    found = np.full((8, len(bands), len(Target), len(KEPT)), np.nan)
    for n, visit in enumerate(visits(cohort, 4)):
        image = relative(visit)
        truths = [visit.mask.array == label for label in Target]
        for m, (low, high) in enumerate(bands):
            found[n, m] = overlaps(image, truths, low, high)
    assert np.isfinite(found).any(axis=(1, 2, 3)).all()
    best = np.nanmean(found, axis=0).max(axis=(0, 2))
    assert best.max() <= 0.35


def test_the_sweep_finds_a_target_that_is_alone_in_its_brightness() -> None:
    image = np.ones((9, 9, 9))
    image[2:5, 2:6, 3:6] = 3.3
    assert overlaps(image, [image > 3], 3.0, 3.6)[0, 0] == 1.0


def node_means(cohort: list[PhantomPatient]) -> tuple[np.ndarray, np.ndarray]:
    """Mean relative signal of malignant and of benign nodes."""
    malignant, benign = [], []
    for visit in visits(cohort, len(cohort)):
        image = relative(visit)
        ids = visit.lesions.array * (visit.mask.array == Target.LN)
        malignant += [image[ids == number].mean() for number in np.unique(ids[ids > 0])]
        parts, count = components(visit.distractors.array == 1, np.ones((3, 3, 3)))
        benign += [image[parts == number].mean() for number in range(1, count + 1)]
    return np.array(malignant), np.array(benign)


def test_benign_nodes_are_as_bright_as_malignant_ones(cohort: list[PhantomPatient]) -> None:
    malignant, benign = node_means(cohort)
    assert min(malignant.size, benign.size) >= 10
    auc = (malignant[:, None] > benign[None]).mean()
    assert 0.35 <= auc <= 0.65


@pytest.mark.parametrize("label", list(Target))
def test_lesions_are_less_even_inside_than_benign_nodes(cohort: list[PhantomPatient], label: Target) -> None:
    def spread(visit: PhantomVisit, region: np.ndarray) -> float:
        values = visit.image.array[region]
        return float(values.std() / values.mean())

    lesions, benign = [], []
    for visit in visits(cohort, len(cohort)):
        ids = visit.lesions.array * (visit.mask.array == label)
        lesions += [spread(visit, ids == n) for n in np.unique(ids[ids > 0]) if (ids == n).sum() > 100]
        parts, count = components(visit.distractors.array == 1, np.ones((3, 3, 3)))
        benign += [spread(visit, parts == n) for n in range(1, count + 1) if (parts == n).sum() > 100]
    assert np.median(lesions) > np.median(benign)
