"""What can go wrong, as classes: each message says what is wrong, in which file, and what to do."""

from __future__ import annotations

from enum import IntEnum
from os import PathLike


class ErrorCode(IntEnum):
    """Exit status of the command line and error code of the worker."""

    OK = 0
    INTERNAL = 1
    BAD_INPUT = 2
    OUT_OF_MEMORY = 3
    CANCELLED = 4
    MISSING_DEPENDENCY = 5


class TargetSegError(Exception):
    """Base of every error that a user may see.

    Parameters
    ----------
    what
        What is wrong, as a sentence without its full stop.
    path
        The file or folder that is at fault, if there is one.
    remedy
        What the user can do about it, as a sentence without its full stop.
    """

    code = ErrorCode.INTERNAL

    def __init__(self, what: str, *, path: str | PathLike[str] | None = None, remedy: str = "") -> None:
        self.what = what
        self.path = None if path is None else str(path)
        self.remedy = remedy
        super().__init__(str(self))

    def __str__(self) -> str:
        place = f"{self.path}: " if self.path else ""
        sentences = [text if text[-1] in ".?!" else f"{text}." for text in (self.what, self.remedy) if text]
        return place + " ".join(sentences)


class BadInputError(TargetSegError):
    """A file, folder or option that cannot be used as it is."""

    code = ErrorCode.BAD_INPUT


class GeometryError(BadInputError):
    """Two volumes that must lie on one grid do not, or a grid is impossible."""


class ModelError(BadInputError):
    """A model folder, archive or download that is incomplete, changed or unsafe."""


class OutputError(BadInputError):
    """A result could not be written; nothing half-written is left."""


class OutOfMemoryError(TargetSegError):
    """The device has too little memory for the request."""

    code = ErrorCode.OUT_OF_MEMORY


class CancelledError(TargetSegError):
    """The user stopped the work; the model stays loaded."""

    code = ErrorCode.CANCELLED

    def __init__(self, what: str = "Cancelled by the user") -> None:
        super().__init__(what)


class MissingDependencyError(TargetSegError):
    """A package, program or device is not on this machine."""

    code = ErrorCode.MISSING_DEPENDENCY
