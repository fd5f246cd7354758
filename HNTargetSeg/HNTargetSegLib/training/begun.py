"""With what a training was begun: it goes on with the same choices and the same network, or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from HNTargetSegLib.errors import BadInputError, ModelError
from HNTargetSegLib.files import write_text

_RECORD = "begun.json"
_CHECKPOINTS = tuple(f"checkpoint_{name}.pth" for name in ("final", "latest", "best"))


def has_checkpoint(fold: Path) -> bool:
    """Whether nnU-Net can go on with the training of this folder."""
    return any((fold / name).exists() for name in _CHECKPOINTS)


def require_same_choices(fold: Path, choices: Mapping[str, Any], home: Path) -> None:
    """Refuse to go on with a training that was begun with something else.

    Parameters
    ----------
    fold
        Folder of its checkpoints.
    choices
        ``seed``, ``loss`` with the options that the trainer reads, and ``prior`` where there is one.
    home
        Folder that the user knows it by.

    Raises
    ------
    BadInputError
        If it was begun with another seed, or with other options of the loss or of the prior.
    """
    path = fold / _RECORD
    if has_checkpoint(fold):
        begun = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        _refuse_other_seed(begun.get("seed"), choices["seed"], home)
        _refuse_others("loss", begun.get("loss", {}), choices["loss"], home)
        _refuse_others("prior", begun.get("prior", {}), _plain(choices.get("prior", {})), home)


def hold_choices(fold: Path, choices: Mapping[str, Any]) -> None:
    """Write down what a training is begun with, for :func:`require_same_choices`."""
    write_text(fold / _RECORD, json.dumps(dict(choices)) + "\n")


def require_same_network(fold: Path, plans: Path, configuration: str = "3d_fullres", channels: int = 1) -> None:
    """Refuse to go on from a checkpoint of another architecture, before nnU-Net fails on it.

    Parameters
    ----------
    channels
        Of the network's input.

    Raises
    ------
    BadInputError
        If the checkpoint's weights are not those of the planned network, or it cannot be read.
    """
    from HNTargetSegLib.models.weights import read_checkpoint

    found = [fold / name for name in _CHECKPOINTS if (fold / name).exists()]
    if not found:
        return
    remedy = "Remove the checkpoint to begin again, or choose another --workspace"
    try:
        shapes = {name: tuple(tensor.shape) for name, tensor in read_checkpoint(found[0]).weights.items()}
    except ModelError as error:
        raise BadInputError(error.what, path=found[0], remedy=remedy) from error
    content = json.loads(plans.read_text(encoding="utf-8"))
    expected = _planned_shapes(content["configurations"][configuration]["architecture"], channels)
    differing = [name for name in {**expected, **shapes} if expected.get(name) != shapes.get(name)]
    if differing:
        raise BadInputError(
            f"The checkpoint is of another architecture than the plans: {len(differing)} of {len(expected)} layers "
            f"differ, such as {differing[0]} ({_size(shapes, differing[0])} and not {_size(expected, differing[0])})",
            path=found[0],
            remedy=remedy,
        )


def _planned_shapes(architecture: Mapping[str, Any], channels: int) -> dict[str, tuple[int, ...]]:
    import torch
    from nnunetv2.utilities.get_network_from_plans import get_network_from_plans

    # On no device: only the shapes are asked for.
    with torch.device("meta"):
        network = get_network_from_plans(
            architecture["network_class_name"],
            architecture["arch_kwargs"],
            architecture["_kw_requires_import"],
            channels,
            3,
            allow_init=False,
            deep_supervision=True,
        )
    return {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}


def _size(shapes: Mapping[str, tuple[int, ...]], name: str) -> str:
    return "x".join(map(str, shapes[name])) if name in shapes else "absent"


def _refuse_other_seed(begun: int | None, asked: int | None, home: Path) -> None:
    if begun != asked:
        remedy = "Leave --seed out" if begun is None else f"Go on with --seed {begun}"
        raise BadInputError(
            f"This training was begun with {'no seed' if begun is None else f'seed {begun}'}",
            path=home,
            remedy=f"{remedy}, or choose another --workspace",
        )


def _plain(choices: Mapping[str, Any]) -> Any:
    """As JSON gives it back, without tuples."""
    return json.loads(json.dumps(dict(choices)))


def _refuse_others(what: str, begun: Mapping[str, Any], asked: Mapping[str, Any], home: Path) -> None:
    for name in sorted({*begun, *asked}):
        if begun.get(name) != asked.get(name):
            raise BadInputError(
                f"This training was begun with another {what}: {name} was {_said(begun, name)} and is to be "
                f"{_said(asked, name)}",
                path=home,
                remedy="Give the same options, or choose another --workspace",
            )


def _said(options: Mapping[str, Any], name: str) -> str:
    return str(options[name]) if options.get(name) is not None else "not given"
