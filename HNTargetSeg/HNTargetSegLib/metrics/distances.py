"""Figures from the distances between two surfaces: surface Dice, mean surface distance, HD95."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from HNTargetSegLib.metrics.overlap import require_one_shape
from HNTargetSegLib.metrics.pieces import find_pieces, occupied_box
from HNTargetSegLib.metrics.surface import Definition, Nearest, Spacing, Surface, nearest, surface_of

TOLERANCES_MM = (1, 2, 3)
"""Tolerances at which the surface Dice is given."""


@dataclass(frozen=True, eq=False)
class SurfaceDistances:
    """Distances in mm from each element of either surface to the other surface, and the elements' sizes.

    Attributes
    ----------
    to_prediction, reference_sizes
        Of the reference's elements, (n,); the distances are infinite where the prediction has none.
    to_reference, prediction_sizes
        Of the prediction's elements, (m,).
    definition
        Whose figures they make.
    """

    to_prediction: np.ndarray
    reference_sizes: np.ndarray
    to_reference: np.ndarray
    prediction_sizes: np.ndarray
    definition: Definition = Definition.DEEPMIND

    @property
    def both(self) -> bool:
        """Whether both surfaces have elements, without which there is no distance."""
        return bool(len(self.reference_sizes) and len(self.prediction_sizes))

    def surface_dice(self, tolerance_mm: float) -> float | None:
        """Share of both surfaces that lies within a tolerance of the other; None where both are empty.

        Source: Nikolov et al., arXiv 1809.04430, for ``Definition.DEEPMIND``. MedPy has none: there it is the share of
        the outer voxels.
        """
        total = self.reference_sizes.sum() + self.prediction_sizes.sum()
        if not total:
            return None
        within = self.reference_sizes[self.to_prediction <= tolerance_mm].sum()
        within += self.prediction_sizes[self.to_reference <= tolerance_mm].sum()
        return float(within / total)

    def mean(self) -> float | None:
        """Mean surface distance in mm (MSD); None where a surface is empty.

        DeepMind's: the mean over the area of each direction, and then of both. MedPy's ``assd``: over all outer voxels.
        """
        if not self.both:
            return None
        if self.definition is Definition.MEDPY:
            return float(np.concatenate([self.to_reference, self.to_prediction]).mean())
        there = float(np.sum(self.to_prediction * self.reference_sizes) / np.sum(self.reference_sizes))
        back = float(np.sum(self.to_reference * self.prediction_sizes) / np.sum(self.prediction_sizes))
        return (there + back) / 2

    def percentile(self, percent: float = 95) -> float | None:
        """Robust Hausdorff distance in mm, HD95 for 95; None where a surface is empty.

        DeepMind's: the distance that ``percent`` of a surface's area does not exceed, the larger of both directions.
        MedPy's: the percentile of all outer voxels' distances, between two of them where it falls there.
        """
        if not self.both:
            return None
        if self.definition is Definition.MEDPY:
            return float(np.percentile(np.concatenate([self.to_reference, self.to_prediction]), percent))
        return max(
            _weighted_percentile(self.to_prediction, self.reference_sizes, percent),
            _weighted_percentile(self.to_reference, self.prediction_sizes, percent),
        )


def mask_distances(
    reference: np.ndarray,
    prediction: np.ndarray,
    spacing_kji: Spacing,
    definition: Definition = Definition.DEEPMIND,
) -> SurfaceDistances:
    """Distances between the surfaces of two boolean masks (k, j, i) with voxels of ``spacing_kji`` mm.

    Raises
    ------
    GeometryError
        If the shapes differ.
    """
    require_one_shape(reference, prediction)
    box = occupied_box(reference, prediction)
    pieces = [() if box is None else find_pieces(mask[box]) for mask in (reference, prediction)]
    one, other = (surface_of(own, spacing_kji, definition) for own in pieces)
    return surface_distances(one, other, spacing_kji, definition)


def surface_distances(
    reference: Surface, prediction: Surface, spacing_kji: Spacing, definition: Definition = Definition.DEEPMIND
) -> SurfaceDistances:
    """Distances between two surfaces on one grid with voxels of ``spacing_kji`` mm."""
    if not len(reference) or not len(prediction):
        far, back_far = (np.full(len(surface), np.inf) for surface in (reference, prediction))
        return between(reference, prediction, far, back_far, definition)
    there, back = nearest(reference, prediction, spacing_kji), nearest(prediction, reference, spacing_kji)
    return between(reference, prediction, there.mm, back.mm, definition)


def between(
    reference: Surface, prediction: Surface, there: np.ndarray, back: np.ndarray, definition: Definition
) -> SurfaceDistances:
    """Distances that are known: of the reference's elements ``there`` and of the prediction's ``back``."""
    return SurfaceDistances(there, reference.sizes, back, prediction.sizes, definition)


def lesion_distances(
    reference: Surface,
    prediction: Surface,
    there: Nearest,
    back: Nearest,
    spacing_kji: Spacing,
    definition: Definition,
    pieces: tuple[np.ndarray, np.ndarray],
) -> SurfaceDistances:
    """Distances between some pieces of the reference and some of the prediction, out of those between all.

    Only the elements whose nearest one is of another piece are looked for again.

    Parameters
    ----------
    there, back
        :func:`~HNTargetSegLib.metrics.surface.nearest` of all of the reference and of all of the prediction.
    pieces
        Numbers of the pieces of either.
    """
    chosen = [np.isin(surface.piece, which) for surface, which in zip((reference, prediction), pieces, strict=True)]
    own = [surface.of(mask) for surface, mask in zip((reference, prediction), chosen, strict=True)]
    distances = []
    for mine, (target, found), other in (
        (0, (prediction, there), 1),
        (1, (reference, back), 0),
    ):
        mm, index = found.mm[chosen[mine]].copy(), found.index[chosen[mine]]
        astray = ~np.isin(target.piece[index], pieces[other])
        if astray.any():
            mm[astray] = nearest(own[mine].of(astray), own[other], spacing_kji).mm
        distances.append(mm)
    return between(own[0], own[1], distances[0], distances[1], definition)


def _weighted_percentile(distances: np.ndarray, sizes: np.ndarray, percent: float) -> float:
    order = np.argsort(distances, kind="stable")
    reached = np.cumsum(sizes[order]) / np.sum(sizes[order])
    return float(distances[order[min(int(np.searchsorted(reached, percent / 100)), len(order) - 1)]])
