"""The one model that a worker has loaded: kept for the next request, and let go for another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from HNTargetSegLib.errors import CancelledError, ModelError
from HNTargetSegLib.models.options import PredictOptions
from HNTargetSegLib.models.store import ModelStore
from HNTargetSegLib.models.stored import StoredModel, changed_files, load_model
from HNTargetSegLib.pipeline import LoadedModel
from HNTargetSegLib.worker.fallback import free_memory
from HNTargetSegLib.worker.kept_visits import KeptVisits, Key
from HNTargetSegLib.worker.messages import Event, ProgressEvent

Load = Callable[[StoredModel, PredictOptions], LoadedModel]


class KeptModel:
    """A loaded model.

    Parameters
    ----------
    emit
        Takes the progress of loading.
    load
        Makes a model ready.

    Attributes
    ----------
    key
        Folder, hash and options of what is loaded; None while nothing is.
    visits
        What it has seen.
    """

    def __init__(self, emit: Callable[[Event], None], load: Load) -> None:
        self.key: Key | None = None
        self.visits = KeptVisits()
        self._emit = emit
        self._load = load
        self._loaded: LoadedModel | None = None

    def get(self, job: str, stored: StoredModel, options: PredictOptions, cancelled: Callable[[], bool]) -> LoadedModel:
        """The model, loaded unless it is.

        Raises
        ------
        CancelledError
            If ``cancelled`` said so.
        ModelError
            If a file of the model has changed; else errors are those of its predictor.
        """
        key = (stored.folder, stored.digest, options)
        if self._loaded is not None and self.key == key:
            return self._loaded
        # The old model's memory is needed for the new one.
        self._loaded = self.key = None
        self.visits.clear()
        free_memory()
        if cancelled():
            raise CancelledError
        self._emit(ProgressEvent(job, None, "load", 0, 1))
        require_unchanged(stored)
        self._loaded, self.key = self._load(stored, options), key
        self._emit(ProgressEvent(job, None, "load", 1, 1))
        return self._loaded


def chosen_model(model: str | Path | None) -> StoredModel:
    """The model of a request: of a name, in a folder, or the default.

    Raises
    ------
    ModelError
        If there is none, or it cannot be used.
    """
    if isinstance(model, Path):
        return load_model(model)
    store = ModelStore.default_store()
    return store.default() if model is None else store.get(model)


def require_unchanged(stored: StoredModel) -> None:
    """Raise ModelError, naming the files, unless a model's files are as its card says."""
    changed = changed_files(stored)
    if changed:
        raise ModelError(
            "; ".join(changed), path=stored.folder, remedy="Remove the model and install it again from its source"
        )
