"""The voxels of a review's lesions as JSON, for where no scene keeps them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.errors import BadInputError, TargetSegError
from HNTargetSegLib.lesions.record import lesion_from_json
from HNTargetSegLib.review.packing import packed_lesions, unpacked_mask
from HNTargetSegLib.review.session import ReviewSession
from HNTargetSegLib.review.stored import require_box


def voxels_to_json(session: ReviewSession) -> str:
    """Each lesion's voxels in its box, packed, by visit and id; visits that were not segmented are left out."""
    content = {
        visit.value: {str(number): mask.text for number, mask in packed_lesions(review.lesions).items()}
        for visit, review in session.visits.items()
        if review.lesions is not None
    }
    return json.dumps(content)


def map_of_voxels(text: str, voxels: str, visit: Visit, image: Volume) -> Volume | None:
    """Lesion-id map of a visit, uint16, on the grid of its image; None where it was not segmented.

    Parameters
    ----------
    text
        The review, as :func:`HNTargetSegLib.review.stored.review_to_json` gave it.
    voxels
        As :func:`voxels_to_json` gave it.

    Raises
    ------
    BadInputError
        If one is damaged, or not of an image of this size.
    """
    try:
        stored = json.loads(voxels).get(visit.value)
        records = json.loads(text)["visits"][visit.value]["lesions"]
        return None if stored is None else _painted(stored, records, image)
    except TargetSegError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInputError(
            f"The voxels of the saved review cannot be read ({error})", remedy="Open the images and begin anew"
        ) from error


def _painted(stored: Mapping[str, str], records: list[Mapping[str, Any]], image: Volume) -> Volume:
    ids = np.zeros(image.array.shape, np.uint16)
    lesions = {str(lesion.id): lesion for lesion in map(lesion_from_json, records)}
    for number, packed in stored.items():
        lesion = lesions[number]
        shape = require_box(lesion, image)
        ids[lesion.slices][unpacked_mask(packed, shape)] = lesion.id
    return image.with_array(ids)
