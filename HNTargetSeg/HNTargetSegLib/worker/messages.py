"""What is asked of the worker and what it answers, as the faces see it: requests, outcomes, events.

This module and the client import nothing but the standard library, so that Slicer can load them at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from HNTargetSegLib.errors import BadInputError, ErrorCode
from HNTargetSegLib.models.options import PredictOptions
from HNTargetSegLib.worker.visit_names import VISITS, VisitName

if TYPE_CHECKING:
    import numpy as np

    from HNTargetSegLib.case.labels import Target
    from HNTargetSegLib.case.volume import Volume
    from HNTargetSegLib.export.manifest import ModelRecord
    from HNTargetSegLib.lesions.lesion import Lesion, LesionSet
    from HNTargetSegLib.pipeline import SegmentOptions
    from HNTargetSegLib.worker.prompt_messages import PromptOutcome
    from HNTargetSegLib.worker.register_messages import RegistrationOutcome


@dataclass(frozen=True, eq=False)
class VisitRequest:
    """One image to segment.

    Attributes
    ----------
    visit
        ``pre`` or ``mid``; a :class:`~HNTargetSegLib.case.patient.Visit` will do.
    image
        Its T2, any orientation.
    prior
        What the pre-RT visit showed, registered onto the grid of ``image``: a map of labels (0, 1 PT, 2 LN), or the
        lesions with their id map. With it the lesions found are matched; for the mid-RT visit only.
    native_cc
        Volume of each prior lesion before registration, by its id in ``prior``. The lesions of a map of labels are
        numbered as :func:`~HNTargetSegLib.lesions.find.find_lesions` does.

    Raises
    ------
    BadInputError
        If the visit is unknown, a prior is given for the pre-RT visit, or volumes without a prior.
    """

    visit: VisitName
    image: Volume
    prior: Volume | LesionSet | None = None
    native_cc: Mapping[int, float] | None = None

    def __post_init__(self) -> None:
        if self.visit not in VISITS:
            raise BadInputError(f"There is no visit '{self.visit}'", remedy=f"Choose from {', '.join(VISITS)}")
        if self.prior is not None and self.visit != "mid":
            raise BadInputError("The pre-RT visit has no prior", remedy="Give the prior with the mid-RT image")
        if self.native_cc is not None and self.prior is None:
            raise BadInputError("Volumes of prior lesions were given without the prior")


@dataclass(frozen=True, eq=False)
class SegmentRequest:
    """Visits to segment with one model.

    Attributes
    ----------
    visits
        In the order in which they are done; each visit at most once.
    model
        Name in the model store, or the folder of a stored model; None takes the store's default.
    predict
        How the network runs. A model that is loaded stays so while model and these options are the same.
    options
        What happens to the model's answer; None takes the defaults.
    keep_probability
        Also keep the probability of each target, see :meth:`VisitOutcome.probability`.

    Raises
    ------
    BadInputError
        If there is no visit, or one twice.
    """

    visits: tuple[VisitRequest, ...]
    model: str | Path | None = None
    predict: PredictOptions = field(default_factory=PredictOptions)
    options: SegmentOptions | None = None
    keep_probability: bool = False

    def __post_init__(self) -> None:
        names = [visit.visit for visit in self.visits]
        if not names:
            raise BadInputError("There is no image to segment", remedy="Give the T2 of at least one visit")
        if len(set(names)) < len(names):
            raise BadInputError(f"A visit was given twice ({', '.join(names)})")


@dataclass(frozen=True, eq=False)
class VisitOutcome:
    """One segmented visit, on the grid of its image.

    Attributes
    ----------
    visit
        ``pre`` or ``mid``.
    lesions
        Lesion-id map and records, matched where a prior was given.
    candidates
        Low-probability regions, empty unless asked for.
    seconds
        Wall time of each stage.
    warnings
        What a reader should know: about the image, and what was done differently from what was asked.
    engine
        What computed the network, such as ``OpenVINO, cpu, f32``; what a manifest writes down as the device.
    predict
        The options that were used in the end, which differ from those asked for when memory ran out.
    model
        Name, version and hash.
    probability_files
        By label, float16 arrays on the image's grid; empty unless asked for. They last until the client is closed.
    """

    visit: VisitName
    lesions: LesionSet
    candidates: tuple[Lesion, ...]
    seconds: Mapping[str, float]
    warnings: tuple[str, ...]
    engine: str
    predict: PredictOptions
    model: ModelRecord
    probability_files: Mapping[Target, Path] = field(default_factory=dict)

    def probability(self, label: Target) -> np.ndarray:
        """Probability of a target, float16, shape (k, j, i) of the image.

        Raises
        ------
        BadInputError
            If it was not kept, or the client was closed since.
        """
        from HNTargetSegLib.worker.arrays import read_array

        if label not in self.probability_files:
            raise BadInputError(f"The probability of {label.name} was not kept", remedy="Ask for it with the request")
        return read_array(self.probability_files[label])


@dataclass(frozen=True)
class ReadyEvent:
    """The worker has started.

    Attributes
    ----------
    version, python
        Of the library that the worker runs, and of its interpreter.
    pid
        Process id of the worker.
    """

    version: str
    python: str
    pid: int


@dataclass(frozen=True)
class ProgressEvent:
    """How far a job is.

    Attributes
    ----------
    visit
        None while the model is loaded.
    stage
        Of ``segment``: ``load``, ``preprocess``, ``network``, ``labels``, ``lesions``; of ``register``: ``rigid``,
        ``deformable``, ``check``, ``carry``.
    done, total
        Steps of this stage; ``network`` counts tiles.
    """

    job: str
    visit: VisitName | None
    stage: str
    done: int
    total: int


@dataclass(frozen=True)
class LogEvent:
    """Something that the user should read.

    Attributes
    ----------
    level
        ``info`` or ``warning``.
    job
        None where it belongs to no job.
    """

    level: Literal["info", "warning"]
    message: str
    job: str | None = None


@dataclass(frozen=True, eq=False)
class ResultEvent:
    """A job has succeeded.

    Attributes
    ----------
    request
        ``segment``, ``register``, ``prompt``, ``models``, ``doctor`` or ``ping``.
    visits
        Of ``segment``: outcomes in the order of the request.
    registration
        Of ``register``: what was found.
    prompt
        Of ``prompt``: what was found.
    content
        Of ``models``: ``{"models": [...], "unreadable": [...]}``, each model with its name, folder, digest, whether it
        is shipped or the default, and its whole card; of ``doctor``: the report of
        :func:`~HNTargetSegLib.environment.examine`.
    """

    job: str
    request: str
    visits: tuple[VisitOutcome, ...] = ()
    content: Mapping[str, Any] = field(default_factory=dict)
    registration: RegistrationOutcome | None = None
    prompt: PromptOutcome | None = None


@dataclass(frozen=True)
class ErrorEvent:
    """A job has failed or was cancelled (code 4); with no job: something is wrong with the worker itself.

    Attributes
    ----------
    message
        What is wrong, without its path and remedy.
    remedy, path
        As of :class:`~HNTargetSegLib.errors.TargetSegError`.
    """

    job: str | None
    code: ErrorCode
    message: str
    remedy: str = ""
    path: str | None = None

    def __str__(self) -> str:
        from HNTargetSegLib.errors import TargetSegError

        return str(TargetSegError(self.message, path=self.path, remedy=self.remedy))

    @property
    def cancelled(self) -> bool:
        """Whether the user stopped the job."""
        return self.code is ErrorCode.CANCELLED


Event = ReadyEvent | ProgressEvent | LogEvent | ResultEvent | ErrorEvent
