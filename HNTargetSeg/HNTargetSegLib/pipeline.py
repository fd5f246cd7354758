"""A visit in, lesions out: the one place that strings channels, model and lesions together."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from HNTargetSegLib.case.checks import check_image
from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.orientation import AxialTurn, axial_volume, to_axial
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.errors import BadInputError, ModelError
from HNTargetSegLib.lesions.candidates import find_candidates
from HNTargetSegLib.lesions.find import find_lesions
from HNTargetSegLib.lesions.lesion import Lesion, LesionSet, Slices
from HNTargetSegLib.lesions.side import body_midline
from HNTargetSegLib.models.channels import VisitPrior, channels

if TYPE_CHECKING:
    from HNTargetSegLib.models.options import PredictOptions
    from HNTargetSegLib.models.predictor import Prediction, Predictor
    from HNTargetSegLib.models.stored import StoredModel

Progress = Callable[[str, int, int], None]
Cancelled = Callable[[], bool]


@dataclass(frozen=True)
class SegmentOptions:
    """What happens to the model's answer.

    Attributes
    ----------
    minimum_cc
        Lesions below this volume are left out; 0 keeps all, as the papers do.
    candidates
        Also list regions that the model held for possible and did not segment.
    """

    minimum_cc: float = 0.0
    candidates: bool = False

    def __post_init__(self) -> None:
        if not self.minimum_cc >= 0:
            raise BadInputError(f"The minimum volume of a lesion is {self.minimum_cc} cc", remedy="Give 0 or more")


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A stored model with its predictor, ready for any number of visits."""

    stored: StoredModel
    predictor: Predictor

    @classmethod
    def load(cls, stored: StoredModel, options: PredictOptions | None = None) -> LoadedModel:
        """Load the networks of a stored model.

        Raises
        ------
        ModelError
            If its labels are not 0 to 2; else errors are those of its predictor.
        """
        from HNTargetSegLib.models.predictor import Predictor

        if sorted(stored.labels.values()) != [0, *sorted(Target)]:
            raise ModelError(
                f"The model's labels are {stored.labels}; 1 for the primary tumour and 2 for lymph nodes are needed",
                path=stored.folder,
                remedy="Choose another model with --model",
            )
        return cls(stored, Predictor(stored, options))


@dataclass(frozen=True, eq=False)
class VisitResult:
    """One segmented visit, on the grid of its image.

    Attributes
    ----------
    image
        The T2 that was segmented.
    lesions
        Lesion-id map and records.
    candidates
        Low-probability regions, empty unless asked for.
    seconds
        Wall time of each stage.
    warnings
        What a reader should know about the input.
    """

    image: Volume
    lesions: LesionSet
    candidates: tuple[Lesion, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def segment_visit(
    image: Volume,
    model: LoadedModel,
    options: SegmentOptions | None = None,
    *,
    prior: VisitPrior | None = None,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
    on_prediction: Callable[[Prediction], object] | None = None,
) -> VisitResult:
    """Segment one T2-weighted MR and list its lesions.

    Parameters
    ----------
    image
        Any orientation; its axes are turned to axial order for the network and the result is turned back.
    model
        It stays loaded.
    prior
        What a model of another recipe than ``t2`` reads beside the image, on its grid; other models ignore it.
    progress, cancelled
        Called with (stage, done, total), and between tiles.
    on_prediction
        Gets what the model says of the image in axial order, for prompts that come after.

    Raises
    ------
    BadInputError
        If the image cannot be segmented, or the model needs more than was given.
    GeometryError
        If the prior lies on another grid.
    CancelledError
        If ``cancelled`` said so.
    """
    options = options or SegmentOptions()
    warnings = check_image(image)
    axial, turn = to_axial(image)
    data = channels(model.stored.card.recipe, axial, axial_prior(prior, turn), model.stored.card.channels)
    prediction = model.predictor.predict(data, axial.spacing, progress=progress, cancelled=cancelled)
    if on_prediction is not None:
        on_prediction(prediction)
    started = time.perf_counter()
    labels = image.with_array(np.ascontiguousarray(turn.back(prediction.labels)))
    probability = _turned_probability(prediction, turn, labels.array.shape)
    midline = body_midline(image)
    lesions = find_lesions(labels, probability, minimum_cc=options.minimum_cc, midline_mm=midline)
    candidates: tuple[Lesion, ...] = ()
    if options.candidates:
        candidates = find_candidates(lesions, probability, midline_mm=midline)
    seconds = {**prediction.seconds, "lesions": time.perf_counter() - started}
    return VisitResult(image, lesions, candidates, seconds, (*warnings, *model.predictor.notes))


def axial_prior(prior: VisitPrior | None, turn: AxialTurn) -> VisitPrior | None:
    """A prior with its axes in axial order."""
    if prior is None or turn.changes_nothing:
        return prior
    mask, image = (None if volume is None else axial_volume(volume, turn) for volume in (prior.mask, prior.image))
    return VisitPrior(mask, image)


def _turned_probability(
    prediction: Prediction, turn: AxialTurn, shape: tuple[int, ...]
) -> Callable[[Target, Slices], np.ndarray]:
    def look_up(label: Target, box: Slices) -> np.ndarray:
        whole = (shape[0], shape[1], shape[2])
        return turn.back(prediction.probability(int(label), turn.box(box, whole)))

    return look_up
