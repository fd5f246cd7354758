"""What is tried when a GPU has too little memory: once more in half precision, then the CPU.

Smaller tiles are not tried: a network that sees less around a voxel than it was trained with loses whole lesions.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from HNTargetSegLib.errors import OutOfMemoryError
from HNTargetSegLib.models.options import PredictOptions
from HNTargetSegLib.worker.plain_errors import plain_error

Outcome = TypeVar("Outcome")


class Fallback:
    """The options that the memory of a device allows.

    Parameters
    ----------
    asked
        Options of the request.
    say
        Takes each step as a sentence for the user.

    Attributes
    ----------
    options
        Options that worked last; the next visit begins with them.
    warnings
        All that was said.
    """

    def __init__(self, asked: PredictOptions, say: Callable[[str], None]) -> None:
        self.asked = self.options = asked
        self.warnings: tuple[str, ...] = ()
        self._say = say

    def run(self, work: Callable[[PredictOptions], Outcome]) -> Outcome:
        """Do the work with the options that the memory allows.

        Raises
        ------
        OutOfMemoryError
            If even the CPU has too little memory.
        """
        while True:
            try:
                return work(self.options)
            except Exception as error:
                self._require_next(error)
            # Outside the except clause: the traceback holds on to the tensors that filled the memory.
            free_memory()
            self._next()

    def _require_next(self, error: Exception) -> None:
        """Raise the error as one of ours, unless there is something else to try."""
        problem = plain_error(error)
        if isinstance(problem, OutOfMemoryError) and _device_kind(self.options) != "cpu":
            return
        if problem is error:
            raise error
        raise problem from error

    def _next(self) -> None:
        kind = _device_kind(self.options).upper()
        if kind == "CUDA" and self.options.mode == "exact":
            self.options = replace(self.options, mode="fast")
            text = (
                "The GPU has too little memory; it tries once more in half precision, as nnU-Net itself computes, "
                "with which some borders may move by a voxel"
            )
        else:
            self.options = replace(self.asked, device="cpu")
            text = f"The {kind} device has too little memory; the CPU does it, more slowly"
        self.warnings = (*self.warnings, text)
        self._say(text)


def free_memory() -> None:
    """Give back what no object needs any more, also on the GPU."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()


def _device_kind(options: PredictOptions) -> str:
    if options.device != "auto":
        return options.device
    from HNTargetSegLib.models.engines import chosen_device

    return chosen_device("auto").type
