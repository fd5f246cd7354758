"""A box on its way between two processes: request and answer as JSON, arrays as files."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.worker.arrays import file_in, read_array, volume_from_json, volume_to_json, write_array
from HNTargetSegLib.worker.calls import Call, model_from_json, model_to_json, predict_options
from HNTargetSegLib.worker.content_key import content_key
from HNTargetSegLib.worker.prompt_messages import PromptOutcome, PromptRequest

if TYPE_CHECKING:
    from HNTargetSegLib.case.volume import Volume
    from HNTargetSegLib.prompts.answer import Answer
    from HNTargetSegLib.prompts.prompt import Slices

_SHARED = "volumes"
_KEPT = 4
"""Image and prior of both visits."""


def prompt_call(job: str, request: PromptRequest, folder: Path) -> Call:
    """The line for a request; a volume that was not handed over before is written into ``folder / volumes``.

    Raises
    ------
    OutputError
        If the disk is full.
    """
    from HNTargetSegLib.prompts.prompt import prompt_to_json

    shared = {name: _shared(volume, folder) for name, volume in (("image", request.image), ("prior", request.prior))}
    content = {
        "visit": str(request.visit),
        **shared,
        "prompt": prompt_to_json(request.prompt),
        "model": model_to_json(request.model),
        "predict": asdict(request.predict),
    }
    return Call("prompt", job, content)


def prompt_request(call: Call, folder: Path, known: dict[str, Volume]) -> PromptRequest:
    """The request of a call.

    Parameters
    ----------
    known
        Volumes that were read before, by the name of their file; those of this request are put in.

    Raises
    ------
    BadInputError
        If something is missing or is not as it should be.
    """
    from HNTargetSegLib.prompts.prompt import prompt_from_json

    content = call.content
    image, prior = (_known(content.get(name), folder, known) for name in ("image", "prior"))
    if image is None:
        raise BadInputError("The request with a box is incomplete")
    if prior is not None:
        image.require_same_grid(prior)
    return PromptRequest(
        visit=content.get("visit", ""),
        image=image,
        prompt=prompt_from_json(content.get("prompt")),
        prior=prior,
        model=model_from_json(content.get("model")),
        predict=predict_options(content.get("predict")),
    )


def outcome_to_json(outcome: PromptOutcome, folder: Path, job: str) -> dict[str, Any]:
    """Plain values of an outcome; what was found is written into ``folder / job``.

    Raises
    ------
    OutputError
        If the disk is full.
    """
    from HNTargetSegLib.prompts.prompt import prompt_to_json

    answer = outcome.answer
    write_array(folder / job / "labels.npy", answer.labels)
    write_array(folder / job / "probability.npy", answer.probability)
    return {
        "visit": str(outcome.visit),
        "prompt": prompt_to_json(answer.prompt),
        "box": _bounds(answer.extent.box),
        "reach": _bounds(answer.extent.reach),
        "touches": answer.touches,
        "notes": list(answer.notes),
        "seconds": {stage: float(value) for stage, value in answer.seconds.items()},
        "engine": outcome.engine,
        "predict": asdict(outcome.predict),
        "model": asdict(outcome.model),
        "warnings": list(outcome.warnings),
    }


def outcome_from_json(content: Mapping[str, Any], folder: Path, job: str) -> PromptOutcome:
    """The outcome that :func:`outcome_to_json` described.

    Raises
    ------
    BadInputError
        If it is none, or a file cannot be read.
    """
    from HNTargetSegLib.export.manifest import ModelRecord

    return PromptOutcome(
        visit=content["visit"],
        answer=_answer(content, folder, job),
        engine=content["engine"],
        predict=predict_options(content["predict"]),
        model=ModelRecord(**content["model"]),
        warnings=tuple(content["warnings"]),
    )


def _answer(content: Mapping[str, Any], folder: Path, job: str) -> Answer:
    from HNTargetSegLib.prompts.answer import Answer
    from HNTargetSegLib.prompts.extent import Extent
    from HNTargetSegLib.prompts.prompt import prompt_from_json

    extent = Extent(_slices(content["box"]), _slices(content["reach"]))
    labels, probability = (read_array(file_in(folder, f"{job}/{name}.npy")) for name in ("labels", "probability"))
    size = tuple(part.stop - part.start for part in extent.reach)
    if labels.shape != size or probability.shape != size:
        raise BadInputError("The answer to a box has another size than its reach")
    return Answer(
        prompt_from_json(content["prompt"]),
        extent,
        labels,
        probability,
        touches=bool(content["touches"]),
        notes=tuple(map(str, content["notes"])),
        seconds=dict(content["seconds"]),
    )


def _shared(volume: Volume | None, folder: Path) -> dict[str, Any] | None:
    """Description of a volume by its content; it is written where it is not there yet."""
    if volume is None:
        return None
    name = f"{_SHARED}/{content_key(volume)}.npy"
    path = folder / name
    if path.exists():
        path.touch()
        # Only the description is wanted: the array lies there.
        return volume_to_json(volume, folder, name, write=False)
    described = volume_to_json(volume, folder, name)
    files = sorted((folder / _SHARED).glob("*.npy"), key=lambda file: -file.stat().st_mtime_ns)
    for old in files[_KEPT:]:
        # On Windows the worker may have it open.
        with suppress(OSError):
            old.unlink()
    return described


def _known(content: Any, folder: Path, known: dict[str, Volume]) -> Volume | None:
    if content is None:
        return None
    if not isinstance(content, Mapping):
        raise BadInputError("A volume is described by its file, geometry and name")
    name = str(content.get("file"))
    if name not in known:
        volume = volume_from_json(content, folder)
        for old in list(known)[: len(known) - _KEPT + 1]:
            del known[old]
        known[name] = replace(volume, name=str(content.get("name")))
    return known[name]


def _bounds(slices: Slices) -> list[list[int]]:
    return [[int(part.start), int(part.stop)] for part in slices]


def _slices(content: Any) -> Slices:
    k, j, i = (slice(int(start), int(stop)) for start, stop in content)
    return k, j, i
