"""The state of a review as JSON: everything but images and lesions' voxels, which are kept by the scene."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from HNTargetSegLib.case.identity import SeriesIdentity
from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.errors import BadInputError, TargetSegError
from HNTargetSegLib.export.manifest import ModelRecord
from HNTargetSegLib.lesions.lesion import Lesion, LesionSet
from HNTargetSegLib.lesions.record import lesion_from_json, lesion_to_json
from HNTargetSegLib.review.case import ReviewCase, VisitImage
from HNTargetSegLib.review.given import given_from_json, given_to_json
from HNTargetSegLib.review.packing import packed, packed_lesions, packed_mask, unpacked, unpacked_mask
from HNTargetSegLib.review.prior import Prior, prior_from_json, prior_to_json
from HNTargetSegLib.review.prompt_record import record_from_json, record_to_json
from HNTargetSegLib.review.proposed import ProposedLesion
from HNTargetSegLib.review.session import ReviewSession
from HNTargetSegLib.review.visit import RunRecord, VisitReview

FORMAT = 1

_DELINEATIONS = {"pre_mask": Visit.PRE, "registered_mask": Visit.MID}
"""Delineations of a case, and the visit whose grid they lie on."""

_written: WeakKeyDictionary[ProposedLesion, dict[str, Any]] = WeakKeyDictionary()


def review_to_json(session: ReviewSession) -> str:
    """The session's case and records as JSON; empty text when no case is open."""
    if session.case is None:
        return ""
    return json.dumps(
        {
            "format": FORMAT,
            "name": session.case.name,
            "reviewer": session.reviewer,
            "warnings": list(session.case.warnings),
            "active": session.active.value,
            "visits": {visit.value: _visit(review) for visit, review in session.visits.items()},
            "mask_sources": {name: str(path) for name, path in session.case.mask_sources.items()},
            "delineations": {
                name: packed(mask) for name in _DELINEATIONS if (mask := getattr(session.case, name)) is not None
            },
            "registration": None if session.case.registration is None else prior_to_json(session.case.registration),
        },
        ensure_ascii=False,
        allow_nan=False,
    )


def restore_review(
    session: ReviewSession,
    text: str,
    images: Mapping[Visit, Volume],
    ids: Mapping[Visit, Volume],
    *,
    given: ReviewCase | None = None,
    transform: Any | None = None,
) -> None:
    """Go on with a stored review.

    Voxels count where they and the records disagree: a lesion that has lost its voxels since is left out.

    Parameters
    ----------
    text
        As :func:`review_to_json` gave it.
    images
        MR by visit; visits without one are left out.
    ids
        Lesion-id map by visit, on the grid of its image; missing where there are no lesions.
    given
        The case as it was read anew; its images' places and its delineations take the place of the stored ones.
    transform
        ``SimpleITK.Transform`` of the stored registration, which is kept beside the text.

    Raises
    ------
    BadInputError
        If the text is no stored review, or of a later version. The session is as it was.
    """
    try:
        content = json.loads(text)
        if content["format"] > FORMAT:
            raise BadInputError("The review was saved by a later version", remedy="Update HNTargetSeg")
        visits = {
            visit: _review(record, images[visit], ids.get(visit), None if given is None else given.visits.get(visit))
            for visit, record in ((Visit(key), record) for key, record in content["visits"].items())
            if visit in images
        }
        case = ReviewCase(
            content["name"],
            {v: review.image for v, review in visits.items()},
            warnings=tuple(content["warnings"]),
            **_delineations(content.get("delineations", {}), images, given),
            registration=_registration(content.get("registration"), images, transform),
            mask_sources={
                **{name: Path(path) for name, path in content.get("mask_sources", {}).items()},
                **({} if given is None else given.mask_sources),
            },
        )
        active, reviewer = Visit(content["active"]), str(content["reviewer"])
    except TargetSegError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInputError(
            f"The saved review cannot be read ({error})", remedy="Open the images again and segment them anew"
        ) from error
    session.reviewer = reviewer or session.reviewer
    session.open(case, visits)
    if active in visits:
        session.activate(active)


def _delineations(
    stored: Mapping[str, str], images: Mapping[Visit, Volume], given: ReviewCase | None
) -> dict[str, Volume]:
    """Delineations that came with the patient: as they were read anew, else as they were stored."""
    found = {name: mask for name in _DELINEATIONS if (mask := getattr(given, name, None)) is not None}
    for name, visit in _DELINEATIONS.items():
        if name not in found and name in stored and visit in images:
            found[name] = unpacked(stored[name], images[visit], name.replace("_", " "))
    return found


def _registration(
    stored: Mapping[str, Any] | None, images: Mapping[Visit, Volume], transform: Any | None
) -> Prior | None:
    """The stored registration, where both of its images are there."""
    if stored is None or len(images) < len(Visit):
        return None
    return prior_from_json(stored, images[Visit.MID], transform)


def _visit(review: VisitReview) -> dict[str, Any]:
    image = review.image
    return {
        "source": None if image.source is None else str(image.source),
        "image_name": image.image.name,
        "identity": None if image.identity is None else asdict(image.identity),
        "lesions": None if review.lesions is None else [lesion_to_json(lesion) for lesion in review.lesions],
        "candidates": [lesion_to_json(lesion) for lesion in review.candidates],
        "hidden": sorted(review.hidden),
        "touched": sorted(review.touched),
        "run": None if review.run is None else _run(review.run),
        "given": given_to_json(review.given),
        "prompts": [record_to_json(prompt) for prompt in review.prompts],
        "proposed": [_proposed(proposed) for proposed in review.proposed.values()],
        "seconds": {str(number): round(spent, 1) for number, spent in review.seconds.items()},
        "checks": {} if review.lesions is None else _checks(review.lesions),
    }


def _checks(lesions: LesionSet) -> dict[str, int]:
    """What tells the voxels of a lesion from others, by id: the scene may change while nobody listens."""
    return {str(number): mask.check for number, mask in packed_lesions(lesions).items()}


def unchanged_lesions(text: str, visit: Visit, lesions: LesionSet) -> frozenset[int]:
    """Ids of lesions that have the very voxels that they had when a review was stored.

    Parameters
    ----------
    text
        As :func:`review_to_json` gave it.
    lesions
        The records that were stored, on the map as it is now.
    """
    stored = json.loads(text)["visits"][visit.value].get("checks", {})
    counts = np.bincount(lesions.ids.array.reshape(-1), minlength=1)
    found = (lesion for lesion in lesions if lesion.id < len(counts) and counts[lesion.id] == lesion.voxels)
    return frozenset(x.id for x in found if packed_mask(lesions.mask(x)).check == stored.get(str(x.id)))


def _proposed(proposed: ProposedLesion) -> dict[str, Any]:
    if proposed not in _written:
        _written[proposed] = {
            "lesion": lesion_to_json(proposed.lesion),
            "mask": packed_mask(proposed.mask).text,
            "model": asdict(proposed.model),
        }
    return _written[proposed]


def _proposed_of(record: Mapping[str, Any], image: Volume) -> ProposedLesion:
    lesion = lesion_from_json(record["lesion"])
    mask = unpacked_mask(record["mask"], require_box(lesion, image))
    return ProposedLesion(lesion, mask, ModelRecord(**record["model"]))


def require_box(lesion: Lesion, image: Volume) -> tuple[int, ...]:
    """Shape of a lesion's box; raises BadInputError if that is not inside the image."""
    if any(not 0 <= start < stop <= size for (start, stop), size in zip(lesion.box, image.array.shape, strict=True)):
        raise BadInputError(
            f"The stored lesion {lesion.name} is not inside the image", remedy="Open the patient's files again"
        )
    return tuple(stop - start for start, stop in lesion.box)


def _review(record: Mapping[str, Any], image: Volume, ids: Volume | None, read: VisitImage | None) -> VisitReview:
    identity = None if record["identity"] is None else SeriesIdentity(**record["identity"])
    source = None if record["source"] is None else Path(record["source"])
    if read is None:
        read = VisitImage(image.with_array(image.array, record["image_name"]), source, identity)
    lesions = None
    if record["lesions"] is not None and ids is not None:
        image.require_same_grid(ids)
        present = set(ids.array[ids.array > 0].tolist()) if ids.array.any() else set()
        records = [lesion_from_json(lesion) for lesion in record["lesions"]]
        lesions = LesionSet(ids, tuple(x for x in records if x.id in present or not x.voxels))
    known = {lesion.id for lesion in lesions} if lesions is not None else set()
    return VisitReview(
        read,
        lesions=lesions,
        candidates=tuple(lesion_from_json(lesion) for lesion in record["candidates"]),
        hidden=frozenset(record["hidden"]) & known,
        touched=frozenset(record["touched"]) & known,
        run=None if record["run"] is None else _run_of(record["run"]),
        given=given_from_json(record.get("given")),
        prompts=tuple(record_from_json(prompt, image.array.shape) for prompt in record.get("prompts", ())),
        proposed={found.lesion.id: found for found in (_proposed_of(x, image) for x in record.get("proposed", ()))},
        seconds={int(number): float(spent) for number, spent in record.get("seconds", {}).items()},
    )


def _run(run: RunRecord) -> dict[str, Any]:
    return {
        "model": asdict(run.model),
        "device": run.device,
        "parameters": {key: _plain(value) for key, value in run.parameters.items()},
        "started": run.started.isoformat(),
        "finished": run.finished.isoformat(),
        "seconds": dict(run.seconds),
        "warnings": list(run.warnings),
    }


def _run_of(record: Mapping[str, Any]) -> RunRecord:
    return RunRecord(
        model=ModelRecord(**record["model"]),
        device=record["device"],
        parameters=record["parameters"],
        started=datetime.datetime.fromisoformat(record["started"]),
        finished=datetime.datetime.fromisoformat(record["finished"]),
        seconds=record["seconds"],
        warnings=tuple(record["warnings"]),
    )


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
