"""Any exception as one of our errors, so that the user is told what to do about it."""

from __future__ import annotations

import errno

from HNTargetSegLib.errors import MissingDependencyError, OutOfMemoryError, OutputError, TargetSegError

_NO_MEMORY = (
    *("not enough memory", "out of memory", "bad_alloc", "allocate memory", "can't allocate", "failed to allocate"),
    *("failed to map", "can't start new thread"),
)


def plain_error(error: BaseException) -> TargetSegError:
    """The error that a user sees for an exception.

    Parameters
    ----------
    error
        One of ours is taken as it is. Too little memory has many faces: MemoryError, errno ENOMEM, and the words of
        PyTorch, OpenVINO and the loader of shared libraries.
    """
    full = _is_out_of_memory(error)
    if isinstance(error, MissingDependencyError) and error.__cause__ is not None:
        # OpenVINO that cannot prepare a network may be short of memory for it.
        full = _is_out_of_memory(error.__cause__)
    if isinstance(error, TargetSegError) and not full:
        return error
    text = f"{type(error).__name__}: {error}"
    if full:
        return OutOfMemoryError(
            "There is too little free memory for this model and image",
            remedy="Close other programs, choose device cpu or a smaller model, or use a computer with more memory",
        )
    if isinstance(error, ImportError):
        what = f"the Python package '{error.name}'" if error.name else "a Python package"
        return MissingDependencyError(
            f"{what[0].upper()}{what[1:]} cannot be imported ({error})",
            remedy="Install what `hntargetseg doctor` names as missing, or choose another Python for the worker",
        )
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return OutputError(
            f"The disk is full ({error.strerror})", path=error.filename, remedy="Free space on that disk and try again"
        )
    return TargetSegError(f"Something unexpected happened ({text})", remedy="The worker's log says where")


def _is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    words = str(error).lower()
    return isinstance(error, (RuntimeError, ImportError, OSError)) and any(text in words for text in _NO_MEMORY)
