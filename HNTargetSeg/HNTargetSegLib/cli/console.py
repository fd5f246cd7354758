"""What the installed command starts: `main`, in a process whose memory management suits a command."""

from __future__ import annotations

import gc
import importlib.util
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress

from HNTargetSegLib.cli.main import main
from HNTargetSegLib.models.options import allocator_environment

ALLOCATOR_VARIABLE = "HNTARGETSEG_ALLOCATOR"
"""Set to anything, such as ``system``, it keeps the allocator as it is; a restarted process has it as ``tuned``."""

# New objects before a search, and searches before a wider one; Python's own are 700, 10 and 10.
_COLLECTION = (100_000, 50, 50)

_NETWORK_COMMANDS = ("segment", "demo")


def console() -> int:
    """Run the command line of this process; returns its exit status."""
    if runs_pytorch(sys.argv[1:]):
        restart_with_allocator()
    # A command makes few cycles and loads half a million objects that stay: searching them costs it a second.
    gc.set_threshold(*_COLLECTION)
    try:
        return main()
    finally:
        # Nor are they searched at the end of the process, where the system takes all back.
        gc.freeze()


def runs_pytorch(arguments: Sequence[str]) -> bool:
    """Whether a command line lets PyTorch compute a network in its own process.

    OpenVINO gains little by the settings (under a tenth) and needs a GB more with them at its first start.
    """
    if not arguments or arguments[0] not in _NETWORK_COMMANDS or {"-h", "--help"} & set(arguments):
        return False
    return "torch" in arguments or "--backend=torch" in arguments or importlib.util.find_spec("openvino") is None


def restart_with_allocator() -> None:
    """Put this program in place of itself, once, with the allocator settings; returns where there is nothing to gain.

    The C library reads them when a process starts. The process keeps its number, terminal and parent, so that
    Ctrl-C and the exit status pass as if nothing had happened.
    """
    environment = restart_environment(os.environ)
    if environment is None or not sys.executable:
        return
    # Where the system forbids it, the work is done more slowly.
    with suppress(OSError):
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)


def restart_environment(current: Mapping[str, str]) -> dict[str, str] | None:
    """Environment to restart with; None where that was done, is unwanted or changes nothing.

    Settings that the user made stay as they are.
    """
    settings = allocator_environment()
    if ALLOCATOR_VARIABLE in current or all(name in current for name in settings):
        return None
    return {**settings, **current, ALLOCATOR_VARIABLE: "tuned"}


if __name__ == "__main__":
    sys.exit(console())
