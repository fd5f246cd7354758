"""A registration on its way between two processes: request and outcome as JSON, arrays and the transform as files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.worker.arrays import volume_from_json, volume_to_json
from HNTargetSegLib.worker.calls import Call
from HNTargetSegLib.worker.register_messages import RegisterRequest, RegistrationOutcome

if TYPE_CHECKING:
    from HNTargetSegLib.lesions.lesion import LesionSet

_GIVEN, _FOUND = "given.h5", "found.h5"
_DEVICES = ("auto", "cpu", "cuda", "mps")


def register_call(job: str, request: RegisterRequest, folder: Path) -> Call:
    """The line for a request; its arrays and its transform are written into ``folder / job``.

    Raises
    ------
    OutputError
        If the disk is full.
    """
    if request.transform is not None:
        _write(request.transform, folder / job / _GIVEN)
    content = {
        "fixed": volume_to_json(request.fixed, folder, f"{job}/fixed.npy"),
        "moving": volume_to_json(request.moving, folder, f"{job}/moving.npy"),
        "lesions": _lesions_to_json(request.lesions, folder, f"{job}/lesions.npy"),
        "engine": request.engine,
        "device": request.device,
        "given": request.transform is not None,
    }
    return Call("register", job, content)


def register_request(call: Call, folder: Path) -> RegisterRequest:
    """The request of a call, with its arrays read.

    Raises
    ------
    BadInputError, GeometryError
        If something is missing or is not as it should be.
    """
    content = call.content
    if content.get("device") not in _DEVICES or not isinstance(content.get("given"), bool):
        raise BadInputError("The request to register is incomplete")
    return RegisterRequest(
        fixed=volume_from_json(content.get("fixed"), folder),
        moving=volume_from_json(content.get("moving"), folder),
        lesions=_lesions_from_json(content.get("lesions"), folder),
        engine=content.get("engine", ""),
        device=content["device"],
        transform=_read(folder / call.job / _GIVEN) if content["given"] else None,
    )


def outcome_to_json(outcome: RegistrationOutcome, folder: Path, job: str) -> dict[str, Any]:
    """Plain values of an outcome; its map and its transform are written into ``folder / job``.

    Raises
    ------
    OutputError
        If the disk is full.
    """
    _write(outcome.transform, folder / job / _FOUND)
    registered = outcome.registered
    return {
        "lesions": _lesions_to_json(registered.lesions, folder, f"{job}/registered.npy"),
        # JSON has text for keys only.
        "native_cc": [[int(key), float(value)] for key, value in registered.native_cc.items()],
        "lost": list(registered.lost),
        "quality": outcome.quality.to_dict(),
        "engine": outcome.engine,
        "seconds": {stage: float(value) for stage, value in outcome.seconds.items()},
    }


def outcome_from_json(content: Mapping[str, Any], folder: Path, job: str) -> RegistrationOutcome:
    """The outcome that :func:`outcome_to_json` described.

    Raises
    ------
    BadInputError
        If it is none, or a file cannot be read.
    """
    from HNTargetSegLib.lesions.registered import RegisteredLesions
    from HNTargetSegLib.prior.quality import Quality

    return RegistrationOutcome(
        registered=RegisteredLesions(
            _lesions_from_json(content["lesions"], folder),
            {int(key): float(value) for key, value in content["native_cc"]},
            tuple(map(str, content["lost"])),
        ),
        transform=_read(folder / job / _FOUND),
        quality=Quality.from_dict(content["quality"]),
        engine=content["engine"],
        seconds=dict(content["seconds"]),
    )


def _lesions_to_json(lesions: LesionSet, folder: Path, name: str) -> dict[str, Any]:
    from HNTargetSegLib.lesions.record import lesion_to_json

    return {
        "map": volume_to_json(lesions.ids, folder, name),
        "records": [lesion_to_json(lesion) for lesion in lesions],
    }


def _lesions_from_json(content: Any, folder: Path) -> LesionSet:
    from HNTargetSegLib.lesions.lesion import LesionSet
    from HNTargetSegLib.lesions.record import lesion_from_json

    if not isinstance(content, Mapping) or not isinstance(content.get("records"), list):
        raise BadInputError("The lesions to register are described by their map and records")
    volume = volume_from_json(content.get("map"), folder)
    return LesionSet(volume, tuple(map(lesion_from_json, content["records"])))


def _write(transform: Any, path: Path) -> None:
    from HNTargetSegLib.errors import OutputError
    from HNTargetSegLib.prior.given import write_transform

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        remedy = "Free space on that disk, or set TMPDIR to a folder on another one and start again"
        raise OutputError("The transform could not be handed over", path=path, remedy=remedy) from error
    write_transform(transform, path)


def _read(path: Path) -> Any:
    from HNTargetSegLib.prior.given import read_transform

    return read_transform(path)
