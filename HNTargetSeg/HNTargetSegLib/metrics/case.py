"""All figures of one case: a reference and a prediction, label by label and lesion by lesion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.volume import Geometry, Triple, Volume
from HNTargetSegLib.components.regions import Box
from HNTargetSegLib.metrics.agreement import Agreement
from HNTargetSegLib.metrics.detection import (
    MATCH_IOU,
    Detection,
    detect_pieces,
    intersection_over_union,
    match_by_iou,
)
from HNTargetSegLib.metrics.distances import SurfaceDistances, between, lesion_distances, surface_distances
from HNTargetSegLib.metrics.overlap import Overlap
from HNTargetSegLib.metrics.path_length import added_path_lengths
from HNTargetSegLib.metrics.pieces import Piece, find_pieces, occupied_box, shared_voxels
from HNTargetSegLib.metrics.sizes import SizeBins
from HNTargetSegLib.metrics.surface import Definition, Nearest, Surface, nearest, surface_of


@dataclass(frozen=True)
class Rules:
    """How cases are compared.

    Attributes
    ----------
    definition
        Of surface distances.
    minimum_voxels
        Overlap from which a lesion counts as found and a finding as true.
    bins
        Lesion sizes.
    match_iou
        IoU that a finding must exceed to match a lesion, for F1agg.
    pooled
        Whether lesions are counted over the whole cohort, and not a share for each patient that is then averaged.
    """

    definition: Definition = Definition.DEEPMIND
    minimum_voxels: int = 1
    bins: SizeBins = field(default_factory=SizeBins)
    match_iou: float = MATCH_IOU
    pooled: bool = True


@dataclass(frozen=True)
class LesionFigures:
    """A lesion of the reference.

    Attributes
    ----------
    number
        From 1, the largest of its label first.
    centre
        LPS in mm of the mean voxel.
    size_bin
        Number of its bin by the reference's volume.
    found
        Whether the prediction shares enough voxels with it.
    iou
        With the finding that matches it best.
    matched
        Whether it has a finding of its own over ``Rules.match_iou``.
    agreement
        Of the lesion and all findings that touch it, taken together.
    """

    number: int
    centre: Triple
    size_bin: int
    found: bool
    iou: float
    matched: bool
    agreement: Agreement


@dataclass(frozen=True)
class Finding:
    """A separate piece of the prediction; true where it shares enough voxels with the reference."""

    number: int
    centre: Triple
    volume_cc: float
    size_bin: int
    true: bool
    matched: bool


@dataclass(frozen=True)
class LabelFigures:
    """One label of one case."""

    case: str
    label: Target
    agreement: Agreement
    detection: Detection
    lesions: tuple[LesionFigures, ...]
    findings: tuple[Finding, ...]

    @property
    def has_reference(self) -> bool:
        """Whether the reference holds the label at all."""
        return bool(self.lesions)


def evaluate_case(
    case: str, reference: Volume, prediction: Volume, rules: Rules | None = None
) -> tuple[LabelFigures, ...]:
    """Compare two label maps on one grid.

    Parameters
    ----------
    case
        What the case is called.
    reference, prediction
        0 background, 1 GTVp, 2 GTVn.
    rules
        How; the defaults if None.

    Returns
    -------
    tuple of LabelFigures
        One for each :class:`~HNTargetSegLib.case.labels.Target`.

    Raises
    ------
    GeometryError
        If the grids differ.
    """
    reference.require_same_grid(prediction)
    box = occupied_box(reference.array, prediction.array) or (slice(0, 1), slice(0, 1), slice(0, 1))
    geometry = _cropped(reference.geometry, box)
    maps = reference.array[box], prediction.array[box]
    chosen = rules or Rules()
    return tuple(_label(case, label, maps[0] == label, maps[1] == label, geometry, chosen) for label in Target)


def _cropped(geometry: Geometry, box: Box) -> Geometry:
    k, j, i = (side.stop - side.start for side in box)
    x, y, z = (float(value) for value in geometry.to_lps(np.array([side.start for side in box])))
    return Geometry((i, j, k), geometry.spacing, (x, y, z), geometry.direction)


def _label(
    case: str, label: Target, reference: np.ndarray, prediction: np.ndarray, geometry: Geometry, rules: Rules
) -> LabelFigures:
    lesions, found = find_pieces(reference), find_pieces(prediction)
    shared = shared_voxels(lesions, found)
    voxels = [np.array([piece.voxels for piece in pieces], np.int64) for pieces in (lesions, found)]
    paths = added_path_lengths(lesions, prediction, geometry)
    surfaces = _Surfaces.between(lesions, found, geometry, rules.definition)
    overlap = _overlap(int(voxels[0].sum()), int(voxels[1].sum()), int(shared.sum()), geometry)
    whole = Agreement.of(overlap, surfaces.distances(), float(paths.sum()) if lesions else None)
    ious = intersection_over_union(shared, *voxels)
    matches = match_by_iou(ious, rules.match_iou)
    figures = []
    for row, piece in enumerate(lesions):
        touching = np.flatnonzero(shared[row])
        sizes = piece.voxels, int(voxels[1][touching].sum()), int(shared[row].sum())
        figures.append(
            LesionFigures(
                number=row + 1,
                centre=_centre(piece, geometry),
                size_bin=rules.bins.of(piece.voxels * geometry.voxel_cc),
                found=bool(sizes[2] >= rules.minimum_voxels),
                iou=float(ious[row].max(initial=0.0)),
                matched=row in matches,
                agreement=Agreement.of(
                    _overlap(*sizes, geometry), surfaces.of_lesion(row, touching), float(paths[row])
                ),
            )
        )
    true = shared.sum(axis=0) >= rules.minimum_voxels
    findings = _findings(found, true, set(matches.values()), geometry, rules.bins)
    return LabelFigures(case, label, whole, detect_pieces(shared, rules.minimum_voxels), tuple(figures), findings)


@dataclass(frozen=True, eq=False)
class _Surfaces:
    """Both surfaces of a label and, where neither is empty, the nearest elements."""

    reference: Surface
    prediction: Surface
    there: Nearest | None
    back: Nearest | None
    spacing: Triple
    definition: Definition

    @classmethod
    def between(
        cls, reference: Sequence[Piece], prediction: Sequence[Piece], geometry: Geometry, definition: Definition
    ) -> _Surfaces:
        spacing = geometry.spacing_kji
        one, other = surface_of(reference, spacing, definition), surface_of(prediction, spacing, definition)
        if not len(one) or not len(other):
            return cls(one, other, None, None, spacing, definition)
        there, back = nearest(one, other, spacing), nearest(other, one, spacing)
        return cls(one, other, there, back, spacing, definition)

    def distances(self) -> SurfaceDistances:
        if self.there is None or self.back is None:
            return surface_distances(self.reference, self.prediction, self.spacing, self.definition)
        return between(self.reference, self.prediction, self.there.mm, self.back.mm, self.definition)

    def of_lesion(self, number: int, touching: np.ndarray) -> SurfaceDistances:
        if self.there is None or self.back is None or not touching.size:
            lesion = self.reference.of(self.reference.piece == number)
            nothing = self.prediction.of(np.zeros(len(self.prediction), bool))
            return surface_distances(lesion, nothing, self.spacing, self.definition)
        pieces = np.array([number]), touching
        return lesion_distances(
            self.reference, self.prediction, self.there, self.back, self.spacing, self.definition, pieces
        )


def _findings(
    pieces: Sequence[Piece], true: np.ndarray, matched: set[int], geometry: Geometry, bins: SizeBins
) -> tuple[Finding, ...]:
    volumes = [piece.voxels * geometry.voxel_cc for piece in pieces]
    return tuple(
        Finding(n + 1, _centre(piece, geometry), volume, bins.of(volume), bool(true[n]), n in matched)
        for n, (piece, volume) in enumerate(zip(pieces, volumes, strict=True))
    )


def _overlap(reference: int, prediction: int, shared: int, geometry: Geometry) -> Overlap:
    return Overlap(*(count * geometry.voxel_cc for count in (reference, prediction, shared)))


def _centre(piece: Piece, geometry: Geometry) -> Triple:
    x, y, z = (float(value) for value in geometry.to_lps(np.array(piece.middle())))
    return x, y, z
