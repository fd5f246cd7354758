"""What a model says of an image: labels, and the probabilities behind them wherever they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.models.preprocess import Placement
from HNTargetSegLib.models.resample import ProbabilityResampling, interpolate
from HNTargetSegLib.models.tiles import Box

if TYPE_CHECKING:
    import torch

# Values of a slab of logits on the image's grid: small beside everything else, large enough to keep the processor busy.
_SLAB_VALUES = 1 << 23


@dataclass(frozen=True, eq=False)
class ImageLogits:
    """Logits on the network's grid that can be read on the image's.

    Attributes
    ----------
    logits
        Half precision, shape (classes, k, j, i): the part of the network's grid that was computed.
    offset
        Where that part begins on the network's grid.
    placement
        Where the network's grid lies in the image.
    region
        Box of the placement's crop that was asked for; outside it there is only background.
    resampling
        How the plans want it done.
    """

    logits: torch.Tensor
    offset: tuple[int, ...]
    placement: Placement
    region: Box
    resampling: ProbabilityResampling

    def on_crop(self, box: Box) -> torch.Tensor:
        """Logits of a box of the placement's crop, in the network's axis order."""
        place = self.placement
        taps = self.resampling.taps(place.network_shape, place.crop_shape, place.network_spacing, place.spacing)
        parts = [axis.part(limits.start, limits.stop) for axis, limits in zip(taps, box, strict=True)]
        result = interpolate(self.logits, parts, self.offset)
        return result.half() if self.resampling.half else result

    def to_cpu(self) -> ImageLogits:
        """The same in main memory."""
        return replace(self, logits=self.logits.cpu())

    def slabs(self, box: Box) -> Iterator[Box]:
        """A box of the crop, cut along its first axis into slabs of bounded memory."""
        area = (box[1].stop - box[1].start) * (box[2].stop - box[2].start) * len(self.logits)
        depth = max(1, _SLAB_VALUES // max(area, 1))
        for first in range(box[0].start, box[0].stop, depth):
            yield slice(first, min(first + depth, box[0].stop)), box[1], box[2]

    def write(self, image: np.ndarray, values: Callable[[torch.Tensor], torch.Tensor], box: Sequence[slice]) -> None:
        """Fill the part of an array in the image's axis order that a box and the computed region share.

        Parameters
        ----------
        image
            Shape of ``box``, written in place.
        values
            From logits, shape (classes, k, j, i), to values, shape (k, j, i).
        box
            Box of the image.
        """
        shared = self._shared(box)
        origin = [slice_.indices(size)[0] for slice_, size in zip(box, self.placement.image_shape, strict=True)]
        view = image.transpose(self.placement.transpose)
        begin = [
            limit.start - origin[axis]
            for limit, axis in zip(self.placement.crop, self.placement.transpose, strict=True)
        ]
        for slab in self.slabs(shared):
            place = tuple(slice(part.start + add, part.stop + add) for part, add in zip(slab, begin, strict=True))
            view[place] = values(self.on_crop(slab)).cpu().numpy()

    def _shared(self, box: Sequence[slice]) -> Box:
        parts = []
        for asked, computed in zip(self.placement.on_crop(box), self.region, strict=True):
            first = max(asked.start, computed.start)
            parts.append(slice(first, max(first, min(asked.stop, computed.stop))))
        if any(part.start == part.stop for part in parts):
            return slice(0, 0), slice(0, 0), slice(0, 0)
        return parts[0], parts[1], parts[2]


@dataclass(eq=False)
class Prediction:
    """Result of a model on one image.

    Attributes
    ----------
    labels
        uint8, shape (k, j, i) of the image; 0 is background.
    seconds
        Wall time of the stages ``preprocess``, ``network`` and ``labels``.
    engine
        What computed the network, for the manifest.
    logits
        What probabilities are computed from; None where the region holds nothing but empty border.
    classes
        Number of labels with background.
    """

    labels: np.ndarray
    seconds: dict[str, float]
    engine: str
    logits: ImageLogits | None = field(repr=False, default=None)
    classes: int = 3

    def probability(self, label: int, box: Sequence[slice] | None = None) -> np.ndarray:
        """Softmax of one label on the image's grid, as nnU-Net's ``--save_probabilities`` gives it.

        Parameters
        ----------
        label
            0 is background.
        box
            Slices along (k, j, i) of the image without steps; None is the whole image.

        Returns
        -------
        np.ndarray
            Float32, shape of the box. Outside the computed region background has 1 and all else 0.

        Raises
        ------
        BadInputError
            If the model has no such label or the box has steps.
        """
        if not 0 <= label < self.classes:
            raise BadInputError(f"The model has no label {label}", remedy=f"Its labels are 0 to {self.classes - 1}")
        box = (slice(None),) * 3 if box is None else tuple(box)
        if any(part.step not in (None, 1) for part in box):
            raise BadInputError(f"The box {box} leaves out slices")
        shape = [len(range(*part.indices(size))) for part, size in zip(box, self.labels.shape, strict=True)]
        result: np.ndarray = np.full(shape, 1.0 if label == 0 else 0.0, np.float32)
        if self.logits is not None:
            self.logits.write(result, lambda logits: logits.float().softmax(0)[label], box)
        return result
