"""The pre-RT lesions on the mid-RT grid, as a review has registered them: record, JSON, and the match it makes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.lesions.lesion import LesionSet, State
from HNTargetSegLib.lesions.record import lesion_from_json, lesion_to_json
from HNTargetSegLib.lesions.registered import RegisteredLesions, carry_lesions
from HNTargetSegLib.prior.quality import Quality
from HNTargetSegLib.review.packing import packed_lesions, unpacked_mask

_DECIDED = (State.ACCEPTED, State.EDITED, State.ADDED)


@dataclass(frozen=True, eq=False)
class Prior:
    """A registration of the two visits and what it has carried.

    Attributes
    ----------
    registered
        Pre-RT lesions on the mid-RT grid, under their own ids and names.
    quality
        Figures and flag.
    engine
        Who registered; ``given`` for a transform from elsewhere.
    seconds
        Wall time by stage.
    transform
        ``SimpleITK.Transform`` from mid-RT points to the same tissue in the pre-RT image, LPS mm. None where a stored
        review has lost it: the lesions are there, and cannot be carried anew.
    source
        File or node that a given transform came from.
    carried
        Fingerprint of the pre-RT lesions as they were when they were carried.
    confirmed
        The reviewer has said that it is used in spite of its flag.
    """

    registered: RegisteredLesions
    quality: Quality
    engine: str
    seconds: Mapping[str, float] = field(default_factory=dict)
    transform: Any | None = None
    source: str = ""
    carried: str = ""
    confirmed: bool = False

    @property
    def usable(self) -> bool:
        """Whether it is good, or the reviewer wants it all the same."""
        return self.quality.good or self.confirmed

    def record(self) -> dict[str, Any]:
        """What a manifest says of it: plain values."""
        return {
            **self.quality.to_dict(),
            "engine": self.engine,
            "source": self.source,
            "confirmed_by_reviewer": self.confirmed,
            "lesions": [lesion.name for lesion in self.registered.lesions],
            "outside_the_field_of_view": list(self.registered.lost),
            "seconds": {stage: round(value, 3) for stage, value in self.seconds.items()},
        }


def decided_lesions(lesions: LesionSet | None) -> LesionSet | None:
    """Of the pre-RT lesions those that a prior may be made of: accepted, edited, drawn or given; None where none is."""
    kept = tuple(lesion for lesion in lesions or () if lesion.voxels and lesion.state in _DECIDED)
    if lesions is None or not kept:
        return None
    others = {lesion.id for lesion in lesions if lesion.voxels} - {lesion.id for lesion in kept}
    if not others:
        return replace(lesions, lesions=kept)
    ids = lesions.ids.array.copy()
    for lesion in lesions:
        if lesion.id in others:
            ids[lesion.slices][lesions.mask(lesion)] = 0
    return LesionSet(lesions.ids.with_array(ids), kept)


def fingerprint(lesions: LesionSet) -> str:
    """Short text that changes with names, labels and places of lesions."""
    facts = [(x.id, x.label.value, x.name, x.voxels, x.box, x.centroid) for x in lesions]
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


def refreshed(prior: Prior, lesions: LesionSet, *, midline_mm: float | None = None) -> Prior | None:
    """The prior with the lesions as they are now, carried anew where they have changed; None if that is impossible."""
    if prior.carried == fingerprint(lesions):
        return prior
    transform = prior.transform
    if transform is None:
        return None
    from HNTargetSegLib.prior.carrying import carry_labels

    grid = prior.registered.lesions.ids.geometry
    registered = carry_lesions(lesions, lambda ids: carry_labels(ids, grid, transform), midline_mm=midline_mm)
    return replace(prior, registered=registered, carried=fingerprint(lesions))


def prior_to_json(prior: Prior) -> dict[str, Any]:
    """Everything but the transform, which is a file or a node; :func:`prior_from_json` is the inverse."""
    lesions = prior.registered.lesions
    voxels = packed_lesions(lesions)
    return {
        "lesions": [{**lesion_to_json(lesion), "mask": voxels[lesion.id].text} for lesion in lesions],
        "native_cc": [[key, value] for key, value in prior.registered.native_cc.items()],
        "lost": list(prior.registered.lost),
        "quality": prior.quality.to_dict(),
        "engine": prior.engine,
        "seconds": dict(prior.seconds),
        "source": prior.source,
        "carried": prior.carried,
        "confirmed": prior.confirmed,
    }


def prior_from_json(content: Mapping[str, Any], image: Volume, transform: Any | None = None) -> Prior:
    """The stored prior on the grid of the mid-RT image.

    Raises
    ------
    BadInputError
        If it is damaged, or a lesion lies beyond the image.
    KeyError, TypeError, ValueError
        If it is no prior.
    """
    lesions = _lesions(content["lesions"], image)
    native = {int(key): float(value) for key, value in content["native_cc"]}
    return Prior(
        registered=RegisteredLesions(lesions, native, tuple(content["lost"])),
        quality=Quality.from_dict(content["quality"]),
        engine=str(content["engine"]),
        seconds=dict(content["seconds"]),
        transform=transform,
        source=str(content["source"]),
        carried=str(content["carried"]),
        confirmed=bool(content["confirmed"]),
    )


def _lesions(stored: list[dict[str, Any]], image: Volume) -> LesionSet:
    ids: np.ndarray = np.zeros(image.array.shape, np.uint16)
    records = []
    for record in stored:
        lesion = lesion_from_json({key: value for key, value in record.items() if key != "mask"})
        if any(not 0 <= start < stop <= size for (start, stop), size in zip(lesion.box, ids.shape, strict=True)):
            raise BadInputError(
                f"The registered lesion {lesion.name} lies beyond the mid-RT image", remedy="Register again"
            )
        shape = tuple(stop - start for start, stop in lesion.box)
        ids[lesion.slices][unpacked_mask(record["mask"], shape)] = lesion.id
        records.append(lesion)
    return LesionSet(image.with_array(ids, "registered lesions"), tuple(records))
