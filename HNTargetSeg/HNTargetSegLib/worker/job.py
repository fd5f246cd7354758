"""What a request to segment does: find the model and keep it, segment the visits, match their lesions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.orientation import axial_turn
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.errors import CancelledError
from HNTargetSegLib.export.manifest import ModelRecord
from HNTargetSegLib.lesions.find import find_lesions
from HNTargetSegLib.lesions.lesion import LesionSet
from HNTargetSegLib.lesions.match import match_lesions
from HNTargetSegLib.models.channels import VisitPrior
from HNTargetSegLib.models.options import PredictOptions
from HNTargetSegLib.models.stored import StoredModel
from HNTargetSegLib.pipeline import LoadedModel, segment_visit
from HNTargetSegLib.worker.arrays import write_array
from HNTargetSegLib.worker.calls import Call
from HNTargetSegLib.worker.fallback import Fallback
from HNTargetSegLib.worker.kept_model import KeptModel, Load, chosen_model
from HNTargetSegLib.worker.messages import (
    Event,
    LogEvent,
    ProgressEvent,
    ResultEvent,
    SegmentRequest,
    VisitName,
    VisitOutcome,
    VisitRequest,
)

if TYPE_CHECKING:
    import numpy as np

    from HNTargetSegLib.models.predictor import Prediction, Predictor

Emit = Callable[[Event], None]
Cancelled = Callable[[], bool]


class Segmenter:
    """Segments the visits of one request after the other and keeps the model for the next.

    Use it from one thread, which owns the model.

    Parameters
    ----------
    folder
        The private folder; probabilities are written into ``folder / job``.
    emit
        Takes progress and warnings.
    load
        Makes a model ready.
    """

    def __init__(self, folder: Path, emit: Emit, load: Load = LoadedModel.load) -> None:
        self._folder = folder
        self._emit = emit
        self._models = KeptModel(emit, load)
        self._volumes: dict[str, Volume] = {}

    def segment(self, job: str, request: SegmentRequest, cancelled: Cancelled) -> ResultEvent:
        """Do a request.

        Raises
        ------
        CancelledError
            If ``cancelled`` said so, which is asked between tiles; the model stays loaded.
        OutOfMemoryError
            If half precision and the CPU did not help.
        TargetSegError
            As the model store, the pipeline and the matching raise them.
        """
        priors = {visit.visit: _prior(visit) for visit in request.visits}
        stored = chosen_model(request.model)
        fallback = Fallback(request.predict, lambda text: self._emit(LogEvent("warning", text, job)))
        outcomes = []
        for visit in request.visits:
            work = _VisitWork(job, visit, priors[visit.visit], request, cancelled)
            outcome = fallback.run(lambda options, work=work: self._visit(stored, options, work))  # type: ignore[misc]
            outcomes.append(replace(outcome, warnings=(*outcome.warnings, *fallback.warnings)))
        return ResultEvent(job, "segment", tuple(outcomes))

    def prompt(self, call: Call, cancelled: Cancelled) -> ResultEvent:
        """Do a request with a box.

        Raises
        ------
        TargetSegError
            As :func:`~HNTargetSegLib.worker.prompting.answer_prompt`.
        """
        from HNTargetSegLib.worker.prompt_calls import prompt_request
        from HNTargetSegLib.worker.prompting import answer_prompt

        request = prompt_request(call, self._folder, self._volumes)
        return answer_prompt(call.job, request, self._models, self._emit, cancelled)

    def _visit(self, stored: StoredModel, options: PredictOptions, work: _VisitWork) -> VisitOutcome:
        model = self._models.get(work.job, stored, options, work.cancelled)
        kept = KeptPrediction(model.predictor)
        recording = LoadedModel(model.stored, cast("Predictor", kept))
        image, wanted, progress = work.visit.image, work.request.options, work.progress(self._emit)
        prior = _prior_labels(work.prior)
        result = segment_visit(
            image, recording, wanted, prior=VisitPrior(prior), progress=progress, cancelled=work.cancelled
        )
        if work.cancelled():
            # After the last tile, when nothing else would ask.
            raise CancelledError
        if kept.last is not None and self._models.key is not None:
            self._models.visits.remember(image, prior, model, self._models.key, kept.last)
        lesions = result.lesions
        if work.prior is not None:
            lesions = match_lesions(lesions, work.prior, native_cc=work.visit.native_cc)
        probabilities = {}
        if work.request.keep_probability:
            probabilities = {label: self._keep(work, label, kept.probability(label, image)) for label in Target}
        self._emit(ProgressEvent(work.job, work.name, "lesions", 1, 1))
        return VisitOutcome(
            visit=work.name,
            lesions=lesions,
            candidates=result.candidates,
            seconds=result.seconds,
            warnings=result.warnings,
            engine=model.predictor.engine_name,
            predict=options,
            model=ModelRecord.of(stored),
            probability_files=probabilities,
        )

    def _keep(self, work: _VisitWork, label: Target, probability: np.ndarray) -> Path:
        path = self._folder / work.job / f"{work.name}-{label.name}.npy"
        write_array(path, probability.astype("float16"))
        return path


class KeptPrediction:
    """A predictor that remembers its last prediction, for the probabilities behind the labels.

    Attributes
    ----------
    last
        None before the first.
    """

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor
        self.last: Prediction | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._predictor, name)

    def predict(self, *arguments: Any, **options: Any) -> Prediction:
        """As the predictor itself."""
        self.last = self._predictor.predict(*arguments, **options)
        return self.last

    def probability(self, label: Target, image: Volume) -> np.ndarray:
        """Probability of a label in the last prediction, on the grid of the image that was segmented."""
        assert self.last is not None, "the visit was segmented"
        return axial_turn(image.geometry).back(self.last.probability(int(label)))


@dataclass(frozen=True, eq=False)
class _VisitWork:
    """One visit of a job, with what its steps need to know."""

    job: str
    visit: VisitRequest
    prior: LesionSet | None
    request: SegmentRequest
    cancelled: Cancelled

    @property
    def name(self) -> VisitName:
        """The visit as a plain word, where it is given as an enum."""
        return "mid" if self.visit.visit == "mid" else "pre"

    def progress(self, emit: Emit) -> Callable[[str, int, int], None]:
        """The pipeline's callback."""

        def show(stage: str, done: int, total: int) -> None:
            emit(ProgressEvent(self.job, self.name, stage, done, total))
            if stage == "labels" and done == total:
                emit(ProgressEvent(self.job, self.name, "lesions", 0, 1))

        return show


def _prior_labels(prior: LesionSet | None) -> Volume | None:
    """The prior as a network reads it; None where it has no lesion."""
    return None if prior is None or not prior.present else prior.label_map()


def _prior(visit: VisitRequest) -> LesionSet | None:
    """The prior of a visit as lesions, checked before the network runs."""
    if visit.prior is None:
        return None
    prior = visit.prior if isinstance(visit.prior, LesionSet) else find_lesions(visit.prior)
    visit.image.require_same_grid(prior.ids)
    return prior
