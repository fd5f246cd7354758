"""The network over all tiles of a volume, added up with nnU-Net's weights in half precision."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from HNTargetSegLib.errors import OutOfMemoryError, TargetSegError
from HNTargetSegLib.models.engines import Engine, mirrored_mean
from HNTargetSegLib.models.tiles import TileGrid, every_channel, gaussian_weights

_NO_MEMORY = ("not enough memory", "out of memory", "bad_alloc", "can't allocate")


@dataclass
class TileSums:
    """Weighted sums of the tiles' logits.

    Attributes
    ----------
    logits
        Half precision, shape (classes, k, j, i) of the grid's box.
    weights
        Sum of the weights, half precision, shape (k, j, i).
    gaussian
        Weights of one tile.
    """

    logits: torch.Tensor
    weights: torch.Tensor
    gaussian: torch.Tensor

    @classmethod
    def empty(cls, classes: int, grid: TileGrid, device: torch.device) -> TileSums:
        """Sums of no tile yet, on the device, or on the CPU where the device has too little memory."""
        shape = [part.stop - part.start for part in grid.box]
        gaussian = gaussian_weights(grid.patch)
        try:
            return cls._zeros(classes, shape, gaussian, device)
        except (RuntimeError, MemoryError) as error:
            if device.type == "cpu" or not is_out_of_memory(error):
                raise
            return cls._zeros(classes, shape, gaussian, torch.device("cpu"))

    @classmethod
    def _zeros(cls, classes: int, shape: Sequence[int], gaussian: torch.Tensor, device: torch.device) -> TileSums:
        return cls(
            torch.zeros((classes, *shape), dtype=torch.half, device=device),
            torch.zeros(tuple(shape), dtype=torch.half, device=device),
            gaussian.to(device),
        )

    def to_cpu(self) -> None:
        """Make room on the device."""
        self.logits, self.weights, self.gaussian = self.logits.cpu(), self.weights.cpu(), self.gaussian.cpu()

    def add(self, prediction: torch.Tensor, place: tuple[slice, slice, slice]) -> None:
        """Add the float32 logits of one tile, which are used up."""
        sums = self.logits[every_channel(place)]
        # Formed in float32 and rounded once, as PyTorch's mixed addition does, without its temporary copies.
        sums.copy_(prediction.to(sums.device).mul_(self.gaussian).add_(sums))
        self.weights[place] += self.gaussian

    def mean(self) -> torch.Tensor:
        """Weighted mean, in the memory of the sums.

        Raises
        ------
        TargetSegError
            If a logit left the range of half precision.
        """
        for channel in self.logits:
            torch.div(channel, self.weights, out=channel)
            if not torch.isfinite(channel).all():
                raise TargetSegError(
                    "The network gave values without limit", remedy="Check the model with `hntargetseg models verify`"
                )
        return self.logits


def tile_logits(
    engine: Engine,
    data: torch.Tensor,
    grid: TileGrid,
    classes: int,
    mirror_axes: Sequence[int],
    each_tile: Callable[[], None],
) -> torch.Tensor:
    """Logits of one set of weights over a grid of tiles.

    Parameters
    ----------
    data
        Float32 on the CPU, shape (channels, k, j, i): the grid's box.
    each_tile
        Called before each tile; may raise to stop.

    Returns
    -------
    torch.Tensor
        Half precision, shape (classes, k, j, i), on the engine's device unless that lacks the memory.

    A tile that the device has too little memory for is tried again with the sums in main memory and one mirroring at a
    time.
    """
    with torch.inference_mode():
        sums = TileSums.empty(classes, grid, engine.device)
        batched = engine.device.type == "cuda" and bool(mirror_axes)
        for place in grid:
            each_tile()
            tile = data[every_channel(place)][None].contiguous().to(engine.device)
            try:
                prediction = mirrored_mean(engine, tile, mirror_axes, batched)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                sums.to_cpu()
                batched = False
                if engine.device.type == "cuda":
                    torch.cuda.empty_cache()
                prediction = mirrored_mean(engine, tile, mirror_axes)
            sums.add(prediction, place)
        return sums.mean()


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of PyTorch, OpenVINO or Python says that memory ran out."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _NO_MEMORY)


def out_of_memory() -> OutOfMemoryError:
    """The error that a user sees."""
    return OutOfMemoryError(
        "There is too little free memory for this model and image",
        remedy="Close other programs, restrict the work to a region, or choose device cpu or a smaller model",
    )


class FoldMean:
    """Mean over folds: of logits as nnU-Net forms it, or of probabilities."""

    def __init__(self, of: str) -> None:
        self._of = of
        self._total: torch.Tensor | None = None
        self._count = 0

    def add(self, logits: torch.Tensor) -> None:
        """Add one fold's logits, half precision, shape (classes, ...)."""
        self._count += 1
        if self._of == "softmax":
            _log_softmax_in_place(logits)
        if self._total is None:
            self._total = logits
        elif self._of == "softmax":
            _log_add_in_place(self._total, logits.to(self._total.device))
        else:
            self._total += logits.to(self._total.device)

    def result(self) -> torch.Tensor:
        """The mean as logits, half precision: its softmax is the mean of the probabilities where that was asked for."""
        assert self._total is not None
        if self._count > 1 and self._of == "logits":
            self._total /= self._count
        return self._total


def _log_softmax_in_place(logits: torch.Tensor) -> None:
    # Slice by slice: a float32 copy of the whole would be the largest array of a prediction.
    for index in range(logits.shape[1]):
        logits[:, index] = logits[:, index].float().log_softmax(0)


def _log_add_in_place(total: torch.Tensor, more: torch.Tensor) -> None:
    for index in range(total.shape[1]):
        total[:, index] = torch.logaddexp(total[:, index].float(), more[:, index].float())
