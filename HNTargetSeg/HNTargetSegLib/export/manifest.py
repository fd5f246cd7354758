"""The manifest of a run: what went in, what it was done with, by whom and when."""

from __future__ import annotations

import datetime
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from HNTargetSegLib import __version__
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.files import sha256, write_text
from HNTargetSegLib.models.stored import StoredModel

RESEARCH_USE_ONLY = "Research use only: not a medical device, not for clinical decisions."

_PACKAGES = (
    *("numpy", "scipy", "SimpleITK", "pydicom", "torch", "nnunetv2", "safetensors", "openvino", "highdicom"),
    "matplotlib",
)


@dataclass(frozen=True)
class InputRecord:
    """A file or DICOM folder that went in.

    Attributes
    ----------
    role
        What it was used as, such as ``midRT_T2``.
    path
        Absolute path at the time of the run.
    sha256
        Of the file's bytes; of a folder: of the text with a line ``<sha256>  <name>`` for each file, sorted by name.
    files
        Hash of each file of a folder by its name with ``/``; empty for a single file.
    """

    role: str
    path: str
    sha256: str
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ModelRecord:
    """The model that was used: its name, version and the hash that stands for all of its files."""

    name: str
    version: str
    sha256: str

    @classmethod
    def of(cls, model: StoredModel) -> ModelRecord:
        """Record of a stored model."""
        return cls(model.card.name, model.card.version, model.digest)


@dataclass(frozen=True)
class Manifest:
    """Everything needed to tell how a result came about.

    Attributes
    ----------
    inputs
        What went in.
    model
        None where no model was used.
    parameters
        Options by name; plain values, enums, paths and arrays may be nested.
    device
        Where the network ran.
    started, finished
        Points in time, with their time zone.
    seconds
        Wall time by stage.
    exported
        When what a person has reviewed after the run was written; None for the run itself.
    prompts, edits
        In the order in which they were made, as records.
    reviewer
        Who accepted or edited, or None.
    resampling
        A sentence for each volume that was brought onto another grid.
    registration
        Of the pre-RT visit onto this one: engine, figures, flag and whether a poor one was confirmed; None where no
        registration was used.
    files
        SHA-256 of each file that the run has written, by its name beside the manifest.
    warnings
        What a reader should know.
    versions
        Version by package, and of Python and HNTargetSeg.
    platform
        Operating system and processor.

    Raises
    ------
    BadInputError
        If a time has no time zone or the run ends before it starts.
    """

    inputs: tuple[InputRecord, ...]
    model: ModelRecord | None
    parameters: Mapping[str, Any]
    device: str
    started: datetime.datetime
    finished: datetime.datetime
    seconds: Mapping[str, float] = field(default_factory=dict)
    exported: datetime.datetime | None = None
    prompts: tuple[Mapping[str, Any], ...] = ()
    edits: tuple[Mapping[str, Any], ...] = ()
    reviewer: str | None = None
    resampling: tuple[str, ...] = ()
    registration: Mapping[str, Any] | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    platform: str = field(default_factory=platform.platform)

    def __post_init__(self) -> None:
        if self.started.tzinfo is None or self.finished.tzinfo is None:
            raise BadInputError("A time in a manifest needs its time zone")
        if self.finished < self.started:
            raise BadInputError("The run of a manifest ends before it starts")

    @classmethod
    def of_run(
        cls,
        *,
        inputs: Mapping[str, str | PathLike[str] | InputRecord],
        model: StoredModel | None,
        parameters: Mapping[str, Any],
        device: object,
        started: datetime.datetime,
        seconds: Mapping[str, float] | None = None,
        warnings: Sequence[str] = (),
        **details: Any,
    ) -> Manifest:
        """Manifest of a run that ends now.

        Parameters
        ----------
        inputs
            By role: a record made when the input was read, or a file or DICOM folder to hash now.
        model, parameters, device, started, seconds, warnings
            As the attributes.
        **details
            Any other attribute: ``prompts``, ``edits``, ``reviewer``, ``resampling``, ``registration``.

        Raises
        ------
        BadInputError
            If an input cannot be read any more.
        """
        now = datetime.datetime.now(datetime.timezone.utc)
        used = None if model is None else ModelRecord.of(model)
        return cls(
            inputs=tuple(_as_record(role, source) for role, source in inputs.items()),
            model=used,
            parameters=dict(parameters),
            device=str(device),
            started=started,
            # A clock that was set back during the run is no reason to lose its result.
            finished=max(now, started) if started.tzinfo else now,
            seconds=dict(seconds or {}),
            warnings=tuple(warnings),
            **{"versions": package_versions(), **details},
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON form: plain values only, times in UTC as ISO 8601."""
        content = {name: _plain(getattr(self, name)) for name in self.__dataclass_fields__}
        return {
            "statement": RESEARCH_USE_ONLY,
            **content,
            "seconds": {stage: round(float(value), 3) for stage, value in self.seconds.items()},
        }


def input_record(role: str, path: str | PathLike[str]) -> InputRecord:
    """Hash a file, or each file of a folder and below.

    Raises
    ------
    BadInputError
        If it cannot be read.
    """
    source = Path(path).absolute()
    try:
        if not source.is_dir():
            return InputRecord(role, str(source), sha256(source))
        found = sorted(file.relative_to(source).as_posix() for file in source.rglob("*") if file.is_file())
        files = {name: sha256(source / name) for name in found}
    except OSError as error:
        raise BadInputError(f"The input cannot be read ({error.strerror or error})", path=source) from error
    return InputRecord(role, str(source), _sha256_of_list(files), files)


def package_versions() -> dict[str, str]:
    """Versions of Python, HNTargetSeg and of the packages at work that are installed; imports none of them."""
    from importlib import metadata

    versions = {"python": platform.python_version(), "hntargetseg": __version__}
    for name in _PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def write_manifest(manifest: Manifest, path: str | PathLike[str]) -> None:
    """Write a manifest as JSON, whole or not at all.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    text = json.dumps(manifest.to_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    # Bytes of a file name that are not UTF-8 are lone surrogates in Python; JSON can hold them as escapes only.
    write_text(path, text.encode("utf-8", "backslashreplace").decode("utf-8"))


def _as_record(role: str, source: str | PathLike[str] | InputRecord) -> InputRecord:
    return replace(source, role=role) if isinstance(source, InputRecord) else input_record(role, source)


def _sha256_of_list(files: Mapping[str, str]) -> str:
    import hashlib

    lines = "".join(f"{digest}  {name}\n" for name, digest in files.items())
    return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()


def _plain(value: Any) -> Any:
    """The value in JSON's own types; what is unknown to it becomes text, what is not finite null."""
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.timezone.utc).isoformat(timespec="seconds")
    if isinstance(value, Enum):
        return _plain(value.value)
    if isinstance(value, np.generic | np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    if value is None or isinstance(value, str | bool | int):
        return value
    return _plain_container(value)


def _plain_container(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(_plain(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if hasattr(value, "__dataclass_fields__"):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    return str(value)
