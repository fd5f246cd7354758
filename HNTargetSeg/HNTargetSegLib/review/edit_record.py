"""What the reviewer has changed of each lesion against what a model proposed, and how long it took."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.case.volume import Geometry
from HNTargetSegLib.components.regions import Box
from HNTargetSegLib.lesions.lesion import Lesion, Origin, State
from HNTargetSegLib.metrics.distances import mask_distances
from HNTargetSegLib.metrics.path_length import added_path_lengths
from HNTargetSegLib.metrics.pieces import Piece
from HNTargetSegLib.review.proposed import ProposedLesion
from HNTargetSegLib.review.session import ReviewSession
from HNTargetSegLib.review.visit import VisitReview


@dataclass(frozen=True)
class EditRecord:
    """The work on one lesion.

    Attributes
    ----------
    id, lesion, label
        Id, name and kind.
    state
        What the reviewer said; None for a proposed lesion that was erased.
    origin
        Who drew it first.
    model
        Name of the model whose proposal it is measured against; empty where none proposed it.
    voxels_added, voxels_removed
        Voxels that it has and the proposal has not, and the other way round; a lesion that nobody proposed has added
        all of its own.
    surface_dice_1mm
        Surface Dice with the proposal at a tolerance of 1 mm, 0 to 1; None where none proposed it.
    added_path_mm
        Length in mm of its contour that the proposal's does not have: what had to be drawn. None where it was erased.
    seconds
        Time spent on it; see :mod:`HNTargetSegLib.review.time_spent`.
    """

    id: int
    lesion: str
    label: Target
    state: State | None
    origin: Origin
    model: str
    voxels_added: int
    voxels_removed: int
    surface_dice_1mm: float | None
    added_path_mm: float | None
    seconds: float


def edit_record(session: ReviewSession, visit: Visit) -> tuple[EditRecord, ...]:
    """The work on each lesion of a visit, in the order of their ids; erased ones of the proposal stand among them.

    Lesions that have vanished since the pre-RT visit have no voxel in either and are left out.

    Raises
    ------
    BadInputError
        If the patient has no image of the visit.
    """
    review = session.require(visit)
    lesions = {lesion.id: lesion for lesion in review.records if lesion.voxels}
    return tuple(_of(review, lesions.get(number), number) for number in sorted(lesions.keys() | review.proposed.keys()))


def _of(review: VisitReview, lesion: Lesion | None, number: int) -> EditRecord:
    proposed = review.proposed.get(number)
    known = lesion or (proposed.lesion if proposed is not None else None)
    assert known is not None
    box = _common_box(lesion, proposed)
    now, then = _crop_of(review, lesion, box), _crop_of_proposed(proposed, box)
    geometry = review.image.image.geometry
    path = None if lesion is None else _added_path(now, then, geometry)
    dice = None if proposed is None else mask_distances(then, now, geometry.spacing_kji).surface_dice(1.0)
    return EditRecord(
        id=number,
        lesion=known.name,
        label=known.label,
        state=None if lesion is None else lesion.state,
        origin=known.origin,
        model="" if proposed is None else proposed.model.name,
        voxels_added=int(np.count_nonzero(now & ~then)),
        voxels_removed=int(np.count_nonzero(then & ~now)),
        surface_dice_1mm=dice,
        added_path_mm=path,
        seconds=round(review.seconds.get(number, 0.0), 1),
    )


def _common_box(lesion: Lesion | None, proposed: ProposedLesion | None) -> Box:
    """Smallest box that holds the lesion now and as it was proposed."""
    found = [lesion] if lesion is not None else []
    boxes = np.array([known.box for known in (*found, *((proposed.lesion,) if proposed is not None else ()))])
    low, high = boxes[:, :, 0].min(axis=0).tolist(), boxes[:, :, 1].max(axis=0).tolist()
    k, j, i = (slice(a, b) for a, b in zip(low, high, strict=True))
    return k, j, i


def _crop_of(review: VisitReview, lesion: Lesion | None, box: Box) -> np.ndarray:
    if lesion is None or review.lesions is None:
        return np.zeros([side.stop - side.start for side in box], bool)
    inside: np.ndarray = review.lesions.ids.array[box] == lesion.id
    return inside


def _crop_of_proposed(proposed: ProposedLesion | None, box: Box) -> np.ndarray:
    crop: np.ndarray = np.zeros([side.stop - side.start for side in box], bool)
    if proposed is not None:
        within = tuple(
            slice(start - side.start, stop - side.start)
            for (start, stop), side in zip(proposed.lesion.box, box, strict=True)
        )
        crop[within] = proposed.mask
    return crop


def _added_path(now: np.ndarray, then: np.ndarray, geometry: Geometry) -> float:
    k, j, i = (slice(0, size) for size in now.shape)
    piece = Piece((k, j, i), now, int(np.count_nonzero(now)))
    return float(added_path_lengths([piece], then, geometry)[0])
