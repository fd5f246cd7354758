"""Where the worker's log lies: a file the user can open, kept for the last few starts."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from HNTargetSegLib.files import user_folder

_KEPT = 5


def new_log_file(otherwise: Path) -> Path:
    """A new empty log in the user's cache folder, ``logs/worker-<time>-*.log``; the oldest ones are removed.

    Parameters
    ----------
    otherwise
        Folder to use where the cache folder cannot be written.
    """
    folder = user_folder("cache") / "logs"
    name = f"worker-{time.strftime('%Y%m%d-%H%M%S')}-"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, path = tempfile.mkstemp(".log", name, folder)
    except OSError:
        return otherwise / f"{name}0.log"
    os.close(handle)
    for old in sorted(folder.glob("worker-*.log"))[:-_KEPT]:
        # One that is open in an editor may stay.
        with suppress(OSError):
            old.unlink()
    return Path(path)
