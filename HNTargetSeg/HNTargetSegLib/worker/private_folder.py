"""The temporary folder through which arrays travel: readable by its owner alone, and gone with its client."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

from HNTargetSegLib.errors import OutputError

_PREFIX = "hntargetseg-worker-"
_LOCK = "in-use"
_TRIES, _PAUSE = 5, 0.05


class PrivateFolder:
    """A new folder (mode 0700) in the system's place for temporary files.

    A lock file says that it is in use, which the system lets go when the process ends in whatever way; folders of ended
    processes are removed when the next one is made.

    Attributes
    ----------
    path
        The folder.

    Raises
    ------
    OutputError
        If it cannot be made.
    """

    def __init__(self) -> None:
        remove_stale()
        try:
            self.path = Path(tempfile.mkdtemp(prefix=_PREFIX))
            self._lock = (self.path / _LOCK).open("w")
        except OSError as error:
            raise OutputError(
                f"No temporary folder can be made ({error.strerror or error})",
                path=tempfile.gettempdir(),
                remedy="Free space on that disk, or set TMPDIR to a folder that can be written to",
            ) from error
        _take(self._lock)

    def remove(self) -> None:
        """Delete the folder and all that is in it; a second time does nothing."""
        self._lock.close()
        remove_private(self.path)


def remove_private(folder: Path) -> None:
    """Delete a private folder; any other folder is left alone."""
    if folder.name.startswith(_PREFIX):
        shutil.rmtree(folder, ignore_errors=True)


def remove_abandoned(folder: Path) -> None:
    """Delete a private folder if the process that made it has ended."""
    for _ in range(_TRIES):
        if folder.name.startswith(_PREFIX) and _is_stale(folder):
            remove_private(folder)
            return
        # A process that ends closes its pipes and its files one after the other.
        time.sleep(_PAUSE)


def remove_stale() -> None:
    """Delete the private folders of processes that have ended."""
    with suppress(OSError):
        for folder in Path(tempfile.gettempdir()).glob(_PREFIX + "*"):
            if _is_stale(folder):
                remove_private(folder)


def _is_stale(folder: Path) -> bool:
    lock = folder / _LOCK
    try:
        if folder.is_symlink() or not lock.is_file():
            # A folder without its lock is being made just now.
            return False
        if sys.platform == "win32":
            # What another process holds open cannot be deleted there.
            lock.unlink()
            return True
        if folder.stat().st_uid != os.getuid():
            return False
        with lock.open("r+") as stream:
            return _take(stream)
    except OSError:
        return False


def _take(stream: IO[str]) -> bool:
    """Lock an open file for as long as it is open; whether nobody else has."""
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
