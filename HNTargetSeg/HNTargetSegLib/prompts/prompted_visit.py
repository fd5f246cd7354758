"""A visit that answers prompts: its image is prepared once, and only the tiles of a box are computed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.orientation import to_axial
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.models.channels import VisitPrior, box_channel, channels
from HNTargetSegLib.models.recipe import Recipe
from HNTargetSegLib.pipeline import LoadedModel, axial_prior
from HNTargetSegLib.prior.boxes import PriorBox
from HNTargetSegLib.prompts.answer import (
    GUIDED_THRESHOLD,
    REGION_THRESHOLD,
    Answer,
    bounds_of,
    found_in,
    touches_border,
)
from HNTargetSegLib.prompts.extent import Extent, extent_of, grown
from HNTargetSegLib.prompts.prompt import Kind, Prompt

if TYPE_CHECKING:
    from HNTargetSegLib.models.prediction import Prediction
    from HNTargetSegLib.models.predictor import Predictor
    from HNTargetSegLib.models.preprocess import Prepared

Progress = Callable[[str, int, int], None]
Cancelled = Callable[[], bool]

_GUIDED = (Recipe.T2_GRADIENT, Recipe.T2_BOXES)
_GROWTHS = 4


class PromptedVisit:
    """One image with a loaded model, for any number of prompts.

    A network that has a channel for boxes (``t2+gradient``, ``t2+boxes``) looks at each box anew, and only there. For
    any other the automatic pass has said all that it knows: its probability is asked for what it was in doubt about,
    and where there was no automatic pass it is computed inside the reach.

    Parameters
    ----------
    image
        T2, any orientation.
    model
        Loaded.
    prior
        As for :func:`~HNTargetSegLib.pipeline.segment_visit`.
    prediction
        The automatic pass over this image, on its axial grid; None where there was none.
    """

    def __init__(
        self,
        image: Volume,
        model: LoadedModel,
        prior: VisitPrior | None = None,
        prediction: Prediction | None = None,
    ) -> None:
        self.image, self._model, self._prediction = image, model, prediction
        self._axial, self._turn = to_axial(image)
        self._prior = axial_prior(prior, self._turn)
        self._recipe = model.stored.card.recipe
        self._prepared: Prepared | None = None
        self._guide: np.ndarray | None = None

    @property
    def guided(self) -> bool:
        """Whether the network reads boxes."""
        return self._recipe in _GUIDED

    def answer(self, prompt: Prompt, *, progress: Progress | None = None, cancelled: Cancelled | None = None) -> Answer:
        """What a prompt gives.

        Raises
        ------
        BadInputError
            If the box lies outside the image, or the model needs more than was given.
        CancelledError
            If ``cancelled`` said so.
        """
        began = time.perf_counter()
        shape = self.image.geometry.shape
        extent = extent_of(prompt, self.image.geometry)
        answer = self._found(prompt, extent, progress, cancelled)
        growths = 0
        while prompt.grow and answer.touches and growths < _GROWTHS:
            growths += 1
            extent = grown(answer.extent, bounds_of(answer.labels, answer.extent.reach), shape)
            answer = self._found(prompt, extent, progress, cancelled)
        notes = (*answer.extent.notes, *_said(answer, growths))
        return replace(answer, notes=notes, seconds={"prompt": time.perf_counter() - began})

    def _found(self, prompt: Prompt, extent: Extent, progress: Progress | None, cancelled: Cancelled | None) -> Answer:
        if prompt.kind is Kind.NOTHING:
            targets: np.ndarray = np.zeros((2, *(part.stop - part.start for part in extent.reach)), np.float32)
        else:
            targets = self._targets(prompt, extent, progress, cancelled)
        threshold = GUIDED_THRESHOLD if self.guided else REGION_THRESHOLD
        labels, both = found_in(prompt, extent, targets, threshold)
        touches = touches_border(labels, extent.reach, self.image.geometry.shape)
        return Answer(prompt, extent, labels, both.astype(np.float16), touches)

    def _targets(
        self, prompt: Prompt, extent: Extent, progress: Progress | None, cancelled: Cancelled | None
    ) -> np.ndarray:
        """Probabilities of PT and LN inside the reach, in the image's axis order."""
        reach = self._turn.box(extent.reach, self.image.geometry.shape)
        if self.guided:
            prediction = self._looked_at(prompt, extent, progress, cancelled)
        elif self._prediction is not None:
            prediction = self._prediction
        else:
            prepared = self._ready(progress, cancelled)
            prediction = self._predictor.predict_prepared(prepared, reach, progress=progress, cancelled=cancelled)
        return np.stack([self._turn.back(prediction.probability(int(label), reach)) for label in Target])

    def _looked_at(
        self, prompt: Prompt, extent: Extent, progress: Progress | None, cancelled: Cancelled | None
    ) -> Prediction:
        """The network with the prompt's box in its second channel, over the tiles round the reach."""
        whole = self.image.geometry.shape
        box, reach = (self._turn.box(part, whole) for part in (extent.box, extent.reach))
        # A box that leaves the label open is drawn as a node's: most lesions are.
        drawn = PriorBox(prompt.kind.label or Target.LN, box)
        prepared = self._ready(progress, cancelled)
        assert self._guide is not None, "it is made with the prepared image"
        channel = self._guide.copy()
        channel[box] = box_channel(self._recipe, self._axial, drawn, self._model.stored.card.channels)
        predictor = self._predictor
        if predictor.replaceable(prepared, 1, channel):
            return predictor.predict_prepared(
                prepared, reach, replaced={1: channel}, progress=progress, cancelled=cancelled
            )
        # Where the channel is normalised over the whole image, or the box lies in nothing but zeros.
        data = np.stack([self._axial.array.astype(np.float32), channel])
        return predictor.predict(
            data, self._axial.spacing, region=reach, region_tiles="fewest", progress=progress, cancelled=cancelled
        )

    def _ready(self, progress: Progress | None, cancelled: Cancelled | None) -> Prepared:
        if self._prepared is None:
            data = channels(self._recipe, self._axial, self._prior, self._model.stored.card.channels)
            self._guide = data[1] if self.guided else None
            self._prepared = self._predictor.prepare(data, self._axial.spacing, progress=progress, cancelled=cancelled)
        return self._prepared

    @property
    def _predictor(self) -> Predictor:
        return self._model.predictor


def _said(answer: Answer, growths: int) -> tuple[str, ...]:
    said = []
    if growths:
        said.append(f"The box was enlarged {growths} time{'s' if growths > 1 else ''}")
    if answer.touches:
        said.append(
            "What was found goes on at the border of the box's reach"
            + (" and was not followed further" if growths else "; let the box grow to follow it")
        )
    if not answer.labels.any() and answer.prompt.kind is not Kind.NOTHING:
        said.append("Nothing was found in the box")
    return tuple(said)
