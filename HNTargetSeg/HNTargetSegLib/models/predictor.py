"""One model, loaded once, applied to images: channels in, labels and probabilities out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from HNTargetSegLib.errors import BadInputError, CancelledError
from HNTargetSegLib.models.label_choice import choose_labels
from HNTargetSegLib.models.network import ModelSource, build_network, chosen_folds, read_plan
from HNTargetSegLib.models.options import PredictOptions
from HNTargetSegLib.models.prediction import ImageLogits, Prediction
from HNTargetSegLib.models.preprocess import Placement, Prepared, preprocess
from HNTargetSegLib.models.replaced import replaced_part, require_replaceable
from HNTargetSegLib.models.resample import ProbabilityResampling
from HNTargetSegLib.models.tiles import Box, RegionTiles, TileGrid, every_channel, padding, region_grid

if TYPE_CHECKING:
    import torch

Progress = Callable[[str, int, int], None]
Cancelled = Callable[[], bool]


class Predictor:
    """A model with its networks loaded and ready.

    Building it takes seconds (nnU-Net's imports, weights, conversion for OpenVINO the first time); a prediction then
    costs little more than its network. It keeps no state of an image: after an error or a cancelled prediction it can
    be used on. Use it from one thread.

    Parameters
    ----------
    model
        A stored model.
    options
        Device, precision and rules.

    Attributes
    ----------
    engine_name
        What computes the network, such as ``OpenVINO, cpu, f32``.
    notes
        What was replaced or is not as asked, in sentences for the user.

    Raises
    ------
    MissingDependencyError
        If PyTorch, nnU-Net, the device or OpenVINO where it was asked for is missing.
    ModelError
        If plans and weights cannot be used.
    BadInputError
        If the model has no such fold.
    """

    def __init__(self, model: ModelSource, options: PredictOptions | None = None) -> None:
        self.options = options or PredictOptions()
        self._plan = read_plan(model)
        self._resampling = ProbabilityResampling.from_plans(self._plan.configuration)
        self._mirror_axes = tuple(model.mirror_axes) if self.options.mirror else ()

        from HNTargetSegLib.models.engines import build_engine

        folds = chosen_folds(model, self.options.folds)
        tile_shape = (self._plan.channels, *self._plan.patch)
        with memory_errors():
            built = [
                build_engine(build_network(self._plan, model.weights(fold)), self.options, tile_shape) for fold in folds
            ]
        self._engines = [engine for engine, _ in built]
        self.engine_name = self._engines[0].name
        self.notes = tuple(dict.fromkeys([*self._plan.notes, *(note for _, note in built if note)]))

    def predict(
        self,
        channels: np.ndarray,
        spacing: Sequence[float],
        *,
        region: Sequence[slice] | None = None,
        region_tiles: RegionTiles = "shared",
        progress: Progress | None = None,
        cancelled: Cancelled | None = None,
    ) -> Prediction:
        """Segment one image.

        Parameters
        ----------
        channels
            Shape (c, k, j, i): the channels that the model was trained on, raw; intensities are normalised here, over
            the whole image.
        spacing
            Voxel size in mm along (i, j, k), as SimpleITK gives it.
        region
            Slices along (k, j, i): segment only there; all else is background.
        region_tiles
            ``shared``: in the region, but for its outer quarter of a patch, the labels are those of the whole image.
            ``fewest``: several times quicker, with small differences.
        progress
            Called with the stage (``preprocess``, ``network``, ``labels``), what is done and the total.
        cancelled
            Asked between the tiles whether to stop.

        Raises
        ------
        BadInputError
            If the channels do not fit the model.
        CancelledError
            If ``cancelled`` said so.
        OutOfMemoryError
            If the device has too little memory.
        """
        watch = Stopwatch(progress, cancelled)
        prepared = self._prepared(channels, spacing, watch)
        return self._predicted(prepared, region, region_tiles, watch, {})

    def prepare(
        self,
        channels: np.ndarray,
        spacing: Sequence[float],
        *,
        progress: Progress | None = None,
        cancelled: Cancelled | None = None,
    ) -> Prepared:
        """The network's input, for any number of :meth:`predict_prepared`; parameters and errors as :meth:`predict`."""
        return self._prepared(channels, spacing, Stopwatch(progress, cancelled))

    def predict_prepared(
        self,
        prepared: Prepared,
        region: Sequence[slice],
        *,
        replaced: Mapping[int, np.ndarray] | None = None,
        region_tiles: RegionTiles = "fewest",
        progress: Progress | None = None,
        cancelled: Cancelled | None = None,
    ) -> Prediction:
        """Segment a region of an image that was prepared before.

        Parameters
        ----------
        prepared
            As :meth:`prepare` gave it.
        region
            Slices along (k, j, i) of the image; all else is background.
        replaced
            Channels by number that take the place of the prepared ones: float32, shape of the image, raw. They are
            brought onto the network's grid only where the tiles lie. Without effect on the other channels.
        region_tiles, progress, cancelled
            As for :meth:`predict`; the errors too.

        Raises
        ------
        BadInputError
            If a replaced channel is normalised by its own intensities, or is not 0 where the prepared ones were cut.
        """
        replaced = replaced or {}
        for number, channel in replaced.items():
            require_replaceable(prepared, number, channel, self._plan)
        return self._predicted(prepared, region, region_tiles, Stopwatch(progress, cancelled), replaced)

    def replaceable(self, prepared: Prepared, number: int, channel: np.ndarray) -> bool:
        """Whether :meth:`predict_prepared` can put a channel in the place of a prepared one."""
        try:
            require_replaceable(prepared, number, channel, self._plan)
        except BadInputError:
            return False
        return True

    def _prepared(self, channels: np.ndarray, spacing: Sequence[float], watch: Stopwatch) -> Prepared:
        self._check(channels, spacing)
        with memory_errors(), watch.stage("preprocess"):
            return preprocess(channels, tuple(spacing)[::-1], self._plan, self.options.mode)

    def _predicted(
        self,
        prepared: Prepared,
        region: Sequence[slice] | None,
        region_tiles: RegionTiles,
        watch: Stopwatch,
        replaced: Mapping[int, np.ndarray],
    ) -> Prediction:
        import torch

        place = prepared.placement
        everything = (slice(None),) * 3 if region is None else tuple(region)
        box = place.on_crop(everything)
        labels: np.ndarray = np.zeros(place.image_shape, np.uint8)
        result = Prediction(labels, watch.seconds, self.engine_name, classes=self._plan.classes)
        if any(part.start == part.stop for part in box):
            return result
        with torch.inference_mode(), memory_errors():
            with watch.stage("network"):
                grid, before = self._grid(place, box, "shared" if region is None else region_tiles)
                own, offset = _without_padding(grid, before, place)
                data = _tile_data(prepared, grid, before)
                for number, channel in replaced.items():
                    part = tuple(slice(o, o + s.stop - s.start) for o, s in zip(offset, own, strict=True))
                    data[number][own] = torch.from_numpy(
                        replaced_part(prepared, channel, part, self._plan, self.options.mode)
                    )
                logits = self._logits(data, grid, watch)
                field = ImageLogits(logits[every_channel(own)], offset, place, box, self._resampling)
            with watch.stage("labels"):
                field.write(labels, lambda values: choose_labels(values, self.options), (slice(None),) * 3)
                result.logits = field.to_cpu()
        return result

    def _check(self, channels: np.ndarray, spacing: Sequence[float]) -> None:
        if channels.ndim != 4 or 0 in channels.shape:
            raise BadInputError(f"The channels have shape {channels.shape}; (channel, k, j, i) is needed")
        if channels.shape[0] != self._plan.channels:
            raise BadInputError(
                f"The model needs {self._plan.channels} channels and was given {channels.shape[0]}",
                remedy="Build the channels that its recipe names",
            )
        if not np.isfinite(channels).all():
            raise BadInputError("The channels hold NaN or infinite values")
        if len(spacing) != 3 or not np.all(np.isfinite(spacing)) or min(spacing) <= 0:
            raise BadInputError(f"The voxel spacing {tuple(spacing)} mm is not three positive numbers")

    def _grid(self, place: Placement, box: Box, tiles: RegionTiles) -> tuple[TileGrid, tuple[int, ...]]:
        pads = padding(place.network_shape, self._plan.patch)
        shape = [size + sum(pad) for size, pad in zip(place.network_shape, pads, strict=True)]
        before = tuple(pad[0] for pad in pads)
        k, j, i = (
            slice(part.start + add, part.stop + add) for part, add in zip(place.on_network(box), before, strict=True)
        )
        return region_grid(shape, self._plan.patch, self.options.step, (k, j, i), tiles), before

    def _logits(self, data: torch.Tensor, grid: TileGrid, watch: Stopwatch) -> torch.Tensor:
        from HNTargetSegLib.models.sliding_window import FoldMean, tile_logits

        watch.total = len(grid) * len(self._engines)
        mean = FoldMean(self.options.fold_mean)
        for engine in self._engines:
            mean.add(tile_logits(engine, data, grid, self._plan.classes, self._mirror_axes, watch.tile))
        return mean.result()


class Stopwatch:
    """Times the stages of a prediction, reports them, and stops it when asked to."""

    def __init__(self, progress: Progress | None, cancelled: Cancelled | None) -> None:
        self.seconds: dict[str, float] = {}
        self.total = 1
        self._done = 0
        self._progress = progress or (lambda stage, done, total: None)
        self._cancelled = cancelled or (lambda: False)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage; its beginning and end are reported."""
        self._stop_if_asked()
        self._done, self.total = 0, 1
        self._progress(name, 0, 1)
        begin = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - begin
        self._progress(name, self.total, self.total)

    def tile(self) -> None:
        """Note that the next tile begins."""
        self._stop_if_asked()
        if self._done:
            self._progress("network", self._done, self.total)
        self._done += 1

    def _stop_if_asked(self) -> None:
        if self._cancelled():
            raise CancelledError


@contextmanager
def memory_errors() -> Iterator[None]:
    """Turn the ways in which memory runs out into OutOfMemoryError."""
    from HNTargetSegLib.models.sliding_window import is_out_of_memory, out_of_memory

    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise out_of_memory() from error


def _tile_data(prepared: Prepared, grid: TileGrid, before: tuple[int, ...]) -> torch.Tensor:
    """The grid's box of the padded network input."""
    import torch

    shape = prepared.data.shape[1:]
    inside, missing = [], []
    for part, add, size in zip(grid.box, before, shape, strict=True):
        inside.append(slice(max(part.start - add, 0), min(part.stop - add, size)))
        missing.append((max(add - part.start, 0), max(part.stop - add - size, 0)))
    # A copy: channels may be replaced in it, and the prepared input is used again.
    data = torch.from_numpy(prepared.data[every_channel(inside)].copy())
    if any(sum(pair) for pair in missing):
        data = torch.nn.functional.pad(data, [count for pair in reversed(missing) for count in pair])
    return data


def _without_padding(grid: TileGrid, before: tuple[int, ...], place: Placement) -> tuple[Box, tuple[int, ...]]:
    """The part of the grid's box that lies in the network's input, and where that begins."""
    offset, parts = [], []
    for part, add, size in zip(grid.box, before, place.network_shape, strict=True):
        first, stop = max(part.start - add, 0), min(part.stop - add, size)
        offset.append(first)
        parts.append(slice(first + add - part.start, stop + add - part.start))
    return (parts[0], parts[1], parts[2]), tuple(offset)
