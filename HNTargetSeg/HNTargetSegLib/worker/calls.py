"""Requests as lines of JSON: written by the client, read and checked by the server."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.models.options import PredictOptions
from HNTargetSegLib.worker.arrays import volume_from_json, volume_to_json
from HNTargetSegLib.worker.messages import SegmentRequest, VisitRequest

if TYPE_CHECKING:
    from HNTargetSegLib.case.volume import Volume
    from HNTargetSegLib.lesions.lesion import LesionSet

LONGEST_LINE = 64 << 20
"""A line of more bytes is no message."""

_JOBS = ("segment", "register", "prompt", "models", "doctor", "ping")
_REQUESTS = (*_JOBS, "cancel", "quit")
_JOB = re.compile(r"[A-Za-z0-9-]{1,40}")

Options = TypeVar("Options")


@dataclass(frozen=True)
class Call:
    """A request as it came in: its form is checked, its content is not yet.

    Attributes
    ----------
    request
        ``segment``, ``register``, ``prompt``, ``models``, ``doctor``, ``ping``, ``cancel`` or ``quit``.
    job
        Id of the job; empty for ``quit``.
    """

    request: str
    job: str
    content: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_job(self) -> bool:
        """Whether it is answered by a result or an error."""
        return self.request in _JOBS

    def to_line(self) -> bytes:
        """Line of the protocol."""
        return to_line({"request": self.request, "job": self.job, **self.content})


def to_line(content: Mapping[str, Any]) -> bytes:
    """JSON on one line, in ASCII: no encoding of a pipe can spoil it."""
    return json.dumps(content, allow_nan=False).encode("ascii") + b"\n"


def read_object(line: bytes) -> dict[str, Any]:
    """The JSON object of a line.

    Raises
    ------
    BadInputError
        If it is none.
    """
    try:
        content = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadInputError(f"A message is no JSON: {line[:80]!r}") from error
    if not isinstance(content, dict):
        raise BadInputError(f"A message is no JSON object: {line[:80]!r}")
    return content


def read_call(content: Mapping[str, Any]) -> Call:
    """The request of a JSON object.

    Raises
    ------
    BadInputError
        If it is unknown or has no job id of up to 40 letters, digits and hyphens.
    """
    request, job = content.get("request"), content.get("job", "")
    if request not in _REQUESTS:
        raise BadInputError(f"There is no request {request!r:.80}", remedy=f"Choose from {', '.join(_REQUESTS)}")
    if request != "quit" and not (isinstance(job, str) and _JOB.fullmatch(job)):
        raise BadInputError(f"The request {request} has no job id")
    rest = {key: value for key, value in content.items() if key not in ("request", "job")}
    return Call(request, job if isinstance(job, str) else "", rest)


def segment_call(job: str, request: SegmentRequest, folder: Path) -> Call:
    """The line for a request; its arrays are written into ``folder / job``.

    Raises
    ------
    OutputError
        If the disk is full.
    """
    content = {
        "visits": [_visit_to_json(visit, folder, f"{job}/{visit.visit!s}") for visit in request.visits],
        "model": model_to_json(request.model),
        "predict": asdict(request.predict),
        "options": None if request.options is None else asdict(request.options),
        "keep_probability": request.keep_probability,
    }
    return Call("segment", job, content)


def segment_request(call: Call, folder: Path) -> SegmentRequest:
    """The request of a call, with its arrays read.

    Raises
    ------
    BadInputError, GeometryError
        If something is missing or is not as it should be.
    """
    from HNTargetSegLib.pipeline import SegmentOptions

    visits, keep, options = (call.content.get(key) for key in ("visits", "keep_probability", "options"))
    if not isinstance(visits, list) or not isinstance(keep, bool):
        raise BadInputError("The request to segment is incomplete")
    return SegmentRequest(
        visits=tuple(_visit_from_json(visit, folder) for visit in visits),
        model=model_from_json(call.content.get("model")),
        predict=predict_options(call.content.get("predict")),
        options=None if options is None else _options(SegmentOptions, options),
        keep_probability=keep,
    )


def predict_options(content: Any) -> PredictOptions:
    """Options of their JSON form.

    Raises
    ------
    BadInputError
        If one is unknown or of the wrong kind.
    """
    if isinstance(content, Mapping) and (folds := content.get("folds")) is not None:
        if not isinstance(folds, list) or not all(isinstance(fold, str) for fold in folds):
            raise BadInputError(f"The folds are a list of names, not {folds!r:.80}")
        content = {**content, "folds": tuple(folds)}
    return _options(PredictOptions, content)


def _options(kind: type[Options], content: Any) -> Options:
    """Options of their JSON form, each of the kind that its default has."""
    defaults = asdict(kind())  # type: ignore[call-overload]
    if not isinstance(content, Mapping) or not content.keys() <= {known.name for known in fields(kind())}:  # type: ignore[arg-type]
        raise BadInputError(f"These are no {kind.__name__}: {content!r:.200}")
    for name, value in content.items():
        allowed = (float, int) if isinstance(defaults[name], float) else type(defaults[name])
        wrong_bool = isinstance(value, bool) and not isinstance(defaults[name], bool)
        if defaults[name] is not None and (wrong_bool or not isinstance(value, allowed)):
            raise BadInputError(f"The option {name} cannot be {value!r:.80}")
    try:
        return kind(**content)
    except TypeError as error:
        raise BadInputError(f"These are no {kind.__name__}: {content!r:.200}") from error


def model_to_json(model: str | Path | None) -> dict[str, Any]:
    """How a request names its model."""
    return {"folder": str(model)} if isinstance(model, Path) else {"name": model}


def model_from_json(content: Any) -> str | Path | None:
    """The name or folder that :func:`model_to_json` wrote down.

    Raises
    ------
    BadInputError
        If it is neither.
    """
    if not isinstance(content, Mapping) or not content.keys() <= {"name", "folder"}:
        raise BadInputError(f"A model is named by its name or folder, not by {content!r:.80}")
    name, folder = content.get("name"), content.get("folder")
    if not all(text is None or (isinstance(text, str) and text) for text in (name, folder)):
        raise BadInputError(f"A model is named by its name or folder, not by {content!r:.80}")
    return name if folder is None else Path(folder)


def _visit_to_json(visit: VisitRequest, folder: Path, name: str) -> dict[str, Any]:
    prior: dict[str, Any] | None = None
    if visit.prior is not None:
        prior = _prior_to_json(visit.prior, folder, f"{name}-prior.npy")
    native = visit.native_cc
    return {
        "visit": str(visit.visit),
        "image": volume_to_json(visit.image, folder, f"{name}-image.npy"),
        "prior": prior,
        # JSON has text for keys only.
        "native_cc": None if native is None else [[int(key), float(value)] for key, value in native.items()],
    }


def _prior_to_json(prior: Volume | LesionSet, folder: Path, name: str) -> dict[str, Any]:
    from HNTargetSegLib.lesions.lesion import LesionSet
    from HNTargetSegLib.lesions.record import lesion_to_json

    if isinstance(prior, LesionSet):
        return {"map": volume_to_json(prior.ids, folder, name), "lesions": [lesion_to_json(one) for one in prior]}
    return {"map": volume_to_json(prior, folder, name), "lesions": None}


def _visit_from_json(content: Any, folder: Path) -> VisitRequest:
    if not isinstance(content, Mapping):
        raise BadInputError(f"A visit is an object, not {content!r:.80}")
    prior = content.get("prior")
    return VisitRequest(
        visit=content.get("visit", ""),
        image=volume_from_json(content.get("image"), folder),
        prior=None if prior is None else _prior_from_json(prior, folder),
        native_cc=_native(content.get("native_cc")),
    )


def _prior_from_json(content: Any, folder: Path) -> Volume | LesionSet:
    from HNTargetSegLib.lesions.lesion import LesionSet
    from HNTargetSegLib.lesions.record import lesion_from_json

    if not isinstance(content, Mapping):
        raise BadInputError(f"A prior is an object, not {content!r:.80}")
    volume, records = volume_from_json(content.get("map"), folder), content.get("lesions")
    if records is None:
        return volume
    if not isinstance(records, list):
        raise BadInputError("The lesions of a prior are no list")
    return LesionSet(volume, tuple(map(lesion_from_json, records)))


def _native(content: Any) -> dict[int, float] | None:
    if content is None:
        return None
    volumes: dict[int, float] = {}
    for pair in content if isinstance(content, list) else [None]:
        if not isinstance(pair, list) or len(pair) != 2 or type(pair[0]) is not int:
            raise BadInputError("The volumes of prior lesions are not pairs of id and cc")
        if not isinstance(pair[1], (int, float)) or not 0 < pair[1] < float("inf"):
            raise BadInputError(f"The volume of prior lesion {pair[0]} is {pair[1]!r:.40} cc")
        volumes[pair[0]] = float(pair[1])
    return volumes
