"""The state of a review as JSON: everything but images and lesions' voxels, which are kept by the scene."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from HNTargetSegLib.case.identity import SeriesIdentity
from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.errors import BadInputError, TargetSegError
from HNTargetSegLib.export.manifest import ModelRecord
from HNTargetSegLib.lesions.lesion import LesionSet
from HNTargetSegLib.lesions.record import lesion_from_json, lesion_to_json
from HNTargetSegLib.review.case import ReviewCase, VisitImage
from HNTargetSegLib.review.packing import packed, unpacked
from HNTargetSegLib.review.session import ReviewSession
from HNTargetSegLib.review.visit import RunRecord, VisitReview

FORMAT = 1

_DELINEATIONS = {"pre_mask": Visit.PRE, "registered_mask": Visit.MID}
"""Delineations of a case, and the visit whose grid they lie on."""


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
            "delineations": {
                name: packed(mask) for name in _DELINEATIONS if (mask := getattr(session.case, name)) is not None
            },
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
        The case as it was read anew; its delineations take the place of the stored ones.

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
            visit: _review(record, images[visit], ids.get(visit))
            for visit, record in ((Visit(key), record) for key, record in content["visits"].items())
            if visit in images
        }
        case = ReviewCase(
            content["name"],
            {v: review.image for v, review in visits.items()},
            warnings=tuple(content["warnings"]),
            **_delineations(content.get("delineations", {}), images, given),
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
    }


def _review(record: Mapping[str, Any], image: Volume, ids: Volume | None) -> VisitReview:
    identity = None if record["identity"] is None else SeriesIdentity(**record["identity"])
    source = None if record["source"] is None else Path(record["source"])
    named = image.with_array(image.array, record["image_name"])
    lesions = None
    if record["lesions"] is not None and ids is not None:
        image.require_same_grid(ids)
        present = set(ids.array[ids.array > 0].tolist()) if ids.array.any() else set()
        records = [lesion_from_json(lesion) for lesion in record["lesions"]]
        lesions = LesionSet(ids, tuple(x for x in records if x.id in present or not x.voxels))
    known = {lesion.id for lesion in lesions} if lesions is not None else set()
    return VisitReview(
        VisitImage(named, source, identity),
        lesions=lesions,
        candidates=tuple(lesion_from_json(lesion) for lesion in record["candidates"]),
        hidden=frozenset(record["hidden"]) & known,
        touched=frozenset(record["touched"]) & known,
        run=None if record["run"] is None else _run_of(record["run"]),
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
