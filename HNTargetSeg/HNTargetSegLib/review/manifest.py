"""What the manifest of an export says: inputs, the run, what the reviewer did, and when it left."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.export.manifest import InputRecord, Manifest, input_record, package_versions
from HNTargetSegLib.lesions.lesion import Lesion
from HNTargetSegLib.review.edit_record import EditRecord, edit_record
from HNTargetSegLib.review.session import ReviewSession
from HNTargetSegLib.review.visit import VisitReview


def image_role(visit: Visit) -> str:
    """What the image of a visit is called among the inputs."""
    return f"{visit.value}RT_T2"


def image_record(visit: Visit, review: VisitReview) -> InputRecord:
    """The image of a visit among the inputs."""
    source = review.image.source
    if source is not None and source.exists():
        return input_record(image_role(visit), source)
    # A volume of a scene, or one whose file is gone since, as on another computer: the hash is that of its voxels.
    return _record_of_voxels(image_role(visit), review.image.image)


def review_manifest(session: ReviewSession, visit: Visit, unreviewed_names: Iterable[str] = ()) -> Manifest:
    """Manifest of what leaves a review now.

    Parameters
    ----------
    unreviewed_names
        Lesions that leave although the reviewer has not decided about them.

    Raises
    ------
    BadInputError
        If the patient has no image of the visit, or an input cannot be read.
    """
    review, now = session.require(visit), datetime.datetime.now(datetime.timezone.utc)
    run = review.run
    prior = session.case.registration if session.case is not None and visit is Visit.MID else None
    worked = {record.id: record for record in edit_record(session, visit)}
    return Manifest(
        inputs=(image_record(visit, review), *_delineations(session, visit)),
        registration=None if prior is None else prior.record(),
        model=None if run is None else run.model,
        parameters={} if run is None else run.parameters,
        device="" if run is None else run.device,
        started=now if run is None else run.started,
        finished=now if run is None else run.finished,
        exported=now,
        seconds={} if run is None else run.seconds,
        prompts=tuple(record.for_manifest() for record in review.prompts),
        edits=(*(_verdict(x, review, worked.pop(x.id, None)) for x in review.records), *map(_erased, worked.values())),
        reviewer=session.reviewer or None,
        warnings=(
            *(() if run is None else run.warnings),
            *(f"{name} was exported without a decision of the reviewer" for name in unreviewed_names),
        ),
        versions=package_versions(),
    )


def _delineations(session: ReviewSession, visit: Visit) -> Iterator[InputRecord]:
    """What the lesions were read from or matched with: a file, or the delineation that came with the patient."""
    given = session.require(visit).given
    if given is not None:
        yield InputRecord(f"{visit.value}RT_delineation", given.path, given.sha256)
    name = "pre_mask" if visit is Visit.PRE else "registered_mask"
    mask = None if session.case is None else getattr(session.case, name)
    if session.case is None or mask is None or (name == "registered_mask" and session.case.registration is not None):
        return
    role = "preRT_mask" if visit is Visit.PRE else "registered_mask"
    source = session.case.mask_sources.get(name)
    yield _record_of_voxels(role, mask) if source is None or not source.exists() else input_record(role, source)


def _record_of_voxels(role: str, volume: Volume) -> InputRecord:
    return InputRecord(role, volume.name, hashlib.sha256(volume.array.tobytes()).hexdigest())


def _verdict(lesion: Lesion, review: VisitReview, worked: EditRecord | None) -> dict[str, object]:
    model = review.model_of(lesion)
    return {
        "lesion": lesion.name,
        "id": lesion.id,
        "state": lesion.state,
        "origin": lesion.origin,
        "changed_by_hand": lesion.id in review.touched,
        "model": None if model is None else asdict(model),
        **({} if worked is None else _figures(worked)),
    }


def _erased(worked: EditRecord) -> dict[str, object]:
    """A proposed lesion of which nothing is left."""
    return {
        "lesion": worked.lesion,
        "id": worked.id,
        "state": "erased",
        "origin": worked.origin,
        "changed_by_hand": True,
        **_figures(worked),
    }


def _figures(worked: EditRecord) -> dict[str, object]:
    return {
        "voxels_added": worked.voxels_added,
        "voxels_removed": worked.voxels_removed,
        "surface_dice_1mm": worked.surface_dice_1mm,
        "added_path_mm": worked.added_path_mm,
        "seconds": worked.seconds,
    }
