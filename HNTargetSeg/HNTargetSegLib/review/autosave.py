"""A review kept on disk, so that it can be gone on with: one folder a patient, holding all but the images."""

from __future__ import annotations

import datetime
import hashlib
import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.case.read import read_volume
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.case.write import write_volume
from HNTargetSegLib.errors import BadInputError, OutputError, TargetSegError
from HNTargetSegLib.files import replacing_folder, user_folder, write_text
from HNTargetSegLib.review.case import ReviewCase, case_of_images
from HNTargetSegLib.review.session import ReviewSession
from HNTargetSegLib.review.stored import restore_review, review_to_json

FORMAT = 1
STATE_FILE = "state.json"
REVIEWS_KEPT = 20
_SAMPLES = 200_000


@dataclass(frozen=True)
class SavedReview:
    """A review on disk.

    Attributes
    ----------
    folder
        Holds ``state.json`` and ``ids-<visit>.nii.gz``.
    patient
        Its name.
    saved
        When, with its time zone.
    sources
        Where the images were read from, by visit; None where that is not known.
    lesions
        Number of lesions.
    """

    folder: Path
    patient: str
    saved: datetime.datetime
    sources: Mapping[Visit, Path | None]
    lesions: int


def reviews_folder() -> Path:
    """Where reviews are kept unless another place is named."""
    return user_folder("cache") / "reviews"


def save_review(session: ReviewSession, home: Path | None = None) -> SavedReview | None:
    """Write the review, whole or not at all; one of the same images is replaced. None when no case is open.

    Parameters
    ----------
    home
        Folder of all reviews, which others may not look into; the oldest of more than ``REVIEWS_KEPT`` are removed.

    Raises
    ------
    OutputError
        If it cannot be written; the one before is as it was.
    """
    case = session.case
    if case is None:
        return None
    place = reviews_folder() if home is None else home
    folder = place / _key(case)
    content = {
        "format": FORMAT,
        "patient": case.name,
        "saved": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        "lesions": sum(len(session.lesions(visit)) for visit in case),
        "review": json.loads(review_to_json(session)),
    }
    _make_private(place)
    with replacing_folder(folder, marker=STATE_FILE) as new:
        for visit, review in session.visits.items():
            if review.lesions is not None:
                write_volume(review.lesions.ids, new / _ids_file(visit))
        write_text(new / STATE_FILE, json.dumps(content, ensure_ascii=False) + "\n")
    for old in saved_reviews(place)[REVIEWS_KEPT:]:
        shutil.rmtree(old.folder, ignore_errors=True)
    return _described(folder)


def saved_reviews(home: Path | None = None) -> tuple[SavedReview, ...]:
    """Reviews on disk, the latest first; what cannot be read, or is of a later version, is left out."""
    place = reviews_folder() if home is None else home
    found = []
    with suppress(OSError):
        for folder in place.iterdir():
            with suppress(BadInputError):
                found.append(_described(folder))
    return tuple(sorted(found, key=lambda saved: saved.saved, reverse=True))


def saved_of(case: ReviewCase, home: Path | None = None) -> SavedReview | None:
    """The review of these very images; None where there is none."""
    try:
        return _described((reviews_folder() if home is None else home) / _key(case))
    except BadInputError:
        return None


def case_of_saved(saved: SavedReview) -> ReviewCase:
    """Read the images of a review where they were; delineations that came with them are part of its state.

    Raises
    ------
    BadInputError
        If an image is not there any more, or is another one by now.
    """
    missing = [visit.title for visit, source in saved.sources.items() if source is None or not source.exists()]
    if missing:
        raise BadInputError(
            f"The {' and '.join(missing)} image of {saved.patient} is not where it was",
            path=next((source for source in saved.sources.values() if source is not None), None),
            remedy="Open the images where they are now: the review is found by them",
        )
    case = case_of_images(saved.sources.get(Visit.PRE), saved.sources.get(Visit.MID), saved.patient)
    if _key(case) != saved.folder.name:
        raise BadInputError(
            f"The images of {saved.patient} have changed since the review was saved",
            path=next(iter(saved.sources.values())),
            remedy="Put the earlier images back, or open these anew",
        )
    return case


def go_on(session: ReviewSession, case: ReviewCase, saved: SavedReview) -> None:
    """Open a case with its saved review.

    Raises
    ------
    BadInputError, GeometryError
        If the review cannot be read, or is not of these images. The session is as it was.
    """
    text = json.dumps(_content(saved.folder)["review"])
    images = {visit: image.image for visit, image in case.visits.items()}
    files = {visit: saved.folder / _ids_file(visit) for visit in case}
    ids = {visit: _ids(file, images[visit]) for visit, file in files.items() if file.exists()}
    restore_review(session, text, images, ids, given=case)


def _described(folder: Path) -> SavedReview:
    content = _content(folder)
    try:
        return SavedReview(
            folder,
            str(content["patient"]),
            datetime.datetime.fromisoformat(content["saved"]).astimezone(),
            {
                Visit(key): None if record["source"] is None else Path(record["source"])
                for key, record in content["review"]["visits"].items()
            },
            int(content["lesions"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(folder, error) from error


def _content(folder: Path) -> dict[str, Any]:
    try:
        content = json.loads((folder / STATE_FILE).read_text(encoding="utf-8"))
        if content["format"] > FORMAT:
            raise BadInputError("The review was saved by a later version", path=folder, remedy="Update HNTargetSeg")
        return dict(content)
    except TargetSegError:
        raise
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(folder, error) from error


def _damaged(folder: Path, error: Exception) -> BadInputError:
    what = f"The saved review cannot be read ({error})"
    return BadInputError(what, path=folder / STATE_FILE, remedy="Open the images and begin anew")


def _ids(file: Path, image: Volume) -> Volume:
    ids = read_volume(file)
    image.require_same_grid(ids)
    # Stored coordinates are rounded: lesions lie where the image does.
    return image.with_array(ids.array.astype(np.uint16))


def _ids_file(visit: Visit) -> str:
    return f"ids-{visit.value}.nii.gz"


def _key(case: ReviewCase) -> str:
    """Name of the folder: the same for the same images, and nothing that names a patient."""
    digest = hashlib.sha256()
    for visit in case:
        array = case.visits[visit].image.array
        flat = array.reshape(-1)
        digest.update(f"{visit.value} {array.shape} ".encode())
        digest.update(np.ascontiguousarray(flat[:: max(1, flat.size // _SAMPLES)], dtype=np.float64).tobytes())
    return digest.hexdigest()[:24]


def _make_private(place: Path) -> None:
    try:
        place.mkdir(parents=True, exist_ok=True)
        place.chmod(0o700)
    except OSError as error:
        raise OutputError(
            f"The review cannot be saved ({error.strerror or error})",
            path=place,
            remedy="Name a folder that you may write to in HNTARGETSEG_CACHE, and export before you end the review",
        ) from error
