"""The visits that a worker has seen last: what the model said of each, ready for prompts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.models.channels import VisitPrior
from HNTargetSegLib.models.options import PredictOptions
from HNTargetSegLib.pipeline import LoadedModel
from HNTargetSegLib.worker.content_key import content_key

if TYPE_CHECKING:
    from HNTargetSegLib.models.prediction import Prediction
    from HNTargetSegLib.prompts.prompted_visit import PromptedVisit

Key = tuple[Path, str, PredictOptions]
"""Folder and hash of a model, and how it runs."""

_KEPT = 2
"""Both visits of a patient."""


class KeptVisits:
    """Visits by image, prior and model; the one that was not asked for longest is forgotten."""

    def __init__(self) -> None:
        self._visits: list[tuple[tuple[object, ...], PromptedVisit]] = []

    def clear(self) -> None:
        """Forget all, and with them the model."""
        self._visits.clear()

    def remember(
        self, image: Volume, prior: Volume | None, model: LoadedModel, key: Key, prediction: Prediction | None
    ) -> PromptedVisit:
        """Keep a visit with its automatic pass, or None where there was none."""
        from HNTargetSegLib.prompts.prompted_visit import PromptedVisit

        visit = PromptedVisit(image, model, VisitPrior(prior), prediction)
        named = _name(image, prior, model, key)
        self._visits = [(named, visit), *(pair for pair in self._visits if pair[0] != named)][:_KEPT]
        return visit

    def visit(self, image: Volume, prior: Volume | None, model: LoadedModel, key: Key) -> PromptedVisit:
        """The visit that has this content, kept or new."""
        named = _name(image, prior, model, key)
        found = next((visit for name, visit in self._visits if name == named), None)
        if found is None:
            return self.remember(image, prior, model, key, None)
        self._visits.sort(key=lambda pair: pair[0] != named)
        return found


def _name(image: Volume, prior: Volume | None, model: LoadedModel, key: Key) -> tuple[object, ...]:
    # A prior that the network does not read makes no difference.
    read = prior if model.stored.card.recipe.needs_prior else None
    return content_key(image), None if read is None else content_key(read), key
