"""Model cards: what a stored model is, what it knows, where it fails, and the hash of each of its files.

The sections are those of the AID-RT model card (Barragan-Montero et al., Physics and Imaging in Radiation Oncology
2026, doi 10.1016/j.phro.2026.100940): card metadata, basic information, technical specifications, training,
evaluation, other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from HNTargetSegLib.errors import ModelError
from HNTargetSegLib.files import write_text
from HNTargetSegLib.models.channel_options import ChannelOptions, channel_options_from
from HNTargetSegLib.models.recipe import Recipe, recipe_from

CARD_FILE = "card.json"
SCHEMA = 1
UNKNOWN = "unknown"

SECTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "metadata": ("Card metadata", ("created", "author")),
    "basics": ("Model basic information", ("summary", "intended_use", "limits", "licence")),
    "technical": ("Technical specifications", ("architecture", "software", "hardware")),
    "training": ("Training data and methodology", ("data", "method")),
    "evaluation": ("Evaluation data and metrics", ("data", "metrics")),
    "other": ("Other considerations", ("ethics", "risks", "monitoring")),
}
"""Sections in order: key in the file, title, and the entries that must be there, be it as ``unknown``."""

_NAME = re.compile(r"[^\W_][\w .+-]{0,62}[\w+-]|[^\W_]", re.UNICODE)
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class NetworkFields:
    """What nnU-Net needs to know beside plans.json and dataset.json, read from the checkpoint at install.

    Attributes
    ----------
    configuration, trainer, checkpoint
        nnU-Net's names.
    folds
        ``("0",)``, ``("all",)`` or ``("0", "1", ...)``.
    mirror_axes
        Spatial axes (k, j, i as 0, 1, 2) along which inference may mirror.
    """

    configuration: str = ""
    trainer: str = ""
    checkpoint: str = ""
    folds: tuple[str, ...] = ()
    mirror_axes: tuple[int, ...] = ()


@dataclass(frozen=True)
class ModelCard:
    """The card of one model; see :data:`SECTIONS` for what each section must hold.

    Attributes
    ----------
    name, version
        The name is also the folder's.
    recipe
        What the channels are.
    channels
        How the channels beside the T2 are made.
    default
        Whether the model is used when none is named.
    storage
        ``fp32`` or ``fp16``, as the weights lie on disk.
    network, storage, files
        Filled in when the model is stored; ``files`` maps each other file of the folder (with ``/``) to its SHA-256.
    """

    name: str
    version: str
    recipe: Recipe
    metadata: Mapping[str, Any]
    basics: Mapping[str, Any]
    technical: Mapping[str, Any]
    training: Mapping[str, Any]
    evaluation: Mapping[str, Any]
    other: Mapping[str, Any]
    channels: ChannelOptions = field(default_factory=ChannelOptions)
    default: bool = False
    network: NetworkFields = NetworkFields()
    storage: str = "fp32"
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def licence(self) -> str:
        """Licence of the weights in a few words."""
        return str(self.basics["licence"])

    @property
    def limits(self) -> tuple[str, ...]:
        """What the model is known not to do."""
        limits = self.basics["limits"]
        return (limits,) if isinstance(limits, str) else tuple(str(limit) for limit in limits)


def unknown_card(name: str, recipe: Recipe) -> ModelCard:
    """Card of a model that came without one: every section is there and says ``unknown``."""
    sections: dict[str, Any] = {key: dict.fromkeys(needed, UNKNOWN) for key, (_, needed) in SECTIONS.items()}
    sections["basics"]["summary"] = "Third-party nnU-Net model that came without a card"
    sections["basics"]["limits"] = ["Not tested by HNTargetSeg: what it knows and where it fails is unknown"]
    return ModelCard(name=name, version=UNKNOWN, recipe=recipe, **sections)


def checked_name(name: str) -> str:
    """``name`` when it can be a folder's name on every system.

    Raises
    ------
    ModelError
        If it has a separator, starts or ends with a dot, is reserved by Windows, or is longer than 64 characters.
    """
    if not _NAME.fullmatch(name) or _RESERVED.fullmatch(name):
        raise ModelError(
            f"'{name}' cannot be the name of a model",
            remedy="Take up to 64 letters, digits, blanks and . + - _, first a letter or digit, last no dot or blank",
        )
    return name


def card_to_dict(card: ModelCard) -> dict[str, Any]:
    """JSON form of a card."""
    network = card.network
    return {
        "schema": SCHEMA,
        "name": card.name,
        "version": card.version,
        "default": card.default,
        **{key: dict(getattr(card, key)) for key in SECTIONS},
        "recipe": card.recipe.value,
        **({"channels": card.channels.to_dict()} if card.recipe.needs_prior else {}),
        "nnunet": {
            "configuration": network.configuration,
            "trainer": network.trainer,
            "checkpoint": network.checkpoint,
            "folds": list(network.folds),
            "mirror_axes": list(network.mirror_axes),
        },
        "storage": card.storage,
        "files": dict(card.files),
    }


def write_card(folder: Path, card: ModelCard) -> None:
    """Write ``card.json`` into a model folder."""
    write_text(folder / CARD_FILE, json.dumps(card_to_dict(card), indent=2, ensure_ascii=False) + "\n")


def read_json_object(path: Path) -> dict[str, Any]:
    """JSON object of a file that belongs to a model.

    Raises
    ------
    ModelError
        If the file is missing, is no JSON, or holds something else than an object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError("The file is missing", path=path, remedy="Install the model again from its source") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"This is not readable JSON ({error})", path=path, remedy="Install the model again") from error
    if not isinstance(content, dict):
        raise ModelError("This JSON file does not hold an object", path=path, remedy="Install the model again")
    return content


def read_card(folder: Path) -> ModelCard:
    """Card of a model folder, checked.

    Raises
    ------
    ModelError
        If a section or entry is missing or of the wrong kind, or the recipe or schema is not known.
    """
    path = folder / CARD_FILE
    content = read_json_object(path)
    try:
        return card_from_dict(content)
    except ModelError as error:
        raise ModelError(error.what, path=path, remedy=error.remedy or "Correct the card or install again") from None


def card_from_dict(content: Mapping[str, Any]) -> ModelCard:
    """Card of its JSON form; see :func:`read_card` for the errors."""
    if content.get("schema") != SCHEMA:
        raise ModelError(
            f"The card has schema {content.get('schema')!r}, this version reads {SCHEMA}", remedy="Update HNTargetSeg"
        )
    storage = _text(content, "storage")
    if storage not in ("fp32", "fp16"):
        raise ModelError(f"The card's storage is '{storage}', not fp32 or fp16")
    default = content.get("default", False)
    if not isinstance(default, bool):
        raise ModelError("The card's entry 'default' is not true or false")
    return ModelCard(
        name=checked_name(_text(content, "name")),
        version=_text(content, "version"),
        default=default,
        recipe=recipe_from(_text(content, "recipe")),
        channels=channel_options_from(content.get("channels")),
        network=_network(content.get("nnunet")),
        storage=storage,
        files=_files(content.get("files")),
        **{key: _section(content, key) for key in SECTIONS},
    )


def _text(content: Mapping[str, Any], key: str) -> str:
    value = content.get(key)
    if not isinstance(value, str) or not value:
        raise ModelError(f"The card has no entry '{key}'")
    return value


def _section(content: Mapping[str, Any], key: str) -> dict[str, Any]:
    title, needed = SECTIONS[key]
    section = content.get(key)
    if not isinstance(section, dict):
        raise ModelError(f"The card has no section '{key}' ({title})")
    missing = [entry for entry in needed if section.get(entry) in (None, "", [], {})]
    if missing:
        raise ModelError(
            f"The card's section '{key}' ({title}) lacks {', '.join(missing)}", remedy=f"Write '{UNKNOWN}' if so"
        )
    return section


def _network(content: Any) -> NetworkFields:
    if not isinstance(content, dict):
        raise ModelError("The card has no section 'nnunet'")
    folds, axes = content.get("folds"), content.get("mirror_axes")
    if not isinstance(folds, list) or not folds or not all(isinstance(fold, str) and is_fold(fold) for fold in folds):
        raise ModelError("The card's nnunet.folds is not a list of '0', '1', ... or 'all'")
    if not isinstance(axes, list) or not all(type(axis) is int and axis in (0, 1, 2) for axis in axes):
        raise ModelError("The card's nnunet.mirror_axes is not a list of 0, 1, 2")
    names = {key: _text(content, key) for key in ("configuration", "trainer", "checkpoint")}
    return NetworkFields(folds=tuple(folds), mirror_axes=tuple(axes), **names)


def _files(content: Any) -> dict[str, str]:
    if not isinstance(content, dict) or not content:
        raise ModelError("The card names no files")
    for name, digest in content.items():
        parts = PurePosixPath(name).parts
        if not parts or name.startswith("/") or ".." in parts or "\\" in name or ":" in name:
            raise ModelError(f"The card names the file '{name}', which lies outside the model")
        if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
            raise ModelError(f"The card's SHA-256 of '{name}' is not 64 hexadecimal digits")
    return content


def is_fold(name: str) -> bool:
    """Whether ``name`` is nnU-Net's name of a fold: a number or ``all``."""
    return name == "all" or (name.isascii() and name.isdigit())
