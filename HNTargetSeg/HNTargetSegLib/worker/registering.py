"""What a request to register does: find the transform or take the given one, judge it, carry the lesions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from HNTargetSegLib.errors import BadInputError, CancelledError, OutOfMemoryError
from HNTargetSegLib.lesions.registered import carry_lesions
from HNTargetSegLib.lesions.side import body_midline
from HNTargetSegLib.prior.deform import DeformOptions
from HNTargetSegLib.prior.engines import Engine
from HNTargetSegLib.prior.registration import RegisterOptions, Registration, register, take_transform
from HNTargetSegLib.worker.fallback import free_memory
from HNTargetSegLib.worker.messages import Event, LogEvent, ProgressEvent, ResultEvent
from HNTargetSegLib.worker.plain_errors import plain_error
from HNTargetSegLib.worker.register_messages import RegisterRequest, RegistrationOutcome

Emit = Callable[[Event], None]
Cancelled = Callable[[], bool]


def register_visits(job: str, request: RegisterRequest, emit: Emit, cancelled: Cancelled) -> ResultEvent:
    """Do a request.

    Parameters
    ----------
    emit
        Takes progress (stages ``rigid``, ``deformable``, ``check``, ``carry``) and warnings.
    cancelled
        Asked between the steps of each stage.

    Raises
    ------
    CancelledError
        If ``cancelled`` said so.
    OutOfMemoryError
        If the CPU has too little memory as well.
    BadInputError
        If there is no lesion to carry, or an image cannot be registered.
    MissingDependencyError
        If the engine's package is not installed.
    """
    if not any(lesion.voxels for lesion in request.lesions.without_rejected()):
        raise BadInputError("The pre-RT visit has no lesion to carry", remedy="Accept or draw its lesions first")

    def progress(stage: str, done: int, total: int) -> None:
        emit(ProgressEvent(job, "mid", stage, done, total))

    found = _registered(job, request, emit, progress, cancelled)
    progress("carry", 0, 1)
    registered = carry_lesions(request.lesions, found.labels, midline_mm=body_midline(request.fixed))
    if cancelled():
        raise CancelledError
    progress("carry", 1, 1)
    outcome = RegistrationOutcome(registered, found.transform, found.quality, found.engine, found.seconds)
    return ResultEvent(job, "register", registration=outcome)


def _registered(
    job: str, request: RegisterRequest, emit: Emit, progress: Callable[[str, int, int], None], cancelled: Cancelled
) -> Registration:
    device = torch_device(request.device)
    try:
        return _on_device(request, device, progress, cancelled)
    except Exception as error:
        problem = plain_error(error)
        if device == "cpu" or not isinstance(problem, OutOfMemoryError):
            raise
    # Outside the except clause: the traceback holds on to the tensors that filled the memory.
    free_memory()
    emit(LogEvent("warning", "The GPU has too little memory to register; the CPU does it, more slowly", job))
    return _on_device(request, "cpu", progress, cancelled)


def _on_device(
    request: RegisterRequest, device: str, progress: Callable[[str, int, int], None], cancelled: Cancelled
) -> Registration:
    options = RegisterOptions(engine=Engine(request.engine), deform=replace(DeformOptions(), device=device))
    if request.transform is not None:
        return take_transform(
            request.fixed, request.moving, request.transform, options, progress=progress, cancelled=cancelled
        )
    return register(request.fixed, request.moving, options, progress=progress, cancelled=cancelled)


def torch_device(wanted: str) -> str:
    """A device of PyTorch to register on; other kinds than the CPU and CUDA lack an operation that it needs."""
    import importlib.util

    if wanted in ("cpu", "mps") or importlib.util.find_spec("torch") is None:
        return "cpu"
    from HNTargetSegLib.models.engines import chosen_device

    found = chosen_device("cuda" if wanted == "cuda" else "auto").type
    return found if found == "cuda" else "cpu"
