"""Reviews on disk, so that they can be gone on with: one folder a review, holding all but the images.

A review is small without its images: records, and each lesion's voxels packed in its box. So all of it is written anew
with each step, in one file that takes the place of the one before at once; there is no journal that would have to be
played back, and no moment at which what is on disk is half of something. What the system still holds in memory
survives the end of the program, but not a power cut: a second file is made certain to be on the disk each minute.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.errors import BadInputError, OutputError, TargetSegError
from HNTargetSegLib.files import replacing, user_folder
from HNTargetSegLib.prior.given import read_transform, write_transform
from HNTargetSegLib.review.case import ReviewCase, case_of_images
from HNTargetSegLib.review.prior import Prior
from HNTargetSegLib.review.session import ReviewSession
from HNTargetSegLib.review.stored import restore_review, review_to_json
from HNTargetSegLib.review.stored_voxels import map_of_voxels, voxels_to_json

FORMAT = 2
STATE_FILE, FLUSHED_FILE = "review.jsonl", "review-flushed.jsonl"
REVIEWS_KEPT = 20
_SAMPLES = 200_000
_TRANSFORM = "registration-"
_keys: WeakKeyDictionary[ReviewCase, str] = WeakKeyDictionary()
_transforms: WeakKeyDictionary[Prior, Path] = WeakKeyDictionary()
"""Where the transform of a registration lies."""


@dataclass(frozen=True)
class SavedReview:
    """A review on disk.

    Attributes
    ----------
    folder
        Holds ``review.jsonl`` (a line that describes it, one with the records, one with the voxels), the same as of
        the last minute in ``review-flushed.jsonl`` and, of registered visits, the transform.
    patient
        Its name.
    saved
        When, with its time zone.
    sources
        Where the images were read from, by visit; None where that is not known.
    lesions
        Number of lesions.
    ended
        Whether the patient was closed, or the program ended, in an orderly way.
    """

    folder: Path
    patient: str
    saved: datetime.datetime
    sources: Mapping[Visit, Path | None]
    lesions: int
    ended: bool = True


def reviews_folder() -> Path:
    """Where reviews are kept unless another place is named; not the cache, which may be emptied at any time."""
    return user_folder("settings") / "reviews"


def save_review(
    session: ReviewSession,
    home: Path | None = None,
    *,
    folder: Path | None = None,
    flush: bool = True,
    ended: bool = False,
) -> SavedReview | None:
    """Write the review, whole or not at all. None when no case is open.

    Parameters
    ----------
    home
        Folder of all reviews, which others may not look into. The oldest of more than ``REVIEWS_KEPT`` are removed
        when a new one begins.
    folder
        Of this review, whose contents are replaced; a new one by default.
    flush
        Whether to wait until it is on the disk itself, and not only with the operating system.
    ended
        Whether the review ends with this.

    Raises
    ------
    OutputError
        If it cannot be written; what was saved before is as it was.
    """
    case = session.case
    if case is None:
        return None
    place = reviews_folder() if home is None else home
    target = _new_folder(place, case) if folder is None else folder
    try:
        transform = _kept_transform(case, target)
        content = _content_of(session, case, transform, ended)
        for name in (STATE_FILE, FLUSHED_FILE) if flush else (STATE_FILE,):
            _replace(target / name, content, flush)
        if flush:
            _remove_others(target, transform)
    except OutputError as error:
        if folder is None:
            shutil.rmtree(target, ignore_errors=True)
        raise _unsavable(place, error.what) from error
    if folder is None:
        for old in saved_reviews(place)[REVIEWS_KEPT:]:
            shutil.rmtree(old.folder, ignore_errors=True)
    return _described(target)


def saved_reviews(home: Path | None = None) -> tuple[SavedReview, ...]:
    """Reviews on disk, the latest first; what cannot be read, or is of a later version, is left out."""
    return _found(reviews_folder() if home is None else home, "*")


def saved_of(case: ReviewCase, home: Path | None = None) -> SavedReview | None:
    """The latest review of these very images; None where there is none."""
    return next(iter(_found(reviews_folder() if home is None else home, f"{_key(case)}-*")), None)


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
    if not saved.folder.name.startswith(_key(case)):
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
    header, text, voxels = _lines(saved.folder)
    images = {visit: image.image for visit, image in case.visits.items()}
    ids = {
        visit: found
        for visit, image in images.items()
        if (found := map_of_voxels(text, voxels, visit, image)) is not None
    }
    file = saved.folder / header["transform"] if header["transform"] else None
    transform = read_transform(file) if file is not None and file.exists() else None
    restore_review(session, text, images, ids, given=case, transform=transform)
    prior = None if session.case is None else session.case.registration
    if prior is not None and file is not None and transform is not None:
        _transforms[prior] = file


def delete_saved(saved: SavedReview) -> None:
    """Delete a review from the disk.

    Raises
    ------
    OutputError
        If that fails.
    """
    try:
        shutil.rmtree(saved.folder)
    except OSError as error:
        raise OutputError(
            f"The review could not be deleted ({error.strerror or error})",
            path=saved.folder,
            remedy="Close other programs that use it and try again",
        ) from error


def end_saved(folder: Path) -> SavedReview:
    """Note on disk that a review has ended, with all else as it was saved last.

    Raises
    ------
    BadInputError
        If it cannot be read.
    OutputError
        If it cannot be written.
    """
    header, text, voxels = _lines(folder)
    head = json.dumps(header | {"ended": True}, ensure_ascii=False)
    _replace(folder / STATE_FILE, f"{head}\n{text}\n{voxels}\n".encode(), True)
    return _described(folder)


def _content_of(session: ReviewSession, case: ReviewCase, transform: str, ended: bool) -> bytes:
    text, voxels = review_to_json(session), voxels_to_json(session)
    header = {
        "format": FORMAT,
        "patient": case.name,
        "saved": datetime.datetime.now().astimezone().isoformat(),
        "lesions": sum(len(session.lesions(visit)) for visit in case),
        "sources": {v.value: None if (s := case.visits[v].source) is None else str(s) for v in case},
        "ended": ended,
        "transform": transform,
        "bytes": len(text.encode()) + len(voxels.encode()) + 2,
    }
    return f"{json.dumps(header, ensure_ascii=False)}\n{text}\n{voxels}\n".encode()


def _replace(path: Path, content: bytes, flush: bool) -> None:
    with replacing(path) as new, open(new, "wb") as stream:
        stream.write(content)
        if flush:
            stream.flush()
            os.fsync(stream.fileno())


def _kept_transform(case: ReviewCase, folder: Path) -> str:
    """Name of the file in the folder that holds the transform of the visits; it is written once. Empty without one."""
    prior = case.registration
    if prior is None or prior.transform is None:
        return ""
    if prior not in _transforms or _transforms[prior].parent != folder:
        file = folder / f"{_TRANSFORM}{uuid.uuid4().hex[:8]}.h5"
        write_transform(prior.transform, file)
        _transforms[prior] = file
    return _transforms[prior].name


def _remove_others(folder: Path, transform: str) -> None:
    """Transforms that no file refers to any more, and what a program that was killed has begun to write."""
    for file in (*folder.glob(f"{_TRANSFORM}*"), *folder.glob(".writing-*")):
        if file.name != transform:
            file.unlink(missing_ok=True)


def _found(place: Path, pattern: str) -> tuple[SavedReview, ...]:
    found = []
    with suppress(OSError):
        for folder in place.glob(pattern):
            with suppress(BadInputError):
                found.append(_described(folder))
    return tuple(sorted(found, key=lambda saved: saved.saved, reverse=True))


def _described(folder: Path) -> SavedReview:
    header = _readable(folder)[1]
    try:
        return SavedReview(
            folder,
            str(header["patient"]),
            datetime.datetime.fromisoformat(header["saved"]).astimezone(),
            {Visit(key): None if source is None else Path(source) for key, source in header["sources"].items()},
            int(header["lesions"]),
            bool(header["ended"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(folder, error) from error


def _readable(folder: Path) -> tuple[Path, dict[str, Any]]:
    """The file of a review that is whole, the latest first, and its first line."""
    problem: Exception = ValueError("cut short")
    for name in (STATE_FILE, FLUSHED_FILE):
        try:
            with open(folder / name, "rb") as stream:
                line = stream.readline()
                header = dict(json.loads(line))
                if header["format"] > FORMAT:
                    raise BadInputError(
                        "The review was saved by a later version", path=folder, remedy="Update HNTargetSeg"
                    )
                if os.fstat(stream.fileno()).st_size == len(line) + header["bytes"]:
                    return folder / name, header
        except TargetSegError:
            raise
        except (OSError, ValueError, KeyError, TypeError) as error:
            problem = error
    raise _damaged(folder, problem)


def _lines(folder: Path) -> tuple[dict[str, Any], str, str]:
    path, header = _readable(folder)
    try:
        _, text, voxels = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except (OSError, ValueError) as error:
        raise _damaged(folder, error) from error
    return header, text, voxels


def _damaged(folder: Path, error: Exception) -> BadInputError:
    what = f"The saved review cannot be read ({error})"
    return BadInputError(what, path=folder / STATE_FILE, remedy="Open the images and begin anew")


def _key(case: ReviewCase) -> str:
    """What the folder's name begins with: the same for the same images, and nothing that names a patient."""
    if case not in _keys:
        digest = hashlib.sha256()
        for visit in case:
            array = case.visits[visit].image.array
            digest.update(f"{visit.value} {array.shape} ".encode())
            digest.update(_samples(array).tobytes())
        _keys[case] = digest.hexdigest()[:24]
    return _keys[case]


def _samples(array: np.ndarray) -> np.ndarray:
    flat = array.reshape(-1)
    return np.ascontiguousarray(flat[:: max(1, flat.size // _SAMPLES)], dtype=np.float64)


def _new_folder(place: Path, case: ReviewCase) -> Path:
    try:
        place.mkdir(parents=True, exist_ok=True)
        place.chmod(0o700)
        return Path(tempfile.mkdtemp(prefix=f"{_key(case)}-", dir=place))
    except OSError as error:
        raise _unsavable(place, error.strerror or str(error)) from error


def _unsavable(place: Path, reason: str) -> OutputError:
    return OutputError(
        f"The review cannot be saved ({reason})",
        path=place,
        remedy="Make room there, or name a folder that you may write to in HNTARGETSEG_SETTINGS, and export before you "
        "end the review",
    )
