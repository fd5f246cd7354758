"""What computes a tile: PyTorch on the CPU or a GPU, or OpenVINO on the CPU."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import math
import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from itertools import combinations
from pathlib import Path
from typing import Any, Protocol

import torch

from HNTargetSegLib.errors import MissingDependencyError, OutputError
from HNTargetSegLib.files import replacing_folder
from HNTargetSegLib.models.options import Device, Mode, PredictOptions, cache_folder


class Engine(Protocol):
    """A network with its weights on a device.

    Attributes
    ----------
    name
        For the manifest, such as ``PyTorch, cpu, float32``.
    device
        Where tiles have to be and logits come back.
    """

    name: str
    device: torch.device

    def __call__(self, tiles: torch.Tensor) -> torch.Tensor:
        """Logits in float32, shape (n, classes, k, j, i), of tiles of shape (n, channels, k, j, i)."""
        ...


def chosen_device(asked: Device) -> torch.device:
    """The device to compute on.

    Raises
    ------
    MissingDependencyError
        If the machine has none of the kind that was asked for.
    """
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if asked == "auto":
        return torch.device(next(kind for kind, there in available.items() if there))
    if not available[asked]:
        built = torch.version.cuda if asked == "cuda" else torch.backends.mps.is_built()
        reason = "" if built else f"; the installed PyTorch {torch.__version__} is built without it"
        raise MissingDependencyError(
            f"PyTorch sees no {asked} device on this machine{reason}",
            remedy="Choose device cpu or auto, or install a driver and a PyTorch build that fit the graphics card",
        )
    return torch.device(asked)


def build_engine(
    network: torch.nn.Module, options: PredictOptions, tile_shape: tuple[int, ...]
) -> tuple[Engine, str | None]:
    """The engine for one set of weights.

    Parameters
    ----------
    network
        In float32 on the CPU; it belongs to the engine afterwards.
    tile_shape
        (channels, k, j, i).

    Returns
    -------
    engine, note
        The note says what was taken in place of OpenVINO, and why.

    Raises
    ------
    MissingDependencyError
        If the device, or OpenVINO where it was asked for, is missing.
    """
    device = chosen_device(options.device)
    if device.type != "cpu" or options.backend == "torch":
        return TorchEngine(network, device, options.mode), None
    if importlib.util.find_spec("openvino") is None:
        if options.backend == "openvino":
            raise MissingDependencyError(
                "The Python package 'openvino' is not installed",
                remedy="Install hntargetseg[fast], or choose the backend torch",
            )
        return TorchEngine(network, device, options.mode), "OpenVINO is not installed; PyTorch computes more slowly"
    try:
        return OpenVinoEngine(network, options.mode, tile_shape), None
    except (RuntimeError, OSError) as error:
        if options.backend == "openvino":
            raise MissingDependencyError(
                f"OpenVINO cannot run this network ({error})", remedy="Choose the backend torch"
            ) from error
        return TorchEngine(network, device, options.mode), f"OpenVINO cannot run this network; PyTorch does ({error})"


class TorchEngine:
    """PyTorch: float32, or in fast mode float16 on CUDA (as nnU-Net itself) and bfloat16 on the CPU."""

    def __init__(self, network: torch.nn.Module, device: torch.device, mode: Mode) -> None:
        self.device = device
        self._network = network.to(device)
        self._reduced = {"cuda": torch.float16, "cpu": torch.bfloat16}.get(device.type) if mode == "fast" else None
        precision = "float32" if self._reduced is None else str(self._reduced).removeprefix("torch.")
        self.name = f"PyTorch, {device.type}, {precision}"

    def __call__(self, tiles: torch.Tensor) -> torch.Tensor:
        """Logits of tiles."""
        with torch.inference_mode(), ExitStack() as settings:
            if self._reduced is not None:
                settings.enter_context(torch.autocast(self.device.type, dtype=self._reduced))
            if self.device.type == "cuda":
                # All tiles have one shape, for which the quickest algorithm is worth a search. TF32, cuDNN's default,
                # keeps 10 bits of the mantissa: not what exact mode means.
                tf32 = self._reduced is not None
                settings.enter_context(torch.backends.cudnn.flags(enabled=True, benchmark=True, allow_tf32=tf32))
            logits: torch.Tensor = self._network(tiles)
        return logits.float()


class OpenVinoEngine:
    """OpenVINO on the CPU: float32, or in fast mode bfloat16 where the processor has it.

    The converted network is kept in the cache folder: converting takes seconds, reading it a fraction of one.
    """

    def __init__(self, network: torch.nn.Module, mode: Mode, tile_shape: tuple[int, ...]) -> None:
        openvino = _openvino()
        self.device = torch.device("cpu")
        core = openvino.Core()
        converted, folder = _converted(core, network, tile_shape)
        properties: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY"}
        if folder is not None:
            properties["CACHE_DIR"] = str(folder)
        if mode == "exact":
            properties.update({"INFERENCE_PRECISION_HINT": "f32", "EXECUTION_MODE_HINT": "ACCURACY"})
        compiled = core.compile_model(converted, "CPU", properties)
        self._request = compiled.create_infer_request()
        precision = compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
        self.name = f"OpenVINO, cpu, {precision}"

    def __call__(self, tiles: torch.Tensor) -> torch.Tensor:
        """Logits of tiles."""
        results = []
        for tile in tiles:
            output = self._request.infer([tile[None].contiguous().numpy()], share_inputs=True, share_outputs=True)[0]
            # The output's memory is used again by the next call.
            results.append(torch.from_numpy(output).clone())
        return torch.cat(results)


def _openvino() -> Any:
    """OpenVINO without its usage reports: a clinic's computer tells nobody what it runs."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino


def _converted(core: Any, network: torch.nn.Module, tile_shape: tuple[int, ...]) -> tuple[Any, Path | None]:
    """The network in OpenVINO's form and the folder that keeps it, which is None where it cannot be written."""
    openvino = _openvino()
    folder = cache_folder() / "openvino" / _fingerprint(network, tile_shape, str(openvino.__version__))
    if not (folder / "network.xml").exists():
        with torch.no_grad(), warnings.catch_warnings():
            # Tracing warns of every size that it takes as fixed; all tiles have one size.
            warnings.simplefilter("ignore")
            example = torch.zeros(1, *_example_shape(network, tile_shape))
            model = openvino.convert_model(network, example_input=example, input=[1, *tile_shape])
        try:
            with replacing_folder(folder, marker="network.xml") as temporary:
                openvino.save_model(model, temporary / "network.xml", compress_to_fp16=False)
        except OutputError:
            # The cache only saves time at the next start.
            return model, None
    return core.read_model(folder / "network.xml"), folder


def _example_shape(network: torch.nn.Module, tile_shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape to trace with: as small as a purely convolutional network allows, as it is traced several times."""
    if type(network).__name__ not in ("PlainConvUNet", "ResidualEncoderUNet"):
        return tile_shape
    strides = [layer.stride for layer in network.modules() if isinstance(layer, torch.nn.ConvTranspose3d)]
    # Two voxels along each axis at the lowest resolution, since normalisation wants more than one.
    smallest = [2 * math.prod(int(stride[axis]) for stride in strides) for axis in range(3)]
    return (tile_shape[0], *(min(pair) for pair in zip(smallest, tile_shape[1:], strict=True)))


def _fingerprint(network: torch.nn.Module, tile_shape: tuple[int, ...], version: str) -> str:
    digest = hashlib.sha256(json.dumps([repr(network), tile_shape, version, torch.__version__]).encode())
    for name, values in network.state_dict().items():
        digest.update(name.encode())
        digest.update(values.contiguous().numpy())
    return digest.hexdigest()[:32]


def mirrored_mean(
    engine: Callable[[torch.Tensor], torch.Tensor], tile: torch.Tensor, axes: Sequence[int], batched: bool = False
) -> torch.Tensor:
    """Mean of the logits over all combinations of mirrored axes.

    Parameters
    ----------
    tile
        Shape (1, channels, k, j, i).
    axes
        Spatial axes, 0 to 2, that may be mirrored; none gives the plain logits.
    batched
        Compute all in one call (equal to float32 rounding): quicker on a GPU, more memory.

    Returns
    -------
    torch.Tensor
        Shape (classes, k, j, i).
    """
    if not axes:
        return engine(tile)[0]
    flips = [[axis + 2 for axis in chosen] for count in range(len(axes) + 1) for chosen in combinations(axes, count)]
    outputs: Iterable[torch.Tensor]
    if batched:
        outputs = engine(torch.cat([torch.flip(tile, flip) for flip in flips])).split(1)
    else:
        outputs = (engine(torch.flip(tile, flip)) for flip in flips)
    total: torch.Tensor | None = None
    for flip, output in zip(flips, outputs, strict=True):
        restored = torch.flip(output, flip)
        total = restored if total is None else total.add_(restored)
    assert total is not None
    return total[0].div_(len(flips))
