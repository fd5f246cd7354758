"""What becomes of prior lesions: whether a network leaves alone what has vanished and keeps what persists."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.lesions.find import find_lesions
from HNTargetSegLib.lesions.match import match_lesions
from HNTargetSegLib.metrics.bootstrap import Estimate, Ratio, draw_patients, estimate
from HNTargetSegLib.metrics.overlap import overlap
from HNTargetSegLib.metrics.pieces import find_pieces
from HNTargetSegLib.prior.boxes import prior_boxes
from HNTargetSegLib.prior.options import Margin

PERSISTING_CC = 0.3
"""Smaller remnants are not asked for."""

KEPT_DSC = 0.5
ENOUGH_VANISHED, ENOUGH_PERSISTING = 40, 100
"""Fewer say little."""


@dataclass(frozen=True)
class PriorFate:
    """One prior lesion.

    Attributes
    ----------
    patient
        Whose.
    label
        1 or 2.
    reference_cc
        What is left of it; 0 where it has vanished.
    left_voxels
        Predicted in its box, of either label, where it has vanished; None where it persists. What belongs to another
        lesion that is there is not counted.
    dsc
        Of what is left of it and all findings of its label that touch that; None where it has vanished.
    """

    patient: str
    label: int
    reference_cc: float
    left_voxels: int | None
    dsc: float | None

    @property
    def vanished(self) -> bool:
        """Whether nothing is left of it."""
        return self.dsc is None


@dataclass(frozen=True)
class Refusal:
    """Both shares over all patients, with patient-level intervals; the estimates' ``patients`` have such lesions."""

    vanished: int
    refused: Estimate
    persisting: int
    kept: Estimate

    @property
    def enough(self) -> bool:
        """Whether there are as many lesions of either kind as the project asks for."""
        return self.vanished >= ENOUGH_VANISHED and self.persisting >= ENOUGH_PERSISTING


def prior_fates(patient: str, prior: Volume, reference: Volume, prediction: Volume) -> tuple[PriorFate, ...]:
    """Judge what a network made of each prior lesion.

    A prior lesion has vanished where :func:`~HNTargetSegLib.lesions.match.match_lesions` finds no lesion of the
    reference for it and the reference has no voxel in it; it persists where one is found and over ``PERSISTING_CC`` is
    left. All others are not judged.

    Parameters
    ----------
    prior
        Registered pre-RT delineation.
    reference, prediction
        Of the mid-RT visit, on the same grid.

    Raises
    ------
    GeometryError
        If the grids differ.
    """
    reference.require_same_grid(prediction)
    before = find_lesions(prior)
    now = match_lesions(find_lesions(reference), before)
    fates: list[PriorFate] = []
    for lesion in before.present:
        left = [entry for entry in now if lesion.id in entry.prior_ids and entry.label is lesion.label and entry.voxels]
        own = before.ids.array == lesion.id
        if left:
            mask = np.isin(now.ids.array, [entry.id for entry in left])
            cc = float(np.count_nonzero(mask) * reference.geometry.voxel_cc)
            if cc > PERSISTING_CC:
                touching = _touching(prediction.array == lesion.label, mask)
                fates.append(PriorFate(patient, int(lesion.label), cc, None, overlap(mask, touching, 1.0).dsc))
        elif not (own & (reference.array > 0)).any():
            voxels = _left_in_box(own, int(lesion.label), reference, prediction)
            fates.append(PriorFate(patient, int(lesion.label), 0.0, voxels, None))
    return tuple(fates)


def refusal(fates: Iterable[PriorFate], draws: int = 2000) -> Refusal:
    """Pool over patients."""
    everything = list(fates)
    gone = [fate for fate in everything if fate.vanished]
    there = [fate for fate in everything if not fate.vanished]
    return Refusal(
        len(gone),
        _share(gone, lambda fate: fate.left_voxels == 0, draws),
        len(there),
        _share(there, lambda fate: (fate.dsc or 0.0) >= KEPT_DSC, draws),
    )


def _share(fates: Sequence[PriorFate], holds: Callable[[PriorFate], bool], draws: int) -> Estimate:
    patients = sorted({fate.patient for fate in fates})
    own = [[holds(fate) for fate in fates if fate.patient == patient] for patient in patients]
    ratio = Ratio.pooled((float(sum(answers)), float(len(answers))) for answers in own)
    return estimate(ratio, draw_patients(len(patients), draws), len(patients))


def _touching(prediction: np.ndarray, mask: np.ndarray) -> np.ndarray:
    found: np.ndarray = np.zeros(mask.shape, bool)
    for piece in find_pieces(prediction):
        if (mask[piece.box] & piece.mask).any():
            found[piece.box] |= piece.mask
    return found


def _left_in_box(own: np.ndarray, label: int, reference: Volume, prediction: Volume) -> int:
    others = _touching(prediction.array > 0, reference.array > 0)
    left = (prediction.array > 0) & ~others
    boxes = prior_boxes(own.astype(np.uint8) * label, Margin())
    return sum(int(np.count_nonzero(left[box.slices])) for box in boxes[:1])
