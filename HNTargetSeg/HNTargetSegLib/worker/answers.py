"""Events as lines of JSON: written by the server, read by the client."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from HNTargetSegLib.errors import BadInputError, ErrorCode, TargetSegError
from HNTargetSegLib.worker.arrays import file_in, volume_from_json, volume_to_json
from HNTargetSegLib.worker.calls import predict_options
from HNTargetSegLib.worker.messages import (
    ErrorEvent,
    Event,
    LogEvent,
    ProgressEvent,
    ReadyEvent,
    ResultEvent,
    VisitOutcome,
)

if TYPE_CHECKING:
    from HNTargetSegLib.worker.prompt_messages import PromptOutcome
    from HNTargetSegLib.worker.register_messages import RegistrationOutcome


def event_to_json(event: Event, folder: Path) -> dict[str, Any]:
    """Plain values of an event; the arrays of a result are written into ``folder / job``.

    Raises
    ------
    OutputError
        If the disk is full.
    """
    if isinstance(event, ResultEvent):
        visits = [_outcome_to_json(visit, folder, f"{event.job}/{visit.visit}") for visit in event.visits]
        plain: dict[str, Any] = {"job": event.job, "request": event.request, "visits": visits}
        plain["content"] = dict(event.content)
        outcomes = {"registration": _registration_to_json(event, folder), "prompt": _prompt_to_json(event, folder)}
        plain |= {name: outcome for name, outcome in outcomes.items() if outcome is not None}
    else:
        plain = asdict(event)
    return {"event": next(name for name, kind in _KINDS.items() if isinstance(event, kind)), **plain}


def event_from_json(content: Mapping[str, Any], folder: Path) -> Event:
    """The event that :func:`event_to_json` described, with its arrays read.

    Raises
    ------
    BadInputError
        If it is none, or an array cannot be read.
    """
    values = {key: value for key, value in content.items() if key != "event"}
    try:
        return _READERS[content["event"]](values, folder)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInputError(f"The worker sent what is no event: {content!r:.200}") from error


def error_event(job: str | None, error: TargetSegError) -> ErrorEvent:
    """What the user is told of one of our errors."""
    return ErrorEvent(job, error.code, error.what, error.remedy, error.path)


def _outcome_to_json(outcome: VisitOutcome, folder: Path, name: str) -> dict[str, Any]:
    from HNTargetSegLib.lesions.record import lesion_to_json

    probabilities = outcome.probability_files.items()
    return {
        "visit": outcome.visit,
        "ids": volume_to_json(outcome.lesions.ids, folder, f"{name}-ids.npy"),
        "lesions": [lesion_to_json(lesion) for lesion in outcome.lesions],
        "candidates": [lesion_to_json(lesion) for lesion in outcome.candidates],
        "seconds": {stage: float(value) for stage, value in outcome.seconds.items()},
        "warnings": list(outcome.warnings),
        "engine": outcome.engine,
        "predict": asdict(outcome.predict),
        "model": asdict(outcome.model),
        "probability": [[int(label), path.relative_to(folder).as_posix()] for label, path in probabilities],
    }


def _outcome_from_json(content: Mapping[str, Any], folder: Path) -> VisitOutcome:
    from HNTargetSegLib.case.labels import Target
    from HNTargetSegLib.export.manifest import ModelRecord
    from HNTargetSegLib.lesions.lesion import LesionSet
    from HNTargetSegLib.lesions.record import lesion_from_json

    return VisitOutcome(
        visit=content["visit"],
        lesions=LesionSet(
            volume_from_json(content["ids"], folder), tuple(lesion_from_json(one) for one in content["lesions"])
        ),
        candidates=tuple(lesion_from_json(one) for one in content["candidates"]),
        seconds=dict(content["seconds"]),
        warnings=tuple(content["warnings"]),
        engine=content["engine"],
        predict=predict_options(content["predict"]),
        model=ModelRecord(**content["model"]),
        probability_files={Target(label): file_in(folder, name) for label, name in content["probability"]},
    )


def _result(values: Mapping[str, Any], folder: Path) -> ResultEvent:
    visits = tuple(_outcome_from_json(visit, folder) for visit in values["visits"])
    registration = _registration_from_json(values.get("registration"), folder, values["job"])
    prompt = _prompt_from_json(values.get("prompt"), folder, values["job"])
    return ResultEvent(values["job"], values["request"], visits, values["content"], registration, prompt)


def _registration_to_json(event: ResultEvent, folder: Path) -> dict[str, Any] | None:
    if event.registration is None:
        return None
    from HNTargetSegLib.worker.register_calls import outcome_to_json

    return outcome_to_json(event.registration, folder, event.job)


def _registration_from_json(content: Any, folder: Path, job: str) -> RegistrationOutcome | None:
    if content is None:
        return None
    from HNTargetSegLib.worker.register_calls import outcome_from_json

    return outcome_from_json(content, folder, job)


def _prompt_to_json(event: ResultEvent, folder: Path) -> dict[str, Any] | None:
    if event.prompt is None:
        return None
    from HNTargetSegLib.worker.prompt_calls import outcome_to_json

    return outcome_to_json(event.prompt, folder, event.job)


def _prompt_from_json(content: Any, folder: Path, job: str) -> PromptOutcome | None:
    if content is None:
        return None
    from HNTargetSegLib.worker.prompt_calls import outcome_from_json

    return outcome_from_json(content, folder, job)


def _error(values: Mapping[str, Any], folder: Path) -> ErrorEvent:
    return ErrorEvent(**{**values, "code": ErrorCode(values["code"])})


_KINDS: dict[str, type[Event]] = {
    "ready": ReadyEvent,
    "progress": ProgressEvent,
    "log": LogEvent,
    "result": ResultEvent,
    "error": ErrorEvent,
}
_READERS: dict[str, Callable[[Mapping[str, Any], Path], Event]] = {
    "ready": lambda values, folder: ReadyEvent(**values),
    "progress": lambda values, folder: ProgressEvent(**values),
    "log": lambda values, folder: LogEvent(**values),
    "result": _result,
    "error": _error,
}
