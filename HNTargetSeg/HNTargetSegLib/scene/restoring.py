"""A review that a scene holds, such as one read from an .mrb file, back into a session."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.lesions.lesion import LesionSet, State
from HNTargetSegLib.review import verdicts
from HNTargetSegLib.review.session import ReviewSession
from HNTargetSegLib.review.stored import restore_review, unchanged_lesions
from HNTargetSegLib.review.visit import VisitReview
from HNTargetSegLib.scene.numbering import lesions_of_segments
from HNTargetSegLib.scene.prior_nodes import stored_transform
from HNTargetSegLib.scene.reading import read_segments
from HNTargetSegLib.scene.state import stored_segmentation, stored_text, stored_volume
from HNTargetSegLib.scene.transforms import transform_of
from HNTargetSegLib.scene.volumes import volume_of


def restore_from(node: Any, session: ReviewSession) -> bool:
    """Go on with the review of a state node; False if none of its volumes is in the scene any more.

    Voxels count where they and the records disagree: a lesion that was changed since it was measured counts as edited.
    Segments that no record knows are left to be followed as drawn by hand.

    Raises
    ------
    BadInputError, GeometryError
        If a volume, a segmentation or the text cannot be used; the session is as it was.
    """
    nodes = {visit: found for visit in Visit if (found := stored_volume(node, visit)) is not None}
    images = {visit: volume_of(found) for visit, found in nodes.items()}
    if not images:
        return False
    ids = {visit: _ids(node, visit, volume, images[visit]) for visit, volume in nodes.items()}
    # The scene side of the session stores what it is told of: the text is another one afterwards.
    text = stored_text(node)
    restore_review(session, text, images, ids, transform=_transform(node, images))
    for visit, review in tuple(session.visits.items()):
        _measure_changed(session, visit, review, text)
    return True


def _transform(node: Any, images: dict[Visit, Volume]) -> Any | None:
    """Transform of the stored registration, as its node has it; None where the node is gone."""
    found = stored_transform(node.GetScene())
    return None if found is None or Visit.MID not in images else transform_of(found, images[Visit.MID].geometry)


def _ids(node: Any, visit: Visit, volume: Any, image: Volume) -> Volume:
    """Lesion-id map of a visit as its segments have it."""
    segmentation = stored_segmentation(node, visit)
    if segmentation is None:
        return image.with_array(np.zeros(image.array.shape, np.uint16))
    lesions = lesions_of_segments(segmentation.GetSegmentation(), {})
    known = _recorded(stored_text(node), visit)
    reading = read_segments(segmentation, volume)
    return image.with_array(reading.ids({name: number for name, number in lesions.items() if number in known}))


def _recorded(text: str, visit: Visit) -> frozenset[int]:
    """Ids of the lesions that a stored review knows; none where it cannot be read, which is said later."""
    try:
        records = json.loads(text)["visits"][visit.value]["lesions"] or ()
        return frozenset(int(record["id"]) for record in records)
    except (ValueError, KeyError, TypeError):
        return frozenset()


def _measure_changed(session: ReviewSession, visit: Visit, review: VisitReview, text: str) -> None:
    lesions = review.lesions
    if lesions is None:
        return
    unchanged = unchanged_lesions(text, visit, lesions)
    changed = tuple(lesion for lesion in lesions if lesion.voxels and lesion.id not in unchanged)
    if not changed:
        return
    ids = lesions.ids.array
    table = _without({lesion.id for lesion in changed}, int(ids.max()) + 1)
    rest = tuple(lesion for lesion in lesions if lesion not in changed)
    # As if they were drawn anew: they are measured, and count as edited.
    session.visits[visit] = replace(
        review, lesions=LesionSet(lesions.ids.with_array(table[ids]), rest), retired=changed
    )
    session.take_voxels(visit, ids)
    _keep_rejected(session, visit, {lesion.id for lesion in changed if lesion.state is State.REJECTED})


def _keep_rejected(session: ReviewSession, visit: Visit, ids: set[int]) -> None:
    """Lesions that were rejected stay so: nobody has seen who has changed them."""
    review = session.visits[visit]
    if review.lesions is not None:
        rejected = [verdicts.rejected(lesion) for lesion in review.lesions if lesion.id in ids]
        session.visits[visit] = replace(review, lesions=review.lesions.with_lesions(*rejected))


def _without(gone: set[int], size: int) -> np.ndarray:
    table: np.ndarray = np.arange(size, dtype=np.uint16)
    table[[number for number in gone if number < size]] = 0
    return table
