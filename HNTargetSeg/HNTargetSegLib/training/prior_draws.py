"""Priors as training draws them, anew each time a case is read: dropped, displaced, or where nothing is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.prior.gradient_map import box_gradient
from HNTargetSegLib.training.prior_channel import TightBox, read_tight_boxes
from HNTargetSegLib.training.prior_recipe import Draws, PriorRecipe

Box = tuple[slice, slice, slice]

EMPTY = 3
"""Key of places without a lesion in nnU-Net's ``class_locations``, beside those of labels 1 and 2."""

_MOST_EMPTY = 2
_TRIES = 20
_SEEDS = 1 << 31


@dataclass(frozen=True)
class CaseGrid:
    """How an image lies in nnU-Net's preprocessed array: turned, cropped and resampled.

    Attributes
    ----------
    transpose
        Image axes in the array's order.
    first, size
        Of the part that was kept, in the array's order and in voxels of the image.
    shape
        Of the preprocessed array.
    """

    transpose: tuple[int, ...]
    first: tuple[int, ...]
    size: tuple[int, ...]
    shape: tuple[int, ...]

    @classmethod
    def of(cls, properties: Mapping[str, Any], shape: Sequence[int], transpose: Sequence[int]) -> CaseGrid:
        """From what nnU-Net keeps beside a case."""
        first = tuple(int(low) for low, _ in properties["bbox_used_for_cropping"])
        size = tuple(int(count) for count in properties["shape_after_cropping_and_before_resampling"])
        return cls(tuple(int(axis) for axis in transpose), first, size, tuple(int(count) for count in shape))

    def placed(self, low: np.ndarray, high: np.ndarray) -> Box | None:
        """A box of the image in the array, clipped; None where nothing of it is left."""
        scale = np.array(self.shape) / self.size
        turned = [(np.asarray(bound, float)[list(self.transpose)] - self.first) * scale for bound in (low, high)]
        starts = np.clip(np.floor(turned[0]), 0, self.shape).astype(int)
        stops = np.clip(np.ceil(turned[1]), 0, self.shape).astype(int)
        if (stops <= starts).any():
            return None
        k, j, i = (slice(int(start), int(stop)) for start, stop in zip(starts, stops, strict=True))
        return k, j, i


class MappedImage:
    """A preprocessed case whose last channel is the gradient map of the drawn boxes, made where it is read.

    Parameters
    ----------
    data
        nnU-Net's array (2, k, j, i); only the parts that are asked for are read.
    boxes
        In the order in which they are drawn; a later one overwrites.
    recipe
        Of the map.
    spacing
        mm along the array's axes.
    """

    def __init__(self, data: Any, boxes: Sequence[Box], recipe: PriorRecipe, spacing: Sequence[float]) -> None:
        self._data = data
        self._boxes = boxes
        self._recipe = recipe
        self._spacing = tuple(float(step) for step in spacing)
        self.shape = tuple(data.shape)
        self.ndim = len(self.shape)
        self.dtype = np.dtype(np.float32)

    def __getitem__(self, slices: tuple[slice, ...]) -> np.ndarray:
        """A part of all channels."""
        patch: np.ndarray = np.array(self._data[slices], dtype=np.float32)
        wanted = [part.indices(size)[:2] for part, size in zip(slices[1:], self.shape[1:], strict=True)]
        patch[-1] = 0
        for box in self._boxes:
            shared = [
                (max(low, part.start), min(high, part.stop)) for (low, high), part in zip(wanted, box, strict=True)
            ]
            if any(stop <= start for start, stop in shared):
                continue
            there = tuple(slice(a - low, b - low) for (a, b), (low, _) in zip(shared, wanted, strict=True))
            own = tuple(slice(a - part.start, b - part.start) for (a, b), part in zip(shared, box, strict=True))
            patch[-1][there] = self._gradient(box)[own]
        return patch

    def _gradient(self, box: Box) -> np.ndarray:
        if self._recipe.gradient.reading == "code":
            # Scaled in the box alone, so that no more than the box is read.
            index = (0, *box)
            crop = self._volume(np.asarray(self._data[index], np.float32))
            return box_gradient(crop, (slice(None),) * 3, self._recipe.gradient)
        return box_gradient(self._volume(np.asarray(self._data[0], np.float32)), box, self._recipe.gradient)

    def _volume(self, array: np.ndarray) -> Volume:
        k, j, i = array.shape
        return Volume(array, Geometry((i, j, k), (self._spacing[2], self._spacing[1], self._spacing[0])))


class DrawnPriors:
    """Cases of nnU-Net's data set with a prior that is drawn each time.

    The generator follows NumPy's global one, which the trainer seeds in each process that loads batches.

    Parameters
    ----------
    load_case
        nnU-Net's own: gives image, segmentation (1, k, j, i), the previous stage's and properties of a case.
    priors
        ``priors.json`` of the data set.
    recipe
        With draws.
    transpose, spacing
        Of the plans: image axes in the network's order, and mm along them.
    """

    def __init__(
        self,
        load_case: Callable[[str], Any],
        priors: Path,
        recipe: PriorRecipe,
        transpose: Sequence[int],
        spacing: Sequence[float],
    ) -> None:
        self._load_case = load_case
        self._boxes = read_tight_boxes(priors)
        self._recipe = recipe
        self._transpose = tuple(transpose)
        self._spacing = tuple(spacing)

    def __call__(self, case: str) -> tuple[Any, Any, Any, Any]:
        """A case as nnU-Net's data set gives it, with the drawn prior and places where nothing is."""
        data, segmentation, previous, properties = self._load_case(case)
        rng = np.random.default_rng(np.random.randint(_SEEDS))
        grid = CaseGrid.of(properties, data.shape[1:], self._transpose)
        boxes, nothing = draw_boxes(self._boxes[case], self._recipe, grid, data, segmentation, rng)
        locations = {**properties["class_locations"], EMPTY: _middles(nothing)}
        mapped = MappedImage(data, boxes, self._recipe, self._spacing)
        return mapped, segmentation, previous, {**properties, "class_locations": locations}


def draw_boxes(
    tight: Sequence[TightBox],
    recipe: PriorRecipe,
    grid: CaseGrid,
    data: Any,
    segmentation: Any,
    rng: np.random.Generator,
) -> tuple[list[Box], list[Box]]:
    """Boxes of one reading of a case, and those among them in which no voxel is labelled.

    Parameters
    ----------
    tight
        Round the prior lesions, in the image's own voxels.
    data, segmentation
        nnU-Net's arrays (2, k, j, i) and (1, k, j, i).
    """
    draws = recipe.draws or Draws(0, 0, 0, 0)
    if rng.random() < draws.dropout:
        return [], []
    kept = [box for box in tight if rng.random() >= draws.missing]
    boxes = [grid.placed(*_displaced(box, recipe, draws.displaced, rng)) for box in kept]
    placed = [box for box in boxes if box is not None]
    empty = _empty_boxes(tight, recipe, grid, data, segmentation, rng)
    nothing = [box for box in placed if not _labelled(segmentation, box)]
    return [*placed, *empty], [*nothing, *empty]


def _displaced(
    box: TightBox, recipe: PriorRecipe, displaced: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    low, high = np.array(box.low, float), np.array(box.high, float)
    sides = recipe.gradient.margin.sides(rng)
    shift = np.rint(rng.normal(0, displaced, 3) * (high - low))
    return low - sides[:, 0] + shift, high + sides[:, 1] + shift - (not recipe.gradient.margin.inclusive)


def _empty_boxes(
    tight: Sequence[TightBox],
    recipe: PriorRecipe,
    grid: CaseGrid,
    data: Any,
    segmentation: Any,
    rng: np.random.Generator,
) -> list[Box]:
    """Boxes as large as those of the prior lesions where no voxel is labelled."""
    draws = recipe.draws or Draws(0, 0, 0, 0)
    found: list[Box] = []
    for _ in range(_MOST_EMPTY):
        if not tight or rng.random() >= draws.empty:
            continue
        model = tight[int(rng.integers(len(tight)))]
        placed = grid.placed(*_displaced(model, recipe, 0.0, rng))
        if placed is None:
            continue
        candidates = [_mirrored(placed, grid.shape[2])] if rng.random() < 0.5 else []
        candidates += [_moved(placed, grid.shape, rng) for _ in range(_TRIES)]
        usable = (box for box in candidates if _in_body(data, box) and not _labelled(segmentation, box))
        found += [box for box in [next(usable, None)] if box is not None]
    return found


def _mirrored(box: Box, width: int) -> Box:
    return box[0], box[1], slice(width - box[2].stop, width - box[2].start)


def _moved(box: Box, shape: Sequence[int], rng: np.random.Generator) -> Box:
    starts = [int(rng.integers(0, max(1, n - (p.stop - p.start) + 1))) for p, n in zip(box, shape, strict=True)]
    k, j, i = (slice(start, start + p.stop - p.start) for start, p in zip(starts, box, strict=True))
    return k, j, i


def _in_body(data: Any, box: Box) -> bool:
    """Whether the middle voxel is brighter than the image's mean, to which preprocessing has moved 0."""
    k, j, i = ((part.start + part.stop) // 2 for part in box)
    return float(np.asarray(data[0, k : k + 1, j : j + 1, i : i + 1]).ravel()[0]) > 0


def _labelled(segmentation: Any, box: Box) -> bool:
    index = (0, *box)
    return bool((np.asarray(segmentation[index]) > 0).any())


def _middles(boxes: Sequence[Box]) -> np.ndarray:
    """As nnU-Net has places: one a row, a leading 0 for the channel."""
    return np.array([[0, *((part.start + part.stop) // 2 for part in box)] for box in boxes], np.int64).reshape(-1, 4)
