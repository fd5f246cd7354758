"""Weights: out of nnU-Net's checkpoints through a restricted reader, into safetensors, and back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from HNTargetSegLib.errors import MissingDependencyError, ModelError

if TYPE_CHECKING:
    import torch

WEIGHTS_FILE = "weights.safetensors"
_ALIASES = "aliases"
_PREFIXES = ("_orig_mod.", "module.")
_ADVICE = "Get the model again from its authors"


@dataclass(frozen=True)
class Checkpoint:
    """What a stored model keeps of one nnU-Net checkpoint.

    Attributes
    ----------
    weights
        State dict with the prefixes of torch.compile and DataParallel taken off.
    """

    weights: dict[str, torch.Tensor]
    configuration: str
    trainer: str
    mirror_axes: tuple[int, ...]


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a ``checkpoint_*.pth`` without executing anything that it holds.

    torch's restricted unpickler builds tensors and plain containers only; beyond those the fixed list of numpy scalar
    types that nnU-Net logs is allowed.

    Raises
    ------
    ModelError
        If the file asks for anything else, or is no nnU-Net checkpoint.
    MissingDependencyError
        If torch is older than 2.6, whose restricted reader could be tricked (CVE-2025-32434).
    """
    content = _restricted_load(path)
    if not isinstance(content, dict) or not isinstance(content.get("network_weights"), dict):
        raise ModelError("This is not a checkpoint of nnU-Net v2", path=path, remedy=_ADVICE)
    arguments = content.get("init_args")
    configuration = arguments.get("configuration") if isinstance(arguments, dict) else None
    trainer = content.get("trainer_name")
    if not isinstance(configuration, str) or not isinstance(trainer, str):
        raise ModelError("The checkpoint names no configuration or trainer", path=path, remedy=_ADVICE)
    axes = content.get("inference_allowed_mirroring_axes") or ()
    if not isinstance(axes, (tuple, list)) or not all(type(axis) is int and axis in (0, 1, 2) for axis in axes):
        raise ModelError(f"The checkpoint's mirroring axes are {axes!r}", path=path, remedy=_ADVICE)
    return Checkpoint(_clean(content["network_weights"], path), configuration, trainer, tuple(axes))


def _restricted_load(path: Path) -> Any:
    import torch

    if tuple(int(part) for part in torch.__version__.split("+")[0].split(".")[:2]) < (2, 6):
        raise MissingDependencyError(
            f"torch {torch.__version__} cannot read checkpoints safely", remedy="Install torch 2.6 or newer"
        )
    try:
        with torch.serialization.safe_globals(_numpy_scalars()):
            return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise ModelError("The checkpoint is missing", path=path, remedy="Look for it beside plans.json") from None
    except Exception as error:  # hostile bytes can make the unpickler raise anything
        if "unsupported" in str(error).lower():
            what = "The checkpoint holds code or objects beside weights, and was not opened"
        else:
            what = f"This is not a readable checkpoint ({type(error).__name__})"
        raise ModelError(what, path=path, remedy=_ADVICE) from error


def _numpy_scalars() -> list[Any]:
    import numpy as np

    scalar: Any = np.float64(0).__reduce__()[0]
    kinds = (np.float16, np.float32, np.float64, np.int32, np.int64, np.uint8, np.bool_)
    # The scalar's builder moved between numpy 1 and 2; a checkpoint names the module of the numpy that wrote it.
    return [
        (scalar, "numpy.core.multiarray.scalar"),
        (scalar, "numpy._core.multiarray.scalar"),
        np.dtype,
        *{type(np.dtype(kind)) for kind in kinds},
    ]


def _clean(weights: Mapping[Any, Any], path: Path) -> dict[str, torch.Tensor]:
    import torch

    cleaned: dict[str, torch.Tensor] = {}
    for key, tensor in weights.items():
        if not isinstance(key, str) or not isinstance(tensor, torch.Tensor):
            raise ModelError(
                "The checkpoint's network_weights hold something else than tensors", path=path, remedy=_ADVICE
            )
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise ModelError(f"The weights of '{key}' are not all finite", path=path, remedy=_ADVICE)
        name = _without_prefix(key)
        if name in cleaned:
            raise ModelError(f"The checkpoint holds '{name}' twice", path=path, remedy=_ADVICE)
        cleaned[name] = tensor.detach()
    if not cleaned:
        raise ModelError("The checkpoint holds no weights", path=path, remedy=_ADVICE)
    return cleaned


def _without_prefix(key: str) -> str:
    while True:
        for prefix in _PREFIXES:
            if key.startswith(prefix):
                key = key[len(prefix) :]
                break
        else:
            return key


def write_weights(path: Path, weights: Mapping[str, torch.Tensor], *, half: bool) -> None:
    """Write a state dict as safetensors.

    nnU-Net lists each encoder tensor again under its decoder, and each layer twice: equal tensors are written once, and
    the other names go into the header.

    Parameters
    ----------
    half
        Store floating-point tensors as fp16: half the size, about 1e-4 of the voxels of a result change.

    Raises
    ------
    ModelError
        If a weight is too large for fp16.
    """
    import torch
    from safetensors.torch import save_file

    unique, aliases = _without_repeats(weights)
    stored: dict[str, torch.Tensor] = {}
    for key, tensor in unique.items():
        kept = tensor.to(torch.float16 if half else torch.float32) if tensor.is_floating_point() else tensor
        if kept.is_floating_point() and not bool(torch.isfinite(kept).all()):
            raise ModelError(f"The weights of '{key}' are too large for fp16", remedy="Store them as fp32")
        # A copy of its own: a slice of a larger storage would be written with all of it, or refused.
        stored[key] = kept.clone(memory_format=torch.contiguous_format)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(stored, str(path), metadata={_ALIASES: json.dumps(aliases)})


def _without_repeats(weights: Mapping[str, torch.Tensor]) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    import torch

    unique: dict[str, torch.Tensor] = {}
    aliases: dict[str, str] = {}
    alike: dict[tuple[Any, ...], list[str]] = {}
    for key, tensor in weights.items():
        candidates = alike.setdefault((tuple(tensor.shape), tensor.dtype, float(tensor.double().sum())), [])
        twin = next((name for name in candidates if torch.equal(unique[name], tensor)), None)
        if twin is None:
            unique[key] = tensor
            candidates.append(key)
        else:
            aliases[key] = twin
    return unique, aliases


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """State dict of a safetensors file, in fp32, with every name that the checkpoint had.

    Raises
    ------
    ModelError
        If the file is missing or damaged.
    """
    import torch
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="pt") as stream:
            weights = {key: stream.get_tensor(key) for key in stream.keys()}  # noqa: SIM118 - not a mapping
            aliases = json.loads((stream.metadata() or {}).get(_ALIASES, "{}"))
        for key in weights:
            if weights[key].is_floating_point():
                weights[key] = weights[key].to(torch.float32)
        weights.update({key: weights[twin] for key, twin in aliases.items()})
    except (SafetensorError, OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise ModelError(
            f"The weights cannot be read ({error})", path=path, remedy="Install the model again"
        ) from error
    return weights


def check_fit(weights: Mapping[str, torch.Tensor], *, channels: int, heads: int, path: Path) -> None:
    """Refuse weights whose first layer or segmentation layers do not fit the model's channels and labels.

    Raises
    ------
    ModelError
        If a layer says otherwise. Networks whose layers are not named as nnU-Net's U-Nets are let through.
    """
    found = _layer_widths(weights.items())
    for what, expected, actual in (("channels", channels, found[0]), ("labels", heads, found[1])):
        if actual is not None and actual != expected:
            raise ModelError(
                f"The network has {actual} {what}, its dataset.json and recipe {expected}",
                path=path,
                remedy="The files belong to different models",
            )


def _layer_widths(weights: Iterable[tuple[str, torch.Tensor]]) -> tuple[int | None, int | None]:
    first: int | None = None
    heads: int | None = None
    for key, tensor in weights:
        if first is None and key.startswith("encoder.") and key.endswith("conv.weight"):
            first = tensor.shape[1]
        if "seg_layers." in key and key.endswith(".weight"):
            heads = tensor.shape[0]
    return first, heads
